import { canonicalNetwork, contains, distinctNetworks, isNetwork, rangeOf } from "../../networks";
import type { Firewall, FirewallRule } from "../kinds/firewall";
import { printable, unique } from "../text";
import { isObject } from "./nftables/json";
import { judge } from "./nftables/judge";
import type { Packet } from "./nftables/matches";
import { type Chain, parseRuleset } from "./nftables/ruleset";
import { translation } from "./nftables/translation";
import type { SeenFirewall } from "./whyRun";

type Seen = SeenFirewall & { readonly text?: string };

/** The table of the kind itself, see firewall.nft.mustache. */
const OWN_TABLE = "haproxy_fleet";

/**
 * Warns of what other programs' chains drop although it is declared, since no table can accept what another one drops, and of a login
 * that the declaration would lock out. Says nothing of what it cannot know for certain.
 *
 * @param differs whether an up would change the rules: if not, the login that has just worked shows that it may
 */
export function firewallWarnings(declared: Firewall, seen: Seen, differs = true): string[] {
    return [...(differs ? loginWarnings(declared, seen) : []), ...dropWarnings(declared, seen)];
}

/** Logins through a tunnel or an agent on the host, which every firewall accepts. */
const loopback = ["127.0.0.0/8", "::1"];

function loginWarnings({ ssh, default: otherwise }: Firewall, { manager, client }: SeenFirewall): string[] {
    const isFiltered = manager === "ufw" || otherwise === "drop";
    if (!isFiltered || ssh?.from === undefined || !isNetwork(client)) {
        return [];
    }
    const login = canonicalNetwork(client);
    const isIn = [...ssh.from, ...loopback].some(
        (network) => isNetwork(network) && contains(canonicalRange(network), rangeOf(login)),
    );
    return isIn
        ? []
        : [
              `firewall: the login comes from ${login}, which is not in ssh, so an up would lock it out and be rolled back; ` +
                  "add that address, or its network, to ssh",
          ];
}

function canonicalRange(network: string) {
    return rangeOf(canonicalNetwork(network));
}

/** What a chain drops, by the families of addresses for which it does. */
interface Dropped {
    readonly chain: Chain;
    readonly rules: Map<FirewallRule, Set<4 | 6>>;
}

function dropWarnings({ rules }: Firewall, { manager, ruleset: text, text: inWords = "" }: Seen): string[] {
    const listed = parseRuleset(text, translation(inWords));
    if (listed === undefined) {
        return [];
    }
    const ruleset = { ...listed, chains: beforeOurs(listed.chains, manager) };
    const dropped = new Map<Chain, Dropped>();
    for (const rule of rules) {
        for (const packet of packetsOf(rule)) {
            for (const chain of judge(ruleset, packet).by) {
                const entry = dropped.get(chain) ?? { chain, rules: new Map() };
                dropped.set(chain, entry);
                entry.rules.set(rule, (entry.rules.get(rule) ?? new Set()).add(packet.family));
            }
        }
    }
    return [...dropped.values()].map(warning);
}

/** The chains without what a converge itself changes: our own table, and in those of ufw all that comes after its rules. */
function beforeOurs(chains: readonly Chain[], manager: string): Chain[] {
    return chains
        .filter(({ table }) => table !== OWN_TABLE)
        .map((chain) => {
            const rule = chain.rules.findIndex((statements) => statements.some(callsUfw));
            return manager === "ufw" && chain.base && rule >= 0
                ? { ...chain, base: { ...chain.base, drops: false }, rules: chain.rules.slice(0, rule + 1) }
                : chain;
        });
}

/** Whether the statement calls the chain of ufw that has its rules. */
function callsUfw(statement: unknown): boolean {
    return isObject(statement) && isObject(statement.jump) && /^ufw6?-before-input$/.test(`${statement.jump.target}`);
}

/** A rule may be for several networks, each judged alone, in both families unless they say which. */
function packetsOf(rule: FirewallRule): Omit<Packet, "isTracked">[] {
    const { protocol } = rule;
    const [first = 0, last = first] = "port" in rule ? String(rule.port).split("-").map(Number) : [];
    const ports = "port" in rule ? { ports: [first, last] as const } : {};
    const from = rule.from?.filter(isNetwork).map(canonicalRange);
    return from === undefined
        ? [4 as const, 6 as const].map((family) => ({ family, protocol, ...ports }))
        : from.map((range) => ({ family: range.family, protocol, ...ports, from: range }));
}

const PROTOCOLS = ["tcp", "udp", "vrrp"] as const;

function warning({ chain, rules }: Dropped): string {
    const words = PROTOCOLS.flatMap((protocol) => {
        const list = [...rules.keys()].filter((rule) => rule.protocol === protocol);
        const ports = unique(list.flatMap((rule) => ("port" in rule ? [String(rule.port)] : [])));
        return list.length === 0 ? [] : [ports.length > 0 ? `${protocol} ${enumerated(ports)}` : protocol];
    });
    const families = new Set([...rules.values()].flatMap((each) => [...each]));
    const declaresBoth = [...rules.keys()].some(({ from }) => from === undefined);
    const only = declaresBoth && families.size === 1 ? ` over IPv${[...families][0]}` : "";
    if (chain.rules.at(-1)?.some(callsUfw)) {
        return (
            `firewall: a rule of ufw drops ${enumerated(words)}${only}, before the rules that let it in; ` +
            "see ufw status numbered, and delete that rule, or make it match less"
        );
    }
    const where = `table ${printable(chain.family)} ${printable(chain.table)}, chain ${printable(chain.name)}`;
    return `firewall: ${where} drops ${enumerated(words)}${only}, which no other table can let in; ${remedy(chain, openingsOf(rules))}`;
}

/** What has to be let in, from the same sources. */
interface Opening {
    readonly protocol: FirewallRule["protocol"];
    /** None for VRRP. */
    readonly ports: string[];
    /** That of the sources; undefined: anyone may reach it. */
    readonly family?: 4 | 6;
    readonly from: readonly string[];
}

/** What the rules let in, so that a remedy opens nothing to others than they do. */
function openingsOf(rules: Dropped["rules"]): Opening[] {
    const found = new Map<string, Opening>();
    for (const protocol of PROTOCOLS) {
        for (const [rule, families] of rules) {
            for (const sources of rule.protocol === protocol ? sourcesOf(rule, families) : []) {
                const key = `${protocol} ${sources.from}`;
                const opening = found.get(key) ?? { protocol, ports: [], ...sources };
                found.set(key, opening);
                opening.ports.push(...("port" in rule ? [String(rule.port)] : []));
            }
        }
    }
    return [...found.values()];
}

function sourcesOf({ from }: FirewallRule, families: ReadonlySet<4 | 6>): Pick<Opening, "family" | "from">[] {
    const networks = distinctNetworks(from?.filter(isNetwork) ?? []);
    return from === undefined
        ? [{ from: [] }]
        : [...families].map((family) => ({
              family,
              from: networks.filter((network) => rangeOf(network).family === family),
          }));
}

/** How such a chain is usually changed. */
function remedy({ family, table, base }: Chain, openings: readonly Opening[]): string {
    if (table === "firewalld") {
        const options = openings.flatMap(optionsOfFirewalld).join(" ");
        return `let it in with firewalld: firewall-cmd --permanent ${options}, then firewall-cmd --reload`;
    }
    if ((family === "ip" || family === "ip6") && table === "filter" && base?.hook === "input") {
        const program = family === "ip" ? "iptables" : "ip6tables";
        const rules = openings.map((opening) => `${program} -I INPUT ${ruleOfIptables(opening)} -j ACCEPT`);
        return `let it in with ${rules.join(", and ")}, and wherever these rules are kept`;
    }
    const rules = openings.map((opening) => `${ruleOfNftables(opening)} accept`);
    return `add to it, before its rules that drop, usually in /etc/nftables.conf: ${rules.join("; ")}`;
}

/** Without sources, which VRRP always has, ports; with them, rules of firewalld.richlanguage(5). */
function optionsOfFirewalld({ protocol, ports, family, from }: Opening): string[] {
    if (family === undefined) {
        return ports.map((port) => `--add-port=${port}/${protocol}`);
    }
    const elements =
        protocol === "vrrp"
            ? ['protocol value="vrrp"']
            : ports.map((port) => `port port="${port}" protocol="${protocol}"`);
    return from.flatMap((source) =>
        elements.map(
            (element) => `--add-rich-rule='rule family="ipv${family}" source address="${source}" ${element} accept'`,
        ),
    );
}

function ruleOfIptables({ protocol, ports, from }: Opening): string {
    const source = from.length === 0 ? "" : ` -s ${from.join(",")}`;
    const list = ports.join(",").replace(/-/g, ":");
    const match = ports.length === 0 ? "" : ports.length === 1 ? ` --dport ${list}` : ` -m multiport --dports ${list}`;
    return `-p ${protocol === "vrrp" ? 112 : protocol}${source}${match}`;
}

function ruleOfNftables({ protocol, ports, family, from }: Opening): string {
    const source = family === undefined ? "" : `${family === 4 ? "ip" : "ip6"} saddr ${oneOf(from)} `;
    return `${source}${protocol === "vrrp" ? "meta l4proto 112" : `${protocol} dport ${oneOf(ports)}`}`;
}

/** A value, or a set of nft. */
function oneOf(values: readonly string[]): string {
    return values.length === 1 ? values.join("") : `{ ${values.join(", ")} }`;
}

function enumerated(list: readonly string[]): string {
    return list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
}
