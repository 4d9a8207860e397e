import { type PulumiResult, runPulumi } from "../../toolchain/pulumi";
import { bold, coloured, LiveLines, plain, say } from "../print";
import { expect } from "./chapter";

/** Interrupts the command that runs. */
let interrupt = () => {};

/** Ends the CLI, if it runs, as Ctrl-C does. */
export const interruptPulumi = () => interrupt();

/** Of an up that asks nothing. */
export const upFlags = ["--yes", "--skip-preview"];

/** A stack that the demo shows. It runs the real CLI, and prints each command with its output. */
export class ShownStack {
    constructor(
        readonly name: string,
        readonly folder: string,
        private readonly env: Record<string, string | undefined>,
    ) {}

    /**
     * Runs a command and prints it with its output.
     *
     * @param edit returns the line to print; `undefined` drops it. @default - all that is no noise
     */
    pulumi = async (command: string, flags: string[] = [], edit = withoutNoise()): Promise<PulumiResult> => {
        say(`  ${bold(`$ ${["pulumi", command, ...flags, "--stack", this.name].join(" ")}`)}`);
        const lines = new LiveLines(`pulumi ${command}`, edit);
        const result = await runPulumi(
            [command, ...flags, "--stack", this.name, "--suppress-progress", "--color", coloured ? "always" : "never"],
            {
                cwd: this.folder,
                env: this.env,
                onOutput: (text) => lines.write(text),
                onStart: (stop) => {
                    interrupt = stop;
                },
            },
        );
        interrupt = () => {};
        await new Promise<void>((resolve) => lines.end(resolve));
        return { ...result, stdout: plain(result.stdout), stderr: plain(result.stderr) };
    };

    /** Runs a preview that must succeed, and returns its output. */
    preview = async (...flags: string[]): Promise<string> => {
        const { code, stdout, stderr } = await this.pulumi("preview", flags);
        expect(code === 0, `pulumi preview ended with status ${code}`);
        return stdout + stderr;
    };

    runUp = () => this.pulumi("up", upFlags);

    /** Runs an up that must succeed, and returns its output. */
    up = async (): Promise<string> => {
        const { code, stdout, stderr } = await this.runUp();
        expect(code === 0, `pulumi up ended with status ${code}`);
        return stdout + stderr;
    };

    /** Sets a secret by standard input, because other processes can read arguments. */
    setSecret = async (key: string, value: string): Promise<void> => {
        const args = ["config", "set", "--secret", key, "--stack", this.name];
        say(`  ${bold(`$ pulumi ${args.join(" ")}`)}`);
        const { code, stderr } = await this.quietly(args, value);
        expect(code === 0, `pulumi config set ended with status ${code}:\n${stderr}`);
    };

    /** Runs a command without printing anything. */
    quietly = (args: string[], input?: string): Promise<PulumiResult> =>
        runPulumi(args, { cwd: this.folder, env: this.env, input });
}

/**
 * Shortens the CLI's output: no blank lines, no warnings and errors before the full ones at the end, and no names of
 * changed inputs on each line of progress.
 */
export function withoutNoise(): (line: string) => string | undefined {
    let diagnostics = false;
    return (line) => {
        const text = plain(line);
        diagnostics ||= text.startsWith("Diagnostics:");
        if (text.trim() === "" || /^@ /.test(text)) return undefined;
        if (!diagnostics && /\b(warning|error): /.test(text)) return undefined;
        return line.replace(/ \[diff: [^\]]*\](?=.*; )/, "");
    };
}
