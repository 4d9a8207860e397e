import * as pulumi from "@pulumi/pulumi";
import { knownValue } from "./outputs";

/** Values of slots. */
export interface SlotValues {
    readonly names: readonly string[];
    /** Known when all values are; depends on what they depend on, and is secret if one of them is. Its own value means nothing. */
    readonly settled: pulumi.Output<string>;
    /** Those that are known, by name. Rejects with what made one fail. */
    known(): Promise<Readonly<Record<string, string>>>;
}

const shared = new WeakMap<object, SlotValues>();

/** The values of a record of Inputs. All hosts of a fleet have one record, frozen, whose thousands of values are awaited once. */
export function slotValues(given: Readonly<Record<string, pulumi.Input<string>>>): SlotValues {
    const earlier = shared.get(given);
    if (earlier !== undefined) {
        return earlier;
    }
    const outputs = Object.entries(given).map(([name, value]) => ({ name, output: pulumi.output(value) }));
    let known: Promise<Record<string, string>> | undefined;
    const values = {
        names: outputs.map(({ name }) => name),
        settled: pulumi.all(outputs.map(({ output }) => output)).apply(() => ""),
        known() {
            known ??= Promise.all(
                outputs.map(async ({ name, output }) => [name, await knownValue(output)] as const),
            ).then((all) =>
                Object.fromEntries(all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
            );
            return known;
        },
    };
    if (Object.isFrozen(given)) {
        shared.set(given, values);
    }
    return values;
}
