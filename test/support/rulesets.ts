import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What a host reports of its packet filter. */
export interface RecordedRuleset {
    /** `nft -j list ruleset` */
    ruleset: string;
    /** `nft -a list ruleset` */
    text: string;
}

const folder = join(__dirname, "../unit/convergence/preview/rulesets");

/** What such a ruleset was loaded from. */
export function rulesetFile(name: string): string {
    return readFileSync(join(folder, name), "utf8");
}

/**
 * A ruleset as real nft has listed it: the JSON on the first line of the file, then the text. The name ends with nft's version: 0.9.8 is
 * Debian 11's, 1.0.6 that of 12, 1.1.7 forky's. README.md there says how they were made.
 */
export function recordedRuleset(name: string): RecordedRuleset {
    const [ruleset = "", ...lines] = readFileSync(join(folder, `${name}.txt`), "utf8").split("\n");
    return { ruleset, text: lines.join("\n") };
}
