// Stand-ins for tls and aws never serve a real stack: they need the lab's flag, and a state of a lab's own.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pulumiEnv, pulumiInstall } from "../../toolchain/environment.mjs";
import { whyNoLab } from "../../toolchain/offline/provider/labOnly";
import { skip } from "../support/skip";
import { Plugin } from "./plugin";

describe("stand-ins that make no real resources", () => {
    const directory = mkdtempSync(join(tmpdir(), "lab-only-"));
    const checkout = join(directory, "checkout");
    const lab = { HAPROXY_FLEET_LAB: "1", PULUMI_BACKEND_URL: `file://${directory}` };
    before(() => {
        mkdirSync(join(checkout, ".lab", "state"), { recursive: true });
        symlinkSync("/etc", join(directory, "link"));
    });
    after(() => rmSync(directory, { recursive: true, force: true }));

    const cases: [title: string, env: NodeJS.ProcessEnv, why?: RegExp][] = [
        ["without the lab's flag", { HAPROXY_FLEET_LAB: undefined }, /^HAPROXY_FLEET_LAB is not 1$/],
        ["with another value of the flag", { HAPROXY_FLEET_LAB: "yes" }, /^HAPROXY_FLEET_LAB is not 1$/],
        [
            "if the backend is that of a login or a project",
            { PULUMI_BACKEND_URL: undefined },
            /^PULUMI_BACKEND_URL is not file:\/\/\/FOLDER, but not set$/,
        ],
        ["with a remote backend", { PULUMI_BACKEND_URL: "s3://states" }, /FOLDER, but s3:\/\/states$/],
        ["with a state at home", { PULUMI_BACKEND_URL: "file://~" }, /FOLDER, but file:\/\/~$/],
        [
            "with a state elsewhere",
            { PULUMI_BACKEND_URL: "file:///etc" },
            /^the state in file:\/\/\/etc is in none of /,
        ],
        ["with a way out", { PULUMI_BACKEND_URL: `file://${tmpdir()}/../etc` }, / is in none of the folders /],
        ["with a link out", { PULUMI_BACKEND_URL: `file://${directory}/link` }, / is in none of the folders /],
        ["with the state in all temporary files", { PULUMI_BACKEND_URL: `file://${tmpdir()}` }, / is in none of /],
        ["with a state that does not exist", { PULUMI_BACKEND_URL: `file://${directory}/none` }, / is in none of /],
    ];
    for (const [title, env, why] of cases) {
        it(`refuse ${title}`, () => assert.match(whyNoLab({ ...lab, ...env }) ?? "", why as RegExp));
    }

    it("run with the state of a test, or of the checkout's lab", () => {
        assert.equal(whyNoLab(lab), undefined);
        const labFolder = join(checkout, ".lab");
        const env = { HAPROXY_FLEET_LAB: "1", PULUMI_BACKEND_URL: `file://${labFolder}/state?no_tmp_dir=true` };
        assert.equal(whyNoLab({ ...env, HAPROXY_FLEET_LAB_FOLDER: labFolder }), undefined);
    });

    it("run with the state that npm run pulumi chooses, if it is this checkout's", function () {
        if (pulumiInstall().full) return skip(this, "with a full install, there are no stand-ins");
        const { PULUMI_BACKEND_URL: _, ...env } = pulumiEnv({ PULUMI_BACKEND_URL: undefined });
        const state = `file://${env.HAPROXY_FLEET_LAB_FOLDER}/state`;
        mkdirSync(`${env.HAPROXY_FLEET_LAB_FOLDER}/state`, { recursive: true });
        assert.equal(whyNoLab({ ...env, PULUMI_BACKEND_URL: state, HAPROXY_FLEET_LAB: "1" }), undefined);
    });

    for (const [name, makes] of [
        ["tls", "makes keys and certificates"],
        ["aws", "calls a simulator of AWS"],
    ] as const) {
        it(`tell the engine so, and what to do: ${name}`, async function () {
            if (pulumiInstall().full) return skip(this, "the real plugins are for real stacks");
            for (const env of [{ HAPROXY_FLEET_LAB: undefined }, { PULUMI_BACKEND_URL: "s3://states" }]) {
                const plugin = new Plugin(name);
                try {
                    await assert.rejects(plugin.start({ ...lab, ...env }), ({ message }: Error) => {
                        const begin = `${name}: this is a stand-in for the plugin, which ${makes} for labs and tests only, and `;
                        assert.ok(message.startsWith(begin), message);
                        assert.match(
                            message,
                            /; install Pulumi to use the real plugin, or set HAPROXY_FLEET_LAB=1 for a lab and PULUMI_BACKEND_URL to /,
                        );
                        return true;
                    });
                } finally {
                    plugin.stop();
                }
            }
        });
    }
});
