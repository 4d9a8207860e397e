import * as pulumi from "@pulumi/pulumi";

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
