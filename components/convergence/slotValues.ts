import * as pulumi from "@pulumi/pulumi";
import { valueIn } from "./outputs";

/** Values of slots. */
export interface SlotValues {
    readonly names: readonly string[];
    /** Known when all values are; depends on what they depend on, and is secret if one of them is. Its own value means nothing. */
    readonly settled: pulumi.Output<string>;
    /** Those that are known, by name, whatever they turn out to be. Rejects with what made one fail. */
    known(): Promise<Readonly<Record<string, unknown>>>;
}

const shared = new WeakMap<object, SlotValues>();

/** The values of a record of Inputs. All hosts of a fleet have one record, frozen, whose thousands of values are awaited once. */
export function slotValues(given: Readonly<Record<string, pulumi.Input<string>>>): SlotValues {
    const earlier = shared.get(given);
    if (earlier !== undefined) {
        return earlier;
    }
    const outputs = Object.entries(given).map(([name, value]) => ({ name, output: pulumi.output(value) }));
    let known: Promise<Record<string, unknown>> | undefined;
    const values = {
        names: outputs.map(({ name }) => name),
        settled: pulumi.all(outputs.map(({ output }) => output)).apply(() => ""),
        known() {
            known ??= Promise.all(
                outputs.map(async ({ name, output }) => ({ name, found: await valueIn(output) })),
            ).then((all) => Object.fromEntries(all.flatMap(({ name, found }) => (found ? [[name, found.value]] : []))));
            return known;
        },
    };
    if (Object.isFrozen(given)) {
        shared.set(given, values);
    }
    return values;
}

/** Issues of slots whose values are no text, such as an output that a resource turns out not to have. Quotes no value. */
export function textIssues(names: readonly string[], values: Readonly<Record<string, unknown>>): string[] {
    return names
        .filter((name) => name in values && typeof values[name] !== "string")
        .map((name) => {
            const value = values[name] ?? undefined;
            const problem =
                value === undefined
                    ? "is missing; check the output or the setting that it comes from"
                    : `is of type ${typeof value}; use text`;
            return `the value of slot ${JSON.stringify(name)} ${problem}`;
        });
}
