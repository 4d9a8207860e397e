import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";
import { localBackend, type PulumiResult, pulumiEnv, runPulumi } from "../../toolchain/pulumi";
import { bold, coloured, LiveLines, plain, say } from "../print";
import { expect, remember } from "./chapter";

const checkout = join(__dirname, "..", "..");

/** The default backend of `npm run pulumi`, so that people find the stack there after the demo. */
const env = { PULUMI_BACKEND_URL: localBackend };

/** What a user who has another backend writes before `npm run pulumi` to find the demo's stack. */
export const backendPrefix = () =>
    pulumiEnv().PULUMI_BACKEND_URL === localBackend ? "" : `PULUMI_BACKEND_URL=${localBackend} `;

const STACK = "local";

/** The stack's config, which is not in the repository. */
const configFile = join(checkout, `Pulumi.${STACK}.yaml`);

/** Runs a command of the real CLI and prints it with its output. */
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

/** Runs a preview that must succeed, and returns its output. */
export async function preview(...flags: string[]): Promise<string> {
    const { code, stdout, stderr } = await pulumi("preview", ...flags);
    expect(code === 0, `pulumi preview ended with status ${code}`);
    return stdout + stderr;
}

export const runUp = () => pulumi("up", "--yes", "--skip-preview");

/** Runs an up that must succeed, and returns its output. */
export async function up(): Promise<string> {
    const { code, stdout, stderr } = await runUp();
    expect(code === 0, `pulumi up ended with status ${code}`);
    return stdout + stderr;
}

/** Remembers the stack's config: `restore` removes secrets that are set from now on. */
export const rememberConfig = () => remember(configFile);

/** Sets a secret of the stack by standard input, because other processes can read arguments. */
export async function setSecret(key: string, value: string): Promise<void> {
    const args = ["config", "set", "--secret", key, "--stack", STACK];
    say(`  ${bold(`$ pulumi ${args.join(" ")}`)}`);
    const { code, stderr } = await runPulumi(args, { cwd: checkout, env, input: value });
    expect(code === 0, `pulumi config set ended with status ${code}:\n${stderr}`);
}

/** Empties the state of the lab's stack, and removes secrets that an earlier demo has left in its config. Other stacks stay. */
export async function freshStack(...secrets: string[]): Promise<void> {
    const quietly = (...args: string[]) => runPulumi(args, { cwd: checkout, env });
    mkdirSync(fileURLToPath(localBackend), { recursive: true });
    forget(secrets);
    // An interrupted demo may have left a lock.
    await quietly("cancel", "--yes", "--stack", STACK);
    await quietly("stack", "rm", STACK, "--yes", "--force", "--preserve-config");
    const { code, stdout, stderr } = await quietly("stack", "init", STACK, "--no-select");
    if (code !== 0) throw new Error(`pulumi stack init ${STACK}:\n${stdout}${stderr}`);
}

/**
 * Removes secrets from the stack's config; unless there are others, also the salt of an earlier passphrase, which a new .lab does
 * not have.
 */
function forget(secrets: string[]): void {
    if (!existsSync(configFile)) return;
    const config = parseDocument(readFileSync(configFile, "utf8"));
    const drop = (...path: string[]) => config.hasIn(path) && config.deleteIn(path);
    for (const secret of secrets) drop("config", `haproxy-fleet:${secret}`);
    if (!/\bsecure:/.test(String(config))) drop("encryptionsalt");
    // Otherwise the CLI would go on to write it all on one line.
    const left = String(config).replace(/^(\{\}|null)\n$/, "");
    writeFileSync(configFile, left);
}

/**
 * Shortens the CLI's output: no blank lines, no warnings and errors before the full ones at the end, and no names of
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
