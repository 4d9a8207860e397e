/** The parsed answer of a host to a why-run. previewReport.ts turns it into text. */
import { parseRemembered, type Remembered } from "../remembered";

/** One way in which a resource is not as declared. */
export interface Difference {
    /** Position in the plan: `r3`, or `r3.1` for the first file of a transaction; `-` for the host as a whole. */
    id: string;
    aspect: string;
    /** What the host has instead; may be empty. */
    have: string;
}

/** Why a host refuses a resource. */
export interface Judgement {
    id: string;
    /**
     * `validation` by the daemon, or `preflight` by us, see docs/convergence.md; `stage` if the host could not write the stage. A
     * resource that the host cannot have is refused at `preflight`, too.
     */
    stage: string;
    /** The words of the daemon or the preflight, several lines. */
    words: string;
}

/** How long an activation may take, in seconds; 0 is none. */
export interface Longest {
    id: string;
    /** The longest wait for the sessions of servers that leave. */
    drain: number;
    /** The longest wait for the first results of the checks. */
    gate: number;
    /** How long the results are watched after that. */
    bake: number;
    /** After how long the whole converge is ended. */
    deadline: number;
}

/** What a host lacks, and an up cannot change: a row of a table. */
export interface Shortage {
    what: string;
    /** With the formula, as in `101004 (2 x maxconn 50000 + 1004)`. */
    needed: string;
    have: string;
}

/** The packet filter of a host, as the host sees it. */
export interface SeenFirewall {
    /** Who gets our rules: `ufw`, `nftables` or `none`. */
    manager: string;
    /** The address from which the host was asked; empty if it is not known. */
    client: string;
    /** The port of that login. */
    port: number;
    /**
     * What `nft -j list ruleset` prints; without the elements of sets if it is longer than 256 KiB. Empty without nft, or if it is still
     * longer.
     */
    ruleset: string;
    /** What `nft -a -t list ruleset` prints, if the ruleset has rules that were made by iptables; otherwise empty. */
    text: string;
}

/** What a host is among those that share a service address: VRRP's words, and WAITING for one that does not know yet. */
export type ServiceRole = "MASTER" | "BACKUP" | "FAULT" | "WAITING" | "STOPPED" | "UNKNOWN";

/** What a host is, and how many of the service addresses it has. */
export interface SeenRole {
    role: ServiceRole;
    holds: "all" | "some" | "none";
}

/** How a host compares with a plan. */
export interface WhyRun {
    bootId: string;
    /** The token that the last converge stored; empty if there is none. */
    token: string;
    differences: Difference[];
    /** Contents of files that differ, by id: the first 256 KiB and one byte of each. */
    live: Map<string, Buffer>;
    /** What the host refuses. */
    refused: Judgement[];
    /** Refusals that may vanish when earlier resources, which differ, are repaired. */
    unchecked: Judgement[];
    activations: { id: string; kind: string; reason: string }[];
    /** How long the activations may take. */
    longest: Longest[];
    /** The settings that are meant for one up, such as `takeOver`, if they are set, and whether this host needs them now. */
    settings: { name: string; needed: boolean }[];
    /** Texts that precede secrets in lines of managed files, remembered from earlier converges. */
    secretLines: { path: string; prefix: string }[];
    /** What the host remembers of its last converge; sent only if something differs. @default - nothing */
    remembered?: Remembered;
    /** Sent only if a firewall is declared. @default - not seen */
    firewall?: SeenFirewall;
    /** What is amiss with the host besides the plan, each a problem and its remedy. */
    warnings: string[];
    /** What it lacks for the plan. */
    shortages: Shortage[];
    /** Which services are not all up, and how many are; a text for each daemon that was asked. */
    serving: string[];
    /** @default - it shares no service address */
    role?: SeenRole;
    /**
     * Why this change needs all hosts of the fleet in one up, as in `the password of the pair changes`. @default - it does not
     */
    together?: string;
}

/**
 * Parses the report of a why-run.
 *
 * @throws Error if it is truncated or has unknown lines
 */
export function parseWhyRun(text: string): WhyRun {
    const result: WhyRun = {
        bootId: "",
        token: "",
        differences: [],
        live: new Map(),
        refused: [],
        unchecked: [],
        activations: [],
        settings: [],
        longest: [],
        secretLines: [],
        warnings: [],
        shortages: [],
        serving: [],
    };
    const lines = text.split("\n");
    let ended = false;
    for (let n = 0; n < lines.length; n++) {
        const [verb = "", id = "", second = "", third = "", ...rest] = (lines[n] ?? "").split("\t");
        switch (verb) {
            case "host":
                result.bootId = id;
                result.token = second;
                break;
            case "differs":
                result.differences.push({ id, aspect: second, have: decode(third) });
                break;
            case "refused":
            case "unchecked":
                result[verb].push({ id, stage: second, words: decode(third) });
                break;
            case "activation":
                result.activations.push({ id, kind: second, reason: third });
                break;
            case "longest": {
                const [drain = 0, gate = 0, bake = 0, deadline = 0] = [second, third, ...rest].map(Number);
                result.longest.push({ id, drain, gate, bake, deadline });
                break;
            }
            case "setting":
                result.settings.push({ name: id, needed: second === "needed" });
                break;
            case "secret":
                for (const line of decode(id).split("\n")) {
                    const [path = "", prefix = ""] = line.split("\t");
                    result.secretLines.push({ path, prefix });
                }
                break;
            case "firewall": {
                const [ruleset = "", text = ""] = rest.map(decode);
                result.firewall = { manager: id, client: second, port: Number(third), ruleset, text };
                break;
            }
            case "warning":
                result.warnings.push(decode(id));
                break;
            case "short":
                result.shortages.push({ what: id, needed: second, have: third });
                break;
            case "serving":
                result.serving.push(decode(id));
                break;
            case "role":
                result.role = { role: known(second, ROLES, "UNKNOWN"), holds: known(third, HELD, "none") };
                break;
            case "together":
                result.together = decode(second);
                break;
            case "live":
            case "declared": {
                const end = lines.indexOf(".", n);
                const bytes = Buffer.from(lines.slice(n + 1, end < 0 ? undefined : end).join(""), "base64");
                if (verb === "live") {
                    result.live.set(id, bytes);
                } else {
                    result.remembered = parseRemembered(bytes.toString("utf8"));
                }
                n = end < 0 ? lines.length : end;
                break;
            }
            case "":
                break;
            case "end":
                ended = true;
                break;
            default:
                throw new Error(`unknown line in the host's report: ${JSON.stringify(lines[n]?.slice(0, 200))}`);
        }
    }
    if (!ended) {
        throw new Error("the host's report was truncated");
    }
    return result;
}

const ROLES = ["MASTER", "BACKUP", "FAULT", "WAITING", "STOPPED"] as const;
const HELD = ["all", "some"] as const;

function known<Word extends string, Other>(text: string, words: readonly Word[], other: Other): Word | Other {
    return words.find((word) => word === text) ?? other;
}

/** The host sends plain ASCII as it is, other text as `=` and base64. */
function decode(field: string): string {
    return field.startsWith("=") ? Buffer.from(field.slice(1), "base64").toString("utf8") : field;
}
