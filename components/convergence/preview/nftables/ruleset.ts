/** What `nft -j list ruleset` prints (libnftables-json(5)). Other programs write it, so nothing in it is taken for granted. */
import { type Fields, isObject, type Json } from "./json";
import type { Translation } from "./translation";

/** A chain, and whatever it does to packets. */
export interface Chain {
    readonly family: string;
    readonly table: string;
    readonly name: string;
    /** For base chains: where packets enter it. */
    readonly base?: {
        readonly type: string;
        readonly hook: string;
        readonly priority: number;
        readonly drops: boolean;
    };
    /** The statements of each rule. */
    readonly rules: readonly (readonly Json[])[];
}

/** The chains and sets of a host. Tables that are switched off are left out. */
export interface Ruleset {
    /** In the order in which packets pass them: base chains by priority. */
    readonly chains: readonly Chain[];
    /** The chain of a table. */
    chain(table: Pick<Chain, "family" | "table">, name: string): Chain | undefined;
    /** The elements of a named set or map; undefined if they are not listed. */
    elements(table: Pick<Chain, "family" | "table">, name: string): readonly Json[] | undefined;
}

/**
 * @param text what nft prints
 * @param translated the statements of a rule of iptables, of which the JSON shows too little
 * @returns undefined if the text is no ruleset
 */
export function parseRuleset(text: string, translated: Translation = () => undefined): Ruleset | undefined {
    const entries = entriesOf(text);
    if (entries === undefined) {
        return undefined;
    }
    const of = (kind: string) => entries.flatMap((entry) => (isObject(entry[kind]) ? [entry[kind]] : []));
    const key = ({ family, table }: Fields, name: unknown) => [family, table, name].join("\0");
    const dormant = new Set(
        of("table")
            .filter(({ flags }) => isDormant(flags))
            .map(({ family, name }) => key({ family, table: name }, "")),
    );
    const rules = new Map<string, (readonly Json[])[]>();
    for (const rule of of("rule")) {
        const at = key(rule, rule.chain);
        const listed: readonly Json[] = Array.isArray(rule.expr) ? rule.expr : [{ unknown: null }];
        const words = listed.some(isExtension)
            ? translated(String(rule.family), String(rule.table), rule.handle)
            : undefined;
        const statements = words?.isComplete
            ? words.statements
            : [...(words?.statements ?? []), ...withConditions(listed)];
        rules.set(at, [...(rules.get(at) ?? []), statements]);
    }
    const sets = new Map([...of("set"), ...of("map")].map((set) => [key(set, set.name), set.elem]));
    const chains = of("chain")
        .filter((chain) => !dormant.has(key(chain, "")))
        .map(
            (chain): Chain => ({
                family: String(chain.family),
                table: String(chain.table),
                name: String(chain.name),
                ...(typeof chain.hook === "string" && { base: baseOf(chain) }),
                rules: rules.get(key(chain, chain.name)) ?? [],
            }),
        )
        .sort((a, b) => (a.base?.priority ?? 0) - (b.base?.priority ?? 0));
    const byName = new Map(chains.map((chain) => [key(chain as unknown as Fields, chain.name), chain]));
    return {
        chains,
        chain: (table, name) => byName.get(key(table, name)),
        elements: (table, name) => {
            const elements = sets.get(key(table, name));
            return Array.isArray(elements) ? elements : undefined;
        },
    };
}

/** Something of iptables. */
function isExtension(statement: Json): boolean {
    return isObject(statement) && "xt" in statement;
}

/** A rule of iptables has one target: if that is known, its extensions are conditions. */
function withConditions(statements: readonly Json[]): readonly Json[] {
    const last = statements.at(-1);
    const isVerdict = isObject(last) && ["accept", "drop", "return", "jump", "goto"].some((verdict) => verdict in last);
    return isVerdict ? statements.map((each) => (isExtension(each) ? { xt: { type: "match" } } : each)) : statements;
}

/** nft 0.9 knows no other flag, and prints the name of the table in its place. */
function isDormant(flags: unknown): boolean {
    return Array.isArray(flags)
        ? flags.includes("dormant")
        : flags !== undefined && flags !== "owner" && flags !== "persist";
}

function entriesOf(text: string): Fields[] | undefined {
    try {
        const parsed: unknown = JSON.parse(text);
        return isObject(parsed) && Array.isArray(parsed.nftables) ? parsed.nftables.filter(isObject) : undefined;
    } catch {
        return undefined;
    }
}

function baseOf({ type, hook, prio, policy }: Fields): Chain["base"] {
    return {
        type: String(type),
        hook: String(hook),
        priority: typeof prio === "number" ? prio : 0,
        drops: policy === "drop",
    };
}
