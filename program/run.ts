import * as pulumi from "@pulumi/pulumi";

/** CI systems set `CI`; a preview there must not pass because it could not look. */
export function runsInCi(): boolean {
    return !["", "0", "false"].includes(process.env.CI ?? "");
}

/** Errors in the data are reported without a stack trace. */
export function orRunError<T>(compute: () => T): T {
    try {
        return compute();
    } catch (error) {
        throw new pulumi.RunError((error as Error).message);
    }
}
