import { refusedLines } from "../../components/convergence/preview/refusedLines";
import { noServerStates, serverStatesFile } from "../../components/haproxy";
import type { Run } from "../program";
import { type Configuration, configurationIn, withAccount } from "./configuration";
import type { Daemon } from "./daemon";
import { placeholderFiles } from "./placeholders";

/** The result of checking hosts with equal configurations, or a program that has declared none. */
export interface Outcome {
    /** Names of the hosts; empty if the program has failed. */
    readonly hosts: readonly string[];
    readonly result: "accepted" | "refused" | "errors" | "not checked" | "no HAProxy";
    /** The daemon that checked it, or why none did. */
    readonly remark: string;
    /** What people need to know, a line each. */
    readonly details: readonly string[];
}

/** Exit status of the command: a refusal counts more than a configuration that was not checked. */
export function exitStatus(outcomes: readonly Outcome[]): number {
    const has = (...results: Outcome["result"][]) => outcomes.some(({ result }) => results.includes(result));
    return has("refused", "errors") ? 1 : has("not checked") ? 2 : 0;
}

/**
 * Checks what a program has declared. Equal configurations are checked once.
 *
 * @param daemonFor finds a HAProxy for a release, or says why there is none
 */
export async function checkRun(
    { hosts, errors, functions }: Run,
    daemonFor: (release: string) => Promise<Daemon | string>,
): Promise<Outcome[]> {
    if (errors.length > 0) {
        const called = functions.length > 0 ? [`functions of providers were not run: ${functions.join(", ")}`] : [];
        const details = [...errors, ...called].flatMap((text) => text.split("\n"));
        return [{ hosts: [], result: "errors", remark: "the program fails", details }];
    }
    if (hosts.length === 0) {
        return [{ hosts: [], result: "no HAProxy", remark: "the program declares no host", details: [] }];
    }
    const groups = new Map<string, { readonly names: string[]; readonly configuration?: Configuration }>();
    for (const { name, resources } of hosts) {
        const configuration = configurationIn(resources);
        const { texts, release, allowWarnings } = configuration ?? {};
        const key = JSON.stringify([[...(texts ?? [])], release, allowWarnings]);
        const group = groups.get(key) ?? { names: [], configuration };
        group.names.push(name);
        groups.set(key, group);
    }
    const outcomes: Outcome[] = [];
    for (const { names, configuration } of groups.values()) {
        outcomes.push({ hosts: names, ...(await checkConfiguration(configuration, daemonFor)) });
    }
    return outcomes;
}

async function checkConfiguration(
    configuration: Configuration | undefined,
    daemonFor: (release: string) => Promise<Daemon | string>,
): Promise<Omit<Outcome, "hosts">> {
    if (configuration === undefined) {
        return { result: "no HAProxy", remark: "nothing to check in its run list", details: [] };
    }
    const { declared, release, account, allowWarnings, placeholders } = configuration;
    const daemon = await daemonFor(release);
    if (typeof daemon === "string") {
        return { result: "not checked", remark: daemon, details: [] };
    }
    const texts = new Map([
        ...withAccount(configuration, await daemon.account(account)),
        ...(await placeholderFiles(placeholders)),
        [serverStatesFile, noServerStates],
    ]);
    const words = await refusal(daemon, texts, allowWarnings);
    return {
        result: words === undefined ? "accepted" : "refused",
        remark: daemon.name,
        details: words === undefined ? [] : refusedLines(words, [...declared], {}),
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
