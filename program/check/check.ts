import { refusedLines } from "../../components/convergence/preview/refusedLines";
import { globalDefaults, noServerStates, releaseOf, serverStatesFile } from "../../components/haproxy";
import { compose } from "../compose";
import { type LoadedStack, loadStack } from "../load";
import { type Daemon, findDaemon } from "./daemon";
import { type Draft, draftOf, filled, standalone } from "./draft";
import { placeholderFiles } from "./hostFiles";

/** The result of checking a stack. */
export interface Outcome {
    readonly result: "accepted" | "refused" | "errors" | "not checked by a daemon";
    /** The daemon that checked it, or why none did; for the stack's line. */
    readonly remark: string;
    /** What people need to know, a line each. */
    readonly details: readonly string[];
}

/** Exit status of the command: one refusal counts more than a stack that was not checked. */
export function exitStatus(outcomes: readonly Outcome[]): number {
    const has = (...results: Outcome["result"][]) => outcomes.some(({ result }) => results.includes(result));
    return has("refused", "errors") ? 1 : has("not checked by a daemon") ? 2 : 0;
}

/** Checks a stack without its hosts: loads, validates and renders it, and runs the checker of a daemon. */
export async function checkStack(
    name: string,
    directory = process.cwd(),
    daemonFor: (release: string) => Promise<Daemon | string> = findDaemon,
): Promise<Outcome> {
    let loaded: LoadedStack;
    let notes: string[];
    let draft: Draft;
    try {
        ({ loaded, notes } = standalone(loadStack(name, directory)));
        // Secrets are in the state of Pulumi, which is not read.
        const { haproxy, options } = compose(loaded, () => true);
        draft = draftOf(haproxy, options.ignoreIssues);
    } catch (error) {
        const details = (error as Error).message.split("\n");
        return { result: "errors", remark: count(details.length, "error"), details };
    }
    const { source, stack } = loaded;
    const details = [
        ...notes.map((note) => `note: ${note}`),
        ...draft.warnings.map(({ rule, path, message }) => `warning (${rule}): ${source}: ${path}: ${message}`),
    ];
    const daemon = await daemonFor(releaseOf(stack.haproxy));
    if (typeof daemon === "string") {
        return { result: "not checked by a daemon", remark: daemon, details };
    }
    const { user = globalDefaults.user, group = globalDefaults.group } = stack.haproxy.global ?? {};
    const { haproxy } = compose(loaded, () => true);
    const { files } = draftOf(haproxy, [], await daemon.account({ user, group }));
    let placeholders: ReadonlyMap<string, string>;
    try {
        placeholders = new Map(await placeholderFiles(draft.hostPaths));
    } catch (error) {
        return { result: "not checked by a daemon", remark: (error as Error).message, details };
    }
    const declared = files.map((file) => [file.path, filled(file)] as const);
    const texts = new Map([...declared, ...placeholders, [serverStatesFile, noServerStates]]);
    const words = await refusal(daemon, texts, stack.haproxy.allowWarnings ?? []);
    return {
        result: words === undefined ? "accepted" : "refused",
        remark: daemon.name,
        details: [...details, ...(words === undefined ? [] : refusedLines(words, [...files], {}))],
    };
}

/** The words with which a daemon refuses the files; undefined if it accepts them. */
async function refusal(
    daemon: Daemon,
    texts: ReadonlyMap<string, string>,
    allowWarnings: readonly string[],
): Promise<string | undefined> {
    const strict = await daemon.check(texts, ["-dW"]);
    if (strict.accepted) {
        return undefined;
    }
    if (allowWarnings.length > 0) {
        const lenient = await daemon.check(texts, []);
        const warnings = lenient.output.split("\n").filter((line) => line.startsWith("[WARNING]"));
        const refused = warnings.filter((line) => !allowWarnings.some((text) => line.includes(text)));
        if (lenient.accepted && warnings.length > 0) {
            return refused.length === 0 ? undefined : refused.join("\n");
        }
    }
    const noise =
        /^\[NOTICE]|New worker|configuration file is valid|Error\(s\) found in configuration file|Fatal errors found|^$/;
    return strict.output
        .split("\n")
        .filter((line) => !noise.test(line))
        .join("\n");
}

function count(number: number, what: string): string {
    return `${number} ${what}${number === 1 ? "" : "s"}`;
}
