import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { has } from "../../../support/sandbox";
import { until } from "../../../support/traffic";
import { COLUMNS, FakeHost, line, PROGRAM, type Row, short } from "./fakeMaster";

describe("haproxy-reload", function () {
    this.timeout(60_000);
    let host: FakeHost;
    before(function () {
        if (!has("perl")) this.skip();
    });
    beforeEach(() => {
        host = new FakeHost();
    });
    afterEach(() => host.remove());

    /** What is kept of the rows by servers in backend web, or by a whole file. */
    async function kept(config: string, rows: Row[], options?: Parameters<FakeHost["start"]>[1]): Promise<string[]> {
        await host.start(
            /^(backend|listen|global|defaults)/m.test(config) ? config : `backend web\n${config}`,
            options,
        );
        await host.listen();
        return host.kept(rows);
    }

    describe("check", () => {
        it("runs the master's command without what its last reload has added", async () => {
            await host.start("");
            writeFileSync(host.path("haproxy"), '#!/bin/sh\nprintf "%s " "$@" >args\n', { mode: 0o755 });
            assert.deepEqual(await host.run("check"), { code: 0, words: "" });
            assert.match(readFileSync(host.path("args"), "utf8"), /^-c master\.pl -Ws -f haproxy\.cfg $/);
        });

        it("fails with the words of the command, and without a process", async () => {
            await host.start("");
            writeFileSync(host.path("haproxy"), "#!/bin/sh\necho alert >&2; echo more; exit 2\n", { mode: 0o755 });
            assert.deepEqual(await host.run("check"), { code: 1, words: "alert\nmore\n" });
            host.process?.kill("SIGKILL");
            await once(host.process as ChildProcess, "close");
            const { code, words } = await host.run("check");
            assert.notEqual(code, 0);
            assert.match(words, /not running/);
        });
    });

    describe("keeps", () => {
        it("the whole state of a server that is as before", async () => {
            const rows: Row[] = [
                { name: "web/a" },
                { name: "web/b", op: 0, weight: [3, 10] },
                { name: "web/c", op: 3, admin: 8 },
                { name: "web/gone", op: 0, admin: 1 },
                { name: "other/a", admin: 1 },
            ];
            const config = ["a", "b", "c"].map((name) => `server ${name} 10.0.0.1:80 check\n`).join("");
            assert.deepEqual(await kept(config.replace("check\nserver c", "check weight 10\nserver c"), rows), [
                "web/a 2 0 1/1 80",
                "web/b 0 0 3/10 80",
                "web/c 3 8 1/1 80",
            ]);
        });

        it("only what was set by hand if address, port or weight differ, with the new port and weight", async () => {
            const rows: Row[] = [
                { name: "web/maint", op: 0, admin: 1 },
                { name: "web/drain", op: 0, admin: 8 },
                { name: "web/ready", admin: 4 },
                { name: "web/weight", weight: [0, 10] },
                { name: "web/unchecked", check: 2 },
                { name: "web/declared", op: 0, admin: 5, weight: [10, 10] },
                { name: "web/down", op: 0 },
                { name: "web/up" },
            ];
            const config = rows.map(({ name }) => `server ${name.slice(4)} 10.0.0.1:81 weight 20 check\n`).join("");
            assert.deepEqual(await kept(config, rows), [
                "web/maint 2 1 20/20 81",
                "web/drain 2 8 20/20 81",
                "web/ready 2 4 20/20 81",
                "web/weight 2 0 0/20 81",
                "web/unchecked 2 0 20/20 81",
            ]);
        });

        it("no operational state that nothing would end, or that maintenance or resolution has caused", async () => {
            const rows: Row[] = [
                { name: "web/plain", op: 0 },
                { name: "web/agent", op: 0, check: 0, agent: 22 },
                { name: "web/agent-now", op: 0, agent: 22 },
                { name: "web/off", op: 0, weight: [2, 1] },
                { name: "web/resolving", op: 0, admin: 32 },
                { name: "web/followed", op: 0, admin: 2 },
            ];
            const options: Record<string, string> = { plain: "", off: "check no-check" };
            const config = rows.map(({ name }) => {
                const server = name.slice(4);
                return `server ${server} 10.0.0.1:80 ${options[server] ?? (server.startsWith("agent") ? "agent-check" : "check")}\n`;
            });
            assert.deepEqual(await kept(config.join(""), rows), ["web/agent 0 0 1/1 80", "web/off 2 0 2/1 80"]);
        });

        it("not that a server is up whose last check has failed, since it would need all its checks again", async () => {
            const rows: Row[] = [
                { name: "web/failing", status: 17 },
                { name: "web/refused", status: 8 },
                { name: "web/passing", status: 15 },
                { name: "web/down", op: 0, status: 17 },
                { name: "web/weighed", status: 17, weight: [2, 1] },
            ];
            const config = rows.map(({ name }) => `server ${name.slice(4)} 10.0.0.1:80 check\n`).join("");
            assert.deepEqual(await kept(config, rows), [
                "web/passing 2 0 1/1 80",
                "web/down 0 0 1/1 80",
                "web/weighed 2 0 2/1 80",
            ]);
        });

        it("of a tracking server what was set by hand, with the state of the tracked one", async () => {
            const config = `
                server a 10.0.0.1:80 check
                server b 10.0.0.1:80 track a
                server c 10.0.0.1:80 track web/a
                server d 10.0.0.1:80 track moved
                server moved 10.0.0.1:81 check`;
            const by = (name: string, admin = 0): Row => ({ name: `web/${name}`, op: 0, admin });
            assert.deepEqual(await kept(config, [by("a"), by("b"), by("c", 8), by("d", 8), by("moved")]), [
                "web/a 0 0 1/1 80",
                "web/c 0 8 1/1 80",
                "web/d 2 8 1/1 80",
            ]);
        });

        it("no drain of ours whose note is removed, or written, while the program runs", async () => {
            await host.start("backend web\nserver a 10.0.0.1:80 check\n");
            await host.listen();
            host.dump = line({ name: "web/a", admin: 8 });
            const notes = host.path("server-notes");
            const atDump = (perl: string) => (program: string) =>
                program.replace("    -S $socket or die", (found) => `${perl};\n${found}`);
            writeFileSync(notes, "100\ndrain web/a\n");
            await host.run("signal", atDump(`unlink "${notes}"`));
            assert.ok(!existsSync(notes));
            await host.run("signal", atDump(`open my $n, ">", "${notes}"; print $n "100\\ndrain web/a\\n"; close $n`));
            assert.ok(existsSync(notes));
            for (const text of await host.read(2)) assert.match(text, /^3 web 1 a - 2 0 /m);
        });

        it("nothing that our notes about this worker except", async () => {
            const note = (worker: number) =>
                writeFileSync(host.path("server-notes"), `${worker}\ndrain web/a\nup web/b\ndrain web/c`);
            const config = ["a", "b", "c", "d"].map((name) => `server ${name} 10.0.0.1:80 check\n`).join("");
            const rows: Row[] = [
                { name: "web/a", admin: 8 },
                { name: "web/b", op: 0 },
                { name: "web/c", op: 0, admin: 1 },
                { name: "web/d", admin: 8 },
            ];
            note(100);
            assert.deepEqual(await kept(config, rows), ["web/a 2 0 1/1 80", "web/c 2 1 1/1 80", "web/d 2 8 1/1 80"]);
            note(99);
            await host.run("signal");
            const [, text = ""] = await host.read(2);
            assert.deepEqual(text.trimEnd().split("\n").slice(2).map(short), [
                "web/a 2 8 1/1 80",
                "web/b 0 0 1/1 80",
                "web/c 2 1 1/1 80",
                "web/d 2 8 1/1 80",
            ]);
        });
    });

    describe("reads an address", () => {
        const same: [title: string, declared: string, row: Partial<Row>][] = [
            ["in quotes", `"10.0.0.1":'80'`, {}],
            ["with escapes", "10.0.0.1\\:80", {}],
            ["from the environment", `"\${HOST}:$PORT"`, {}],
            ["from the environment, without quotes", "${HOST}:80", {}],
            ["without a port", "10.0.0.1", { port: 0 }],
            ["with an offset as port", "10.0.0.1:+80", {}],
            ["with a family", "ipv4@10.0.0.1:80", {}],
            ["of IPv6", "2001:db8:0::1:80", { address: "2001:db8::1" }],
            ["of IPv6 in brackets", "[2001:DB8::1]:80", { address: "2001:db8::1" }],
            ["from slots", "'[2001:db8::1]':'80'", { address: "2001:db8::1" }],
            ["by name", "App.Test:80", { fqdn: "app.test", address: "10.0.0.7" }],
        ];
        for (const [title, declared, row] of same)
            it(title, async () => {
                const rows = [{ name: "web/a", op: 0, ...row }];
                const environment = { HOST: "10.0.0.1", PORT: "80" };
                const port = row.port ?? 80;
                assert.deepEqual(await kept(`server a ${declared} check # no-check`, rows, { environment }), [
                    `web/a 0 0 1/1 ${port}`,
                ]);
            });

        it("beside conditions about other lines", async () => {
            const config = ".if defined(X)\noption a\n.else\noption b\n.endif\nserver a 10.0.0.1:80 check";
            assert.deepEqual(await kept(config, [{ name: "web/a", op: 0 }]), ["web/a 0 0 1/1 80"]);
        });

        const other: [title: string, config: string, row?: Partial<Row>][] = [
            ["of a name that was another", "server a new.test:80 check", { fqdn: "old.test" }],
            ["of a name that was an address", "server a new.test:80 check"],
            ["of a socket", "server a /run/a.sock check", { address: "-", port: 0 }],
            ["that was set by hand", "server a 10.0.0.1:80 check", { address: "10.0.0.2" }],
            ["in a configuration with conditions", ".if defined(X)\nserver a 10.0.0.1:80 check\n.endif"],
            ["of a template by name", "server-template a 2 app.test:80 check", { name: "web/a1", fqdn: "app.test" }],
            ["after setenv", "global\nsetenv HOST 10.0.0.1\nbackend web\nserver a ${HOST}:80 check"],
            ["with a variable that is not set", `server a "\${NONE}10.0.0.1:80" check`],
        ];
        for (const [title, config, row] of other)
            it(`${title}, as one that differs`, async () => {
                const server = { name: "web/a", ...row };
                const port = row?.port ?? 80;
                const environment = { HOST: "10.0.0.1" };
                assert.deepEqual(await kept(config, [{ ...server, op: 0, weight: [2, 1] }], { environment }), [
                    `${server.name} 2 0 2/1 ${port}`,
                ]);
            });

        const unknown: [title: string, config: string][] = [
            ["whose port is not known", "server a 10.0.0.1:${PORT} check"],
            ["with a negative offset", "server a 10.0.0.1:-80 check"],
            ["of a server that is declared twice", "server a 10.0.0.1:80\nserver a 10.0.0.1:81"],
        ];
        for (const [title, config] of unknown)
            it(`${title}, and keeps nothing rather than a wrong port`, async () => {
                await host.start(`backend web\n${config}`);
                await host.listen();
                host.dump = line({ name: "web/a", admin: 1 });
                const { code, words } = await host.run("signal");
                assert.equal(code, 0);
                assert.match(words, /web\/a: what was set by hand is not kept, because its port cannot be read/);
                assert.equal((await host.read())[0], `1\n# ${COLUMNS}\n`);
            });
    });

    it("reads weights and checks from defaults, default-server and templates", async () => {
        const config = `
defaults
    default-server check weight 7
defaults named
    default-server weight 9
listen web
    server a 10.0.0.1:80
    server b 10.0.0.1:80 no-check cookie check
    server-template t 2-3 10.0.0.1:80 weight 5
peers p
    server c 10.0.0.1:80
backend two from named
    default-server check
    server a 10.0.0.1:80
`;
        const down = (name: string): Row => ({ name, op: 0, weight: [2, 1] });
        const rows = ["web/a", "web/b", "web/t1", "web/t2", "web/t3", "web/c", "two/a"].map(down);
        // Unnamed defaults end where the next ones begin.
        assert.deepEqual(
            await kept(config, rows),
            ["web/a 0 0 2/9 80", "web/b 2 0 2/9 80", "web/t2 0 0 2/5 80", "web/t3 0 0 2/5 80", "two/a 0 0 2/9 80"].map(
                (text) => text.replace("web/a 0 0", "web/a 2 0").replace(/web\/t(\d) 0/, "web/t$1 2"),
            ),
        );
    });

    it("reads all files of a directory, and of several arguments", async () => {
        await host.start("backend web\nserver a 10.0.0.1:80 check\n", { args: ["-f", "conf.d", "--", "last.cfg"] });
        await host.listen();
        mkdirSync(host.path("conf.d"));
        writeFileSync(host.path("conf.d/b.cfg"), "backend two\nserver a 10.0.0.1:80 check\n");
        writeFileSync(host.path("conf.d/c.txt"), "backend three\nserver a 10.0.0.1:80 check\n");
        writeFileSync(host.path("last.cfg"), "backend four\nserver a 10.0.0.1:80 check\n");
        const rows = ["web", "two", "three", "four"].map((backend) => ({ name: `${backend}/a`, op: 0 }));
        assert.deepEqual(await host.kept(rows), ["web/a 0 0 1/1 80", "two/a 0 0 1/1 80", "four/a 0 0 1/1 80"]);
    });

    describe("reloads without states", () => {
        const without = async (words: RegExp, edit?: (text: string) => string) => {
            const result = await host.run("signal", edit);
            assert.equal(result.code, 0, result.words);
            assert.match(result.words, words);
            assert.deepEqual(await host.read(), ["1\n"]);
        };

        it("if the socket is missing", async () => {
            await host.start("");
            await without(/states of servers are not kept: .*master\.sock: no such socket/);
        });

        it("if a file cannot be read, or HAProxy would refuse them", async () => {
            await host.start("global\nzero-warning\n", { args: ["-f", "none.cfg"] });
            await host.listen();
            await without(/haproxy\.cfg: zero-warning makes HAProxy refuse states/);
            writeFileSync(host.path("haproxy.cfg"), "");
            await host.run("signal").then(({ words }) => assert.match(words, /none\.cfg: No such file/));
        });

        it("if the master does not answer in time", async () => {
            await host.start("");
            const silent = createServer(() => undefined).listen(host.path("master.sock"));
            await once(silent, "listening");
            await without(/master\.sock: no answer/, (program) => program.replace("time + 15", "time + 1"));
            silent.close();
        });

        it("if they cannot be written, and removes older ones", async () => {
            await host.start("");
            writeFileSync(host.states, "1\nstale\n");
            // A directory cannot be replaced.
            mkdirSync(join(host.directory, "server-states.new", "x"), { recursive: true });
            await without(/server-states\.new: /);
        });
    });

    it("takes no harm from hostile lines", async () => {
        await host.start("backend web\nserver a.b:c-d_(* 10.0.0.1:80 check\nserver $(id) 10.0.0.1:80 check\n");
        await host.listen();
        host.dump = `garbage\n\u0000\u0001\n3 web\n${line({ name: "web/a.b:c-d_(*", op: 0 })}`;
        const { code, words } = await host.run("signal");
        assert.deepEqual({ code, words }, { code: 0, words: "" });
        assert.equal(short((await host.read())[0]?.split("\n")[2] ?? ""), "web/a.b:c-d_(* 0 0 1/1 80");
    });

    it("hands over the states of 20000 servers in a few seconds", async () => {
        const names = Array.from({ length: 20_000 }, (_, n) => `s${n}`);
        const began = Date.now();
        const config = names.map((name) => `server ${name} 10.0.0.1:80 check inter 2s\n`).join("");
        assert.equal(
            (
                await kept(
                    config,
                    names.map((name) => ({ name: `web/${name}`, op: 0 })),
                )
            ).length,
            20_000,
        );
        assert.ok(Date.now() - began < 20_000);
    });

    describe("empties the file", () => {
        beforeEach(async () => {
            await host.start("backend web\nserver a 10.0.0.1:80 check\n");
            await host.listen();
            host.dump = line({ name: "web/a", op: 0 });
        });
        const signal = async () => {
            await host.run("signal");
            await host.read();
            assert.notEqual(statSync(host.states).size, 2);
            assert.equal(statSync(host.states).mode & 0o777, 0o600);
        };

        it("once the new worker answers, not before", async () => {
            await signal();
            await new Promise((resolve) => setTimeout(resolve, 300));
            assert.notEqual(statSync(host.states).size, 2);
            host.worker = 101;
            await host.emptied();
        });

        it("once the reload has failed", async () => {
            await signal();
            host.master = "2 [failed: 1]";
            await host.emptied();
        });

        it("not because an earlier reload has failed", async () => {
            host.master = "1 [failed: 1]";
            await signal();
            host.master = "2 [failed: 1]";
            await new Promise((resolve) => setTimeout(resolve, 300));
            assert.notEqual(statSync(host.states).size, 2);
            host.master = "3 [failed: 2]";
            await host.emptied();
        });

        it("but not that of another reload", async () => {
            await signal();
            rmSync(host.states);
            writeFileSync(host.states, "1\nof another\n");
            host.worker = 101;
            await new Promise((resolve) => setTimeout(resolve, 500));
            assert.equal(readFileSync(host.states, "utf8"), "1\nof another\n");
        });

        for (const [step, text] of [
            ["before the dump", "my $lines = eval"],
            ["before the file is written", 'syswrite($file, $lines // "")'],
            ["before the signal", 'kill "USR2", $pid or die'],
            ["right after the signal", "syswrite $tell"],
        ] as const)
            it(`if the program is killed ${step}`, async () => {
                const edit = (program: string) => program.replace(text, () => `kill 9, $$; ${text}`);
                assert.notEqual(edit(PROGRAM), PROGRAM);
                assert.equal((await host.run("signal", edit)).code, null);
                const written = ["before the signal", "right after the signal"].includes(step);
                if (written) await host.emptied();
                await until("nothing is left", () => !existsSync(host.path("server-states.new")), 2000);
                assert.equal(existsSync(host.states), written);
            });
    });
});
