import { perlFunction } from "../../perlFunction";
import { textFiles } from "../../textFiles";
import { filesOf, kindOf, type Resource } from "../kinds/index";
import { type CallContext, type FilledFile, yesNo } from "../kinds/kind";
import { declaredOf, rememberedLines } from "../remembered";
import { secretLines, secretParts } from "../secrets";
import { sha256 } from "../sha256";
import { unique } from "../text";
import { FactLists } from "./facts";
import { contentFunction, encodedSlots, fillFiles, unknownIn } from "./fileContents";
import type { Plan } from "./plan";
import { resourceCall, retirementCall } from "./resourceCalls";
import { assign, quote } from "./shell";

/** Prefix of everything that we create on a host: /run/<product>, /var/lib/<product>, the unit of an apply. */
export const PRODUCT = "haproxy-fleet";

/** What a payload has besides the plan. None of it plans a converge. */
export interface PayloadOptions {
    /** The values of the slots, by name. */
    slots: Record<string, string>;
    /**
     * Names of slots whose values only an up knows; they are not in `slots`. With one in a file, the payload serves a preview only, and
     * the host always differs. @default []
     */
    unknown?: readonly string[];
    /** The owner of the host, the same text in every run; the host refuses another owner. @default "" */
    owner?: string;
    /**
     * Former names of the owner, in the same form. A host that one of them has recorded is accepted, and a converge records the new one.
     * @default []
     */
    formerOwners?: readonly string[];
    /** Seconds after which a running apply is ended. @default 900 */
    deadline?: number;
    /** Whether the host may be taken over from another owner. @default false */
    takeOver?: boolean;
    /** Whether the host is to be taken out of service: everything is undone and forgotten. @default false */
    retire?: boolean;
}

/**
 * The shell text that tests the plan on a host (argument `why-run`), is left there (`leave TOKEN WHO`), and converges it (`launch`).
 *
 * Everything is inside functions, one of which is called on the last line, so that a truncated text does nothing. Its beginning, without
 * contents and secrets, is a program of its own: the check, which a converge keeps on the host.
 *
 * @throws Error if a slot has no value and is not unknown
 */
export function buildPayload(
    { resources: planned }: Plan,
    {
        slots: given,
        unknown = [],
        owner = "",
        formerOwners = [],
        deadline = 900,
        takeOver = false,
        retire = false,
    }: PayloadOptions,
): string {
    // What is declared no more is undone.
    const resources = retire ? [] : planned;
    const slots = encodedSlots(resources, given);
    const files = new Map(fillFiles(resources, slots, unknown).map((file) => [file.path, file]));
    const lists = new FactLists(resources);
    const declared = declaredOf(resources, (path) => files.get(path) as FilledFile);
    const context: CallContext = {
        path: (path) => lists.path(path),
        unit: (name) => lists.unit(name),
        entriesOf: (directory) => lists.entriesOf(directory),
        file: (path) => files.get(path) as FilledFile,
    };
    const shells = planned.flatMap((resource) => kindOf(resource).shell?.(resource) ?? []);
    const check = checkText([
        assign("product", PRODUCT),
        runtimeText,
        ...unique(planned.map(({ kind }) => kind)).map(kindText),
        ...unique(planned.flatMap((resource) => kindOf(resource).parts?.(resource) ?? [])).map(partText),
        ...unique(shells.map(({ script }) => compact(script))),
        assign("adapters", shells.map(({ adapter }) => adapter).join(" ")),
        assign("owner", owner),
        assign("former_owners", formerOwners.join("\n")),
        assign("take_over", yesNo(takeOver)),
        assign("retiring", yesNo(retire)),
        assign("deadline", String(deadline)),
        ...lists.assignments(),
        ...shells.flatMap(({ variables }) => Object.entries(variables).map(([name, value]) => assign(name, value))),
        assign("manifest_wanted", unique(resources.flatMap(manifestOf)).join("\n")),
        assign("declared_wanted", rememberedLines(declared).join("\n")),
        "run_list() {",
        // A function needs a command, even if the run list is empty.
        ":",
        ...planned.flatMap((resource, position) =>
            retire ? retirementCall(resource, `r${position}`) : resourceCall(resource, `r${position}`, context),
        ),
        "}",
    ]);
    return seal(
        [
            check,
            "main() {",
            "define",
            assign("check_size", String(Buffer.byteLength(`${check}\n`))),
            ...secretValues(slots),
            assign("secret_lines", rememberedSecretLines(resources, slots).join("\n")),
            ...[...files.values()].map(contentFunction),
            ...onlyPreview(unknownIn(resources.flatMap(filesOf), unknown)),
            'dispatch "$@"',
            "}",
            'main "$@"',
            "",
        ].join("\n"),
    );
}

/** The part of a payload that a host keeps: it only runs as `check`, see runtime/check.sh. */
function checkText(definitions: string[]): string {
    return ["define() {", ...definitions, "}", '[ "${1-}" != check ] || { define; dispatch check; exit; }'].join("\n");
}

/** The lines that keep a payload with unknown values from everything but a why-run. */
function onlyPreview(unknown: string[]): string[] {
    const words = `made for a preview, because a value is missing (${unknown[0]}); nothing was done; run the up again`;
    const refuses = `rm -f -- "$0"; refuse ${quote(words)}`;
    return unknown.length === 0 ? [] : [`case \${1-} in why-run) ;; *) ${refuses} ;; esac`];
}

/** Puts a header before the body: the length and digest of everything after it. */
export function seal(body: string): string {
    return `# ${PRODUCT} payload length=${Buffer.byteLength(body)} sha256=${sha256(body)}\n${body}`;
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

/** As in a line of a key. The host looks for such parts only in texts that have as much base64 in a row, see output.sh. */
const LONG_BASE64 = /[A-Za-z0-9+/=]{40}/;

/** What the host must hide in its output, line by line, because tools quote lines: "slot TAB text". */
function secretValues(slots: Record<string, string>): string[] {
    const parts = secretParts(slots).filter(({ part }) => !part.includes("\n"));
    const lines = (isLong: boolean) =>
        unique(
            parts.filter(({ part }) => LONG_BASE64.test(part) === isLong).map(({ name, part }) => `${name}\t${part}`),
        ).join("\n");
    return [assign("secret_values", lines(false)), assign("secret_base64", lines(true))];
}

const RUNTIME = "components/convergence/runtime";

/** main.sh sets the shell's options and variables; all other files only define functions and constants. */
function readRuntime(): string {
    const files = textFiles(RUNTIME, ".sh");
    const [main, others] = [files.filter(({ name }) => name === "main"), files.filter(({ name }) => name !== "main")];
    return [...main, ...others].map(({ text }) => compact(text)).join("\n");
}

const runtimeText = readRuntime();

/** The parts of `kinds/`, named `<kind>.sh`, `<kind>.<part>.sh`, and `<kind>.<function>.pl`: a Perl program that becomes a function. */
const kindParts = [
    ...textFiles(`${RUNTIME}/kinds`, ".sh"),
    ...textFiles(`${RUNTIME}/kinds`, ".pl").map(({ name, text }) => ({
        name,
        text: perlFunction(name.replace(/.*\./, ""), text),
    })),
].map(({ name, text }) => ({ kind: name.split(".")[0], text: compact(text) }));

/** The shell text of a kind. Only hosts with such a resource need it: what undoes one is in the runtime. */
function kindText(wanted: string): string {
    return kindParts.flatMap(({ kind, text }) => (kind === wanted ? text : [])).join("\n");
}

const parts = textFiles(`${RUNTIME}/parts`, ".sh").map(({ name, text }) => ({ name, text: compact(text) }));

/** The shell text of a part: the files `<part>.sh` and `<part>.<package manager>.sh`. */
function partText(wanted: string): string {
    return parts.flatMap(({ name, text }) => (name.split(".")[0] === wanted ? text : [])).join("\n");
}

/**
 * Removes comments and indentation, a third of the text, because it is sent to each host. Directives to ShellCheck stay without their
 * reasons, so that the tests can check what is sent.
 */
function compact(shell: string): string {
    return shell
        .replace(/^[ \t]*(?:#(?! shellcheck ).*)?\n|^[ \t]+/gm, "")
        .replace(/^(# shellcheck [^#\n]*[^# \n]) *#.*$/gm, "$1");
}
