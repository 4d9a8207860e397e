import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gitEnvironment } from "../../cli/review/git";

/** A real Git repository in a temporary folder. */
export class GitRepository {
    /** The folder of all that belongs to it. */
    readonly parent = realpathSync(mkdtempSync(join(tmpdir(), "repository-")));
    readonly directory: string;

    constructor(name = "repository") {
        this.directory = join(this.parent, name);
        mkdirSync(this.directory);
        this.git("init", "--quiet", "--initial-branch=main");
    }

    /** Runs Git without the settings of whoever runs the test, and returns what it prints. */
    git(...args: string[]): string {
        const identity = [
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@example.com",
            "-c",
            "protocol.file.allow=always",
        ];
        return execFileSync("git", [...identity, ...args], {
            cwd: this.directory,
            encoding: "utf8",
            stdio: ["ignore", "pipe", "pipe"],
            env: { ...gitEnvironment(process.env), GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
        }).trim();
    }

    /** Writes files by their paths in the repository. */
    write(files: Readonly<Record<string, string>>): void {
        for (const [path, text] of Object.entries(files)) {
            const file = join(this.directory, path);
            mkdirSync(dirname(file), { recursive: true });
            writeFileSync(file, text);
        }
    }

    /** Commits everything, and returns the commit. */
    commit(files: Readonly<Record<string, string>> = {}): string {
        this.write(files);
        this.git("add", "--all");
        this.git("commit", "--quiet", "--allow-empty", "--message=test");
        return this.git("rev-parse", "HEAD");
    }

    remove(): void {
        rmSync(this.parent, { recursive: true, force: true });
    }
}
