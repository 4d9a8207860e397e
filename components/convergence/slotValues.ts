import * as pulumi from "@pulumi/pulumi";
import { settledValue } from "./outputs";

/** Values of slots. */
export interface SlotValues {
    readonly names: readonly string[];
    /** Known when all values are; depends on what they depend on, and is secret if one of them is. Its own value means nothing. */
    readonly settled: pulumi.Output<string>;
    /** Those that are known, by name. Rejects with what made one fail. */
    known(): Promise<KnownSlots>;
}

/** What is known of slots. */
export interface KnownSlots {
    readonly values: Readonly<Record<string, string>>;
    /** What is wrong with values that are neither text nor a number, by name. Never quotes a value. */
    readonly issues: Readonly<Record<string, string>>;
}

const shared = new WeakMap<object, SlotValues>();

/** The values of a record of Inputs. All hosts of a fleet have one record, frozen, whose thousands of values are awaited once. */
export function slotValues(given: Readonly<Record<string, pulumi.Input<string>>>): SlotValues {
    const earlier = shared.get(given);
    if (earlier !== undefined) {
        return earlier;
    }
    const outputs = Object.entries(given).map(([name, value]) => ({ name, output: pulumi.output(value) }));
    let known: Promise<KnownSlots> | undefined;
    const values = {
        names: outputs.map(({ name }) => name),
        settled: pulumi.all(outputs.map(({ output }) => output)).apply(() => ""),
        known() {
            known ??= Promise.all(
                outputs.map(async ({ name, output }) => ({ name, known: await settledValue<unknown>(output) })),
            ).then(sorted);
            return known;
        },
    };
    if (Object.isFrozen(given)) {
        shared.set(given, values);
    }
    return values;
}

function sorted(slots: readonly { readonly name: string; readonly known?: { readonly value: unknown } }[]): KnownSlots {
    const values: Record<string, string> = {};
    const issues: Record<string, string> = {};
    for (const { name, known } of slots) {
        const value = known?.value;
        if (typeof value === "string" || typeof value === "number") {
            values[name] = String(value);
        } else if (known !== undefined) {
            const problem = value === undefined || value === null ? "has no value" : "is neither text nor a number";
            issues[name] =
                `slot ${JSON.stringify(name)} ${problem}; check the output or the setting that it comes from`;
        }
    }
    return { values, issues };
}
