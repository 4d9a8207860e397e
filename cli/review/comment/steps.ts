import { counted, type Phrase, phrase, strong } from "../markdown";
import type { StackReview, Step } from "../types";

/** What an up would do with other resources. */
export function stepsOf({ previewed }: StackReview): readonly Step[] {
    return previewed?.steps ?? [];
}

/** Whether it ends a resource, and what may run on that. */
export function isEnding({ operation }: Step): boolean {
    return operation === "delete" || operation === "replace";
}

/** `replace 1 other resource`: those that end first, and in bold. */
export function stepWords(steps: readonly Step[]): Phrase[] {
    const rank = (step: Step) => Number(!isEnding(step));
    const sorted = [...steps].sort((a, b) => rank(a) - rank(b) || (a.operation < b.operation ? -1 : 1));
    return [...new Set(sorted.map(({ operation }) => operation))].map((operation) => {
        const same = sorted.filter((step) => step.operation === operation);
        const words = phrase`${VERBS[operation]} ${counted(same.length, "other resource")}`;
        return same.some(isEnding) ? strong(phrase`⚠️ ${words}`) : words;
    });
}

/** `- replace edge-lb1 (aws:ec2/instance:Instance)`. */
export function stepLine({ operation, type, name }: Step): string {
    return phrase`- ${VERBS[operation]} ${name} (${type})`.markdown;
}

/** Our own words, so no code. */
const VERBS: Readonly<Record<Step["operation"], Phrase>> = {
    create: phrase`create`,
    import: phrase`import`,
    update: phrase`update`,
    replace: phrase`replace`,
    delete: phrase`delete`,
};
