import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAnswer } from "../../../../cli/status/answer";
import type { Answer, Haproxy } from "../../../../cli/status/types";

/** What hosts of test/golden/status.spec.ts have printed. */
const recorded = (release: string) => readFileSync(join(__dirname, "answers", `haproxy-${release}.txt`), "utf8");

const VERSIONS: Record<string, Pick<Haproxy, "version" | "uptime">> = {
    "2.2": { version: "2.2.9-2+deb11u7", uptime: 2 },
    "2.6": { version: "2.6.12-1+deb12u4", uptime: 1 },
    "2.8": { version: "2.8.25-5cf5d0683", uptime: 1 },
    "3.0": { version: "3.0.11-1+deb13u5", uptime: 1 },
    "3.2": { version: "3.2.26-1", uptime: 1 },
};

/** An answer with these lines, fields separated by TABs. */
const said = (...lines: string[]) =>
    [
        "haproxy-fleet status",
        "now\t1795958351",
        "owner\t",
        "token\t",
        "last-converge\t",
        ...lines,
        "haproxy-fleet status ends",
        "",
    ].join("\n");
const answer = (...lines: string[]): Answer => parseAnswer(said(...lines));
const RUNS = ["haproxy\t2.6.12\t7\t3\t200\t0", "asked-haproxy\t0", "haproxy-unit\tactive"];

describe("the answer of a host", () => {
    for (const [release, process] of Object.entries(VERSIONS)) {
        it(`that runs HAProxy ${release} is read`, () => {
            const { now, ...rest } = parseAnswer(recorded(release));
            assert.ok(now > 1795958000 && now < 1795960000, `${now}`);
            assert.deepEqual(rest, {
                owner: "shop/prod/edge-lb1",
                token: "abc",
                lastConverge: { ended: 1795957000, took: 12, by: "alice@laptop", result: "done" },
                drift: [{ resource: "transaction[haproxy]", what: "haproxy.cfg: content" }],
                warnings: [],
                managesHaproxy: true,
                haproxy: {
                    ...process,
                    connections: 0,
                    maxconn: 200,
                    oldWorkers: 1,
                    backends: [
                        {
                            name: "web",
                            up: 5,
                            servers: 10,
                            lacking: [
                                "down L4CON",
                                "drained drained",
                                "ours drained",
                                "maint in maintenance",
                                "muted weight 0",
                            ],
                        },
                        { name: "agents", up: 1, servers: 3, lacking: ["down down", "drain drained"] },
                        { name: "template", up: 2, servers: 3, lacking: ["t2 in maintenance"] },
                        { name: "by-name", up: 0, servers: 2, lacking: ["n1 unresolved", "n2 unresolved"] },
                    ],
                    byHand: [
                        "web/drained drained",
                        "web/maint in maintenance",
                        "web/made-ready ready, though declared disabled",
                        "web/weighted with weight 10 instead of 100",
                        "web/muted with weight 0 instead of 100",
                        "web/no-checks without health checks",
                        "template/t2 in maintenance",
                    ],
                    undo: "set server web/drained state ready",
                    certificates: [
                        { name: "own name", ends: Date.parse("2051-12-31T00:00:00Z") / 1000 },
                        { name: "rsa;x", ends: Date.parse("2026-12-01T00:00:00Z") / 1000 },
                        { name: "shop", ends: Date.parse("2027-02-07T00:00:00Z") / 1000 },
                        { name: "/etc/own.pem", ends: Date.parse("2027-03-01T00:00:00Z") / 1000 },
                    ],
                },
            });
        });
    }

    it("of a host without anything is read", () => {
        assert.deepEqual(answer("haproxy-unit\t"), {
            now: 1795958351,
            owner: "",
            token: "",
            warnings: [],
            managesHaproxy: false,
        });
    });

    it("is refused if it was cut off anywhere, or is none", () => {
        const whole = recorded("2.6");
        for (let length = 0; length < whole.trimEnd().length; length++) {
            assert.throws(
                () => parseAnswer(whole.slice(0, length)),
                /^Error: (it gave no answer|its answer was cut off)/,
            );
        }
        assert.throws(() => parseAnswer(""), /^Error: it gave no answer; see what its login runs$/);
        assert.throws(
            () => parseAnswer("This account \x1b[1mis closed.\n"),
            /^Error: it gave no answer, but said "This account \\\\x1b\[1mis closed."; see what its login runs$/,
        );
    });

    it("may follow what a login prints", () => {
        assert.equal(
            parseAnswer(`Welcome\nhaproxy-fleet status of the day\n${said("manages-haproxy")}`).managesHaproxy,
            true,
        );
    });

    it("is refused if a line is not one of the program", () => {
        for (const line of ["nonsense", "haproxy\t2.6\t1", "constructor\t1", "hand\ta", ""])
            assert.throws(() => answer(line), /^Error: its answer has an unknown line: /, line);
        for (const numbers of ["-1\t0\t0\t0", "1e3\t0\t0\t0", "\t0\t0\t0", "1\t0\t0\t0x1"])
            assert.throws(() => answer(`haproxy\t2.6\t${numbers}`, "asked-haproxy\t0"), /unknown line/, numbers);
        assert.throws(
            () => answer("now\tsoon").now && parseAnswer(said().replace("1795958351", "soon")),
            /unknown line/,
        );
    });

    it("shows control characters of all texts instead of passing them on", () => {
        const strange = (text: string) => `${text}\x1b[2J\r\u009b`;
        const encoded = `=${Buffer.from(strange("é\n")).toString("base64")}`;
        const text = said(
            `converging\t${strange("x")}`,
            "check\t1",
            `check-says\tdiffers\t${encoded}\t${strange("what")}`,
            `check-says\twarning\t${strange("warning")}`,
            `check-says\tend\trefused\t${encoded}`,
            `haproxy\t${strange("2.6")}\t1\t1\t1\t1`,
            `backend\t${strange("b")}\t1\t${strange("s down")}`,
            `hand\t${strange("b/s")}\t${strange("drained")}\t${strange("undo")}`,
            `certificate\tFeb 27 00:10:22 2027 GMT\t/etc/haproxy/fleet/${strange("c")}.pem`,
            "asked-haproxy\t0",
        )
            .replace("owner\t", `owner\t${strange("o")}`)
            .replace("token\t", `token\t${strange("t")}`)
            .replace("last-converge\t", `last-converge\t1\t2\t${strange("who")}\t\t${strange("failed")}`);
        const parsed = JSON.stringify(parseAnswer(text));
        assert.doesNotMatch(parsed, /\\u00|\\r|\\n|[\u0080-\u009f]/);
        assert.equal(parsed.split("\\\\x1b[2J\\\\x0d\\\\x9b").length - 1, 14);
        assert.match(parsed, /refused: é\\\\x0a/);
    });

    it("says who converges the host, whatever release has started it", () => {
        const by = (description: string) => answer(`converging\thaproxy-fleet by ${description}`).converging;
        assert.equal(by("alice@laptop as root from 10.0.0.5 at 12:00:01Z id=abc"), "alice@laptop");
        assert.equal(by("deploy from 10.0.0.5 at 12:00:01Z id=abc"), "deploy from 10.0.0.5");
        assert.equal(answer("converging\t").converging, "");
    });

    it("says who ran the last converge, by login if nothing else is known", () => {
        const last = (line: string) =>
            parseAnswer(said().replace("last-converge\t", `last-converge\t${line}`)).lastConverge;
        const cause = "transaction[haproxy] failed: refused at validation";
        assert.deepEqual(last(`100\t7\t\tdeploy from 10.0.0.5\t${cause}`), {
            ended: 100,
            took: 7,
            by: "deploy from 10.0.0.5",
            result: cause,
        });
        assert.equal(last("100\t7\t\t\tdone")?.by, "");
        assert.equal(last("half a rec"), undefined);
    });

    it("has the differences of the check, each once, and its warnings", () => {
        const { drift, warnings } = answer(
            "check\t0",
            "check-says\tcheck",
            "check-says\tdiffers\tdirectory[/srv/x]\torphan",
            "check-says\tdiffers\tdirectory[/srv/x]\torphan",
            "check-says\tdiffers\tservice[ssh.service]\tstopped",
            "check-says\twarning\tset by hand: web/a drained; undo",
            "check-says\tserving\tits backend is up",
            "check-says\tlater\tsomething",
            "check-says\tend\tdone",
        );
        assert.deepEqual(drift, [
            { resource: "directory[/srv/x]", what: "orphan" },
            { resource: "service[ssh.service]", what: "stopped" },
        ]);
        assert.deepEqual(warnings, ["set by hand: web/a drained; undo"]);
    });

    it("does not know what differs if the check has not ended, and says why", () => {
        const check = (status: number, ...lines: string[]) => {
            const { drift, warnings } = answer(`check\t${status}`, ...lines.map((line) => `check-says\t${line}`));
            assert.equal(drift, undefined);
            return warnings;
        };
        assert.deepEqual(check(124, "check", "differs\thost\tmanifest", "warning\tw"), [
            "w",
            "the check did not end within 14 s, so it is not known what differs; run a preview, which waits for it",
        ]);
        assert.deepEqual(check(1, "check", "end\trefused\tnot root"), ["the check refused: not root"]);
        const failed =
            "the check ended with status 2, so it is not known what differs; run it there: sudo sh /var/lib/haproxy-fleet/check check";
        assert.deepEqual(check(2), [failed]);
    });

    it("reads dates as OpenSSL prints them, in UTC, and says how many certificates have none", () => {
        const of = (...dates: string[]) =>
            answer(...RUNS, ...dates.map((date, n) => `certificate\t${date}\t/etc/haproxy/fleet/c${n}.pem`));
        const dates = {
            "Feb 27 00:10:22 2027 GMT": "2027-02-27T00:10:22Z",
            "Mar  1 23:59:59 2028 GMT": "2028-03-01T23:59:59Z",
            "Jul 31 12:00:00.5 2027 GMT": "2027-07-31T12:00:00Z",
            "Dec 31 23:59:59 9999 GMT": "9999-12-31T23:59:59Z",
        };
        assert.deepEqual(
            of(...Object.keys(dates)).haproxy?.certificates.map(({ ends }) => ends),
            Object.values(dates).map((date) => Date.parse(date) / 1000),
        );
        const strange = of(
            "Feb 27 00:10:22 2027",
            "anF 27 00:10:22 2027 GMT",
            "2027-02-27",
            "Mai 27 00:10:22 2027 GMT",
        );
        assert.deepEqual(strange.haproxy?.certificates, []);
        const warning = (unknown: number, all: number) =>
            `HAProxy did not say in time when ${unknown} of ${all} certificates end; ask again when the host is less busy`;
        assert.deepEqual(strange.warnings, [warning(4, 4)]);
        const some = answer(
            ...RUNS,
            "certificate\tFeb 27 00:10:22 2027 GMT\t/etc/haproxy/fleet/a.pem",
            "unasked\t3990",
        );
        assert.deepEqual(some.warnings, [warning(3990, 3991)]);
    });

    it("names certificates of the fleet by their names, others by their paths", () => {
        const names = [
            "/etc/haproxy/fleet/a.b.pem",
            "/etc/haproxy/fleet/x/a.pem",
            "/etc/haproxy/fleet/a.pem.rsa",
            "@store/a",
            "a.pem",
        ];
        const { haproxy } = answer(...RUNS, ...names.map((name) => `certificate\tFeb 27 00:10:22 2027 GMT\t${name}`));
        assert.deepEqual(
            haproxy?.certificates.map(({ name }) => name),
            ["a.b", ...names.slice(1)],
        );
    });

    it("says why an HAProxy that runs could not be asked", () => {
        const problem = (unit: string, ...lines: string[]) => {
            const { haproxy, haproxyProblem } = answer(...lines, `haproxy-unit\t${unit}`);
            assert.equal(haproxy, undefined);
            return haproxyProblem;
        };
        assert.equal(problem("inactive"), undefined);
        assert.equal(problem("failed", "asked-haproxy\t1"), undefined);
        assert.match(problem("active") ?? "", /^it runs without a master socket/);
        assert.match(problem("active", "asked-haproxy\t1") ?? "", /^nothing listens on its master socket/);
        assert.match(problem("active", "asked-haproxy\t3") ?? "", /^its master has no worker/);
        assert.match(problem("", "asked-haproxy\t142") ?? "", /^it did not answer on its master socket within 8 s/);
        assert.match(problem("active", "asked-haproxy\t127") ?? "", /^it could not be asked \(status 127\)/);
        // What came before the answers ended is not the whole.
        assert.match(
            problem("active", "haproxy\t2.6.12\t7\t3\t200\t0", "asked-haproxy\t142") ?? "",
            /^it did not answer/,
        );
    });
});
