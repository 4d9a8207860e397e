import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapterScript } from "../../../../components/scripts";
import { has, SHELLS } from "../../../support/sandbox";

/** Their names take more than 128 kB, the limit for one argument of a program. */
const MANY = 8000;

for (const [name, shell = "", ...options] of SHELLS) {
    describe(`the guards of servers under ${name}`, () => {
        let directory: string;
        before(function () {
            if (!has(shell)) this.skip();
        });
        beforeEach(() => {
            directory = mkdtempSync(join(tmpdir(), "haproxy-fleet-servers-"));
        });
        afterEach(() => rmSync(directory, { recursive: true, force: true }));

        /** Runs shell text after the adapter's, with what HAProxy reports about its servers. */
        function run(stats: string[], text: string): string {
            const script = `
                set -uf
                ${adapterScript("haproxy")}
                haproxy_server_stats() { cat ${directory}/stats; }
                ${text}`;
            writeFileSync(join(directory, "stats"), stats.map((line) => `${line}\n`).join(""));
            writeFileSync(join(directory, "script"), script);
            const { status, stdout, stderr } = spawnSync(shell, [...options, join(directory, "script")], {
                encoding: "utf8",
            });
            assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
            return stdout;
        }

        const backends = Array.from({ length: MANY }, (_, n) => `backend-of-service-${n}`);

        it("judge and drain any number of backends", () => {
            const columns = "# pxname,svname,status,weight,bck";
            const servers = backends.flatMap((backend) => [`${backend},s1,UP,1,0`, `${backend},s2,UP,1,0`]);
            writeFileSync(
                join(directory, "new.cfg"),
                backends.map((backend) => `backend ${backend}\n    server s1 192.0.2.1:80\n`).join(""),
            );
            writeFileSync(join(directory, "rules"), backends.map((backend) => `${backend} 2 - 30 yes`).join("\n"));
            const words = run(
                [columns, ...servers],
                `
                haproxy_servers_after "$(cat ${directory}/rules)" | haproxy_judge_servers ${directory}/new.cfg ${directory}/none ${directory}/drain`,
            );
            assert.match(words, /^backend backend-of-service-0 would have 1 server, now it has 2: minServers is 2\n/);
            assert.match(words, new RegExp(`\\nand ${MANY - 4} more\\n`));
            const drain = readFileSync(join(directory, "drain"), "utf8");
            assert.equal(drain, backends.map((backend) => `${backend}/s2 30 ours\n`).join(""));
        });

        it("count a server by its own backup or no-backup, or by that of default-server", () => {
            const lines = [
                "backend app",
                "    default-server inter 1s backup",
                "    server a 192.0.2.1:80 check no-backup",
                "    server b 192.0.2.2:80 check",
                "    server c 192.0.2.3:80 no-backup backup",
                "    default-server no-backup",
                "    server d 192.0.2.4:80",
            ];
            writeFileSync(join(directory, "new.cfg"), `${lines.join("\n")}\n`);
            const running = ["a", "b", "c", "d", "e"].map((name) => `app,${name},UP,1,0`);
            const words = run(
                ["# pxname,svname,status,weight,bck", ...running],
                `haproxy_config=${directory}/none stage=${directory}
                haproxy_servers_after "app 3 - - yes" | haproxy_judge_servers ${directory}/new.cfg`,
            );
            assert.match(
                words,
                /^backend app would have 2 servers, now it has 5: minServers is 3\n.*\n +declared: a d\n/,
            );
        });

        it("count servers whose addresses only an up knows, and nothing if whole lines are not known", () => {
            const judged = (...lines: string[]) => {
                writeFileSync(
                    join(directory, "new.cfg"),
                    `backend app\n${lines.map((line) => `    ${line}\n`).join("")}`,
                );
                return run(
                    ["# pxname,svname,status,weight,bck", "app,a,UP,1,0", "app,b,UP,1,0"],
                    `haproxy_servers_after "app 2 - - yes" | haproxy_judge_servers ${directory}/new.cfg ${directory}/none`,
                );
            };
            assert.equal(judged("server a unknown:a.address:80", "server b unknown:b.address:80 check"), "");
            assert.match(judged("server a unknown:a.address:80"), /^backend app would have 1 server, now it has 2/);
            assert.equal(judged("server a 192.0.2.1:80", "unknown:more"), "");
        });

        it("count a backup as lost unless it becomes a server, or backups are not wanted any more", () => {
            const judged = (rule: string, ...declared: string[]) => {
                const lines = declared.map((server, n) => `    server ${server.replace(" ", ` 192.0.2.${n + 1}:80 `)}`);
                writeFileSync(join(directory, "new.cfg"), `backend app\n${lines.join("\n")}\n`);
                return run(
                    ["# pxname,svname,status,weight,bck", "app,a,UP,1,0", "app,b,UP,1,1", "app,c,UP,1,1"],
                    `haproxy_servers_after "${rule}" | haproxy_judge_servers ${directory}/new.cfg ${directory}/none`,
                );
            };
            assert.equal(judged("app - 0 - yes", "a ", "b ", "c "), "");
            assert.equal(judged("app - 0 - yes", "a ", "b ", "c backup"), "");
            assert.match(
                judged("app - 49 - yes", "a ", "b "),
                /^backend app would have 0 backup servers, now it has 2:/,
            );
            assert.match(judged("app - 50 - yes", "a "), /: a shrink by 100 %, maxShrinkPercent is 50\n/);
            assert.equal(judged("app - 0 - no", "a "), "");
            // A server that becomes a backup takes no requests any more.
            assert.match(
                judged("app - 50 - no", "a backup", "b backup"),
                /^backend app would have 0 servers, now it has 1:/,
            );
        });

        it("say whether a reload keeps what was set by hand", () => {
            const answer =
                "by hand\tweb/a drained; undo in HAProxy's runtime API: set server web/a state ready\nserving\tits backend is up\n";
            writeFileSync(join(directory, "answer"), answer);
            const said = (states: string) =>
                run(
                    [],
                    `NL='
'
                    TAB=$(printf '\\t') haproxy_states=${states}
                    applying() { false; }
                    running_servers=$NL$(cat ${directory}/answer)
                    haproxy_standing
                    echo "$standing_warning | $standing"`,
                );
            assert.equal(
                said("yes"),
                "set by hand: web/a drained; kept over reloads; undo in HAProxy's runtime API: set server web/a state ready | its backend is up\n",
            );
            assert.match(
                said("no"),
                /^set by hand: web\/a drained; lost at the next reload; undo in HAProxy's runtime API: set server /,
            );
        });

        it("wait for the sessions of any number of drained servers", () => {
            const last = backends.at(-1);
            const row = (queued: number, sessions: number) =>
                [last, "s2", queued, 0, sessions, ...Array(12).fill(""), "DRAIN"].join(",");
            writeFileSync(join(directory, "list"), backends.map((backend) => `${backend}/s2 30 ours\n`).join(""));
            const busy = (stats: string, elapsed: number) =>
                run([stats], `haproxy_servers_after "$(cat ${directory}/list)" | haproxy_busy_servers ${elapsed}`);
            assert.equal(busy(row(1, 2), 29), `wait ${last}/s2 3`);
            assert.equal(busy(row(1, 2), 30), `late ${last}/s2 3`);
            assert.equal(busy(row(0, 0), 0), "");
        });

        it("undo only the drains that are noted and still there, among any number of servers", () => {
            const row = (server: string, status: string) =>
                ["web", server, ...Array(15).fill("1234567"), status, 1, "Layer7 check passed"].join(",");
            const servers = Array.from({ length: MANY }, (_, n) => row(`s${n}`, "UP"));
            const noted = ["ours", "ours-1", "maint", "gone", ...Array.from({ length: 500 }, (_, n) => `other-${n}`)];
            const notes = noted.map((server) => `drain web/${server}\n`).join("");
            writeFileSync(join(directory, "server-notes"), `12\n${notes}up web/up\n`);
            const rows = [
                ...servers,
                row("ours", "DRAIN"),
                row("ours-1", "DRAIN 1/2"),
                row("our", "DRAIN"),
                row("hand", "DRAIN"),
                row("up", "DRAIN"),
                row("maint", "MAINT"),
            ];
            const before = Date.now();
            const said = run(
                rows,
                `
                NL='\n'
                split_lines() { IFS=$NL; }
                unsplit() { unset IFS; }
                haproxy_talk() { echo "$1" >>${directory}/said; }
                run=${directory} running_worker=12
                haproxy_undo
                cat ${directory}/said; [ ! -e ${directory}/server-notes ]`,
            );
            assert.equal(said, "@1 set server web/ours state ready\n@1 set server web/ours-1 state ready\n");
            assert.ok(Date.now() - before < 20_000, "it took long");
        });
    });
}
