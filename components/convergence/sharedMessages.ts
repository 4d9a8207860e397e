/** Messages that several hosts of a program have in common are shown once, with the names of the hosts. */
import * as pulumi from "@pulumi/pulumi";
import { perProgram } from "./perProgram";
import { resourceError } from "./resourceError";
import { unique } from "./text";

/**
 * A message about a host. Messages with the same key are the same, and `words` puts all of them into one text. If that is empty, nothing
 * is shown.
 */
interface Shared<T extends { host: string }> {
    about: T;
    key: string;
    words: (all: T[]) => string;
    resource: pulumi.Resource;
}

interface Pending extends Shared<never> {
    host: string;
    severity: "info" | "warn" | "error";
    resolve: (shown: Promise<void>) => void;
    reject: (error: pulumi.ResourceError) => void;
}

/** What is done with several hosts at a time: `ask` them, or `converge` them. */
type Work = "ask" | "converge";

/** Hosts that are being worked on, and messages about others. */
interface Round {
    running: number;
    pending: Pending[];
}

const rounds = perProgram<Record<Work, Round>>(() => ({
    ask: { running: 0, pending: [] },
    converge: { running: 0, pending: [] },
}));

/** Works on a host. Messages about this work are shown when it is done on all hosts on which it has begun. */
export async function inRound<T>(run: () => Promise<T>, work: Work = "ask"): Promise<T> {
    const round = rounds()[work];
    round.running++;
    try {
        return await run();
    } finally {
        round.running--;
        setImmediate(() => endRound(round));
    }
}

/** Shows a message when the round has ended, with the names of all hosts that it is about. */
export async function logTogether<T extends { host: string }>(
    severity: "info" | "warn",
    message: Shared<T>,
    work: Work = "ask",
): Promise<void> {
    await atEndOfRound(severity, message, work);
}

/** Fails when the round has ended, with one error object for all hosts that fail alike, because the engine shows each object once. */
export function failTogether<T extends { host: string }>(message: Shared<T>): Promise<never> {
    return atEndOfRound("error", message, "ask") as Promise<never>;
}

function atEndOfRound<T extends { host: string }>(
    severity: Pending["severity"],
    message: Shared<T>,
    work: Work,
): Promise<void> {
    const round = rounds()[work];
    setImmediate(() => endRound(round));
    const pending = { ...(message as unknown as Shared<never>), host: message.about.host, severity };
    return new Promise((resolve, reject) => round.pending.push({ ...pending, resolve, reject }));
}

function endRound(round: Round): void {
    if (round.running > 0) {
        return;
    }
    const messages = sorted(round.pending.splice(0), ({ host }) => host);
    for (const group of groups(messages, ({ severity, key }) => `${severity}\n${key}`)) {
        const [{ severity, words, resource }] = group;
        const text = words(group.map(({ about }) => about));
        if (severity === "error") {
            const error = resourceError(text, resource);
            for (const { reject } of group) {
                reject(error);
            }
        } else {
            const shown = text === "" ? Promise.resolve() : pulumi.log[severity](text, resource);
            for (const { resolve } of group) {
                resolve(shown);
            }
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
