/** What `pulumi preview --json` prints. Of the resources, only URNs are used: their properties may hold secrets. */
import type { CertificatesFinding, Finding, HostFinding } from "../../components/convergence/findings";
import { printable, unique } from "../../components/convergence/text";
import { COMMAND, HOST, urnParts } from "../state";
import type { Result } from "../surroundings";
import { isSaidBy } from "./said";
import type { Previewed, Step } from "./types";

interface Digest {
    readonly steps?: readonly DigestStep[];
    readonly diagnostics?: readonly { readonly message: string; readonly severity: string }[];
}

interface DigestStep {
    readonly op: string;
    readonly urn: string;
    readonly oldState?: { readonly custom?: boolean };
    readonly newState?: { readonly custom?: boolean };
}

/** What was previewed, for messages about it. */
interface Subject {
    readonly stack: string;
    readonly pulumiCommand: string;
    /** The folder of the project: its files are named from there. */
    readonly directory: string;
}

/**
 * What a preview has found, from what the CLI has printed and what the program has recorded.
 *
 * @param findings by hosts and components, in any order
 */
export function previewedIn(result: Result, findings: readonly Finding[], subject: Subject): Previewed {
    const hosts = byName(findings.filter((finding): finding is HostFinding => finding.kind === "host"));
    const certificates = findings.filter((one): one is CertificatesFinding => one.kind === "certificates");
    const digest = digestIn(result.stdout);
    if (digest === undefined) {
        return { hosts, certificates, steps: [], errors: [cliError(result, subject)], warnings: [] };
    }
    const { diagnostics = [], steps = [] } = digest;
    const said = (severity: string) =>
        diagnostics.filter((one) => one.severity === severity).map(({ message }) => plain(message));
    const unsaid = (texts: readonly string[]) =>
        unique(texts.filter((text) => !isSaidBy(hosts, text)).map((text) => withPlaces(text, subject)));
    const errors = said("error").filter((text) => !GENERAL.test(text));
    const isSilent = result.code !== 0 && errors.length === 0;
    const isWhole = result.code === 0 && errors.length === 0;
    const hasFailing = hosts.some(({ outcome }) => ["refused", "unasked", "failed"].includes(outcome));
    const own = unsaid(errors);
    return {
        hosts: isWhole ? byName([...hosts, ...unrecorded(hosts, steps)]) : hosts,
        certificates,
        steps: stepsIn(steps),
        // A preview that fails never passes for one that succeeds, whatever it says.
        errors: isSilent
            ? [silentError(result, said("info#err"), subject)]
            : own.length > 0 || hasFailing
              ? own
              : unique(errors),
        warnings: unsaid(said("warning")),
    };
}

/** Sorted by name, lb10 after lb2. */
function byName(hosts: HostFinding[]): HostFinding[] {
    return hosts.sort((a, b) => a.host.localeCompare(b.host, "en", { numeric: true }));
}

/**
 * Hosts of which a preview that succeeds has recorded nothing: the file of findings was full, or the program uses a package that does not
 * know it. They pass for hosts that could not be asked, because silence must not pass for "nothing differs".
 */
function unrecorded(hosts: readonly HostFinding[], steps: readonly DigestStep[]): HostFinding[] {
    const recorded = hosts.map(({ host }) => host);
    const present = unique(steps.filter(({ op }) => !/^(delete|discard|remove)/.test(op)).map(({ urn }) => urn));
    const declared = present.map(partsOf).filter(({ type }) => type === HOST);
    return declared.flatMap(({ name }) => {
        // Components of different types may share a name.
        const at = recorded.indexOf(name);
        recorded.splice(at, at < 0 ? 0 : 1);
        return at < 0 ? [{ ...UNRECORDED, host: name }] : [];
    });
}

const UNRECORDED = {
    kind: "host",
    outcome: "unasked",
    drift: false,
    declared: false,
    effect: "",
    summary: "",
    differences: [],
    reason: [
        "the preview has recorded nothing about it; update haproxy-fleet in the project, and see whether the disk of this machine is full",
    ],
    warnings: [],
} as const;

/** Undefined if the CLI has printed none: it has failed before the preview. */
function digestIn(stdout: string): Digest | undefined {
    try {
        return JSON.parse(stdout.slice(Math.max(0, stdout.search(/^\{/m)))) as Digest;
    } catch {
        return undefined;
    }
}

/** Errors that only say that there are others. */
const GENERAL = /^(preview failed|Program exited with non-zero exit code: \d+)$/;

/** A message of the CLI without severity, colours and control characters. */
export function plain(message: string): string {
    return message
        .replace(/<\{%.*?%\}>/g, "")
        .replace(/\u001b\[[0-?]*[ -/]*[@-~]/g, "")
        .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "")
        .replace(/^(error|warning): /, "")
        .trim();
}

/** An error of the program with places in its own files only, named from the folder of the project. */
function withPlaces(text: string, { directory }: Subject): string {
    const isForeign = (line: string) => /^\s+at .*(\/node_modules\/|\bnode:)/.test(line);
    return text
        .replace(/^Running program '.*' failed with an unhandled exception:\n/, "")
        .split("\n")
        .filter((line) => !isForeign(line))
        .join("\n")
        .replaceAll(`${directory}/`, "");
}

/** Why the CLI has not begun a preview. */
function cliError({ code, stderr }: Result, { stack, pulumiCommand }: Subject): string {
    const text = plain(stderr.slice(Math.max(0, stderr.search(/^error: /m))));
    const passphrase = "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE";
    const causes: readonly [RegExp, string][] = [
        [/incorrect passphrase/, `the passphrase is wrong; correct ${passphrase}`],
        [/passphrase must be set/, `the passphrase of its secrets is not set; set ${passphrase}`],
        [/no stack named /, "the backend has no such stack; correct its name, or log in to its backend"],
        [
            /PULUMI_ACCESS_TOKEN must be set/,
            `no login to a backend; set PULUMI_ACCESS_TOKEN or PULUMI_BACKEND_URL, or run ${pulumiCommand} login`,
        ],
    ];
    const [, known] = causes.find(([words]) => words.test(text)) ?? [];
    return `stack ${stack}: ${known ?? (text || `pulumi preview printed nothing and ended with status ${code}`)}`;
}

/** Why a preview has failed in which nothing says so: the program has ended its process, perhaps with words on its standard error. */
function silentError({ code, stderr }: Result, printed: readonly string[], { stack }: Subject): string {
    const words = [plain(stderr), ...printed].filter((text) => text !== "");
    return [`stack ${stack}: pulumi preview ended with status ${code}`, ...words].join("\n");
}

const OPERATIONS: readonly Step["operation"][] = ["create", "import", "update", "replace", "delete"];

/**
 * What an up would do besides converging hosts: with resources that a provider has, and if hosts leave the stack. A replacement has
 * several steps, and counts once.
 */
function stepsIn(all: readonly DigestStep[]): Step[] {
    const steps = new Map<string, Step>();
    for (const { op, urn, oldState, newState } of all) {
        const { type, parentType, name } = partsOf(urn);
        const operation = OPERATIONS.find((one) => one === (/replace/.test(op) ? "replace" : op));
        const isComponent = (newState ?? oldState)?.custom === false;
        const isLeaving = type === HOST && operation === "delete";
        const isHosts = parentType === HOST && type === COMMAND && name.endsWith("-converge");
        if (operation !== undefined && !isHosts && (!isComponent || isLeaving)) {
            steps.set(`${operation} ${urn}`, { operation, type, name });
        }
    }
    const rank = ({ operation }: Step) => OPERATIONS.indexOf(operation);
    const words = ({ type, name }: Step) => `${type} ${name}`;
    return [...steps.values()].sort(
        (a, b) => rank(a) - rank(b) || words(a).localeCompare(words(b), "en", { numeric: true }),
    );
}

/** What people see of a URN, and the type of the parent. */
function partsOf(urn: string): { type: string; parentType?: string; name: string } {
    const { type, parentType, name } = urnParts(urn);
    return { type: printable(type), parentType, name: printable(name) };
}
