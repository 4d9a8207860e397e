/** Messages that several hosts of a program have in common are shown once, with the names of the hosts. */
import * as pulumi from "@pulumi/pulumi";
import { perProgram } from "./perProgram";
import { type RefusingHost, refusalText } from "./preview/previewReport";
import { resourceError } from "./resourceError";
import { unique } from "./text";

interface Refusal extends RefusingHost {
    resource: pulumi.Resource;
    reject: (error: pulumi.ResourceError) => void;
}

/** Hosts that are being asked, and the refusals of those that have answered. */
interface Round {
    asking: number;
    refusals: Refusal[];
}

const round = perProgram<Round>(() => ({ asking: 0, refusals: [] }));

/** Asks a host. Refusals are shown when no host is being asked any more. */
export async function inRound<T>(ask: () => Promise<T>): Promise<T> {
    const current = round();
    current.asking++;
    try {
        return await ask();
    } finally {
        current.asking--;
        setImmediate(() => endRound(current));
    }
}

/** Fails when the round has ended, with one error object for all hosts that refuse the same, as the engine shows each object once. */
export function failWithRefusal(host: RefusingHost, resource: pulumi.Resource): Promise<never> {
    const current = round();
    setImmediate(() => endRound(current));
    return new Promise((_, reject) => current.refusals.push({ ...host, resource, reject }));
}

function endRound(current: Round): void {
    if (current.asking > 0) {
        return;
    }
    const refusals = sorted(current.refusals.splice(0), ({ host }) => host);
    for (const group of groups(refusals, ({ refusal }) => refusal.join("\n"))) {
        const [first] = group;
        const error = resourceError(refusalText(group), first.resource);
        for (const { reject } of group) {
            reject(error);
        }
    }
}

interface Warning {
    host: string;
    text: string;
    resource: pulumi.Resource;
}

const warnings = perProgram<Warning[]>(() => []);

/** Warns of a problem in what a host declares, once for all hosts that the program declares in one go with the same problem. */
export function warn(host: string, text: string, resource: pulumi.Resource): void {
    const pending = warnings();
    pending.push({ host, text, resource });
    if (pending.length === 1) {
        // Constructors run one after the other: by then all hosts of the program have been declared.
        queueMicrotask(() => {
            for (const group of groups(pending.splice(0), (warning) => warning.text)) {
                const [first] = group;
                const names = unique(group.map((warning) => warning.host)).join(", ");
                void pulumi.log.warn(group.length === 1 ? first.text : `${names}: ${first.text}`, first.resource);
            }
        });
    }
}

/** By name, so that messages do not depend on which host answers first; lb10 after lb2. */
function sorted<T>(values: T[], name: (value: T) => string): T[] {
    return values.sort((a, b) => name(a).localeCompare(name(b), "en", { numeric: true }));
}

/** Values with the same key, in order of first appearance. */
function groups<T>(values: T[], key: (value: T) => string): [T, ...T[]][] {
    const found = new Map<string, [T, ...T[]]>();
    for (const value of values) {
        const group = found.get(key(value));
        if (group === undefined) {
            found.set(key(value), [value]);
        } else {
            group.push(value);
        }
    }
    return [...found.values()];
}
