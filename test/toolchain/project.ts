// A temporary Pulumi project with its own state, driven by the real CLI.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { repo } from "../../toolchain/environment.mjs";
import { bundling, testLibrary } from "../../toolchain/package.mjs";
import { type PulumiResult, type RunPulumiOptions, runPulumi } from "../../toolchain/pulumi";

interface StateResource {
    type: string;
    id?: string;
    inputs?: Record<string, unknown>;
    outputs?: Record<string, unknown>;
}

export class Project {
    readonly directory = mkdtempSync(join(tmpdir(), "pulumi-"));

    constructor() {
        // The real language host reads the lock file to list packages.
        for (const name of ["node_modules", "package-lock.json"])
            symlinkSync(join(repo, name), join(this.directory, name));
        // As in users' projects, because the programs start sooner.
        const options = { typescript: false, nodeargs: `--require "${join(repo, "start.js")}"` };
        const project = { name: "probe", main: "index.js", runtime: { name: "nodejs", options } };
        writeFileSync(join(this.directory, "Pulumi.yaml"), JSON.stringify(project));
        // Providers that no program uses must change nothing.
        const { devDependencies } = JSON.parse(readFileSync(join(repo, "package.json"), "utf8"));
        const packages = Object.entries(devDependencies).filter(([name]) => name.startsWith("@pulumi/"));
        const manifest = { name: "probe", dependencies: Object.fromEntries(packages) };
        writeFileSync(join(this.directory, "package.json"), JSON.stringify(manifest));
    }

    /** Sets the program, in TypeScript. It becomes one file of JavaScript, because it runs several times. */
    program(text: string): void {
        const imports = 'import * as pulumi from "@pulumi/pulumi";\nimport { remote } from "@pulumi/command";';
        buildSync({
            ...bundling(),
            stdin: { contents: `${imports}\n${text}`, loader: "ts", resolveDir: this.directory },
            external: [testLibrary()],
            outfile: join(this.directory, "index.js"),
        });
    }

    run(args: string[], options: RunPulumiOptions = {}): Promise<PulumiResult> {
        return runPulumi(args, {
            cwd: this.directory,
            ...options,
            env: {
                PULUMI_BACKEND_URL: `file://${this.directory}`,
                PULUMI_CONFIG_PASSPHRASE: "test",
                PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
                SSH_AUTH_SOCK: undefined,
                ...options.env,
            },
        });
    }

    /** Runs a command that has to succeed. */
    async succeed(...args: string[]): Promise<string> {
        const { code, stdout, stderr } = await this.run(args);
        assert.equal(code, 0, `pulumi ${args.join(" ")}\n${stdout}\n${stderr}`);
        return stdout;
    }

    /** The state file, with secrets encrypted. */
    stateText(): string {
        return readFileSync(join(this.directory, ".pulumi/stacks/probe/dev.json"), "utf8");
    }

    resource(type: string): StateResource {
        const { checkpoint } = JSON.parse(this.stateText()) as {
            checkpoint: { latest: { resources: StateResource[] } };
        };
        const found = checkpoint.latest.resources.find((resource) => resource.type === type);
        assert.ok(found, `no ${type} in the state`);
        return found;
    }

    remove(): void {
        rmSync(this.directory, { recursive: true, force: true });
    }
}
