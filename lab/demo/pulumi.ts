import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";
import { localBackend, pulumiEnv } from "../../toolchain/pulumi";
import { remember } from "./chapter";
import { ShownStack } from "./shownStack";
import { shownStatus } from "./status";

const checkout = join(__dirname, "..", "..");

/** The default backend of `npm run pulumi`, so that people find the stack there after the demo. */
const env = { PULUMI_BACKEND_URL: localBackend };

/** What a user who has another backend writes before `npm run pulumi` to find the demo's stack. */
export const backendPrefix = () =>
    pulumiEnv().PULUMI_BACKEND_URL === localBackend ? "" : `PULUMI_BACKEND_URL=${localBackend} `;

const STACK = "local";

/** The stack's config, which is not in the repository. */
const configFile = join(checkout, `Pulumi.${STACK}.yaml`);

const stack = new ShownStack(STACK, checkout, env);

export const { pulumi, preview, runUp, up, setSecret } = stack;

/** What `status` prints of the stack. */
export const status = () => shownStatus(STACK, env);

/** Remembers the stack's config: `restore` removes secrets that are set from now on. */
export const rememberConfig = () => remember(configFile);

/** Empties the state of the lab's stack, and removes secrets that an earlier demo has left in its config. Other stacks stay. */
export async function freshStack(...secrets: string[]): Promise<void> {
    mkdirSync(fileURLToPath(localBackend), { recursive: true });
    forget(secrets);
    // An interrupted demo may have left a lock.
    await stack.quietly(["cancel", "--yes", "--stack", STACK]);
    await stack.quietly(["stack", "rm", STACK, "--yes", "--force", "--preserve-config"]);
    const { code, stdout, stderr } = await stack.quietly(["stack", "init", STACK, "--no-select"]);
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
