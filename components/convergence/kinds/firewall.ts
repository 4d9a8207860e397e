import { z } from "zod";
import { anyTexts, formOf } from "../../forms";
import { canonicalNetwork, isNetwork } from "../../networks";
import { renderTemplate } from "../../templates";
import { unique } from "../text";
import { when } from "./checks";
import type { ResourceKind } from "./kind";

/** What may reach a host. */
export type FirewallRule =
    | {
          protocol: "tcp" | "udp";
          /** A port, or a range as in `"8000-8010"`. */
          port: number | string;
          /** Addresses and networks (CIDR), IPv4 and IPv6. @default - anyone */
          from?: string[];
      }
    | {
          /** VRRP, with which keepalived's peers find each other: IP protocol 112. */
          protocol: "vrrp";
          /** The addresses of the peers. */
          from: string[];
      };

/**
 * The host's firewall: what may reach it, IPv4 and IPv6 alike. Whoever manages the firewall of the host gets the rules in its own way: ufw
 * if it is active, otherwise nftables. Rules of others are left alone.
 *
 * A change is undone by the host itself after 30 s, unless a new login, over a connection of its own, has confirmed it.
 */
export interface Firewall {
    kind: "firewall";
    /** What may reach the host, over IPv4 and IPv6 unless a rule has sources of one family. */
    rules: FirewallRule[];
    /** SSH, at the port of the current login, is always accepted. */
    ssh?: {
        /** Addresses and networks (CIDR) that may log in. @default - anyone */
        from?: string[];
    };
    /**
     * `drop`: everything else that comes in is dropped, except for answers, ICMP that IP needs, and DHCP. With nftables, a table of our own,
     * `inet haproxy_fleet`, does that. @default - as the host has it; on a host without ufw, nothing is changed
     */
    default?: "drop";
}

/** One accepted source of one protocol and port, as the runtime gets it. */
export interface FirewallRow {
    /** `ssh` is TCP at the port of the login, which only the host knows. */
    protocol: FirewallRule["protocol"] | "ssh";
    /** Empty for protocols without ports. */
    port: string;
    /** Canonical; empty: anyone. */
    from: string;
}

const NO_SOURCES = "from is empty, so no address may reach it; leave from out, or list addresses";

/** What is accepted, a row for each source, without repetitions. */
export function firewallRows({ rules, ssh }: Firewall): FirewallRow[] {
    const rows = [{ protocol: "ssh" as const, from: ssh?.from }, ...rules].flatMap((rule) =>
        (rule.from ?? [""]).map((from): FirewallRow => {
            const port = "port" in rule ? String(rule.port) : "";
            return { protocol: rule.protocol, port, from: from === "" ? "" : canonicalNetwork(from) };
        }),
    );
    return unique(rows.map((row) => JSON.stringify(row))).map((row) => JSON.parse(row) as FirewallRow);
}

function portIssues(port: number | string): string[] {
    const [first = 0, last = first, ...rest] = String(port).split("-").map(Number);
    const isPort = (number: number) => Number.isInteger(number) && number >= 1 && number <= 65_535;
    return when(
        !/^\d{1,5}(-\d{1,5})?$/.test(String(port)) ||
            !isPort(first) ||
            !isPort(last) ||
            first > last ||
            rest.length > 0,
        `invalid port ${JSON.stringify(port)}; use a number from 1 to 65535, or a range as in "8000-8010"`,
    );
}

function sourceIssues(from: string[] | undefined): string[] {
    return [
        ...when(from?.length === 0, NO_SOURCES),
        ...(from ?? []).flatMap((network) =>
            when(
                !isNetwork(network),
                `invalid source ${JSON.stringify(network)}; use an address or a network, as in "10.0.0.0/8" or "2001:db8::/32"`,
            ),
        ),
    ];
}

const ruleForm = z.discriminatedUnion("protocol", [
    z.strictObject({
        protocol: z.enum(["tcp", "udp"]),
        port: z.custom<number | string>((value) => typeof value === "number" || typeof value === "string", {
            message: "expected a port, or a range as in 8000-8010",
        }),
        from: anyTexts.optional(),
    }),
    z.strictObject({ protocol: z.literal("vrrp"), from: anyTexts }),
]);

/** What loads the rules of nftables at a boot. `runtime/kinds/firewall.nftables.sh` has these names, too. */
const UNIT = "haproxy-fleet-firewall.service";
const RULES = "/etc/haproxy-fleet-firewall.nft";

/** In the text of the rules, what the host replaces by the port of the login. */
const SSH_PORT = "@SSH_PORT@";

function nftRule({ protocol, port, from }: FirewallRow): string {
    const source = from === "" ? "" : `${from.includes(":") ? "ip6" : "ip"} saddr ${from} `;
    switch (protocol) {
        case "ssh":
            return `${source}tcp dport ${SSH_PORT}`;
        case "vrrp":
            // A host without /etc/protocols does not know the name.
            return `${source}meta l4proto 112`;
        default:
            return `${source}${protocol} dport ${port}`;
    }
}

/** The rules for nftables, and the unit that loads them at a boot. */
function nftFiles(resource: Firewall): string[] {
    if (resource.default === undefined) {
        return ["", ""];
    }
    const rules = firewallRows(resource).map(nftRule);
    return [
        renderTemplate("firewall.nft.mustache", { unit: UNIT, rules }),
        renderTemplate("firewall.service.mustache", { rules: RULES }),
    ];
}

/** What TypeScript knows about {@link Firewall}. */
export const firewall: ResourceKind<Firewall> = {
    shellFunction: "firewall",
    nameOf: () => "host",
    form: formOf<Firewall>()(
        z.strictObject({
            kind: z.literal("firewall"),
            rules: z.array(ruleForm),
            ssh: z.strictObject({ from: anyTexts.optional() }).optional(),
            default: z.literal("drop").optional(),
        }),
    ),
    issues: ({ rules, ssh }) => [
        ...sourceIssues(ssh?.from).map((issue) => `ssh: ${issue}`),
        ...rules.flatMap((rule, n) =>
            [...("port" in rule ? portIssues(rule.port) : []), ...sourceIssues(rule.from)].map(
                (issue) => `rules[${n}]: ${issue}`,
            ),
        ),
    ],
    claims: () => [{ on: "the firewall" }],
    facts: (resource) => (resource.default === undefined ? {} : { units: [UNIT] }),
    args: (resource, context) => [
        resource.default ?? "",
        firewallRows(resource)
            .map(({ protocol, port, from }) => [protocol, port, from].join("\t"))
            .join("\n"),
        ...nftFiles(resource),
        resource.default === undefined ? "" : context.unit(UNIT),
    ],
    manifest: () => ["firewall\thost"],
    wording: {
        missing: () => "has none of its rules, would get all",
        "missing rule": (have) => `lacks: ${have}`,
        "extra rule": (have) => `has also: ${have}; would go`,
        default: (have) => have,
        files: (have) => have,
        order: () => "has its rules in another order",
        manager: (have) => `has our rules in ${have}, would be taken out there`,
    },
};
