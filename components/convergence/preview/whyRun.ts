/**
 * What a host has said of itself in a why-run, parsed. The words for people are made in report.ts.
 */

/** One way in which a resource is not as declared. */
export interface Difference {
    /** Position in the plan, `r3`, or `r3.1` for the first file of a transaction; `-` for what has left the run list. */
    id: string;
    aspect: string;
    /** What the host has instead, where that can be said. */
    have: string;
}

/** What a host says against something that is declared: of a configuration in the words of its own daemon or preflight. */
export interface Judgement {
    id: string;
    /**
     * `validation` or `preflight`, as docs/convergence.md has them, the latter also of what no repair could do; `stage` if the host could
     * not even stage it.
     */
    stage: string;
    /** Several lines. */
    words: string;
}

/** What a host has said of itself in a why-run. */
export interface WhyRun {
    bootId: string;
    /** What the last converge stored; empty on a host that has none. */
    token: string;
    differences: Difference[];
    /** Contents of files that differ, by id. At most 256 KiB and one byte of each. */
    live: Map<string, Buffer>;
    /** What is declared and the host will not have. */
    refused: Judgement[];
    /** The same of what earlier resources, which differ, may put right: the host can judge only when they are repaired. */
    unchecked: Judgement[];
    activations: { id: string; kind: string; reason: string }[];
    /** What has come before secrets in lines of managed files, remembered from earlier converges. */
    secretLines: { path: string; prefix: string }[];
}

/**
 * Parses the report of a why-run.
 *
 * @throws Error if it is cut short or has lines of another version
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
        secretLines: [],
    };
    const lines = text.split("\n");
    let ended = false;
    for (let n = 0; n < lines.length; n++) {
        const [verb = "", id = "", second = "", third = ""] = (lines[n] ?? "").split("\t");
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
            case "secret":
                {
                    const [path = "", prefix = ""] = decode(id).split("\t");
                    result.secretLines.push({ path, prefix });
                }
                break;
            case "live": {
                const end = lines.indexOf(".", n);
                result.live.set(id, Buffer.from(lines.slice(n + 1, end < 0 ? undefined : end).join(""), "base64"));
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
        throw new Error("the host's report was cut short");
    }
    return result;
}

/** Free text is sent as it is, or as = and base64. */
function decode(field: string): string {
    return field.startsWith("=") ? Buffer.from(field.slice(1), "base64").toString("utf8") : field;
}
