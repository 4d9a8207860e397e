import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type PulumiResult, runPulumi } from "../../toolchain/pulumi";
import { bold, coloured, LiveLines, plain, say } from "./print";

const checkout = join(__dirname, "..", "..");

/** That of `npm run pulumi` where nothing else is chosen: whoever looks around after the demo finds its stack there. */
const state = join(checkout, ".lab", "state");
const env = { PULUMI_BACKEND_URL: `file://${state}` };

const STACK = "local";

/** A command of the real CLI, shown with its output as it comes. */
export async function pulumi(command: string, ...flags: string[]): Promise<PulumiResult> {
    const shown = ["pulumi", command, ...flags, "--stack", STACK].join(" ");
    say(`  ${bold(`$ ${shown}`)}`);
    const lines = new LiveLines(`pulumi ${command}`, withoutNoise());
    const result = await runPulumi(
        [command, ...flags, "--stack", STACK, "--suppress-progress", "--color", coloured ? "always" : "never"],
        { cwd: checkout, env, onOutput: (text) => lines.write(text) },
    );
    await new Promise<void>((resolve) => lines.end(resolve));
    return { ...result, stdout: plain(result.stdout), stderr: plain(result.stderr) };
}

/** An empty state for the stack of the lab; other stacks are left alone. */
export async function freshStack(): Promise<void> {
    const quietly = (...args: string[]) => runPulumi(args, { cwd: checkout, env });
    mkdirSync(state, { recursive: true });
    forgetSalt();
    // An interrupted demo may have left a lock.
    await quietly("cancel", "--yes", "--stack", STACK);
    await quietly("stack", "rm", STACK, "--yes", "--force", "--preserve-config");
    const { code, stdout, stderr } = await quietly("stack", "init", STACK, "--no-select");
    if (code !== 0) throw new Error(`pulumi stack init ${STACK}:\n${stdout}${stderr}`);
}

/** The salt belongs to a passphrase that a new .lab no longer has; with no secret in the file nobody needs it. */
function forgetSalt(): void {
    const file = join(checkout, `Pulumi.${STACK}.yaml`);
    if (!existsSync(file)) return;
    const text = readFileSync(file, "utf8");
    if (!/^\s*secure:/m.test(text)) writeFileSync(file, text.replace(/^encryptionsalt:.*\n/m, ""));
}

/**
 * What the CLI says, without blank lines, without warnings and errors before it says them in full, and without the names of
 * changed inputs on each line of progress.
 */
function withoutNoise(): (line: string) => string | undefined {
    let diagnostics = false;
    return (line) => {
        const text = plain(line);
        diagnostics ||= text.startsWith("Diagnostics:");
        if (text.trim() === "" || /^@ /.test(text)) return undefined;
        if (!diagnostics && /\b(warning|error): /.test(text)) return undefined;
        return line.replace(/ \[diff: [^\]]*\](?=.*; )/, "");
    };
}
