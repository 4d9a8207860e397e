/** Messages that several hosts of a program have in common are shown once, with the names of the hosts. */
import * as pulumi from "@pulumi/pulumi";
import { perProgram } from "./perProgram";
import { resourceError } from "./resourceError";
import { unique } from "./text";

/** A failure of a host. Failures with the same key are the same, and `words` puts all of them into one message. */
interface Failure<T extends { host: string }> {
    failure: T;
    key: string;
    words: (failures: T[]) => string;
    resource: pulumi.Resource;
}

interface PendingFailure extends Failure<never> {
    host: string;
    reject: (error: pulumi.ResourceError) => void;
}

/** Hosts that are being asked, and failures of those that have answered or were not asked. */
interface Round {
    asking: number;
    failures: PendingFailure[];
}

const round = perProgram<Round>(() => ({ asking: 0, failures: [] }));

/** Asks a host. Failures are shown when no host is being asked any more. */
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

/** Fails when the round has ended, with one error object for all hosts that fail alike, because the engine shows each object once. */
export function failTogether<T extends { host: string }>(failure: Failure<T>): Promise<never> {
    const current = round();
    setImmediate(() => endRound(current));
    const pending = { ...(failure as unknown as Failure<never>), host: failure.failure.host };
    return new Promise((_, reject) => current.failures.push({ ...pending, reject }));
}

function endRound(current: Round): void {
    if (current.asking > 0) {
        return;
    }
    const failures = sorted(current.failures.splice(0), ({ host }) => host);
    for (const group of groups(failures, ({ key }) => key)) {
        const [first] = group;
        const error = resourceError(first.words(group.map(({ failure }) => failure)), first.resource);
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

/** Warns of a problem in what is declared for a host. Equal warnings of all hosts of the program are shown once. */
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

/** Sorts by name, lb10 after lb2, so that messages do not depend on which host answers first. */
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
