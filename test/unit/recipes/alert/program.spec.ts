import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostProgram } from "../../../../components/scripts";
import { describeUnderShells } from "../../../support/sandbox";

const UNIT = "haproxy.service";

/** The program in a directory of its own. systemd is not there: what it would start is in a file. */
class Program {
    readonly directory = mkdtempSync(join(tmpdir(), "haproxy-fleet-alert-"));
    private readonly path = (name: string) => join(this.directory, name);

    constructor(readonly shell: string[]) {
        for (const name of ["bin", "kept"]) mkdirSync(this.path(name));
        // With the state of the unit, which a test sets.
        this.stub(
            "systemctl",
            `case $1 in show) cat ${this.path("unit")} ;; *) echo "$@" >>${this.path("started")} ;; esac`,
        );
        this.stub("systemd-run", `echo "$@" >>${this.path("armed")}`);
        const text = hostProgram("alert", "alert.sh")
            .replace(/^PATH=/m, `PATH=${this.path("bin")}:`)
            .replace(/^state=.*$/m, `state=${this.path("state")}`)
            .replace(/^kept=.*$/m, `kept=${this.path("kept")}`)
            .replace(/^command=.*$/m, `command=${this.path("command")}`);
        writeFileSync(this.path("alert"), text);
        this.command(`printf '%s|%s\\n' "$ALERT_EVENT" "$(cat)" >>${this.path("words")}`);
        this.unit({});
    }

    private stub(name: string, text: string) {
        writeFileSync(this.path(`bin/${name}`), `#!/bin/sh\n${text}\n`);
        chmodSync(this.path(`bin/${name}`), 0o755);
    }

    command = (text: string) => writeFileSync(this.path("command"), text);

    unit(properties: Record<string, string>) {
        const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
        writeFileSync(this.path("unit"), lines.join(""));
    }

    run(args: string[], env: Record<string, string> = {}, input = "") {
        const [program = "", ...words] = [...this.shell, this.path("alert"), ...args];
        const { status, stdout, stderr } = spawnSync(program, words, {
            encoding: "utf8",
            input,
            env: { EVERY: "60", SETTLE: "5", LIMIT: "1", PAUSE: "0", ...env },
        });
        assert.equal(stderr, "", args.join(" "));
        assert.equal(status, 0, args.join(" "));
        return stdout;
    }

    /** The service ends like this; then its handler runs, if one was started. */
    ends(id: string, result: string, code: string, exit: string, env: Record<string, string> = {}) {
        this.run(["stopped", UNIT], {
            SERVICE_RESULT: result,
            EXIT_CODE: code,
            EXIT_STATUS: exit,
            INVOCATION_ID: id,
        });
        if (this.started().includes(`died-${id}`)) this.run(["handle", `died-${id}`, UNIT], env);
    }

    private read = (name: string) => (existsSync(this.path(name)) ? readFileSync(this.path(name), "utf8") : "");
    started = () => this.read("started");
    armed = () => this.read("armed");
    /** The words since the last call. */
    words() {
        const words = this.read("words").split("\n").slice(0, -1);
        rmSync(this.path("words"), { force: true });
        return words;
    }

    remove = () => rmSync(this.directory, { recursive: true, force: true });
}

describeUnderShells(
    "the program of alerts",
    (shell) => new Program(shell),
    (given) => {
        let program: Program;
        beforeEach(() => {
            program = given();
        });
        const died = (words: string[]) => words.map((word) => word.replace(/^(\w+)\|.* died: /, "$1|"));
        const UP = { ActiveState: "active", InvocationID: "b", ActiveEnterTimestampMonotonic: "0" };

        it("names the cause of each end that was not asked for", () => {
            for (const [result, code, status, cause] of [
                ["signal", "killed", "KILL", "it was killed by SIGKILL"],
                ["core-dump", "dumped", "SEGV", "it was killed by SIGSEGV"],
                ["exit-code", "exited", "137", "its worker was killed by SIGKILL"],
                ["exit-code", "exited", "139", "its worker was killed by SIGSEGV"],
                ["exit-code", "exited", "129", "its worker was killed by SIGHUP"],
                ["exit-code", "exited", "1", "it exited with status 1"],
                ["exit-code", "", "", "a command that runs before its start failed"],
                [
                    "oom-kill",
                    "killed",
                    "KILL",
                    "the kernel killed one of its processes, because the memory was used up",
                ],
                ["timeout", "killed", "KILL", "it was killed, because it did not start or stop in time"],
                [
                    "success",
                    "exited",
                    "0",
                    "it ended although systemd did not stop it, perhaps by a signal from elsewhere",
                ],
                ["resources", "", "", "systemd says resources"],
            ] as const) {
                program.ends("a", result, code, status, { EVERY: "0" });
                assert.deepEqual(died(program.words()), [`died|${cause}`]);
            }
        });

        it("says nothing of a stop that was asked for, nor if systemd does not answer", () => {
            writeFileSync(join(program.directory, "unit"), "318\n");
            program.ends("a", "success", "exited", "0");
            program.ends("a", "exec-condition", "", "");
            rmSync(join(program.directory, "unit"));
            const { status } = spawnSync(
                program.shell[0] ?? "",
                [...program.shell.slice(1), join(program.directory, "alert"), "stopped", UNIT],
                {
                    env: { SERVICE_RESULT: "success" },
                },
            );
            assert.notEqual(status, null);
            assert.equal(program.started(), "");
        });

        it("counts what it leaves out, and says it when the time is over", () => {
            for (const id of ["a", "b", "c"]) program.ends(id, "signal", "killed", "KILL");
            assert.deepEqual(died(program.words()), ["died|it was killed by SIGKILL"]);
            assert.match(program.armed(), /--on-active=(59|60) .*later-died\.service/);
            program.unit({ ActiveState: "activating" });
            program.run(["handle", "later-died", UNIT]);
            assert.deepEqual(died(program.words()), ["died|it was killed by SIGKILL (2 times since the last word)"]);
            program.run(["handle", "later-died", UNIT]);
            assert.deepEqual(program.words(), []);
        });

        it("says with the last of them that it is up again, and then no word of a recovery", () => {
            program.ends("a", "signal", "killed", "KILL");
            program.unit(UP);
            program.run(["handle", "settled-b", UNIT]);
            program.ends("b", "signal", "killed", "SEGV");
            program.words();
            program.run(["handle", "later-died", UNIT]);
            program.run(["handle", "settled-b", UNIT]);
            assert.deepEqual(died(program.words()), ["died|it was killed by SIGSEGV; it is up again"]);
        });

        it("says once that it has recovered, with the same invocation, and only after a word that it has died", () => {
            program.unit(UP);
            program.run(["handle", "settled-b", UNIT]);
            program.ends("a", "signal", "killed", "KILL");
            program.ends("a", "signal", "killed", "KILL");
            program.run(["started", UNIT], { INVOCATION_ID: "b" });
            assert.match(program.started(), /alert@up-b\.service/);
            program.run(["handle", "up-b", UNIT]);
            assert.match(program.armed(), /--on-active=5 .*settled-b\.service/);
            program.words();
            program.run(["handle", "settled-other", UNIT]);
            program.unit({ ...UP, ActiveState: "activating" });
            program.run(["handle", "settled-b", UNIT]);
            assert.deepEqual(program.words(), []);
            program.unit(UP);
            program.run(["handle", "settled-b", UNIT]);
            program.run(["handle", "settled-b", UNIT]);
            const [word, ...more] = program.words();
            assert.match(word ?? "", /^recovered\|.*: up for 5 s; events left out since the last word: 1$/);
            assert.deepEqual(more, []);
        });

        it("remembers over a boot that a word of the recovery is due", () => {
            program.ends("a", "signal", "killed", "KILL");
            program.words();
            rmSync(join(program.directory, "state"), { recursive: true });
            program.run(["started", UNIT], { INVOCATION_ID: "b" });
            assert.match(program.started(), /up-b/);
            program.unit(UP);
            program.run(["handle", "settled-b", UNIT]);
            assert.equal(program.words().length, 1);
        });

        it("starts nothing at an ordinary start, nor after a converge that succeeds like the last one", () => {
            program.run(["started", UNIT], { INVOCATION_ID: "b" });
            program.run(["converge-done"]);
            assert.equal(program.started() + program.armed(), "");
        });

        it("says once that systemd has given it up, also if it is asked twice, as by newer systemd", () => {
            program.ends("a", "signal", "killed", "KILL");
            program.ends("b", "exit-code", "exited", "1");
            program.words();
            program.unit({ ActiveState: "active" });
            program.run(["handle", "failed", UNIT]);
            assert.deepEqual(program.words(), []);
            program.unit({ ActiveState: "failed", InactiveEnterTimestampMonotonic: "77" });
            program.run(["handle", "failed", UNIT]);
            program.run(["handle", "failed", UNIT]);
            const [word, ...more] = program.words();
            assert.match(
                word ?? "",
                /^failed\|.* is down, .* left out since the last word: 1, the last because it exited with/,
            );
            assert.deepEqual(more, []);
        });

        it("passes the text on whole, whatever is in it", () => {
            const cause = `x failed: "quoted" 'it' $(reboot) \`date\` %s \\n ; é`;
            program.run(["converge-failed"], {}, `${cause}\n`);
            const event = /alert@(converge-failed-\d+)\.service/.exec(program.started())?.[1] ?? assert.fail();
            program.run(["handle", event, UNIT]);
            const [word] = program.words();
            assert.ok(word?.endsWith(` failed: ${cause}`), word);
        });

        it("hides lines of the output that repeat the command", () => {
            program.command('echo fine; echo "send: tok-Quetzalcoatl: not found" >&2; exit 3');
            const printed = program.run(["handle", "test", UNIT]);
            assert.doesNotMatch(printed, /Quetzal/);
            assert.match(printed, /status 3\n(.*\n)*fine\n/);
        });
    },
);
