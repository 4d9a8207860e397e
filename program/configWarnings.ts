import * as pulumi from "@pulumi/pulumi";
import { isSet } from "./configValues";

/** The SDK exports it, but leaves it out of its types. */
const { isConfigSecret } = pulumi.runtime as unknown as { readonly isConfigSecret: (key: string) => boolean };

/** Warns of secrets that the stack's config holds as plain text: Pulumi masks and encrypts only those that were set with `--secret`. */
export function warnOfPlainSecrets(project: string, names: readonly string[]): void {
    const isPlain = (key: string) => pulumi.runtime.getConfig(key) !== undefined && !isConfigSecret(key);
    for (const name of new Set(names.filter((each) => isPlain(`${project}:${each}`)))) {
        const set = `npm run pulumi -- config set --secret ${name} --stack ${pulumi.getStack()}`;
        const remedy = `others may have read it, so set a new one: ${set}`;
        void pulumi.log.warn(`config key ${name}: its value is plain text in the stack's config; ${remedy}`);
    }
}

/** Warns of secrets that a stack takes for plain data by `{ config }`: previews and the state show them. */
export function warnOfShownSecrets(project: string, keys: readonly string[]): void {
    for (const key of keys.filter((each) => isConfigSecret(`${project}:${each}`))) {
        const problem = "it is a secret, but the stack takes it for plain data, which previews and the state show";
        const remedy =
            "set it without --secret if anybody may see it; a field for secrets takes { secret } in place of { config }";
        void pulumi.log.warn(`config key ${key}: ${problem}; ${remedy}`);
    }
}

/** Warns of files that hold secrets in clear. They may be made by a vault just before the run, so they are no error. */
export function warnOfClearFiles(files: readonly string[]): void {
    for (const file of files) {
        const remedy = 'if it is in the repository, make a new one, and name it by { secret: "key in the config" }';
        void pulumi.log.warn(`${file} holds a secret in clear; ${remedy}`);
    }
}

/** Warns of unknown config keys, because a misspelt key would silently have no effect. */
export function warnOfUnknownKeys(project: string, known: readonly string[]): void {
    const prefix = `${project}:`;
    const keys = Object.entries(pulumi.runtime.allConfig()).filter(
        ([key, value]) => key.startsWith(prefix) && isSet(value),
    );
    const unknown = keys.map(([key]) => key.slice(prefix.length)).filter((key) => !known.includes(key));
    if (unknown.length > 0) {
        const [s, them, key] = unknown.length === 1 ? ["", "it", unknown[0]] : ["s", "them", "KEY"];
        const remedy = `correct ${them}, or remove ${them} with npm run pulumi -- config rm ${key} --stack ${pulumi.getStack()}`;
        const names = unknown.map((name) => JSON.stringify(name)).join(", ");
        void pulumi.log.warn(`unknown config key${s} ${names} (known: ${known.join(", ")}); ${remedy}`);
    }
}
