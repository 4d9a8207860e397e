// The scripts of docs/status.md, with a command that answers for the real one.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { report } from "../../../../cli/status/json";
import { judge } from "../../../../cli/status/judge";
import type { HostStatus } from "../../../../cli/status/types";
import { answerOf, statusOf } from "../../../support/answers";
import { has } from "../../../support/sandbox";
import { skip } from "../../../support/skip";

const page = readFileSync(join(__dirname, "../../../../docs/status.md"), "utf8");
const scripts = [...page.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text = ""]) => text);
const jsonOf = (...hosts: HostStatus[]) =>
    JSON.stringify(
        report(
            "prod",
            hosts.map((host) => judge(host, { project: "edge", stack: "prod", pulumiCommand: "pulumi" })),
        ),
        undefined,
        2,
    );

describe("monitoring with a status", () => {
    let folder: string;
    before(function () {
        if (!has("jq")) skip(this, "jq not installed");
    });
    beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), "monitoring-"));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    /** Runs a script of the page with a command that prints a text and ends with a status. */
    function run(script: string, text: string, status: number) {
        writeFileSync(join(folder, "text"), text);
        writeFileSync(join(folder, "npx"), `#!/bin/sh\ncat '${folder}/text'\nexit ${status}\n`, { mode: 0o755 });
        const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
        const ended = spawnSync("sh", ["-c", script.replace("/srv/edge", folder)], { env, encoding: "utf8" });
        return [ended.status, ended.stdout, ended.stderr];
    }

    it("prints one line and the status that Nagios expects", () => {
        const script = scripts.find((text) => text.startsWith("#!/bin/sh")) ?? "";
        const away: HostStatus = { ...statusOf("lb2"), answer: { unanswered: "did not answer; look" } };
        const drifted = statusOf("lb3", { ...answerOf("lb3"), drift: [{ resource: "file[/etc/motd]", what: "mode" }] });
        assert.deepEqual(run(script, jsonOf(statusOf("lb1")), 0), [0, "all hosts are healthy\n", ""]);
        assert.deepEqual(run(script, jsonOf(statusOf("lb1"), drifted), 2), [
            1,
            "lb3: drift: file[/etc/motd] mode\n",
            "",
        ]);
        assert.deepEqual(run(script, jsonOf(away, drifted), 1), [
            2,
            "lb2: did not answer; lb3: drift: file[/etc/motd] mode\n",
            "",
        ]);
        assert.deepEqual(run(script, "npx haproxy-fleet status: no login\nmore\n", 1), [
            2,
            "npx haproxy-fleet status: no login\n",
            "",
        ]);
    });

    it("sends a mail only if something is amiss, by a line that cron takes as it is", () => {
        const line = scripts.find((text) => /^[\d*]/.test(text)) ?? "";
        const [, command = ""] = /^(?:\S+\s+){5}deploy\s+(.*)$/m.exec(line) ?? [];
        // cron ends a command at this character.
        assert.equal(command.includes("%"), false);
        assert.deepEqual(run(command, "all well\n", 0), [0, "", ""]);
        assert.deepEqual(run(command, "stack prod: 1 failing\n\nlb1\n", 1), [0, "stack prod: 1 failing\n\nlb1\n", ""]);
    });
});
