import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { describeShells } from "../../../support/sandbox";

/** The results of a service, and how its main process may have ended: systemd.exec(5), $SERVICE_RESULT and $EXIT_CODE. */
const SERVICE_RESULTS = [
    "success",
    "protocol",
    "timeout",
    "exit-code",
    "signal",
    "core-dump",
    "watchdog",
    "exec-condition",
    "start-limit-hit",
    "oom-kill",
    "resources",
    "",
];
const EXITS = [
    ["exited", "0"],
    ["exited", "1"],
    ["exited", "2"],
    ["exited", "127"],
    ["killed", "TERM"],
    ["killed", "HUP"],
    ["killed", "INT"],
    ["killed", "PIPE"],
    ["killed", "KILL"],
    ["dumped", "SEGV"],
    ["", ""],
] as const;

/** Keeps a payload from this machine's systemd. */
const ALONE = `
lock() { :; }
forget_later() { :; }
systemctl() { :; }`;

describeShells("a launch", (sandbox) => {
    it("keeps no truncated payload", () => {
        const text = Buffer.from(sandbox().payload(sandbox().files(["text"]), { shell: ALONE }));
        const cuts = fc.oneof(
            fc.integer({ min: 0, max: text.length - 1 }),
            // The frame around the run list, a byte at a time.
            fc.integer({ min: text.length - 400, max: text.length - 1 }),
            fc.constantFrom(...ends(text)),
        );
        const untouched = (cut: number) => {
            sandbox().run(text.subarray(0, cut), "leave", { args: ["left", "alice@laptop"] });
            assert.equal(sandbox().exists("run/payload.left"), false, `cut after ${cut} of ${text.length} bytes`);
        };
        for (let cut = text.length - 40; cut < text.length; cut++) untouched(cut);
        fc.assert(fc.property(cuts, untouched), { numRuns: 100 });
        const { stderr } = sandbox().run(text, "leave", { args: ["left", "alice@laptop"] });
        assert.equal(readFileSync(sandbox().path("run/payload.left"), "utf8"), `${text}# alice@laptop\n`, stderr);
    });

    it("says who runs the up, to others who wait for the host, and at its end", () => {
        /** The description of the unit, and what is noted for its end. */
        const says = (last: string, env: NodeJS.ProcessEnv = {}) => {
            const shell = `${ALONE}
                PATH=${sandbox().path("bin")}:$PATH
                find_systemd_version() { systemd_version=250; }
                follow() { cat "$run/launch.out" "$run/began.test"; }`;
            const { stdout } = sandbox().run(sandbox().payload([], { shell }) + last, "launch", { env });
            return stdout
                .replace(/\d\d:\d\d:\d\dZ/, "TIME")
                .split("\n")
                .slice(0, 2);
        };
        mkdirSync(sandbox().path("bin"));
        const shows = `#!/bin/sh\nfor word; do case $word in --description=*) echo "$word" ;; esac; done >&2\n`;
        writeFileSync(sandbox().path("bin/systemd-run"), shows, { mode: 0o755 });
        const client = { SUDO_USER: "deploy", SSH_CONNECTION: "10.0.0.5 50000 10.0.0.1 22" };
        assert.deepEqual(says("# alice@laptop\n", client), [
            "--description=haproxy-fleet by alice@laptop as deploy from 10.0.0.5 at TIME id=test",
            "alice@laptop\tdeploy from 10.0.0.5",
        ]);
        for (const unknown of ["", "# \n"]) {
            assert.deepEqual(says(unknown), [
                "--description=haproxy-fleet by root from local at TIME id=test",
                "\troot from local",
            ]);
        }
    });

    it("refuses a payload that has changed on its way", () => {
        const text = sandbox().payload(sandbox().files(["text ".repeat(200)]), { shell: ALONE });
        const start = text.indexOf("base64 -d <<'CONTENT'\n") + 22;
        const length = text.indexOf("\nCONTENT", start) - start;
        const refused = (damaged: string, what: string) => {
            const { code, stderr } = sandbox().run(damaged, "leave", { args: ["left"] });
            assert.equal(sandbox().exists("run/payload.left"), false, what);
            assert.deepEqual(
                { code, stderr },
                { code: 1, stderr: "refused: the payload arrived damaged; nothing was done; run again\n" },
            );
        };
        fc.assert(
            fc.property(fc.nat(length - 1), fc.constantFrom(..."Az09+/=\n"), (at, other) => {
                const damaged = text.slice(0, start + at) + other + text.slice(start + at + 1);
                fc.pre(damaged !== text);
                refused(damaged, `character ${at} of the content is now ${other}`);
            }),
            { numRuns: 40 },
        );
        refused(`${text}# more\n`, "text after the payload");
    });

    describe("calls a program of a recipe when the apply has ended:", () => {
        /** What the program was called with, if it was there, after an apply that has ended like this. */
        function called(exit: [string, string, string], log = ""): string {
            // The product is part of the program's path.
            const shell = `${ALONE}\nproduct=../../..${sandbox().directory}`;
            const hook = `#!/bin/sh\n[ -s ${sandbox().path("run/result.test")} ] || exit\necho "$1: $(cat)" >${sandbox().path("called")}\n`;
            writeFileSync(sandbox().path("alert"), hook, { mode: 0o755 });
            for (const [name, text] of [
                ["began", "alice@laptop\tdeploy from 10.0.0.5\n100\n"],
                ["report", "changed: x\n"],
                ["log", log],
            ] as const)
                writeFileSync(sandbox().path(`run/${name}.test`), text);
            const [SERVICE_RESULT, EXIT_CODE, EXIT_STATUS] = exit;
            const env = { SERVICE_RESULT, EXIT_CODE, EXIT_STATUS };
            const { stdout, stderr } = sandbox().run(sandbox().payload([], { shell }), "result", { env });
            assert.deepEqual([stdout, stderr], ["", ""]);
            return readFileSync(sandbox().path("called"), "utf8").trim();
        }

        it("a success", () => {
            assert.equal(called(["success", "exited", "0"]), "converge-done:");
        });

        it("a failure, with its cause and the words of a tool", () => {
            const log =
                "* file[/a]: write /a\nnow: fine\nx[y] failed: the last step failed\n    no: space\n    left\nthe step was: z\n    other\n";
            assert.equal(
                called(["exit-code", "exited", "1"], log),
                "converge-failed: x[y] failed: the last step failed; no: space; left",
            );
            assert.equal(
                called(["exit-code", "exited", "1"], "refused: this host is old\n"),
                "converge-failed: refused: this host is old",
            );
            assert.equal(called(["exit-code", "exited", "1"]), "converge-failed: failed");
        });

        it("a kill, with the signal", () => {
            assert.match(called(["signal", "killed", "KILL"]), /^converge-failed: it was ended by SIGKILL/);
        });
    });

    describe("leaves on the host how the last converge has ended:", () => {
        /** The record of an apply that has ended like this, without the time, of which it checks that it is now. */
        function record(exit: [string, string, string], files: Record<string, string> = {}): string[] {
            const left = {
                began: "alice@laptop\tdeploy from 10.0.0.5\n100\n",
                report: "changed: x\n",
                log: "",
                ...files,
            };
            for (const [name, text] of Object.entries(left)) writeFileSync(sandbox().path(`run/${name}.test`), text);
            const [SERVICE_RESULT, EXIT_CODE, EXIT_STATUS] = exit;
            const env = { SERVICE_RESULT, EXIT_CODE, EXIT_STATUS };
            // Whoever follows the converge finds the record.
            const shell = `${ALONE}\nfind_now() { now=142; }
                mv() { [ ! -e "$run/result.test" ] || echo late; command mv "$@"; }`;
            const { stdout, stderr } = sandbox().run(sandbox().payload([], { shell }), "result", { env });
            assert.deepEqual([stdout, stderr], ["", ""]);
            rmSync(sandbox().path("run/result.test"));
            const path = sandbox().path("lib/last-converge");
            const text = readFileSync(path, "utf8");
            assert.equal(statSync(path).mode & 0o777, 0o600);
            const [, line = ""] = /^([ -~\t]*)\n$/.exec(text) ?? [];
            const [ended, ...fields] = line.split("\t");
            assert.ok(Math.abs(Number(ended) - Date.now() / 1000) < 60, text);
            return fields;
        }
        const BY = ["alice@laptop", "deploy from 10.0.0.5"];
        beforeEach(() => mkdirSync(sandbox().path("lib")));

        it("a success", () => {
            assert.deepEqual(record(["success", "exited", "0"]), ["42", ...BY, "done"]);
        });

        it("a failure, with its cause, in one short line of plain characters", () => {
            const failed = (log: string) => record(["exit-code", "exited", "1"], { log });
            assert.deepEqual(failed("now: fine\nx[y] failed: the last step failed\n    no space\nthe step was: z\n"), [
                "42",
                ...BY,
                "x[y] failed: the last step failed; no space",
            ]);
            assert.deepEqual(failed("refused: this host is old\n"), ["42", ...BY, "refused: this host is old"]);
            assert.deepEqual(failed(""), ["42", ...BY, "failed"]);
            const [, , , odd = ""] = failed(`x failed: y\n    \u00fc\tz ${"a".repeat(999)}\n`);
            assert.match(odd, /^x failed: y; \?\?\?z a{200,}$/);
            assert.equal(odd.length, 300);
        });

        it("no secret, even if the log had one", () => {
            const shell = `${ALONE}\nsecret_values="key\${TAB}s3cret"`;
            writeFileSync(sandbox().path("run/log.test"), "x failed: y\n    s3cret here\n");
            const env = { SERVICE_RESULT: "exit-code", EXIT_CODE: "exited", EXIT_STATUS: "1" };
            sandbox().run(sandbox().payload([], { shell }), "result", { env });
            assert.match(readFileSync(sandbox().path("lib/last-converge"), "utf8"), /\tx failed: y; <key> here\n$/);
        });

        it("a kill, even before it could begin", () => {
            const [took, who, login, result] = record(["signal", "killed", "KILL"], {
                began: "bob@ci\troot from local\n",
            });
            assert.deepEqual([took, who, login], ["0", "bob@ci", "root from local"]);
            assert.match(result ?? "", /^it was ended by SIGKILL after 0 s/);
            // As a payload that was applied without being launched, of which nobody knows who runs it.
            assert.deepEqual(record(["success", "exited", "0"], { began: "" }), ["0", "", "", "done"]);
        });

        it("nothing on a host that was retired", () => {
            rmSync(sandbox().path("lib"), { recursive: true });
            const env = { SERVICE_RESULT: "success", EXIT_CODE: "exited", EXIT_STATUS: "0" };
            const { stderr } = sandbox().run(sandbox().payload([], { shell: ALONE }), "result", { env });
            assert.deepEqual([stderr, sandbox().exists("lib")], ["", false]);
        });
    });

    describe("counts as a success only what has done its work:", () => {
        /** How a launch reports an apply that has ended like this, by systemd's variables (systemd.exec(5)). */
        function ending(variables: [string, string, string], seconds = 3, report = "changed: x\n"): string {
            const shell = `${ALONE}
                find_now() { now=$((100 + ${seconds})); }
                launch() { judge_result; printf '%s\\n' "$ending"; }`;
            const payload = sandbox().payload([], { shell });
            writeFileSync(sandbox().path("run/began.test"), "\troot from local\n100\n");
            writeFileSync(sandbox().path("run/report.test"), report);
            const [SERVICE_RESULT, EXIT_CODE, EXIT_STATUS] = variables;
            sandbox().run(payload, "result", { env: { SERVICE_RESULT, EXIT_CODE, EXIT_STATUS } });
            return sandbox().run(payload, "launch").stdout.trim();
        }

        for (const result of SERVICE_RESULTS) {
            it(`${result} with every exit code`, () => {
                for (const [code, status] of EXITS) {
                    const words = ending([result, code, status]);
                    const what = `${result} ${code} ${status}: ${words}`;
                    assert.equal(words === "", result === "success" && code === "exited" && status === "0", what);
                    assert.equal(words === "failed", result === "exit-code" && status === "1", what);
                    assert.doesNotMatch(words, /deadline/, what);
                    if (words !== "" && words !== "failed") assert.match(words, /; run again$/, what);
                }
            });
        }

        it("names the deadline if that ended it, and the signal if something else did", () => {
            const stopped =
                "was ended by SIGTERM after 3 s, as by systemctl kill or a shutdown; nothing else was done; run again";
            assert.equal(ending(["success", "killed", "TERM"]), stopped);
            assert.equal(ending(["timeout", "killed", "TERM"]), stopped);
            const late = "was ended at its deadline, after 900 s; run again, or give it a longer one";
            assert.equal(ending(["timeout", "killed", "TERM"], 900), late);
            assert.match(ending(["oom-kill", "killed", "KILL"]), /^was ended by the kernel, because the memory/);
            assert.match(ending(["exit-code", "exited", "127"]), /^ended with status 127;/);
        });

        it("not one without a report, nor one without a result", () => {
            assert.equal(ending(["success", "exited", "0"], 3, ""), "ended without a report; run again");
            const shell = `launch() { judge_result; printf '%s\\n' "$ending"; }`;
            rmSync(sandbox().path("run/result.test"));
            const { stdout } = sandbox().run(sandbox().payload([], { shell }), "launch");
            assert.equal(stdout, "has left no result (its unit is gone); nothing else was done; run again\n");
        });
    });
});

/** Positions after each line. */
function ends(text: Buffer): number[] {
    return [...text.toString("latin1").matchAll(/\n/g)].map(({ index }) => index + 1).slice(0, -1);
}
