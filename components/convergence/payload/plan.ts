import { createHash } from "node:crypto";
import { type File, label, type Resource, unitPath } from "../resources";
import { resourceFaults } from "../validate";

/** A run list that has been checked: in order, without repetitions, every default filled in by the payload. */
export interface Plan {
    resources: Resource[];
    /** Identifies the declared state, slots by name: the same plan always has the same digest. */
    digest: string;
}

/** All faults of a run list, in one message with a line for each. */
export class PlanError extends Error {
    constructor(readonly faults: string[]) {
        super(`${faults.length} fault${faults.length === 1 ? "" : "s"} in the run list:\n  ${faults.join("\n  ")}`);
    }
}

/**
 * Checks a run list and makes it a plan. The order is the run list's own. A resource that is declared again in the very same
 * words counts once, so that recipes may each declare what they need.
 *
 * @throws PlanError with every fault found
 */
export function makePlan(resources: Resource[]): Plan {
    const seen = new Set<string>();
    const unique = resources.filter((resource) => {
        const text = canonical(resource);
        return !seen.has(text) && seen.add(text);
    });
    const faults = [
        ...unique.flatMap((resource) => resourceFaults(resource).map((fault) => `${label(resource)}: ${fault}`)),
        ...conflicts(unique),
        ...unreadFiles(unique),
    ];
    if (faults.length > 0) {
        throw new PlanError(faults);
    }
    return { resources: unique, digest: createHash("sha256").update(unique.map(canonical).join("\n")).digest("hex") };
}

/** What a resource claims for itself. Two resources with one claim contradict each other, unless both make it on equal terms. */
interface Claim {
    on: string;
    terms?: string;
}

function claims(resource: Resource): Claim[] {
    switch (resource.kind) {
        case "packages":
            // Several recipes may each need curl; only two versions of it are a contradiction.
            return resource.names.map((name) => ({ on: `package ${name.split("=")[0]}`, terms: name }));
        case "transaction":
            return [
                `transaction ${resource.name}`,
                `adapter ${resource.adapter.name}`,
                ...resource.files.map((file) => `path ${file.path}`),
            ].map((on) => ({ on }));
        case "systemdUnit":
            return [{ on: `path ${unitPath(resource)}` }];
        case "directory":
        case "file":
        case "absent":
            return [{ on: `path ${resource.path}` }];
        default:
            return [{ on: `${resource.kind} ${resource.name}` }];
    }
}

function conflicts(resources: Resource[]): string[] {
    const owners = new Map<string, { terms?: string; owner: Resource }>();
    return resources.flatMap((resource) =>
        claims(resource).flatMap(({ on, terms }) => {
            const earlier = owners.get(on);
            owners.set(on, { terms, owner: resource });
            return earlier === undefined || (terms !== undefined && terms === earlier.terms)
                ? []
                : [`${on} is declared twice, by ${label(earlier.owner)} and ${label(resource)}: declare it once`];
        }),
    );
}

/** A service reads files that are there already: one that is written later would take a second run. */
function unreadFiles(resources: Resource[]): string[] {
    const earlier = new Set<string>();
    return resources.flatMap((resource) => {
        for (const { path } of declaredFiles([resource])) {
            earlier.add(path);
        }
        return resource.kind !== "service"
            ? []
            : [...(resource.reloadOn ?? []), ...(resource.restartOn ?? [])]
                  .filter((path) => !earlier.has(path))
                  .map(
                      (path) =>
                          `${label(resource)}: waits for changes of ${path}, which no resource before it declares`,
                  );
    });
}

/** Every regular file that the resources declare, whatever the kind. */
export function declaredFiles(resources: Resource[]): Pick<File, "path" | "content" | "slotFault">[] {
    return resources.flatMap((resource) => {
        switch (resource.kind) {
            case "file":
                return [resource];
            case "systemdUnit":
                return [{ path: unitPath(resource), content: resource.content }];
            case "transaction":
                return resource.files;
            default:
                return [];
        }
    });
}

/** JSON with sorted keys, bytes as base64, absent values left out. */
function canonical(value: unknown): string {
    return JSON.stringify(value, (_, part: unknown) => {
        if (part instanceof Uint8Array) {
            return { base64: Buffer.from(part).toString("base64") };
        }
        if (part === null || typeof part !== "object" || Array.isArray(part)) {
            return part;
        }
        return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
    });
}
