/** Why a host differs: because something was declared anew, or because the host has drifted. */
import { isDeepStrictEqual } from "node:util";
import { filesOf, kindOf, type Resource } from "../kinds/index";
import type { DeclaredFile, FilledFile } from "../kinds/kind";
import { packageKey } from "../kinds/packages";
import { fillFiles } from "../payload/fileContents";
import type { Plan } from "../payload/plan";
import { type Declared, declaredOf, type Remembered, subjectOf } from "../remembered";
import type { Difference, WhyRun } from "./whyRun";

/** Since the last converge, the declaration has changed, or the host (drift), or both; or an up may find no difference. */
export type Cause = "declared" | "drift" | "both" | "unknown";

/** Where the differences of a host come from. */
export interface Origin {
    /** Whether something on the host is not as the last converge left it. */
    drift: boolean;
    /** Whether something was declared anew since then, or depends on a value that only an up knows. */
    declared: boolean;
}

/** Aspects of which the runtime reports what the host has in the form in which it is remembered. */
const COMPARABLE = ["content", "mode", "owner", "shell", "home", "gid", "version", "value"];

/** Aspects that differ although neither the declaration nor the host has changed: what package sources offer, or the time. */
const NEWS = ["newest", "old lists"];

/**
 * Returns a function that says why a resource differs; undefined if the host remembers nothing of its last converge.
 *
 * @param slots with encodings, see `encodedSlots`
 * @param unknown names of slots whose values only an up knows
 */
export function causes(
    whyRun: WhyRun,
    { resources }: Plan,
    slots: Record<string, string>,
    unknown: readonly string[] = [],
): (difference: Difference) => Cause | undefined {
    const { remembered, token, differences } = whyRun;
    if (remembered === undefined || token === "" || remembered.token !== token) {
        return () => undefined;
    }
    const files = new Map(fillFiles(resources, slots, unknown).map((file) => [file.path, file]));
    const declared = declaredOf(resources, (path) => files.get(path) as FilledFile);
    const cause = (difference: Difference): Cause => {
        const resource = resources[positionOf(difference)];
        if (resource === undefined) {
            // What has left the run list, and a takeover.
            return "declared";
        }
        const unread = difference.aspect === "outdated" ? filesRead(resource, resources, differences) : [];
        return unread.length > 0
            ? together(unread.map(cause))
            : causeOf(difference, resource, declared, remembered as Remembered);
    };
    return (difference) => {
        const found = cause(difference);
        return found === "drift" && NEWS.includes(difference.aspect) ? undefined : found;
    };
}

/** The cause of several differences as a whole. What an up may find to be none counts only if there is nothing else. */
export function together(all: Cause[]): Cause {
    const sure = all.filter((cause) => cause !== "unknown");
    const [first = all[0] ?? "declared"] = sure;
    return sure.every((cause) => cause === first) ? first : "both";
}

/**
 * Whether a host has drifted, and whether something was declared anew. What a first converge finds is declared. A host that was converged
 * and has no record of it has lost that, so what differs has drifted.
 *
 * @param causeOf see {@link causes}
 * @param isOpen whether an up may find that a difference is none
 */
export function originOf(
    whyRun: WhyRun,
    causeOf: (difference: Difference) => Cause | undefined,
    isOpen: (difference: Difference) => boolean,
): Origin {
    const { differences, remembered, token } = whyRun;
    if (isFirst(whyRun)) {
        return { drift: false, declared: true };
    }
    if (remembered === undefined || remembered.token !== token) {
        const drift = token === "" || differences.some((difference) => !isOpen(difference));
        return { drift, declared: differences.some(isOpen) };
    }
    const found = new Set(differences.map(causeOf));
    const declared = found.has("declared") || found.has("unknown") || found.has("both");
    return { drift: found.has("drift") || found.has("both"), declared };
}

/** Whether the host was never converged. */
export function isFirst({ token, remembered }: WhyRun): boolean {
    return token === "" && (remembered?.converged.size ?? 0) === 0;
}

/** Differences of the files that a process reads: it is outdated because of them. */
export function filesRead(resource: Resource, resources: Resource[], differences: Difference[]): Difference[] {
    const reads = kindOf(resource).reads?.(resource) ?? [];
    return differences.filter((difference) => {
        const other = resources[positionOf(difference)];
        return reads.includes((other && fileOf(other, difference.id)?.path) ?? "");
    });
}

function causeOf(
    { id, aspect, have }: Difference,
    resource: Resource,
    declared: Map<string, Declared>,
    { converged, attempted }: Remembered,
): Cause {
    const subject = fileOf(resource, id)?.path ?? subjectOf(resource);
    const before = converged.get(subject);
    const now = declared.get(subject) ?? {};
    // Of these, a difference names the package or the kernel parameter.
    const [name = ""] = have.split(" ");
    const key =
        resource.kind === "packages"
            ? packageKey(aspect, have)
            : resource.kind === "sysctl" && name in now
              ? name
              : aspect;
    if (before === undefined || (now[key] !== undefined && before[key] === undefined)) {
        return "declared";
    }
    if (aspect === "orphan") {
        return before.orphan !== now.orphan || wasDeclared(resource, have, converged) ? "declared" : "drift";
    }
    const gone = aspect === "missing" || aspect === "type";
    const anew =
        now[key] === undefined || (gone && resource.kind !== "packages")
            ? !isDeepStrictEqual(before, now)
            : before[key] !== now[key];
    const known = [
        before[key],
        ...attempted.filter((attempt) => attempt.subject === subject).map((attempt) => attempt.declared[key]),
    ];
    const edited = gone || (isComparable(resource, aspect, have) ? !holds(known, aspect, have) : !anew);
    if (anew) {
        return edited ? "both" : "declared";
    }
    // Otherwise an unfinished converge has written it, and the declaration was changed back.
    return edited ? "drift" : "declared";
}

function isComparable(resource: Resource, aspect: string, have: string): boolean {
    return (
        COMPARABLE.includes(aspect) ||
        // A transaction's process says which digest it has; a service is outdated without details.
        (resource.kind === "transaction" && aspect === "outdated" && have !== "")
    );
}

/** Whether what the host has is what an earlier converge declared. Empty: nothing was declared, so it may be anything. */
function holds(known: (string | undefined)[], aspect: string, have: string): boolean {
    const value = ["version", "value"].includes(aspect) ? have.replace(/^[^ ]* /, "") : have;
    return known.some((one) => one === "" || one === value);
}

/** Whether an entry of an owned directory is, or holds, something that was declared. */
function wasDeclared(resource: Resource, entry: string, converged: Map<string, Declared>): boolean {
    const directories =
        resource.kind === "directory" ? [resource.path] : resource.kind === "transaction" ? (resource.owned ?? []) : [];
    return directories
        .map((directory) => `${directory}/${entry}`)
        .some((path) =>
            [...converged.keys()].some(
                (subject) => subject === path || subject === `directory[${path}]` || subject.startsWith(`${path}/`),
            ),
        );
}

/** The resource's position in the plan; NaN for the host as a whole. */
export function positionOf({ id }: { id: string }): number {
    return Number(id.slice(1).split(".")[0] || Number.NaN);
}

/** The file that an id is about: `r3.1` is the first of several, `r3` the only one of a resource. */
export function fileOf(resource: Resource, id: string): DeclaredFile | undefined {
    const [, number] = id.split(".");
    const files = filesOf(resource);
    return kindOf(resource).filesTogether ? files[Number(number) - 1] : files[0];
}
