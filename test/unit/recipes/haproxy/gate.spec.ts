import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { adapterScript } from "../../../../components/scripts";
import { has, SHELLS } from "../../../support/sandbox";

/** A server as `show stat` describes it: status, check_status, check_code, backup, weight. */
type Row = [status: string, check?: string, code?: string, backup?: boolean, weight?: number];
type Servers = Record<string, Row>;

const PROGRAM = join(__dirname, "../../../../components/recipes/haproxy/watch_servers.pl");

const up: Row = ["UP", "L7OK", "200"];
const down: Row = ["DOWN", "L7STS", "500"];
const refused: Row = ["DOWN", "L4CON"];
const unchecked: Row = ["no check"];
const waiting: Row = ["UP", "* INI"];

function csv(backends: Record<string, Servers>): string {
    const columns = "# pxname,svname,qcur,status,weight,bck,check_status,check_code,last_chk";
    const rows = Object.entries(backends).flatMap(([backend, servers]) =>
        Object.entries(servers).map(([name, [status, check = "", code = "", backup = false, weight = 1]]) =>
            [backend, name, 0, status, weight, backup ? 1 : 0, check, code, ""].join(","),
        ),
    );
    return `${[columns, ...rows].join("\n")}\n\n`;
}

function watch(input: string, ...args: string[]): string {
    const { status, stdout, stderr } = spawnSync("perl", [PROGRAM, ...args], { input, encoding: "utf8" });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
    return stdout;
}

const baseline = (backends: Record<string, Servers>) => watch(csv(backends), "baseline");

interface Change {
    before: Record<string, Servers>;
    after: Record<string, Servers>;
    minUp?: Record<string, string>;
    accept?: string[];
    task?: string;
}

/** The first word of the verdict. */
function verdict(change: Change): string {
    return words(change).split("\n")[0] ?? "";
}

function words({ before, after, minUp = {}, accept = [], task = "wait" }: Change): string {
    const rules = Object.entries(minUp).map(([backend, least]) => `${backend} - - - yes ${least}\n`);
    return watch(`${rules.join("")}\n${baseline(before)}\n${csv(after)}`, task, ...accept);
}

describe("the gate's judgement", () => {
    before(function () {
        if (!has("perl")) this.skip();
    });

    it("counts for the baseline what takes requests, and has been checked if it has checks", () => {
        assert.equal(
            baseline({
                web: { a: up, b: down, c: waiting, d: ["MAINT"], e: ["DRAIN", "L4OK"], f: ["UP 1/3", "L4TOUT"] },
                plain: { a: unchecked, b: ["no check", "", "", false, 0] },
                two: { a: up, b: ["UP", "L4OK", "", true] },
                none: { a: down },
            }),
            "web 2 0 0 a f\nplain 0 1 0 a\ntwo 1 0 1 a b\nnone 0 0 0\nwait\n",
        );
        assert.equal(watch(csv({ web: { a: up, c: waiting, d: down } }), "assume"), "web 2 0 0 a c\n");
    });

    it("passes what works as before, and what does not work either as before", () => {
        const before = { web: { a: up, b: down }, dead: { a: refused }, plain: { a: unchecked } };
        assert.equal(verdict({ before, after: before }), "up");
        assert.equal(verdict({ before, after: { ...before, web: { a: down, b: up } } }), "up");
    });

    it("fails a backend that has lost all its servers, and says what their checks have found", () => {
        const change = { before: { web: { a: up, b: up } }, after: { web: { a: refused, b: down } } };
        assert.equal(
            words(change),
            `lost
backend web has no server up (a L4CON, b L7STS/500); before, it had 2
If they may be down, accept it once: npm run pulumi -- up --config acceptDown=web (in a program of your own: acceptDown: ["web"])
`,
        );
        assert.equal(verdict({ ...change, accept: ["web"] }), "up");
        assert.equal(verdict({ ...change, accept: ["shop"] }), "lost");
    });

    it("fails a backend whose unchecked servers have a check now, and fail it", () => {
        assert.equal(verdict({ before: { web: { a: unchecked } }, after: { web: { a: down } } }), "lost");
        assert.equal(verdict({ before: { web: { a: up } }, after: { web: { a: unchecked } } }), "up");
    });

    it("waits for results of the new process, and for servers whose status is open, if they matter", () => {
        const before = { web: { a: up, b: up } };
        const change = (a: Row, b: Row) => ({ before, after: { web: { a, b } } });
        assert.equal(verdict(change(waiting, waiting)), "wait");
        assert.equal(verdict(change(up, waiting)), "rest");
        assert.equal(verdict(change(refused, waiting)), "wait");
        assert.equal(verdict(change(["UP 2/3", "L7STS", "500"], refused)), "wait");
        assert.equal(verdict(change(["UP", "L7STS", "500"], refused)), "wait");
        assert.equal(verdict(change(["DOWN 1/2", "L7OK", "200"], refused)), "wait");
        assert.equal(verdict(change(up, ["DOWN 1/2", "L7OK", "200"])), "up");
        assert.equal(verdict({ before: {}, after: { web: { a: waiting } } }), "rest");
        assert.equal(verdict({ before: {}, after: { web: { a: down } } }), "up");
    });

    it("fails as soon as one backend is lost, whatever others wait for", () => {
        const before = { web: { a: up }, slow: { a: up } };
        assert.equal(verdict({ before, after: { web: { a: down }, slow: { a: waiting } } }), "lost");
    });

    it("takes a server at the end of the wait for down if its check fails, and for up without a result", () => {
        for (const task of ["last-wait", "last-now"]) {
            const change = (a: Row): Change => ({ before: { web: { a: up } }, after: { web: { a } }, task });
            assert.equal(verdict(change(waiting)), "up", task);
            assert.equal(verdict(change(["UP 2/3", "L7OK", "200"])), "up", task);
            assert.equal(verdict(change(["DOWN 1/2", "L7OK", "200"])), "lost", task);
            // A single check that fails while the gate bakes says nothing yet.
            assert.equal(verdict(change(["UP 1/3", "L7STS", "500"])), task === "last-wait" ? "lost" : "up");
        }
    });

    it("judges no backend whose servers are all out on purpose", () => {
        const before = { web: { a: up, b: up } };
        const weightless: Row = ["UP", "L7OK", "200", false, 0];
        const out: Row[] = [["MAINT"], ["MAINT (via web/x)"], ["DRAIN", "L4OK"], weightless];
        for (const a of out) assert.equal(verdict({ before, after: { web: { a, b: a } } }), "up", a[0]);
        assert.equal(verdict({ before, after: { web: { a: ["MAINT"], b: refused } } }), "lost");
        const closing: Row = ["NOLB", "L7OKC", "404"];
        assert.equal(verdict({ before, after: { web: { a: closing, b: closing } } }), "lost");
    });

    it("waits for a name to resolve, and fails if it does not", () => {
        const unresolved: Row = ["MAINT (resolution)"];
        const change = { before: { web: { a: up } }, after: { web: { a: unresolved } } };
        assert.equal(verdict(change), "wait");
        assert.match(
            words({ ...change, task: "last-wait" }),
            /^lost\nbackend web has no server up \(a unresolved\); before, it had 1\n/,
        );
        assert.equal(verdict({ ...change, after: { web: { a: unresolved, b: up } } }), "up");
    });

    it("counts servers that are no backups, unless only backups were up", () => {
        const backup = (row: Row): Row => [row[0], row[1], row[2], true];
        const both = { web: { a: up, b: backup(up) } };
        assert.equal(verdict({ before: both, after: { web: { a: refused, b: backup(up) } } }), "lost");
        assert.equal(verdict({ before: both, after: { web: { a: up, b: backup(refused) } } }), "up");
        assert.equal(verdict({ before: both, after: { web: { b: backup(up) } } }), "up");
        const failedOver = { web: { a: refused, b: backup(up) } };
        assert.equal(verdict({ before: failedOver, after: failedOver }), "up");
        assert.equal(verdict({ before: failedOver, after: { web: { a: refused, b: backup(refused) } } }), "lost");
    });

    it("asks for minUp servers, but not for more than there were", () => {
        const five = (count: number) =>
            Object.fromEntries(["a", "b", "c", "d", "e"].map((name, n) => [name, n < count ? up : refused]));
        const change = (before: number, after: number, minUp: string) =>
            words({ before: { web: five(before) }, after: { web: five(after) }, minUp: { web: minUp } });
        assert.match(
            change(5, 2, "3"),
            /^lost\nbackend web has 2 of 5 servers up \(c L4CON, d L4CON, e L4CON\), minUp is 3; before, it had 5\n/,
        );
        assert.equal(change(5, 3, "3"), "up\n");
        assert.equal(change(2, 2, "3"), "up\n");
        assert.match(change(5, 2, "50%"), /^lost\nbackend web has 2 of 5 servers up \(.*\), minUp is 50%;/);
        assert.equal(change(5, 3, "50%"), "up\n");
        assert.equal(change(5, 1, "-"), "up\n");
        assert.match(change(5, 4, "100%"), /^lost\n/);
    });

    it("recognizes a backend with another name by its servers", () => {
        const before = { web: { a: up, b: up } };
        const after = { shop: { a: refused, b: down }, api: { c: up } };
        assert.match(
            words({ before, after }),
            /^lost\nbackend shop has no server up \(a L4CON, b L7STS\/500\); before, web had 2\n/,
        );
        assert.equal(verdict({ before, after: { ...after, shop: { a: waiting, b: down } } }), "wait");
        assert.equal(verdict({ before, after: { ...after, shop: { a: up, b: down } } }), "up");
        assert.equal(verdict({ before, after: { ...after, shop: { a: refused, x: refused } } }), "up");
        assert.equal(verdict({ before, after: { ...after, web: { a: up, b: up } } }), "up");
    });

    it("recognizes a backend with another name and other servers if nothing works any more", () => {
        const before = { web: { a: up } };
        assert.match(
            words({ before, after: { shop: { x: refused } } }),
            /^lost\nbackend shop has no server up \(x L4CON\); before, web had some\n/,
        );
        assert.equal(verdict({ before, after: { shop: { x: waiting } } }), "wait");
        // Another one works; or the old one has gone, and what is left was down before.
        assert.equal(verdict({ before, after: { shop: { x: refused }, api: { a: up } } }), "up");
        assert.equal(verdict({ before: { ...before, api: { a: down } }, after: { api: { a: down } } }), "up");
        assert.equal(verdict({ before, after: { shop: { a: refused } }, accept: ["shop"] }), "up");
    });

    it("says that HAProxy does not answer, and waits for its answer before a change", () => {
        const input = `\n${baseline({ web: { a: up } })}\n`;
        for (const task of ["wait", "now", "last-wait", "last-now"]) assert.equal(watch(input, task), "silent\n");
        assert.equal(watch("", "baseline"), "wait\n");
        assert.equal(watch("", "assume"), "");
    });

    it("shows four losses of three servers, and counts the rest", () => {
        const names = ["a", "b", "c", "d", "e", "f"];
        const servers = (row: Row) => Object.fromEntries(names.map((name) => [name, row]));
        const backends = (row: Row) => Object.fromEntries(names.map((name) => [name, servers(row)]));
        const text = words({ before: backends(up), after: backends(refused) });
        assert.match(text, / \(a L4CON, b L4CON, c L4CON and 3 more\); before, it had 6\n/);
        assert.match(text, /\nand 2 more\nIf they may be down, .* acceptDown=a,b,c,d,e,f /);
    });
});

for (const [name, shell = "", ...options] of SHELLS) {
    describe(`the gate under ${name}`, () => {
        before(function () {
            if (!has(shell)) this.skip();
        });

        /** The verdicts of the gate's polls, one each second; the last one stays. */
        function gate(task: string, ...verdicts: string[]) {
            const script = `
                set -uf
                NL='\n'
                ${adapterScript("haproxy")}
                label=transaction polls=0
                find_now() { now=$polls; }
                sleep() { polls=$((polls + 1)); }
                say_now() { :; }
                haproxy_running() { :; }
                haproxy_judge_gate() {
                    case $polls in
                    ${verdicts.map((verdict, n) => `${n === verdicts.length - 1 ? "*" : n}) printf '${verdict}' ;;`).join("\n")}
                    esac
                }
                haproxy_watch baseline ${task} 5 text
                echo "$? after $polls s"`;
            const { stdout, stderr } = spawnSync(shell, [...options, "-c", script], { encoding: "utf8" });
            assert.equal(stderr, "");
            return stdout;
        }

        it("waits until the checks have shown what works, and watches for as long as it is asked", () => {
            assert.equal(gate("wait", "wait", "wait", "up"), "0 after 2 s\n");
            assert.equal(gate("wait", "rest"), "0 after 3 s\n");
            assert.equal(gate("wait", "wait"), "0 after 5 s\n");
            assert.equal(gate("now", "up"), "0 after 5 s\n");
            assert.equal(gate("now", "up", "lost\\nbackend web"), "backend web\n1 after 1 s\n");
        });

        it("takes back what was handed over before it watches, and only then", () => {
            const baseline = join(mkdtempSync(join(tmpdir(), "haproxy-fleet-gate-")), "baseline");
            writeFileSync(baseline, "web\n");
            const asks = (settings: string) => {
                const script = `
                    set -uf
                    ${adapterScript("haproxy")}
                    haproxy_running() { :; }
                    find_time_left() { time_left=100; }
                    resume() { echo resume; echo said >&2; }
                    haproxy_watch() { echo "$2 $3"; [ "$2" != "$fails" ]; }
                    tx_restoring='' haproxy_gate_limit=12 haproxy_bake=60 fails=
                    ${settings}
                    haproxy_gate '${baseline}'`;
                return spawnSync(shell, [...options, "-c", `exec 8>/dev/null; ${script}`], { encoding: "utf8" });
            };
            assert.deepEqual(asks("").stdout.split("\n"), ["wait 12", "resume", "now 60", ""]);
            assert.equal(asks("").stderr, "");
            assert.equal(asks("haproxy_bake=0").stdout, "wait 12\n");
            assert.equal(asks("fails=wait").stdout, "wait 12\n");
            assert.equal(asks("tx_restoring=yes").stdout, "wait 12\n");
            rmSync(dirname(baseline), { recursive: true });
        });

        it("bears a master that is silent for a moment, as in a reload by hand, but not for long", () => {
            for (const task of ["wait", "now"]) {
                assert.equal(gate(task, "silent", "silent", "up").slice(0, 2), "0 ", task);
                assert.equal(
                    gate(task, "silent"),
                    "HAProxy does not answer on its master socket\n1 after 15 s\n",
                    task,
                );
            }
            const breaks = Array.from({ length: 4 }, () => "silent").concat("up", "silent", "up");
            assert.equal(gate("now", ...breaks), "0 after 6 s\n");
        });
    });
}
