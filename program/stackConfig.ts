import * as pulumi from "@pulumi/pulumi";
import { onlyDeclared } from "../components/convergence/declaredHosts";
import { unknownOutput } from "../components/convergence/outputs";
import type { Config } from "./configValues";

/** Secrets in a stack's config. A check without hosts does without those that are missing, and warns of them. */
export interface Secrets {
    has(name: string): boolean;
    /** @throws {Error} If there is no such secret. */
    require(name: string): pulumi.Output<string>;
}

/** The secrets of the config. */
export function configSecrets(config: pulumi.Config): Secrets {
    const checks = onlyDeclared() === "check";
    const missing = new Set<string>();
    const isMissing = (name: string) => config.getSecret(name) === undefined;
    return {
        has(name) {
            if (!isMissing(name)) {
                return true;
            }
            if (checks && !missing.has(name)) {
                missing.add(name);
                void pulumi.log.warn(
                    `secret ${name}: it is not in the config of the stack, so its value is not checked; set it before a preview`,
                );
            }
            return checks;
        },
        require: (name) =>
            checks && isMissing(name) ? pulumi.secret(unknownOutput<string>()) : config.requireSecret(name),
    };
}

/** What fills in the data of a stack. A check without hosts does with placeholders for what the config lacks. */
export function dataConfig(config: pulumi.Config, secrets: Secrets): Config {
    return {
        get: (key) => config.get(key) ?? undefined,
        hasSecret: (key) => secrets.has(key),
        ...(onlyDeclared() === "check" && { placeholders: true }),
    };
}
