import { filesOf, kindOf, label, type Resource } from "../kinds/index";
import { count } from "../text";

/** A run list that has been checked, in order and without repetitions. */
export interface Plan {
    resources: Resource[];
}

/** Every issue of a run list, one line each. */
export class PlanError extends Error {
    constructor(readonly issues: string[]) {
        super(`${count(issues.length, "issue")} in the run list:\n  ${issues.join("\n  ")}`);
    }
}

/**
 * Checks a run list and makes it a plan, in the order of the run list. Identical resources count once, so that several recipes may
 * declare what they all need.
 *
 * @throws PlanError with every issue found
 */
export function makePlan(resources: Resource[]): Plan {
    const seen = new Set<string>();
    const unique = resources.filter((resource) => {
        const text = canonical(resource);
        return !seen.has(text) && seen.add(text);
    });
    const issues = [
        ...unique.flatMap((resource) =>
            kindOf(resource)
                .issues(resource)
                .map((issue) => `${label(resource)}: ${issue}`),
        ),
        ...conflicts(unique),
        ...unreadFiles(unique),
    ];
    if (issues.length > 0) {
        throw new PlanError(issues);
    }
    return { resources: unique };
}

/** Two resources that claim the same thing on different terms. */
function conflicts(resources: Resource[]): string[] {
    const owners = new Map<string, { terms?: string; owner: Resource }>();
    return resources.flatMap((resource) =>
        kindOf(resource)
            .claims(resource)
            .flatMap(({ on, terms }) => {
                const earlier = owners.get(on);
                owners.set(on, { terms, owner: resource });
                return earlier === undefined || (terms !== undefined && terms === earlier.terms)
                    ? []
                    : [`${on} is declared twice, by ${label(earlier.owner)} and ${label(resource)}; declare it once`];
            }),
    );
}

/** Files that a resource reads must be declared before it: a file written later would be read by the next converge only. */
function unreadFiles(resources: Resource[]): string[] {
    const earlier = new Set<string>();
    return resources.flatMap((resource) => {
        for (const { path } of filesOf(resource)) {
            earlier.add(path);
        }
        const reads = kindOf(resource).reads?.(resource) ?? [];
        return reads
            .filter((path) => !earlier.has(path))
            .map((path) => `${label(resource)}: no earlier resource declares ${path}; declare the file before it`);
    });
}

/** JSON with sorted keys and bytes as base64, without undefined values and fields that are only for messages. */
export function canonical(value: unknown): string {
    return JSON.stringify(value, (key, part: unknown) => {
        if (key === "lineSources" || key === "program") {
            return undefined;
        }
        if (part instanceof Uint8Array) {
            return { base64: Buffer.from(part).toString("base64") };
        }
        if (part === null || typeof part !== "object" || Array.isArray(part)) {
            return part;
        }
        return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
    });
}
