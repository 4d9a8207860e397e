import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { parse, stringify } from "yaml";
import type { InventoryNode } from "../../lab/inventory";
import type { Lab } from "../../lab/lab";
import { stackNames } from "../../program/load";
import type { Stack } from "../../program/schema";
import local from "../../stacks/local";
import { repo } from "../../toolchain/environment.mjs";
import { testLibrary } from "../../toolchain/package.mjs";
import { runPulumi } from "../../toolchain/pulumi";

/** Runs this checkout's program with the real CLI on a lab. It has a folder and a state of its own. */
export class Program {
    readonly directory = mkdtempSync(join(tmpdir(), "program-"));

    constructor(
        private readonly lab: Lab,
        private readonly stackName = "test",
        /** Runs the sources as users of the checkout do, which takes twice the processor time. @default - a bundle of them */
        sources = false,
    ) {
        const [main, linked] = sources ? ["index.ts", ["cli", "components", "program", "templates"]] : ["index.js", []];
        for (const entry of ["node_modules", ...linked]) symlinkSync(join(repo, entry), join(this.directory, entry));
        copyFileSync(sources ? join(repo, main) : join(testLibrary(), "program.js"), join(this.directory, main));
        for (const file of ["start.js", "package.json"]) copyFileSync(join(repo, file), join(this.directory, file));
        const project = parse(readFileSync(join(repo, "Pulumi.yaml"), "utf8"));
        if (!sources) {
            project.main = main;
            project.runtime.options.nodeargs = "--require ./start.js";
        }
        writeFileSync(join(this.directory, "Pulumi.yaml"), stringify(project));
        mkdirSync(join(this.directory, "stacks"));
        for (const name of stackNames(repo)) {
            const text = readFileSync(join(repo, "stacks", `${name}.ts`), "utf8");
            if (name !== "local")
                this.write(name, sources ? text : transformSync(text, { loader: "ts", format: "cjs" }).code);
        }
        this.stack({});
        this.nodes(this.labNodes());
    }

    /** The nodes of the lab's inventory. */
    labNodes(): InventoryNode[] {
        return (JSON.parse(readFileSync(this.lab.inventoryPath, "utf8")) as { nodes: InventoryNode[] }).nodes;
    }

    /** Replaces the nodes that the search finds. */
    nodes(nodes: unknown[]): void {
        writeFileSync(join(this.directory, "inventory.json"), JSON.stringify({ nodes }));
    }

    /**
     * Writes the stack's data: that of `local` on this lab, without what its hosts have besides HAProxy, with changes of any shape, as a
     * user may write anything.
     */
    stack(changes: Partial<Record<keyof Stack, unknown>>): void {
        const data = {
            ...local,
            papertrail: undefined,
            logrotate: undefined,
            datadog: undefined,
            firewall: undefined,
            tuning: undefined,
            packages: undefined,
            alert: undefined,
            inventory: { file: "inventory.json" },
            ssh: { user: "root", privateKeyFile: this.lab.privateKeyPath },
            ...changes,
        };
        this.write(this.stackName, `exports.default = ${JSON.stringify(data)};\n`);
    }

    protected write(stack: string, text: string): void {
        writeFileSync(join(this.directory, "stacks", `${stack}.ts`), text);
    }

    /** What the CLI needs to find the state and its passphrase. */
    get environment(): Record<string, string | undefined> {
        return {
            PULUMI_BACKEND_URL: `file://${this.directory}`,
            PULUMI_CONFIG_PASSPHRASE: "test",
            PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
            SSH_AUTH_SOCK: undefined,
            // In CI, a preview would require the answer of every host.
            CI: undefined,
        };
    }

    /** Runs the CLI and returns its status and output. */
    pulumi = (...args: string[]): Promise<{ code: number; text: string }> => this.watch(args);

    /** As {@link pulumi}, and hands on its output meanwhile. */
    async watch(args: string[], onOutput?: (text: string) => void): Promise<{ code: number; text: string }> {
        const { code, stdout, stderr } = await runPulumi(args, {
            cwd: this.directory,
            onOutput,
            env: this.environment,
        });
        return { code, text: stdout + stderr };
    }

    /** Runs a command that must succeed. */
    async succeed(...args: string[]): Promise<string> {
        const { code, text } = await this.pulumi(...args);
        assert.equal(code, 0, `pulumi ${args.join(" ")}\n${text}`);
        return text;
    }

    /** Replaces the stack's state. */
    async importState(text: string): Promise<void> {
        const file = join(this.directory, "state.json");
        writeFileSync(file, text);
        await this.succeed("stack", "import", "--file", file);
    }

    init = () => this.succeed("stack", "init", this.stackName);
    preview = (...flags: string[]) => this.succeed("preview", ...flags);
    up = (...flags: string[]) => this.succeed("up", "--yes", ...flags);
    /** Runs a preview that must plan nothing. */
    nothingToDo = (...flags: string[]) => this.preview("--expect-no-changes", ...flags);

    remove(): void {
        rmSync(this.directory, { recursive: true, force: true });
    }
}
