import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { repo } from "../../toolchain/environment.mjs";
import { testLibrary } from "../../toolchain/package.mjs";

/** A Pulumi project outside of this repository, with this package as if it were installed. */
export class UserProject {
    readonly directory = mkdtempSync(join(tmpdir(), "project-"));

    /** The folder in which the command runs. */
    folder = ".";
    /** Variables that the command gets besides the test's own. */
    environment: NodeJS.ProcessEnv = {};

    /** @param manifest what package.json has besides a name */
    constructor(manifest: object = {}) {
        const own = join(this.directory, "node_modules", "haproxy-fleet");
        this.write({
            "package.json": JSON.stringify({ name: "edge", ...manifest }),
            "Pulumi.yaml": "name: edge\nruntime: nodejs\n",
            "node_modules/haproxy-fleet/package.json": JSON.stringify({
                name: "haproxy-fleet",
                version: "0.1.0",
                main: "index.js",
                bin: { "haproxy-fleet": "command.js" },
            }),
            "node_modules/haproxy-fleet/index.js": `module.exports = require(${JSON.stringify(testLibrary())});`,
            "node_modules/haproxy-fleet/start.js": `require(${JSON.stringify(join(repo, "start.js"))});`,
            "node_modules/haproxy-fleet/command.js": `require(${JSON.stringify(join(testLibrary(), "command.js"))});`,
        });
        for (const name of ["@pulumi", "tsx", "typescript", "@types"])
            symlinkSync(join(repo, "node_modules", name), join(dirname(own), name));
    }

    /** Writes files by their paths in the project. */
    write(files: Record<string, string>): void {
        for (const [path, text] of Object.entries(files)) {
            const file = join(this.directory, path);
            mkdirSync(dirname(file), { recursive: true });
            writeFileSync(file, text, { mode: text.startsWith("#!") ? 0o755 : 0o644 });
        }
    }

    read(path: string): string {
        return readFileSync(join(this.directory, path), "utf8");
    }

    /** Runs the command of the installed package, with this environment besides the test's own. */
    command(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
        const command = join(this.directory, "node_modules/haproxy-fleet/command.js");
        return new Promise((resolve, reject) => {
            const child = spawn(process.execPath, [command, ...args], {
                cwd: join(this.directory, this.folder),
                env: { ...process.env, ...this.environment },
                stdio: ["ignore", "pipe", "pipe"],
            });
            let [stdout, stderr] = ["", ""];
            child.stdout.on("data", (data) => (stdout += data));
            child.stderr.on("data", (data) => (stderr += data));
            child.on("error", reject);
            child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
        });
    }

    remove(): void {
        rmSync(this.directory, { recursive: true, force: true });
    }
}
