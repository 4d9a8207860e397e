import { canonicalNetwork, contains, isNetwork, rangeOf } from "../../networks";
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
 */
export function firewallWarnings(declared: Firewall, seen: Seen): string[] {
    return [...loginWarnings(declared, seen), ...dropWarnings(declared, seen)];
}

function loginWarnings({ ssh, default: otherwise }: Firewall, { manager, client }: SeenFirewall): string[] {
    const isFiltered = manager === "ufw" || otherwise === "drop";
    if (!isFiltered || ssh?.from === undefined || !isNetwork(client)) {
        return [];
    }
    const login = canonicalNetwork(client);
    const isIn = ssh.from.some((network) => isNetwork(network) && contains(canonicalRange(network), rangeOf(login)));
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

function warning({ chain, rules }: Dropped): string {
    const of = (protocol: FirewallRule["protocol"]) => [...rules.keys()].filter((rule) => rule.protocol === protocol);
    const lists = (["tcp", "udp", "vrrp"] as const).map((protocol) => ({ protocol, list: of(protocol) }));
    const what = lists
        .filter(({ list }) => list.length > 0)
        .map(({ protocol, list }) => {
            const ports = unique(list.flatMap((rule) => ("port" in rule ? [String(rule.port)] : [])));
            return { protocol, ports };
        });
    const families = new Set([...rules.values()].flatMap((each) => [...each]));
    const declaresBoth = [...rules.keys()].some(({ from }) => from === undefined);
    const only = declaresBoth && families.size === 1 ? ` over IPv${[...families][0]}` : "";
    const words = what.map(({ protocol, ports }) => (ports.length > 0 ? `${protocol} ${enumerated(ports)}` : protocol));
    if (chain.rules.at(-1)?.some(callsUfw)) {
        return (
            `firewall: a rule of ufw drops ${enumerated(words)}${only}, before the rules that let it in; ` +
            "see ufw status numbered, and delete that rule, or make it match less"
        );
    }
    const where = `table ${printable(chain.family)} ${printable(chain.table)}, chain ${printable(chain.name)}`;
    return `firewall: ${where} drops ${enumerated(words)}${only}, which no other table can let in; ${remedy(chain, what)}`;
}

/** What a chain drops, by protocol; VRRP has no ports. */
type DroppedPorts = readonly { readonly protocol: FirewallRule["protocol"]; readonly ports: readonly string[] }[];

/** How such a chain is usually changed. */
function remedy({ family, table, base }: Chain, what: DroppedPorts): string {
    if (table === "firewalld") {
        const options = what.flatMap(({ protocol, ports }) =>
            ports.length > 0 ? ports.map((port) => `--add-port=${port}/${protocol}`) : ["--add-protocol=vrrp"],
        );
        return `let it in with firewalld: firewall-cmd --permanent ${options.join(" ")}, then firewall-cmd --reload`;
    }
    const isIptables = (family === "ip" || family === "ip6") && /^(filter|raw|mangle)$/.test(table);
    if (isIptables && base?.hook === "input" && table === "filter") {
        const program = family === "ip" ? "iptables" : "ip6tables";
        const rules = what.map(({ protocol, ports }) =>
            ports.length > 1
                ? `-p ${protocol} -m multiport --dports ${ports.join(",").replace(/-/g, ":")}`
                : `-p ${protocol === "vrrp" ? 112 : protocol}${ports.map((port) => ` --dport ${port.replace("-", ":")}`).join("")}`,
        );
        return `let it in with ${rules.map((rule) => `${program} -I INPUT ${rule} -j ACCEPT`).join(", and ")}, and wherever these rules are kept`;
    }
    const rules = what.map(({ protocol, ports }) =>
        ports.length > 0
            ? `${protocol} dport ${ports.length > 1 ? `{ ${ports.join(", ")} }` : ports[0]} accept`
            : "meta l4proto 112 accept",
    );
    return `add to it, usually in /etc/nftables.conf: ${rules.join("; ")}`;
}

function enumerated(list: readonly string[]): string {
    return list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
}
