import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import type { Content, Resource } from "../../../components/convergence/kinds/index";
import { parseWhyRun } from "../../../components/convergence/preview/whyRun";
import { has, Sandbox, SHELLS } from "../../support/sandbox";
import { until } from "../../support/traffic";

/** The adapter of a daemon that accepts everything. */
const DAEMON = `
daemon_validate() { :; }
daemon_preflight() { :; }
daemon_running() { running_digest= running_since=; }
daemon_activation() { activation=start activation_reason=always; }
daemon_activate() { :; }
daemon_prove() { :; }
`;

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

for (const [name, ...shell] of SHELLS) {
    describe(`runtime under ${name}`, function () {
        this.timeout(60_000);
        let sandbox: Sandbox;
        before(function () {
            if (!has(shell[0] ?? "")) return skip(this, `no ${shell[0]}`);
        });
        beforeEach(() => {
            sandbox = new Sandbox(shell);
        });
        afterEach(() => sandbox.remove());

        const files = (contents: Content[]): Resource[] =>
            contents.map((content, n) => ({
                kind: "file",
                path: sandbox.path(`file ${n} it's "$(reboot)" *`),
                content,
                ...sandbox.account,
            }));

        /** Applies the files, compares them with what was declared, and makes sure that a second run finds nothing. */
        function arrive(contents: Content[]): void {
            const resources = files(contents);
            const payload = sandbox.payload(resources);
            const { code } = sandbox.run(payload, "apply");
            assert.equal(code, 0, readFileSync(sandbox.path("run/log.test"), "utf8"));
            for (const [n, resource] of resources.entries()) {
                assert(resource.kind === "file");
                assert.deepEqual(readFileSync(resource.path), Buffer.from(contents[n] as string));
            }
            assert.deepEqual(lines(sandbox.run(payload, "why-run").stdout).slice(1), ["end\tdone"]);
        }

        it("writes any text and any bytes unchanged", () => {
            fc.assert(
                fc.property(fc.array(content, { minLength: 1, maxLength: 12 }), (contents) => arrive(contents)),
                { numRuns: 8 },
            );
        });

        it("writes a megabyte, NULs, and files without a last newline", () => {
            const bytes = Buffer.alloc(1 << 20, Buffer.from(Array.from({ length: 251 }, (_, n) => n)));
            arrive([
                bytes,
                "",
                "\n",
                "no end",
                "dos\r\nlines\r\n",
                "CONTENT\n",
                Buffer.alloc(3),
                "ü€😀\u2028",
                "\n\n\n",
            ]);
        });

        it("makes directories that a daemon of any user can enter", () => {
            const directory = sandbox.path("etc/daemon");
            const transaction: Resource = {
                kind: "transaction",
                name: "daemon",
                directory,
                files: [{ path: `${directory}/maps/by/a.map`, content: "one\n", ...sandbox.account }],
                adapter: { name: "daemon", script: DAEMON, parameters: {} },
            };
            const { code } = sandbox.run(sandbox.payload([transaction]), "apply");
            assert.equal(code, 0, readFileSync(sandbox.path("run/log.test"), "utf8"));
            for (const path of ["etc", "etc/daemon", "etc/daemon/maps", "etc/daemon/maps/by"]) {
                assert.equal(statSync(sandbox.path(path)).mode & 0o777, 0o755, path);
            }
        });

        it("gives a directory its mode below one with the set-group-id bit, and one that has the bit", () => {
            for (const name of ["above", "above/old"]) mkdirSync(sandbox.path(name));
            for (const name of ["above", "above/old"]) chmodSync(sandbox.path(name), 0o2775);
            const directory = (name: string, mode: string): Resource => ({
                kind: "directory",
                path: sandbox.path(`above/${name}`),
                mode,
                ...sandbox.account,
            });
            const modes = { old: "0755", new: "0750", shared: "2770", sticky: "1777" };
            const payload = sandbox.payload(Object.entries(modes).map(([name, mode]) => directory(name, mode)));
            assert.equal(sandbox.run(payload, "apply").code, 0, readFileSync(sandbox.path("run/log.test"), "utf8"));
            for (const [name, mode] of Object.entries(modes)) {
                assert.equal(statSync(sandbox.path(`above/${name}`)).mode & 0o7777, Number.parseInt(mode, 8), name);
            }
            assert.deepEqual(lines(sandbox.run(payload, "why-run").stdout).slice(1), ["end\tdone"]);
        });

        it("says before a first installation that no daemon has checked the files", () => {
            const directory = sandbox.path("etc/daemon");
            const transaction: Resource = {
                kind: "transaction",
                name: "daemon",
                directory,
                files: [{ path: `${directory}/a`, content: "one\n" }],
                adapter: { name: "daemon", script: `${DAEMON}\ndaemon_installed() { false; }`, parameters: {} },
            };
            const { stdout } = sandbox.run(sandbox.payload([transaction]), "why-run");
            assert.deepEqual(parseWhyRun(stdout).activations, [
                {
                    id: "r0",
                    kind: "start",
                    reason: "it is not installed; no daemon has checked these files yet, an up checks them before it starts one",
                },
            ]);
        });

        /** The environment of a condition in a why-run. */
        function environmentOf(proxies: string, env: Record<string, string> = {}): Record<string, string> {
            writeFileSync(sandbox.path("environment"), proxies);
            const asks: Resource = {
                kind: "execute",
                name: "asks",
                command: ":",
                onlyIf: `env -0 >${sandbox.path("seen")}; false`,
            };
            const payload = sandbox.payload([asks], {
                shell: `proxies_file=${sandbox.path("environment")}`,
            });
            assert.equal(sandbox.run(payload, "why-run", { env }).code, 0);
            const entries = readFileSync(sandbox.path("seen"), "utf8").split("\0").slice(0, -1);
            const seen = new Map(entries.map((entry) => [entry.replace(/=.*/s, ""), entry.replace(/^[^=]*=/, "")]));
            for (const own of ["LC_ALL", "PATH", "PWD", "_", "SHLVL", "OLDPWD"]) seen.delete(own);
            return Object.fromEntries(seen);
        }

        it("keeps nothing of a login's environment but its proxies", () => {
            const hostile = { IFS: "x", POSIXLY_CORRECT: "1", TMPDIR: "/no", LANGUAGE: "de", LD_LIBRARY_PATH: "/no" };
            const lines = { LINES: "a\nexport 1=2\nexport id\n'b\"", token: "x", product: "y", line: "z" };
            const { product, ...seen } = environmentOf("", { ...hostile, ...lines, no_proxy: "*" });
            assert.deepEqual(
                { ...seen, product: product ?? "haproxy-fleet" },
                { no_proxy: "*", product: "haproxy-fleet" },
            );
        });

        it("reads the host's proxies as pam_env does", () => {
            const proxies = [
                "# http_proxy=http://comment:1",
                "http_proxy=http://first:1",
                '\texport http_proxy="http://user:p\'a$ss@proxy:3128" # the last one counts',
                "HTTP_PROXY=http://upper:1",
                "HTTPS_PROXY='http://secure:1'\t",
                "no_proxy=localhost,$(reboot),`x`,*",
                "NO_PROXY=\"one two'",
                "ftp_proxy",
                " PATH=/no",
                "MY_http_proxy=http://no:1",
                "all_proxy='",
            ];
            assert.deepEqual(environmentOf(proxies.join("\n")), {
                http_proxy: "http://user:p'a$ss@proxy:3128",
                HTTP_PROXY: "http://upper:1",
                https_proxy: "http://secure:1",
                HTTPS_PROXY: "http://secure:1",
                no_proxy: "localhost,$(reboot),`x`,*",
                NO_PROXY: "one two",
                all_proxy: "",
            });
        });

        it("ends a why-run, with all its processes, when its caller has gone", async () => {
            const condition = "sleep 86411 & timeout 86412 sh -c 'sleep 86413; :'";
            const slow: Resource = { kind: "execute", name: "slow", command: ":", onlyIf: condition };
            const run = sandbox.start(sandbox.payload([slow]), "why-run");
            const sleepers = () => spawnSync("pgrep", ["-f", "sleep 8641"], { encoding: "utf8" }).stdout;
            await until("the condition runs", async () => sleepers().split("\n").length > 3);
            const ended = new Promise((ends) => run.on("exit", ends));
            run.stdout?.destroy();
            run.stderr?.destroy();
            await ended;
            await until("its processes have ended", async () => sleepers() === "");
            assert.doesNotMatch(readdirSync(sandbox.path("run")).join(" "), /payload|why-run/);
        });

        it("keeps no truncated payload", () => {
            const text = Buffer.from(sandbox.payload(files(["text"]), { shell: ALONE }));
            const cuts = fc.oneof(
                fc.integer({ min: 0, max: text.length - 1 }),
                // The frame around the run list, a byte at a time.
                fc.integer({ min: text.length - 400, max: text.length - 1 }),
                fc.constantFrom(...ends(text)),
            );
            const untouched = (cut: number) => {
                sandbox.run(text.subarray(0, cut), "leave", { args: ["left"] });
                assert.equal(sandbox.exists("run/payload.left"), false, `cut after ${cut} of ${text.length} bytes`);
            };
            for (let cut = text.length - 40; cut < text.length; cut++) untouched(cut);
            fc.assert(fc.property(cuts, untouched), { numRuns: 100 });
            const { stderr } = sandbox.run(text, "leave", { args: ["left"] });
            assert.equal(readFileSync(sandbox.path("run/payload.left"), "utf8"), text.toString(), stderr);
        });

        it("refuses a payload that has changed on its way", () => {
            const text = sandbox.payload(files(["text ".repeat(200)]), { shell: ALONE });
            const start = text.indexOf("base64 -d <<'CONTENT'\n") + 22;
            const length = text.indexOf("\nCONTENT", start) - start;
            const refused = (damaged: string, what: string) => {
                const { code, stderr } = sandbox.run(damaged, "leave", { args: ["left"] });
                assert.equal(sandbox.exists("run/payload.left"), false, what);
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

        describe("counts as a success only what has done its work:", () => {
            /** How a launch reports an apply that has ended like this, by systemd's variables (systemd.exec(5)). */
            function ending(variables: [string, string, string], seconds = 3, report = "changed: x\n"): string {
                const shell = `${ALONE}
                    find_now() { now=$((100 + ${seconds})); }
                    launch() { judge_result; printf '%s\\n' "$ending"; }`;
                const payload = sandbox.payload([], { shell });
                writeFileSync(sandbox.path("run/began.test"), "100\n");
                writeFileSync(sandbox.path("run/report.test"), report);
                const [SERVICE_RESULT, EXIT_CODE, EXIT_STATUS] = variables;
                sandbox.run(payload, "result", { env: { SERVICE_RESULT, EXIT_CODE, EXIT_STATUS } });
                return sandbox.run(payload, "launch").stdout.trim();
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
                rmSync(sandbox.path("run/result.test"));
                const { stdout } = sandbox.run(sandbox.payload([], { shell }), "launch");
                assert.equal(stdout, "has left no result (its unit is gone); nothing else was done; run again\n");
            });
        });

        it("prints any text in short lines of plain ASCII", () => {
            fc.assert(
                fc.property(content, (text) => {
                    const payload = sandbox.payload(files([text]), { shell: 'run_list() { say "$(content_0)"; }' });
                    sandbox.run(payload, "apply");
                    for (const line of readFileSync(sandbox.path("run/log.test"), "latin1").split("\n")) {
                        assert.match(line, /^[ -~]{0,300}$/);
                    }
                }),
                { numRuns: 30 },
            );
        });

        it("never prints a part of a secret, wherever a line is cut", () => {
            const value = "0123456789-planted-secret-0123456789";
            const shell = `run_list() {
                column=x
                while [ "\${#column}" -lt 330 ]; do
                    column=xxxxxxx$column
                    say "$column""${value}"
                    say "$(printf '%s\\n' "$column""${value}""$column$column" | last_words)"
                done
            }`;
            sandbox.run(sandbox.payload([], { shell, slots: { slot: value } }), "apply");
            const said = readFileSync(sandbox.path("run/log.test"), "utf8");
            assert(lines(said).length > 80, said);
            assert.doesNotMatch(said, /[0-9]|planted/);
        });

        it("never prints a secret, whatever surrounds it", () => {
            const secret = fc.oneof(
                fc.string({ minLength: 3, maxLength: 60 }),
                fc.array(fragment, { minLength: 3, maxLength: 8 }).map((parts) => parts.join("")),
            );
            fc.assert(
                fc.property(content, secret, content, (before, value, after) => {
                    const line = value.split("\n").find((part) => part.trim().length >= 3);
                    fc.pre(line !== undefined && !value.includes("\0") && !"slot".includes(line));
                    const words = Buffer.concat([before, value, after, value].map(bytes));
                    const payload = sandbox.payload(files([words]), {
                        shell: `run_list() { content_0 >"$run/step.out"; label=x; fail_step; }`,
                        slots: { slot: value },
                    });
                    sandbox.run(payload, "apply");
                    const said = readFileSync(sandbox.path("run/log.test"), "latin1");
                    // Unprintable characters become question marks, so search for the longest part without any.
                    const seen = line.split(/[^ -~]+/).sort((a, b) => b.length - a.length)[0] ?? "";
                    fc.pre(
                        seen.length >= 3 && !Buffer.from(words).toString("latin1").split(value).join("").includes(seen),
                    );
                    assert(!said.includes(seen), said);
                    assert(said.includes("<slot>") || words.length > 80, said);
                }),
                { numRuns: 30 },
            );
        });
    });
}

/** Text that may confuse shells, base64, here-documents and line-based tools. */
const fragment = fc.constantFrom(
    ..."'\"\\`$;&|<>(){}[]*?!#~%\r\n\t \x1b\x7f",
    "\0",
    "$(reboot)",
    "${x}",
    "%s%n",
    "\\n\\0",
    "\r\n",
    "\nCONTENT\n",
    "'\\''",
    "ü",
    "€",
    "😀",
    "\u2028",
    "-n",
    "a".repeat(5000),
);
const content: fc.Arbitrary<Content> = fc.oneof(
    fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.uint8Array({ maxLength: 5000 }),
);

/** Keeps a payload from this machine's systemd. */
const ALONE = `
lock() { :; }
forget_later() { :; }
systemctl() { :; }`;

/** Positions after each line. */
function ends(text: Buffer): number[] {
    return [...text.toString("latin1").matchAll(/\n/g)].map(({ index }) => index + 1).slice(0, -1);
}

function lines(text: string): string[] {
    return text.split("\n").filter((line) => line !== "");
}

function bytes(text: Content): Buffer {
    return Buffer.from(text as string);
}

function skip(context: Mocha.Context, why: string): void {
    console.log(`    skipped: ${why}`);
    context.skip();
}
