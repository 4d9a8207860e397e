import * as pulumi from "@pulumi/pulumi";

/** A value, or a promise of it if it depends on values that come later. */
export type Later<T> = T | Promise<T>;

/** Computes from a value, at once if it is there. */
export function then<T, R>(value: Later<T>, compute: (value: T) => Later<R>): Later<R> {
    return value instanceof Promise ? value.then(compute) : compute(value);
}

/** What the SDK has, but leaves out of its types. */
interface Settling<T> {
    readonly isKnown: Promise<boolean>;
    readonly isSecret: Promise<boolean>;
    promise(withUnknowns?: boolean): Promise<T>;
}

/** The value of an output, which may be undefined itself, or nothing if it is not known. Rejects with what made the output fail. */
export async function valueIn<T>(output: pulumi.Output<T>): Promise<{ readonly value: T } | undefined> {
    const { isKnown } = settling(output);
    return (await isKnown) ? { value: await settling(output).promise() } : undefined;
}

/** The value of an output; undefined if it is not known. Rejects with what made the output fail. */
export async function knownValue<T>(output: pulumi.Output<T>): Promise<T | undefined> {
    return (await valueIn(output))?.value;
}

/** The value of an output, or `other` if it is secret or not known. That there is no value is no secret. */
export async function plainValue<T, O>(output: pulumi.Output<T>, other: O): Promise<T | O> {
    const known = await valueIn(output);
    if (known === undefined) {
        return other;
    }
    const isMissing = known.value === undefined || known.value === null;
    return isMissing || !(await settling(output).isSecret) ? known.value : other;
}

/**
 * The output; if it is not known in an up, because something that it needs has failed, an output of `other` that needs the same. So a
 * resource with it is skipped for that reason, and not refused for a missing input, which would end the program.
 */
export function orInUp<T>(output: pulumi.Output<T>, other: T): pulumi.Output<T> {
    if (pulumi.runtime.isDryRun()) {
        return output;
    }
    // The SDK has this parameter, and leaves it out of its types.
    const apply = output.apply as unknown as (use: (value: T) => T, runWithUnknowns: boolean) => pulumi.Output<T>;
    return apply.call(output, (value) => (pulumi.isUnknown(value) ? other : value), true);
}

/** An output that is known only after an up. */
export function unknownOutput<T>(): pulumi.Output<T> {
    return pulumi.output(pulumi.unknown as T) as pulumi.Output<T>;
}

/** An output of a resource. With mocks it is missing, so that it is unknown. */
export const made = <T>(output: pulumi.Output<T>): pulumi.Output<T> =>
    output.apply((value: T | undefined) =>
        value === undefined ? unknownOutput<T>() : pulumi.output(value),
    ) as unknown as pulumi.Output<T>;

/** An output of a value that may come later; unknown if it never comes, because its failure is shown elsewhere. */
export function laterOutput<T>(value: Later<T>): pulumi.Output<T> {
    return pulumi.output(
        value instanceof Promise ? value.catch(() => pulumi.unknown as T) : value,
    ) as unknown as pulumi.Output<T>;
}

function settling<T>(output: pulumi.Output<T>): Settling<T> {
    return output as unknown as Settling<T>;
}
