import { z } from "zod";
import type { FirewallRule, Resource } from "../../convergence/kinds/index";
import { assertForm, formOf, matching, whole } from "../../forms";
import type { OpenPorts } from "../../haproxy/index";
import { distinctNetworks, isNetwork } from "../../networks";

/** Which connections a host accepts. Networks are addresses, or networks such as `192.0.2.0/24` or `2001:db8::/32`. */
export interface FirewallArgs {
    /**
     * `drop`: the host drops whatever is not let in. Otherwise ufw gets rules if it is active, and no firewall is switched on.
     * @default - the firewall that the host has, or none
     */
    default?: "drop";
    /** Networks that may log in by SSH, at the port of the login that converges the host. @default - anyone */
    ssh?: string[];
    /** Networks that may reach the statistics page, unless it is on a loopback address. @default [] */
    stats?: string[];
    /** Networks that may reach the metrics, unless they are on a loopback address. @default [] */
    metrics?: string[];
    /** Networks from which VRRP (IP protocol 112) is accepted: the other load balancers of a pair. @default [] */
    vrrp?: string[];
    /** What else is let in. @default [] */
    allow?: FirewallRule[];
    /** Ports that HAProxy needs, as `haproxy.openPorts` computes them from its configuration. @default - none */
    ports?: OpenPorts;
}

/** Arguments of the recipe `firewall` without what is computed from the configuration. */
export type FirewallSettings = Omit<FirewallArgs, "ports">;

const network = matching(isNetwork, 'expected an IP address, or a network like "192.0.2.0/24" or "2001:db8::/32"');
const networks = z.array(network, { message: "expected a list of networks" });
const someNetworks = networks.min(1, "expected at least one network");
const port = z.union([whole(1, 65_535), matching(isPortRange, 'expected a range of ports, as in "8000-8010"')], {
    message: 'expected a port from 1 to 65535, or a range of ports, as in "8000-8010"',
});
const rule = formOf<FirewallRule>()(
    z.discriminatedUnion("protocol", [
        z.strictObject({ protocol: z.enum(["tcp", "udp"]), port, from: someNetworks.optional() }),
        z.strictObject({ protocol: z.literal("vrrp"), from: someNetworks }),
    ]),
);

/** The form of {@link FirewallSettings}, for forms that have more fields. */
export const firewallShape = {
    default: z.literal("drop").optional(),
    ssh: someNetworks.optional(),
    stats: networks.optional(),
    metrics: networks.optional(),
    vrrp: networks.optional(),
    allow: z.array(rule, { message: "expected a list of rules" }).optional(),
};
const open = { protocol: z.enum(["tcp", "udp"]), port };
const openPort = z.strictObject(open);
const argsForm = formOf<FirewallArgs>()(
    z.strictObject({
        ...firewallShape,
        ports: z
            .strictObject({
                clients: z.array(openPort),
                peers: z.array(z.strictObject({ ...open, from: networks })),
                stats: z.array(openPort),
                metrics: z.array(openPort),
            })
            .optional(),
    }),
);

/**
 * Lets clients in: the ports that HAProxy needs, SSH, and what else is declared, for IPv4 and IPv6 alike. If ufw is active, it gets the
 * rules. Otherwise `default: "drop"` makes a table of nftables, and without it nothing is changed. Rules of others are left alone. Every
 * change is taken back unless the program reaches the host by a new connection.
 *
 * @throws {Error} If the arguments do not have their form.
 * @example
 * ```typescript
 * import { ConvergedHost, recipes } from "haproxy-fleet";
 *
 * new ConvergedHost("lb1", {
 *     connection: { address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" },
 *     resources: recipes.firewall({
 *         default: "drop",
 *         ssh: ["198.51.100.0/24", "2001:db8:1::/48"],
 *         allow: [{ protocol: "tcp", port: 443 }, { protocol: "tcp", port: "9100-9110", from: ["198.51.100.7"] }],
 *     }),
 * });
 * ```
 */
export function firewall(args: FirewallArgs = {}): Resource[] {
    assertForm(argsForm, args, "firewall");
    const { default: otherwise, ssh, stats = [], metrics = [], vrrp = [], allow = [], ports } = args;
    const only = (list: OpenPorts["stats"] = [], from: readonly string[]) =>
        from.length === 0 ? [] : list.map((each) => ({ ...each, from: [...from] }));
    const rules: FirewallRule[] = [
        ...(ports?.clients ?? []),
        ...(ports?.peers ?? []).map((each) => ({ ...each, from: [...each.from] })),
        ...only(ports?.stats, stats),
        ...only(ports?.metrics, metrics),
        ...(vrrp.length > 0 ? [{ protocol: "vrrp" as const, from: vrrp }] : []),
        ...allow,
    ];
    return [
        ...(otherwise === "drop" ? [{ kind: "packages" as const, names: ["nftables"] }] : []),
        {
            kind: "firewall",
            rules: joined(rules),
            ...(ssh !== undefined && { ssh: { from: distinctNetworks(ssh) } }),
            ...(otherwise !== undefined && { default: otherwise }),
        },
    ];
}

/** One rule for each protocol and port, sorted, so that the same ports make the same rules whoever declares them. */
function joined(rules: readonly FirewallRule[]): FirewallRule[] {
    const bySubject = new Map<string, FirewallRule[]>();
    for (const each of rules) {
        const subject = each.protocol === "vrrp" ? each.protocol : `${each.protocol} ${each.port}`;
        bySubject.set(subject, [...(bySubject.get(subject) ?? []), each]);
    }
    return [...bySubject.values()].map(joinedRule).sort((a, b) => order(a) - order(b));
}

/** Rules for one port as one. */
function joinedRule(same: readonly FirewallRule[]): FirewallRule {
    const [first] = same as [FirewallRule];
    return first.protocol !== "vrrp" && same.some(({ from }) => from === undefined)
        ? { protocol: first.protocol, port: first.port }
        : { ...first, from: distinctNetworks(same.flatMap(({ from = [] }) => from)) };
}

function order(each: FirewallRule): number {
    const [first = 0, last = first] = each.protocol === "vrrp" ? [] : String(each.port).split("-").map(Number);
    return (["tcp", "udp", "vrrp"].indexOf(each.protocol) * 2 ** 17 + first) * 2 ** 17 + last;
}

function isPortRange(text: string): boolean {
    const [, first = 0, last = 0] = (/^([1-9]\d{0,4})-([1-9]\d{0,4})$/.exec(text) ?? []).map(Number);
    return first > 0 && first < last && last <= 65_535;
}
