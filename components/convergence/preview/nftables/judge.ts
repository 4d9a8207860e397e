import { isObject, type Json } from "./json";
import { hasValue, matches, matchesKey, type Packet, type Truth } from "./matches";
import type { Chain, Ruleset } from "./ruleset";

/** What a chain may do with a packet: `on` is that it leaves the chain without a verdict, `elsewhere` that it goes to another port. */
type Outcome = "accept" | "drop" | "on" | "elsewhere";
type Outcomes = ReadonlySet<Outcome>;

const ON: Outcomes = new Set(["on"]);
/** What a statement that is not known may do. */
const ANYTHING: Outcomes = new Set(["accept", "drop", "on"]);
const ANYTHING_TO_ADDRESSES: Outcomes = new Set([...ANYTHING, "elsewhere"]);

/** Statements that let the packet go on as it is. Marks are never known, so setting one changes nothing. */
const passing = new Set([
    "counter",
    "log",
    "comment",
    "last",
    "continue",
    "ct helper",
    "ct timeout",
    "ct expectation",
    "secmark",
]);

/** What happens to packets that come in from outside. */
export interface Judgement {
    /** `dropped` and `accepted` are certain. */
    readonly verdict: "dropped" | "accepted" | "unknown";
    /** The chains that drop it, each by itself. */
    readonly by: readonly Chain[];
}

/**
 * Judges what becomes of packets by a ruleset: every base chain must accept them, whichever program made it. Whatever is not known may
 * be true or false, so only what holds in any case is certain.
 */
export function judge(ruleset: Ruleset, packet: Omit<Packet, "isTracked">): Judgement {
    const base = ruleset.chains.filter((chain) => chain.base !== undefined && sees(chain.family, packet.family));
    const untracked = new Evaluation(ruleset, { ...packet, isTracked: false });
    for (const chain of base.filter(isEarly)) {
        untracked.ofBase(chain);
    }
    const evaluation = new Evaluation(ruleset, { ...packet, isTracked: !untracked.mayUntrack });
    const at = (hook: string) => base.filter((chain) => chain.base?.hook === hook);
    const before = at("prerouting").map((chain) => ({ chain, outcomes: evaluation.ofBase(chain) }));
    if (before.some(({ outcomes }) => outcomes.has("elsewhere"))) {
        return { verdict: "unknown", by: [] };
    }
    const all = [...before, ...at("input").map((chain) => ({ chain, outcomes: evaluation.ofBase(chain) }))];
    const by = all.filter(({ outcomes }) => is(outcomes, "drop")).map(({ chain }) => chain);
    const isAccepted = all.every(({ outcomes }) => is(outcomes, "accept"));
    return { verdict: by.length > 0 ? "dropped" : isAccepted ? "accepted" : "unknown", by };
}

function sees(tableFamily: string, family: 4 | 6): boolean {
    return tableFamily === "inet" || tableFamily === (family === 4 ? "ip" : "ip6");
}

function is(outcomes: Outcomes, outcome: Outcome): boolean {
    return outcomes.size === 1 && outcomes.has(outcome);
}

/** Whether packets pass the chain before their connections are tracked. */
function isEarly({ base }: Chain): boolean {
    return base !== undefined && base.hook === "prerouting" && base.priority < -200;
}

class Evaluation {
    /** Whether a rule that may match exempts connections from being tracked. */
    mayUntrack = false;
    private readonly known = new Map<Chain, Outcomes>();

    constructor(
        private readonly ruleset: Ruleset,
        private readonly packet: Packet,
    ) {}

    /** What a base chain may do, with its policy for what leaves it. */
    ofBase(chain: Chain): Outcomes {
        const outcomes = new Set(this.of(chain));
        if (outcomes.delete("on")) {
            outcomes.add(chain.base?.drops ? "drop" : "accept");
        }
        return outcomes;
    }

    private of(chain: Chain): Outcomes {
        const known = this.known.get(chain);
        if (known !== undefined) {
            return known;
        }
        // The kernel accepts no loops; in a text that has one, nothing is certain.
        this.known.set(chain, ANYTHING_TO_ADDRESSES);
        const outcomes = new Set<Outcome>();
        for (const rule of chain.rules) {
            const found = this.ofRule(rule, chain);
            for (const outcome of found.outcomes) {
                outcomes.add(outcome);
            }
            if (found.ends) {
                this.known.set(chain, outcomes);
                return outcomes;
            }
        }
        outcomes.add("on");
        this.known.set(chain, outcomes);
        return outcomes;
    }

    /** What a rule may do that keeps later rules from being reached; `ends` if none of them is. */
    private ofRule(rule: readonly Json[], chain: Chain): { outcomes: Set<Outcome>; ends: boolean } {
        const outcomes = new Set<Outcome>();
        let isCertain = true;
        for (const statement of rule) {
            const effect = this.ofStatement(statement, chain);
            if (effect === false) {
                return { outcomes, ends: false };
            }
            if (effect === undefined) {
                isCertain = false;
            } else if (effect !== true) {
                for (const outcome of effect.outcomes) {
                    outcomes.add(outcome);
                }
                if (!effect.goesOn) {
                    return { outcomes, ends: isCertain };
                }
                isCertain = isCertain && effect.outcomes.size === 0;
            }
        }
        return { outcomes, ends: false };
    }

    /** Of a condition whether it holds, of any other statement what it may do, and whether the rest of the rule may be reached. */
    private ofStatement(statement: Json, chain: Chain): Truth | { outcomes: Outcomes; goesOn: boolean } {
        const [[name, value] = ["", undefined], ...rest] = isObject(statement) ? Object.entries(statement) : [];
        if (rest.length > 0 || name === "") {
            return this.unknown(chain);
        }
        const elements = (set: string) => this.ruleset.elements(chain, set);
        switch (name) {
            case "match":
                return matches(value, this.packet, elements);
            case "accept":
            case "drop":
                return { outcomes: new Set([name]), goesOn: false };
            case "reject":
                return { outcomes: new Set(["drop"]), goesOn: false };
            case "return":
                return { outcomes: ON, goesOn: false };
            case "jump":
            case "goto":
                return this.ofTarget(isObject(value) ? value.target : undefined, name, chain);
            case "vmap":
                return this.ofMap(value, chain);
            case "limit":
            case "quota":
            case "ct count":
            case "set":
            case "meter":
                return undefined;
            case "xt":
                return this.ofExtension(value, chain);
            case "notrack":
                this.mayUntrack = true;
                return true;
            case "mangle":
                return isObject(value) && isObject(value.key) && ("meta" in value.key || "ct" in value.key)
                    ? true
                    : this.unknown(chain, true);
            default:
                return passing.has(name) ? true : this.unknown(chain);
        }
    }

    /** Only before the hook `input` can a packet be sent elsewhere. */
    private unknown({ base }: Chain, rewrites = base?.hook !== "input") {
        this.mayUntrack = true;
        return { outcomes: rewrites ? ANYTHING_TO_ADDRESSES : ANYTHING, goesOn: true };
    }

    private ofTarget(target: Json, verb: "jump" | "goto", chain: Chain) {
        const called = typeof target === "string" ? this.ruleset.chain(chain, target) : undefined;
        if (called === undefined) {
            return this.unknown(chain);
        }
        const outcomes = this.of(called);
        if (verb === "goto" || !outcomes.has("on")) {
            return { outcomes, goesOn: false };
        }
        const final = new Set(outcomes);
        final.delete("on");
        return { outcomes: final, goesOn: true };
    }

    /** A verdict map: at most one of its entries counts. */
    private ofMap(map: Json, chain: Chain) {
        if (!isObject(map)) {
            return this.unknown(chain);
        }
        if (!hasValue(map.key, this.packet)) {
            return false;
        }
        const elements = (set: string) => this.ruleset.elements(chain, set);
        const entries =
            typeof map.data === "string"
                ? elements(map.data.replace(/^@/, ""))
                : isObject(map.data) && Array.isArray(map.data.set)
                  ? map.data.set
                  : undefined;
        if (entries === undefined) {
            return this.unknown(chain);
        }
        const possible = entries.flatMap((entry) => {
            const [key, verdict] = Array.isArray(entry) ? entry : [];
            const truth = key === "*" ? undefined : matchesKey(map.key, key, this.packet, elements);
            return truth === false ? [] : [{ truth, effect: this.ofStatement(verdict, chain) }];
        });
        const certain = possible.find(({ truth }) => truth === true);
        const counted = certain ? [certain] : possible;
        const outcomes = new Set<Outcome>();
        let goesOn = certain === undefined;
        for (const { effect } of counted) {
            if (typeof effect === "object") {
                for (const outcome of effect.outcomes) {
                    outcomes.add(outcome);
                }
                goesOn ||= effect.goesOn;
            } else {
                goesOn = true;
            }
        }
        return { outcomes, goesOn };
    }

    /** What iptables adds, of which only the name is listed, if that. */
    private ofExtension(extension: Json, chain: Chain) {
        const { type, name } = isObject(extension) ? extension : {};
        if (type === "match") {
            return name === "comment" ? true : undefined;
        }
        switch (type === "target" ? name : undefined) {
            case "LOG":
            case "NFLOG":
            case "MARK":
            case "CONNMARK":
                return true;
            case "REJECT":
                return { outcomes: new Set<Outcome>(["drop"]), goesOn: false };
            default:
                return this.unknown(chain);
        }
    }
}
