// status in a project of a user, with a script in the place of the Pulumi CLI, and an sshd of the test in that of the hosts.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { StatusReport } from "../../../../cli/status/json";
import { SshServer } from "../../../support/sshServer";
import { commandOf, hostOf, stateOf } from "../../../support/states";
import { UserProject } from "../../../support/userProject";

/** What a real host has answered. */
const answer = readFileSync(join(__dirname, "answers/haproxy-3.0.txt"), "utf8");

describe("haproxy-fleet status", function () {
    this.timeout(120_000);
    let project: UserProject;
    let fleet: string;
    const server = new SshServer(async () => ({ stdout: answer }));
    const script = (text: string) =>
        project.write({ "bin/pulumi": `#!/bin/sh\nprintf '%s\\n' "$*" >>"$0.asked"\n${text}\n` });
    const state = (text: string) => {
        script('cat "$0.state"');
        project.write({ "bin/pulumi.state": text });
    };

    before(async () => {
        await server.start();
        project = new UserProject();
        // A program that fails: status does not run it.
        project.write({ "index.ts": "throw new Error('it runs');\n" });
        project.environment = {
            PATH: `${join(project.directory, "bin")}${delimiter}${process.env.PATH}`,
            SSH_AUTH_SOCK: "",
        };
        fleet = stateOf(
            hostOf("edge-lb1", "edge"),
            commandOf("edge-lb1", "edge", server.target(), "t1"),
            hostOf("edge-lb2", "edge"),
            commandOf("edge-lb2", "edge", server.target({ port: 1 }), "t2"),
            hostOf("edge-lb3", "edge"),
        );
        state(fleet);
    });
    after(() => {
        server.stop();
        project.remove();
    });

    it("asks the hosts in the state of the selected stack, which it reads once", async () => {
        const { code, stdout, stderr } = await project.command("status");
        assert.deepEqual([code, stderr], [1, ""]);
        assert.match(stdout, /^stack prod: 3 load balancers, 2 failing, 1 needs attention\n\nHOST /);
        assert.match(stdout, /^edge-lb1 {2}3\.0\.11 files differ .* 30 min ago$/m);
        assert.match(stdout, /^edge-lb2 {2}no answer: refuses connections$/m);
        assert.match(stdout, /^edge-lb3 {2}never converged$/m);
        assert.match(
            stdout,
            /^attention {2}edge-lb1: is converged by .*, not by this stack; pulumi preview --stack prod /m,
        );
        assert.doesNotMatch(stdout, /\x1b|PRIVATE KEY/);
        assert.match(project.read("bin/pulumi.asked"), /^--non-interactive -C \S+ stack export --show-secrets\n$/);
        assert.equal(server.opened, 1);
    });

    it("prints an object for programs, of the named stack and hosts", async () => {
        const { code, stdout, stderr } = await project.command(
            "status",
            "--json",
            "--stack",
            "acme/edge/prod",
            "lb1",
            "edge-lb3",
        );
        assert.deepEqual([code, stderr], [1, ""]);
        const { stack, healthy, hosts } = JSON.parse(stdout) as StatusReport;
        assert.deepEqual([stack, healthy], ["prod", false]);
        assert.deepEqual(
            hosts.map(({ host, verdict }) => [host, verdict]),
            [
                ["edge-lb1", "failing"],
                ["edge-lb3", "attention"],
            ],
        );
        assert.match(project.read("bin/pulumi.asked"), /--show-secrets --stack acme\/edge\/prod\n$/);
        assert.doesNotMatch(stdout, /PRIVATE KEY|"t1"/);
    });

    it("asks the hosts of a pair again that look as during a hand-over, and no other", async () => {
        const says = (host: string, peer: string, ...roles: string[]) => {
            let asked = 0;
            return new SshServer(async () => {
                const role = roles[asked++] ?? "";
                const pair = `pair-says\tpair\tedge\t${host}\t${peer}\t192.0.2.100/24\npair-says\trole\t${role}\n`;
                return { stdout: answer.replace("asked-haproxy", `asked-pair\t0\n${pair}asked-haproxy`) };
            }).start();
        };
        const handingOver = async (...ofLb2: string[]) => {
            const servers = [
                await says("lb1", "lb2", "MASTER\tall\t9", "BACKUP\tnone\t4"),
                await says("lb2", "lb1", ...ofLb2),
                await new SshServer(async () => ({ stdout: answer })).start(),
            ];
            const names = ["edge-lb1", "edge-lb2", "edge-lb3"];
            state(
                stateOf(
                    ...names.flatMap((name, n) => [
                        hostOf(name, "edge"),
                        commandOf(name, "edge", servers[n]?.target() ?? server.target(), "t1"),
                    ]),
                ),
            );
            const { stdout } = await project.command("status", "--json");
            for (const each of servers) each.stop();
            const { hosts } = JSON.parse(stdout) as StatusReport;
            const kinds = hosts.map(({ reasons }) => reasons.map(({ kind }) => kind));
            return [servers.map(({ opened }) => opened), kinds.map((all) => all.includes("both-master"))];
        };
        const master = "MASTER\tall\t1";
        assert.deepEqual(await handingOver(master, master), [
            [2, 2, 1],
            [false, false, false],
        ]);
        assert.deepEqual(await handingOver("BACKUP\tnone\t99"), [
            [1, 1, 1],
            [false, false, false],
        ]);
        state(fleet);
    });

    it("ends without a word if nobody reads what it prints, and with one if that cannot be written", () => {
        state(stateOf(hostOf("edge-lb1", "edge")));
        const command = join(project.directory, "node_modules/haproxy-fleet/command.js");
        const ends = (shell: string) => {
            const options = { cwd: project.directory, env: { ...process.env, ...project.environment } };
            const { status, stderr } = spawnSync("bash", ["-c", shell, process.execPath, command], options);
            return [status, stderr.toString()];
        };
        assert.deepEqual(ends('"$0" "$1" status | true; exit ${PIPESTATUS[0]}'), [141, ""]);
        const words = "standard output: ENOSPC: no space left on device, write\n";
        assert.deepEqual(ends('"$0" "$1" status >/dev/full'), [1, words]);
        state(fleet);
    });

    it("says what Pulumi says, and which hosts there are, on standard error only", async () => {
        const fails = async (words: RegExp, ...args: string[]) => {
            const { code, stdout, stderr } = await project.command("status", ...args);
            assert.deepEqual([code, stdout], [1, ""]);
            assert.match(stderr, words);
        };
        await fails(
            /status: stack prod has no host lb9 \(it has: edge-lb1, edge-lb2, edge-lb3\); name one of them\n$/,
            "lb9",
        );
        await fails(/status: unknown option --jsn; did you mean --json\?\n.*status --help says more\n$/, "--jsn");
        state(stateOf());
        await fails(
            /status: stack prod has no load balancer in its state; run pulumi up first, or name another stack\n$/,
        );
        state("{}");
        await fails(/status: its state is empty; run pulumi up first/);
        state("s3cret");
        await fails(/^(?!.*s3cret).*status: pulumi stack export: it printed no JSON/s);
        script('echo "error: no stack named prod found" >&2; exit 255');
        await fails(/status: pulumi stack: no stack named prod found\n$/);
        project.environment.PATH = join(project.directory, "empty");
        await fails(/status: pulumi is not installed; install the Pulumi CLI\n$/);
    });
});
