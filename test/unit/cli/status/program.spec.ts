import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAnswer } from "../../../../cli/status/answer";
import { statusProgram } from "../../../../cli/status/program";
import type { Answer } from "../../../../cli/status/types";
import { haproxy } from "../../../../components/recipes/haproxy";
import { describeUnderShells, has, SHELLS } from "../../../support/sandbox";

/** What systemd says of a unit, as `systemctl show -p ActiveState -p Description -- UNIT` prints it. */
type Units = Record<string, { state: string; description?: string }>;

/** Runs the program in a shell of this machine, with files of a host in a temporary directory. */
class Host {
    readonly directory = mkdtempSync(join(tmpdir(), "haproxy-fleet-status-"));
    readonly master = join(this.directory, "run/haproxy-master.sock");

    constructor(private readonly shell: string[]) {
        for (const folder of ["run/haproxy-fleet", "lib/haproxy-fleet", "libexec/haproxy-fleet", "bin"])
            mkdirSync(join(this.directory, folder), { recursive: true });
        writeFileSync(join(this.directory, "machine-id"), "this machine\n");
        this.units({});
    }

    /** Writes a record of a converge. */
    record(name: string, text: string): void {
        writeFileSync(join(this.directory, "lib/haproxy-fleet", name), text);
    }

    units(units: Units): void {
        const cases = Object.entries(units).map(
            ([name, { state, description = name }]) =>
                `${name}.service) printf 'Description=%s\nActiveState=%s\n' '${description}' '${state}' ;;`,
        );
        const text = `#!/bin/sh\nfor unit; do :; done\ncase $unit in ${cases.join("\n")} esac\n`;
        writeFileSync(join(this.directory, "bin/systemctl"), text, { mode: 0o755 });
    }

    /** Puts a program of the pair there. */
    program(name: string, text: string): void {
        writeFileSync(join(this.directory, "libexec/haproxy-fleet", name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    }

    async answer(change = (text: string) => text): Promise<Answer> {
        const text = change(statusProgram())
            .replaceAll("/run/haproxy", join(this.directory, "run/haproxy"))
            .replaceAll("/run/$product", join(this.directory, "run/$product"))
            .replaceAll("/var/lib/", join(this.directory, "lib/"))
            .replaceAll("/usr/local/libexec/", join(this.directory, "libexec/"))
            .replaceAll("/etc/machine-id", join(this.directory, "machine-id"))
            .replace("PATH=", `PATH=${join(this.directory, "bin")}:`);
        const file = join(this.directory, "run/haproxy-fleet/in.1");
        writeFileSync(file, text);
        const [program = "", ...words] = [...this.shell, file, "status"];
        const child = spawn(program, words, { stdio: ["ignore", "pipe", "ignore"] });
        let stdout = "";
        child.stdout.setEncoding("utf8").on("data", (chunk) => {
            stdout += chunk;
        });
        assert.deepEqual(await once(child, "close"), [0, null], stdout);
        return parseAnswer(stdout);
    }

    remove(): void {
        rmSync(this.directory, { recursive: true });
    }
}

/** All files below a directory, with their contents. */
const contents = (directory: string) =>
    readdirSync(directory, { recursive: true, encoding: "utf8" })
        .sort()
        .map((name) => {
            const path = join(directory, name);
            return [name, statSync(path).isFile() ? readFileSync(path, "utf8") : ""];
        });

describe("the program of a status", () => {
    it("is accepted by ShellCheck, dash and busybox", function () {
        this.timeout(60_000);
        const input = statusProgram();
        for (const [name, ...command] of SHELLS.filter(([, program]) => has(program ?? ""))) {
            const { status, stderr } = spawnSync(command[0] ?? "", [...command.slice(1), "-n"], { input });
            assert.equal(status, 0, `${name}: ${stderr}`);
        }
        if (!has("shellcheck")) this.skip();
        const { status, stdout } = spawnSync("shellcheck", ["--shell=sh", "--severity=style", "-"], { input });
        assert.equal(status, 0, stdout.toString());
    });

    it("has Perl that compiles", function () {
        if (!has("perl")) this.skip();
        const [, program = ""] = /perl -e '\n(.*)' -- "\$@"/s.exec(statusProgram()) ?? [];
        const { status, stderr } = spawnSync("perl", ["-wc", "-e", program.replaceAll("'\\''", "'")], {
            encoding: "utf8",
        });
        assert.equal(stderr, "-e syntax OK\n");
        assert.equal(status, 0);
    });

    it("asks the socket that the recipe makes", () => {
        const [transaction] = haproxy({ version: "2.6", frontends: [], backends: [] }).flatMap((resource) =>
            resource.kind === "transaction" ? resource : [],
        );
        const { master, unit } = transaction?.adapter.parameters ?? {};
        assert.equal(/^master=(.*)$/m.exec(statusProgram())?.[1], master);
        assert.equal(unit, "haproxy.service");
    });
});

describeUnderShells(
    "the program of a status",
    (shell) => new Host(shell),
    (host) => {
        const running = {
            state: "active",
            description: "haproxy-fleet by alice@laptop as root from ::1 at 1:00:00Z id=a",
        };

        it("says what the last converge has recorded, and leaves nothing behind", async () => {
            host().record("owner", "shop/prod/it's $(reboot) lb1\nthis machine\n");
            host().record("token", "abc\nthis machine\n");
            host().record("declared", "abc\nsysctl[x]\t=1\n\ntransaction[haproxy]\t=2\n");
            host().record("last-converge", "100\t7\t\troot from local\tsysctl[x] failed: the last step failed\n");
            host().record("check", '[ "$1" = check ] && printf "check\\nwarning\\tto do\\nend\\tdone\\n"\n');
            const before = contents(host().directory);
            const { now, ...answer } = await host().answer();
            assert.ok(Math.abs(now - Date.now() / 1000) < 60);
            assert.deepEqual(answer, {
                owner: "shop/prod/it's $(reboot) lb1",
                token: "abc",
                lastConverge: {
                    ended: 100,
                    took: 7,
                    by: "root from local",
                    result: "sysctl[x] failed: the last step failed",
                },
                drift: [],
                warnings: ["to do"],
                managesHaproxy: true,
            });
            assert.deepEqual(contents(host().directory), before);
        });

        it("does not count what another machine has recorded", async () => {
            host().record("owner", "shop/prod/lb1\nanother machine\n");
            host().record("token", "abc\nanother machine\n");
            const { owner, token } = await host().answer();
            assert.deepEqual([owner, token], ["", ""]);
        });

        it("says on a host without records that there are none", async () => {
            rmSync(join(host().directory, "lib"), { recursive: true });
            rmSync(join(host().directory, "machine-id"));
            rmSync(join(host().directory, "bin"), { recursive: true });
            const { now, ...answer } = await host().answer();
            assert.ok(now > 0);
            assert.deepEqual(answer, { owner: "", token: "", warnings: [], managesHaproxy: false });
        });

        it("does not check a host that converges at the moment", async () => {
            host().record("check", `touch ${join(host().directory, "checked")}\n`);
            for (const state of ["active", "activating", "deactivating"]) {
                host().units({ "haproxy-fleet-converge": { ...running, state } });
                const { converging, drift, warnings } = await host().answer();
                assert.deepEqual([converging, drift, warnings], ["alice@laptop", undefined, []], state);
            }
            assert.ok(!readdirSync(host().directory).includes("checked"));
            host().units({ "haproxy-fleet-converge": { ...running, state: "inactive" } });
            assert.equal((await host().answer()).converging, undefined);
        });

        it("says nothing of what differs if a converge begins while it checks", async () => {
            const systemctl = join(host().directory, "bin/systemctl");
            host().units({ "haproxy-fleet-converge": running });
            host().record("later", readFileSync(systemctl, "utf8"));
            host().units({});
            const later = join(host().directory, "lib/haproxy-fleet/later");
            host().record(
                "check",
                // Renamed, not overwritten: a file that another process starts at this moment cannot be written.
                `printf 'check\\ndiffers\\ta\\tb\\nend\\tdone\\n'; chmod 755 '${later}'; mv '${later}' '${systemctl}'\n`,
            );
            const { converging, drift, warnings } = await host().answer();
            assert.deepEqual([converging, drift, warnings], ["alice@laptop", undefined, []]);
        });

        it("ends a check that does not end", async () => {
            host().record("check", "printf 'check\\ndiffers\\ta\\tb\\n'; trap '' TERM; while :; do sleep 0.1; done\n");
            const { drift, warnings } = await host().answer((text) => text.replace("-k 1 14", "-k 0.2 0.5"));
            assert.equal(drift, undefined);
            assert.match(warnings.join(), /^the check did not end within 14 s/);
        });

        it("says what its pair and the elastic IP address do, asks nothing on standard input, and leaves nothing behind", async () => {
            const role =
                "pair\\tedge\\tlb1\\tlb2\\t192.0.2.100/24\\tvip\\nrole\\tMASTER\\tall\\t7\\nwarning\\t%%s it'\\''s \\\\n\\t3\\n";
            host().program("pair", `[ "$*" = role ] && ! read -r _ && printf '${role}'`);
            const { pair } = await host().answer();
            assert.deepEqual([pair?.name, pair?.peer, pair?.role, pair?.holds], ["edge", "lb2", "MASTER", "all"]);
            assert.deepEqual(pair?.warnings, [{ text: "%s it's \\n", ago: 3 }]);
            assert.equal(pair?.leads, undefined);
            host().program("move-address", '[ "$*" = owner ] && ! read -r _ && echo other eni-1 10.0.0.9');
            const before = contents(host().directory);
            assert.deepEqual((await host().answer()).pair?.leads, { to: "other", text: "eni-1 10.0.0.9" });
            assert.deepEqual(contents(host().directory), before);
            host().program("move-address", "exit 0");
            assert.equal((await host().answer()).pair?.leads, undefined);
        });

        it("says nothing of a pair on a host that is in none any more, and does not ask EC2", async () => {
            host().program("pair", "exit 1");
            host().program("move-address", `touch ${join(host().directory, "asked")}`);
            const { pair, pairProblem } = await host().answer();
            assert.deepEqual([pair, pairProblem], [undefined, undefined]);
            assert.ok(!readdirSync(host().directory).includes("asked"));
        });

        it("ends programs of the pair that do not end", async () => {
            const quick = (text: string) => text.replace("-k 1 5", "-k 0.2 0.5").replace("-k 1 8", "-k 0.2 0.5");
            host().program("pair", "trap '' TERM; while :; do sleep 0.1; done");
            assert.match((await host().answer(quick)).pairProblem ?? "", /: it did not say so within 5 s; /);
            host().program("pair", "printf 'pair\\tedge\\tlb1\\tlb2\\t192.0.2.100/24\\n'");
            host().program("move-address", "trap '' TERM; while :; do sleep 0.1; done");
            const { pair } = await host().answer(quick);
            assert.deepEqual(pair?.leads, { to: "unknown", text: "the question did not end within 8 s" });
        });

        it("says that a check has failed", async () => {
            host().record("check", "exit 3\n");
            assert.match((await host().answer()).warnings.join(), /^the check ended with status 3/);
        });

        it("tells a stopped HAProxy from one that cannot be asked", async function () {
            if (!has("perl")) this.skip();
            const problem = async () => {
                const { haproxy, haproxyProblem } = await host().answer((text) => text.replace("alarm 8;", "alarm 1;"));
                assert.equal(haproxy, undefined);
                return haproxyProblem ?? "";
            };
            host().units({ haproxy: { state: "inactive" } });
            assert.equal(await problem(), "");
            host().units({ haproxy: { state: "active" } });
            assert.match(await problem(), /^it runs without a master socket/);
            let said: string | undefined;
            const server = createServer({ allowHalfOpen: true }, (socket) => {
                socket.resume().on("error", () => undefined);
                socket.on("end", () => said !== undefined && socket.end(said));
            }).listen(host().master);
            await once(server, "listening");
            assert.match(await problem(), /^it did not answer/);
            said = "# workers\n# old workers\n";
            assert.match(await problem(), /^its master has no worker/);
            said = "# workers\n12 worker 0\n";
            assert.match(await problem(), /^its master has no worker/);
            server.close();
        });

        it("leaves out the certificates that HAProxy does not describe in time", async function () {
            if (!has("perl")) this.skip();
            const names = Array.from({ length: 300 }, (_, n) => `/etc/haproxy/fleet/certificate-${n}.pem`);
            const server = createServer({ allowHalfOpen: true }, (socket) => {
                let commands = "";
                socket.on("data", (chunk) => {
                    commands += chunk;
                });
                socket.on("error", () => undefined);
                socket.on("end", () => {
                    if (commands === "show proc\n") return void socket.end("# workers\n12 worker 0\n");
                    if (commands === "@!12 show info\n")
                        return void socket.end(
                            "Version: 2.6\nUptime_sec: 1\nCurrConns: 2\nMaxconn: 3\nDescription: Version: 9\n",
                        );
                    if (commands === "@!12 show ssl cert\n")
                        return void socket.end(`# transaction\n*${names[0]}\n# filename\n${names.join("\n")}\n\n`);
                    const asked = [...commands.matchAll(/^@!12 show ssl cert (.*)$/gm)].map(([, name]) => name);
                    if (asked.length > 0 && asked[0] !== names[0]) return;
                    const described = asked.map((name) => `Filename: ${name}\nnotAfter: Feb 27 00:10:22 2027 GMT\n\n`);
                    socket.end(described.join(""));
                });
            }).listen(host().master);
            await once(server, "listening");
            const { haproxy, warnings } = await host().answer((text) => text.replace("alarm 6;", "alarm 1;"));
            server.close();
            const known = haproxy?.certificates.length ?? 0;
            assert.ok(known > 50 && known < 100, `${known} certificates`);
            assert.deepEqual(
                haproxy?.certificates.map(({ name }) => name),
                names.slice(0, known).map((_, n) => `certificate-${n}`),
            );
            assert.match(
                warnings.join(),
                new RegExp(`^HAProxy did not say in time when ${300 - known} of 300 certificates end`),
            );
            assert.deepEqual([haproxy?.version, haproxy?.maxconn, haproxy?.undo], ["2.6", 3, ""]);
        });
    },
);
