// What prepare-host.sh refuses before it looks at the host. test/lab/prepareHost.spec.ts has what it does there.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../../cli/run";
import { textFile } from "../../../components/textFiles";
import { describeUnderShells, has, type ShellResult } from "../../support/sandbox";
import { skip } from "../../support/skip";
import { newKeyPair } from "../../support/sshKeys";

const file = "components/hostPreparation/prepare-host.sh";
const script = readFileSync(file, "utf8");
const { public: key, private: privateKey } = newKeyPair();

/** Runs the script as a user who may change nothing on this machine. */
class Run {
    readonly folder = mkdtempSync(join(tmpdir(), "prepare-host-"));

    constructor(private readonly shell: string[]) {}

    with(args: string[], input = script): ShellResult {
        const asNobody =
            process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
        const [program = "", ...words] = [...asNobody, ...this.shell, "-s", "--", ...args];
        const { status, stdout, stderr } = spawnSync(program, words, { input, encoding: "utf8", cwd: this.folder });
        return { code: status, stdout, stderr };
    }

    remove(): void {
        rmSync(this.folder, { recursive: true });
    }
}

/** All arguments are right: next comes the look at the host. */
const ACCEPTED = { code: 1, stdout: "", stderr: "prepare-host: not root; run it as root, or with sudo\n" };

describe("prepare-host.sh", () => {
    it("passes ShellCheck", function () {
        if (!has("shellcheck")) skip(this, "no shellcheck");
        const { status, stdout } = spawnSync("shellcheck", ["--shell=sh", "--severity=style", file]);
        assert.equal(status, 0, stdout.toString());
    });

    it("is what the command prints", async () => {
        const { write } = process.stdout;
        let printed = "";
        process.stdout.write = ((text: string) => {
            printed += text;
            return true;
        }) as typeof write;
        try {
            assert.equal(await runCommand(["prepare-host"]), 0);
        } finally {
            process.stdout.write = write;
        }
        assert.equal(printed, script);
        assert.equal(textFile(file), script);
    });
});

describeUnderShells(
    "prepare-host.sh",
    (shell) => new Run(shell),
    (run) => {
        it("takes keys in one word each, or in several as ssh hands them over", () => {
            const words = key.trim().split(" ");
            const ways = [
                ["--user", "deploy", "--key", key.trim()],
                ["--key", ...words, "a", "comment", "--user", "deploy"],
                ["--key", `from="192.0.2.0/24" ${key.trim()} it's $(reboot) \`reboot\` *`, "--user", "_d-1"],
                ["--user", "d".repeat(31), "--key", ...words, "--key", key.trim()],
            ];
            for (const args of ways) assert.deepEqual(run().with(args), ACCEPTED, args.join(" "));
        });

        it("refuses other users, keys and options with one line, and shows no key", () => {
            const right = ["--user", "deploy"];
            const cases: [words: RegExp, ...args: string[]][] = [
                [/no --user/, "--key", key.trim()],
                [/no --key/, ...right],
                [/--key needs a value/, ...right, "--key"],
                [/--user needs a value/, "--key", key.trim(), "--user", ""],
                [/--user is given twice/, ...right, "--user", "ops", "--key", key.trim()],
                [/root needs no preparation/, "--user", "root", "--key", key.trim()],
                [/unknown option --frobnicate;/, ...right, "--frobnicate=secret"],
                [/expected an option/, "deploy"],
                [/private key/, ...right, "--key", privateKey],
                [/private key/, ...right, "--key", ...privateKey.split(/\s+/)],
                [/several lines/, ...right, "--key", `${key.trim()}\n${key.trim()}`],
                [/control characters/, ...right, "--key", `${key.trim()}\r`],
                ...[
                    "Deploy",
                    "1st",
                    "-x",
                    "a b",
                    "a\nb",
                    "a:b",
                    "a/../b",
                    "ä",
                    "$(touch planted)",
                    "a;touch planted",
                    "*",
                    "d".repeat(32),
                ].map((user): [RegExp, ...string[]] => [/invalid user/, "--key", key.trim(), "--user", user]),
            ];
            for (const [words, ...args] of cases) {
                const { code, stdout, stderr } = run().with(args);
                assert.deepEqual([code, stdout], [1, ""], args.join(" "));
                assert.match(stderr, /^prepare-host: [^\n]+\n$/);
                assert.match(stderr, words);
                assert.doesNotMatch(stderr, /AAAA|secret|OPENSSH/);
            }
            assert.ok(!existsSync(join(run().folder, "planted")));
        });

        it("does nothing if a part of it is missing", () => {
            const lines = script.trimEnd().split("\n");
            for (let end = lines.length - 1; end > 0; end -= 41) {
                const { stdout } = run().with(["--help"], lines.slice(0, end).join("\n"));
                assert.equal(stdout, "", `${end} lines`);
            }
            assert.match(run().with(["--help"]).stdout, /^prepare-host\.sh --user NAME --key KEY/);
        });
    },
);
