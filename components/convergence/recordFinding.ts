/** Writes what a preview finds for programs that read it. */
import { closeSync, openSync, writeSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { FINDINGS, type Finding } from "./findings";
import { perProgram } from "./perProgram";
import { hideValues } from "./secrets";

const state = perProgram(() => ({ hasWarned: false, secrets: configSecrets() }));

/**
 * Appends a finding to the file that {@link FINDINGS} names: in a preview only, and only if the variable is set. The file gets mode 0600
 * if it is created. If it cannot be written, that is a warning, once: a preview fails only because of what it previews.
 */
export function record(finding: Finding): void {
    const file = process.env[FINDINGS];
    if (file === undefined || file === "" || !pulumi.runtime.isDryRun()) {
        return;
    }
    try {
        append(file, `${JSON.stringify(hidden(finding))}\n`);
    } catch (error) {
        if (!state().hasWarned) {
            state().hasWarned = true;
            const problem = `${(error as Error).message}; name a file that can be written`;
            void pulumi.log.warn(`${FINDINGS}: what this preview finds is not recorded: ${problem}`);
        }
    }
}

/** Appends in one write, so that lines of several processes do not mix. */
function append(path: string, line: string): void {
    const file = openSync(path, "a", 0o600);
    try {
        const bytes = Buffer.from(line);
        const written = writeSync(file, bytes);
        if (written < bytes.length) {
            throw new Error(`${path}: no room for more than ${written} of ${bytes.length} bytes`);
        }
    } finally {
        closeSync(file);
    }
}

/** Without secret values of the config. The engine hides them in messages, which this file does not pass through. */
function hidden(finding: Finding): Finding {
    if (finding.kind !== "host") {
        return finding;
    }
    const { secrets } = state();
    const hide = (texts: readonly string[]) => texts.map((text) => hideValues(text, secrets));
    const { differences, reason, warnings } = finding;
    return { ...finding, differences: hide(differences), reason: hide(reason), warnings: hide(warnings) };
}

/** Secret values of the config by key, but those that the engine shows, too. */
function configSecrets(): Record<string, string> {
    // The SDK has this function, but leaves it out of its types.
    const { allConfig, isConfigSecret } = pulumi.runtime as typeof pulumi.runtime & {
        isConfigSecret(key: string): boolean;
    };
    const secrets = Object.entries(allConfig()).filter(
        ([key, value]) => isConfigSecret(key) && !/^(true|false)$/i.test(value),
    );
    return Object.fromEntries(secrets);
}
