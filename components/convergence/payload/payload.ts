import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { filesOf, kindOf, type Resource } from "../kinds/index";
import type { CallContext, FilledFile } from "../kinds/kind";
import { declaredOf, rememberedLines } from "../remembered";
import { secretLines, secretParts } from "../secrets";
import { sha256 } from "../sha256";
import { unique } from "../text";
import { FactLists } from "./facts";
import { contentFunction, encodedSlots, fillFiles } from "./fileContents";
import type { Plan } from "./plan";
import { resourceCall } from "./resourceCalls";
import { assign } from "./shell";

/** Prefix of everything that we create on a host: /run/<product>, /var/lib/<product>, the unit of an apply. */
const PRODUCT = "haproxy-fleet";

/** Begins the part of a payload that differs between hosts and runs. */
const RUNTIME_ID = "\nruntime_id='";

/** What all payloads of one host have in common, besides the plan. */
export interface PayloadOptions {
    /** The values of the slots, by name. */
    slots: Record<string, string>;
    /** The owner of the host, the same text in every run; the host refuses another owner. @default "" */
    owner?: string;
    /** Seconds after which a running apply is ended. @default 900 */
    deadline?: number;
}

/** What differs between the why-run and the apply of a host. */
export interface RunOptions {
    /** Whether the host may be taken over from another owner. @default false */
    takeOver?: boolean;
    /** What the host stores as its state after the apply; empty for a why-run. @default "" */
    token?: string;
}

/**
 * The shell text that tests the plan on a host (argument `why-run`) or converges it (argument `launch`).
 *
 * Everything is inside one function called on the last line, so that a truncated text does nothing.
 *
 * @throws Error if a slot has no value
 */
export function buildPayload(plan: Plan, options: PayloadOptions & RunOptions): string {
    return preparePayload(plan, options)(options);
}

/** Like buildPayload, for several runs of one plan: files are encoded once. */
export function preparePayload(
    { resources }: Plan,
    { slots: given, owner = "", deadline = 900 }: PayloadOptions,
): (run: RunOptions) => string {
    const slots = encodedSlots(resources, given);
    const files = new Map(fillFiles(resources, slots).map((file) => [file.path, file]));
    const lists = new FactLists(resources);
    const declared = declaredOf(resources, (path) => files.get(path) as FilledFile);
    const context: CallContext = {
        path: (path) => lists.path(path),
        unit: (name) => lists.unit(name),
        entriesOf: (directory) => lists.entriesOf(directory),
        file: (path) => files.get(path) as FilledFile,
    };
    const shells = resources.flatMap((resource) => kindOf(resource).shell?.(resource) ?? []);
    const runtime = [
        "main() {",
        assign("product", PRODUCT),
        runtimeText,
        ...unique(shells.map(({ script }) => compact(script))),
        "",
    ].join("\n");
    const head = [
        assign("runtime_id", sha256(runtime)),
        assign("runtime_lines", String(runtime.split("\n").length - 1)),
        assign("owner", owner),
    ];
    const tail = [
        assign("deadline", String(deadline)),
        ...lists.assignments(),
        ...shells.flatMap(({ variables }) => Object.entries(variables).map(([name, value]) => assign(name, value))),
        assign("manifest_wanted", unique(resources.flatMap(manifestOf)).join("\n")),
        assign("declared_wanted", rememberedLines(declared).join("\n")),
        assign("secret_values", secretValues(slots).join("\n")),
        assign("secret_lines", rememberedSecretLines(resources, slots).join("\n")),
        ...[...files.values()].map(contentFunction),
        "run_list() {",
        // A function needs a command, even if the run list is empty.
        ":",
        ...resources.flatMap((resource, position) => resourceCall(resource, `r${position}`, context)),
        "}",
        'dispatch "$@"',
        "}",
        'main "$@"',
        "",
    ];
    return ({ takeOver = false, token = "" }) => {
        const run = [assign("take_over", takeOver ? "yes" : "no"), assign("token", token)];
        return seal(runtime + [...head, ...run, ...tail].join("\n"));
    };
}

/** Puts the header before the body: which file to read first, and the length and digest of everything after the header. */
export function seal(body: string): string {
    return `# ${PRODUCT} payload after=/dev/null length=${Buffer.byteLength(body)} sha256=${sha256(body)}\n${body}`;
}

/**
 * The payload as an apply sends it: without the runtime, nine tenths of the text, which the host has kept from the why-run. It matters
 * because the engine copies each input about a dozen times, to the plugin, its log and the state.
 */
export function withoutRuntime(payload: string): string {
    const body = payload.indexOf("\n") + 1;
    const rest = payload.indexOf(RUNTIME_ID, body);
    const id = payload.slice(rest + RUNTIME_ID.length, payload.indexOf("'\n", rest + 1));
    const header = payload.slice(0, body).replace("after=/dev/null", `after=/run/${PRODUCT}/runtime.${id}`);
    return header + payload.slice(rest + 1);
}

/**
 * The command that takes a payload on its standard input and adds what the host has kept of it. It is constant, short and free of
 * secrets, because it is stored, shown in errors, and visible in the host's process list.
 */
export function bootstrap(verb: "why-run" | "launch", become?: "sudo"): string {
    const file = `/run/${PRODUCT}/in.$$`;
    const script = [
        `umask 077; mkdir -p /run/${PRODUCT} && read -r h && { echo "$h"; h=\${h#*after=}; cat "\${h%% *}" -; } >${file}`,
        `&& exec /bin/sh ${file} ${verb}; rm -f ${file}; echo "nothing was done: run again" >&2; exit 1`,
    ].join(" ");
    return `exec ${become === "sudo" ? "sudo -n " : ""}/bin/sh -c '${script}'`;
}

function manifestOf(resource: Resource): string[] {
    return kindOf(resource).manifest?.(resource) ?? [];
}

/** Texts that precede secrets in the declared files, as "path TAB text". */
function rememberedSecretLines(resources: Resource[], slots: Record<string, string>): string[] {
    return resources
        .flatMap(filesOf)
        .flatMap(({ path, content }) =>
            typeof content === "string" ? secretLines(content, slots).map((prefix) => `${path}\t${prefix}`) : [],
        );
}

/** What the host must hide in its output, line by line, because tools quote lines: "slot TAB text". */
function secretValues(slots: Record<string, string>): string[] {
    return unique(
        secretParts(slots)
            .filter(({ part }) => !part.includes("\n"))
            .map(({ name, part }) => `${name}\t${part}`),
    );
}

/** main.sh sets the shell's options and variables; all other files only define functions and constants. */
function readRuntime(): string {
    const directory = join(__dirname, "..", "runtime");
    const files = ["", "kinds"].flatMap((folder) =>
        readdirSync(join(directory, folder))
            .filter((name) => name.endsWith(".sh"))
            .sort()
            .map((name) => join(folder, name)),
    );
    return ["main.sh", ...files.filter((file) => file !== "main.sh")]
        .map((file) => compact(readFileSync(join(directory, file), "utf8")))
        .join("\n");
}

const runtimeText = readRuntime();

/**
 * Removes comments and indentation, a third of the text, because it is sent to each host and kept in the state. Directives to
 * ShellCheck stay, so that the tests can check what is sent.
 */
function compact(shell: string): string {
    return shell.replace(/^[ \t]*(?:#(?! shellcheck ).*)?\n|^[ \t]+/gm, "");
}
