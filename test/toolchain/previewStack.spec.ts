// Previews for a review, with the real CLI. The hosts answer from the program, but one, on whose port nothing listens.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { previewStack } from "../../cli/review/preview";
import { repo } from "../../toolchain/environment.mjs";
import { cliWith } from "../support/cliScript";
import { hostKey } from "../support/probeReplies";
import { newKeyPair } from "../support/sshKeys";
import { Project } from "./project";

const module = (path: string) => JSON.stringify(join(repo, "components/convergence", path));

/** Hosts by the differences of their answers; `away` has another port than the others, and is asked over SSH. */
const program = (hosts: Record<string, string>, more = "") => `
    import { ConvergedHost } from ${module("convergedHost")};
    import { useProbe } from ${module("hostConversation")};
    import { probeOverSsh } from ${module("preview/probe")};
    const config = new pulumi.Config();
    const answers: any = {${Object.entries(hosts).map(([name, answer]) => `${name}: ${answer}`)}};
    const answer = {
        bootId: "b", token: "t", differences: [], live: new Map(), refused: [], unchecked: [], activations: [], settings: [], secretLines: [], warnings: [], shortages: [], longest: [], serving: [],
    };
    useProbe(async (target, ...rest) => target.port === 1 ? probeOverSsh(target, ...rest) : ({
        answer: { ...answer, ...answers[target.address] },
        leave: async () => {}, confirmLogin: async () => {}, cause: async () => "", lost: new Promise(() => {}), close: () => {},
    }));
    for (const name of Object.keys(answers)) new ConvergedHost(name, {
        connection: {
            ...(name === "away" ? { address: "127.0.0.1", port: 1 } : { address: name }),
            hostKey: ${JSON.stringify(hostKey)},
            privateKey: config.requireSecret("key"),
        },
        resources: [{ kind: "file", path: "/etc/x", content: "x" }],
    });
    ${more}`;

describe("previewStack", function () {
    this.timeout(120_000);
    const project = new Project();
    const secret = "pl4nted-password";
    const key = newKeyPair().private;
    /** A script in the place of the CLI, which sets what a login would. */
    const script = (name: string, lines: string) => {
        const path = join(project.directory, name);
        writeFileSync(path, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
        return path;
    };
    /** The CLI with the state of the project. */
    const cli = (passphrase = "test") =>
        cliWith({
            directory: project.directory,
            environment: {
                PULUMI_BACKEND_URL: `file://${project.directory}`,
                // Empty is none.
                PULUMI_CONFIG_PASSPHRASE: passphrase || undefined,
                PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
            },
        });
    const preview = (stack = "dev", pulumi = cli(), patience?: number) =>
        previewStack(stack, { pulumi, pulumiCommand: "pulumi" }, project, patience);
    const temporary = join(project.directory, "tmp");
    const { TMPDIR } = process.env;

    before(async () => {
        mkdirSync(temporary);
        process.env.TMPDIR = temporary;
        await project.succeed("stack", "init", "dev");
        await project.succeed("config", "set", "--secret", "key", "--", key);
        await project.succeed("config", "set", "--secret", "password", secret);
    });
    afterEach("nothing is left", () => assert.deepEqual(readdirSync(temporary), []));
    after(() => {
        if (TMPDIR === undefined) delete process.env.TMPDIR;
        else process.env.TMPDIR = TMPDIR;
        project.remove();
    });

    it("says what each host and each resource would do, with no secrets", async () => {
        project.program(
            program(
                {
                    lb2: '{ differences: [{ id: "r0", aspect: "mode", have: "81ff" }], warnings: ["set by hand"] }',
                    lb1: "{}",
                    away: "{}",
                },
                `const connection = { host: "192.0.2.1", password: config.requireSecret("password") };
                new remote.Command("app", { connection, create: pulumi.interpolate\`echo \${config.requireSecret("password")}\` });
                void pulumi.log.warn("weak " + config.require("password"));
                console.error("printed");`,
            ),
        );
        const previewed = await preview();
        const { hosts, ...others } = previewed;
        assert.deepEqual(
            hosts.map(({ host, outcome, reason, warnings }) => [host, outcome, reason.length, warnings]),
            [
                ["away", "unasked", 1, []],
                ["lb1", "unchanged", 0, []],
                ["lb2", "differs", 0, ["set by hand"]],
            ],
        );
        assert.deepEqual(others, {
            certificates: [],
            steps: [{ operation: "create", type: "command:remote:Command", name: "app" }],
            errors: [],
            warnings: ["weak [secret]"],
        });
        for (const part of [secret, ...key.trim().split("\n")])
            assert.ok(!JSON.stringify(previewed).includes(part), part);
    });

    it("says which hosts refuse, and no error besides", async () => {
        const refusing = '{ refused: [{ id: "r0", stage: "preflight", words: "no such thing" }] }';
        project.program(program({ lb1: refusing, lb2: refusing, lb3: "{}" }));
        const { hosts, errors, warnings } = await preview();
        assert.deepEqual(
            hosts.map(({ host, outcome }) => `${host} ${outcome}`),
            ["lb1 refused", "lb2 refused", "lb3 unchanged"],
        );
        assert.deepEqual([errors, warnings], [[], []]);
    });

    it("takes no host for asked of which the program records nothing, be it new or not", async () => {
        const silent = (name: string) =>
            `new pulumi.ComponentResource("haproxy-fleet:index:ConvergedHost", "${name}");`;
        project.program(silent("lb1"));
        await project.succeed("up", "--yes");
        project.program(silent("lb1") + silent("lb2"));
        const { hosts, errors } = await preview();
        assert.deepEqual(
            hosts.map(({ host, outcome, reason }) => [host, outcome, reason.length]),
            [
                ["lb1", "unasked", 1],
                ["lb2", "unasked", 1],
            ],
        );
        assert.deepEqual(errors, []);
    });

    it("says where a program fails", async () => {
        project.program(program({}, "const parts: any = undefined;\nparts.first;"));
        const { hosts, errors } = await preview();
        assert.deepEqual(hosts, []);
        assert.equal(errors.length, 1);
        assert.match(
            errors[0] ?? "",
            /^TypeError: Cannot read properties of undefined \(reading 'first'\)\n {4}at \S+ \(index\.js:\d+:\d+\)$/,
        );
        project.program(program({}, "process.exit(3);"));
        assert.equal((await preview()).errors.length, 1);
    });

    it("says why there was no preview: a passphrase, the stack", async () => {
        const errorOf = async (stack: string, pulumi: string) => {
            const { errors, hosts } = await preview(stack, pulumi);
            assert.deepEqual([hosts.length, errors.length], [0, 1]);
            return errors[0] ?? "";
        };
        assert.match(await errorOf("dev", cli("wrong")), /^stack dev: the passphrase is wrong; /);
        assert.match(await errorOf("dev", cli("")), /^stack dev: the passphrase of its secrets is not set; /);
        assert.match(await errorOf("nope", cli()), /^stack nope: the backend has no such stack; /);
    });

    it("fails if there is no CLI, or if it takes too long", async () => {
        await assert.rejects(preview("dev", "/nowhere/pulumi"), {
            message: "/nowhere/pulumi is not installed; install the Pulumi CLI",
        });
        // Ends by itself when it is told to, as the CLI does.
        const slow = script("slow", "trap 'kill $!; exit 1' TERM\nsleep 60 &\nwait");
        await assert.rejects(preview("dev", slow, 500), {
            message: "pulumi preview: ended, because stack dev took more than 0.5 s",
        });
    });

    it("is ended by a signal, and cleans up", async () => {
        const ready = join(project.directory, "modes");
        const slow = script(
            "slow",
            `stat -c %a "$HAPROXY_FLEET_FINDINGS" "$(dirname "$HAPROXY_FLEET_FINDINGS")" >'${ready}'\nkill -s "$SIGNAL" $PPID\nexec sleep 1`,
        );
        for (const signal of ["INT", "TERM", "HUP"]) {
            process.env.SIGNAL = signal;
            // Mocha would end its run.
            const others = process.listeners("SIGINT");
            process.removeAllListeners("SIGINT");
            try {
                await assert.rejects(preview("dev", slow), { message: `pulumi preview: ended by SIG${signal}` });
            } finally {
                for (const other of others) process.on("SIGINT", other);
                delete process.env.SIGNAL;
            }
        }
        assert.equal(readFileSync(ready, "utf8"), "600\n700\n");
    });
});
