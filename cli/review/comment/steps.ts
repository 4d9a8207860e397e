import { counted, type Phrase, phrase, strong } from "../markdown";
import type { Previewed, StackReview } from "../types";

type Step = Previewed["steps"][number];

/** Operations of the engine that people know by another name. */
const NAMES: Readonly<Record<string, string>> = {
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "discard-replaced": "replace",
    "read-replacement": "replace",
    "remove-pending-replace": "replace",
};

/** What an up would do with other resources, each once. A replacement is one step, though the engine takes three. */
export function stepsOf({ previewed }: StackReview): Step[] {
    const named = (previewed?.steps ?? []).map((step) => ({
        ...step,
        operation: NAMES[step.operation] ?? step.operation,
    }));
    return [...new Map(named.map((step) => [JSON.stringify([step.operation, step.type, step.name]), step])).values()];
}

/** Whether it ends a resource, and what may run on that. */
export function isEnding({ operation }: Step): boolean {
    return /delete|replace|discard/.test(operation);
}

/** `replace 1 other resource`: those that end first, and in bold. */
export function stepWords(steps: readonly Step[]): Phrase[] {
    const rank = (step: Step) => Number(!isEnding(step));
    const sorted = [...steps].sort((a, b) => rank(a) - rank(b) || (a.operation < b.operation ? -1 : 1));
    return [...new Set(sorted.map(({ operation }) => operation))].map((operation) => {
        const same = sorted.filter((step) => step.operation === operation);
        const words = phrase`${verb(operation)} ${counted(same.length, "other resource")}`;
        return same.some(isEnding) ? strong(phrase`⚠️ ${words}`) : words;
    });
}

/** `- replace edge-lb1 (aws:ec2/instance:Instance)`. */
export function stepLine({ operation, type, name }: Step): string {
    return phrase`- ${verb(operation)} ${name} (${type})`.markdown;
}

/** The words of the engine as they are, anything else as code. */
function verb(operation: string): Phrase {
    return (
        {
            create: phrase`create`,
            update: phrase`update`,
            delete: phrase`delete`,
            replace: phrase`replace`,
            import: phrase`import`,
        }[operation] ?? phrase`${operation}`
    );
}
