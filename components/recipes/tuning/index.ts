import { dirname } from "node:path";
import { z } from "zod";
import type { Resource, SysctlValue } from "../../convergence/kinds/index";
import { anyText, assertForm, flag, formOf, whole } from "../../forms";
import type { TuningFigures } from "../../haproxy";
import { renderTemplate } from "../../templates";

const NAME = "60-haproxy-fleet";
const MODULE = "nf_conntrack";
const MODULES = "/etc/modules-load.d/haproxy-fleet.conf";

/** The most that a kernel tracks by default, on a host with much memory: it is not lowered. */
const DEFAULT_TRACKED = 262_144;
/** The highest port, and the longest queue that older kernels allow. */
const HIGHEST = 65_535;
/** The highest limit of open files by default. */
const DEFAULT_FILES = 1_048_576;

/** Choices about kernel parameters. */
export interface TuningSettings {
    /** More kernel parameters, or other values for those that are set anyway, by key, such as `net.core.somaxconn`. @default {} */
    sysctls?: Readonly<Record<string, string | number>>;
    /**
     * Ports from 1024 on at which other daemons of the host listen: no outgoing connection takes them. HAProxy's own are reserved anyway.
     * @default []
     */
    reservedPorts?: readonly number[];
    /** Whether HAProxy may listen on addresses that the host does not have at the moment, such as that of a pair. @default false */
    nonlocalBind?: boolean;
}

/** The kernel parameters of a load balancer. */
export interface TuningArgs extends TuningSettings, TuningFigures {}

/** The form of {@link TuningSettings}, for forms that have more fields. */
export const tuningShape = {
    sysctls: z
        .record(z.string(), z.union([anyText, z.int()], { message: "expected text or a whole number" }))
        .readonly()
        .optional(),
    reservedPorts: z.array(whole(1024, HIGHEST), { message: "expected a list of ports" }).readonly().optional(),
    nonlocalBind: flag.optional(),
};
const argsForm = formOf<TuningArgs>()(
    z.strictObject({
        ...tuningShape,
        maxconn: whole(1, 1_000_000_000),
        fileDescriptors: whole(1, 4_000_000_000),
        listenPorts: z.array(whole(1024, HIGHEST), { message: "expected a list of ports" }).readonly(),
    }),
);

/**
 * Kernel parameters for the declared connections: local ports, queues of new connections, and tracked connections. Declare it before
 * HAProxy, and after a firewall.
 *
 * @throws {Error} If the arguments do not have their form.
 * @example
 * ```typescript
 * import { ConvergedHost, recipes } from "haproxy-fleet";
 *
 * new ConvergedHost("lb1", {
 *     connection: { address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" },
 *     resources: recipes.tuning({ maxconn: 50_000, fileDescriptors: 101_004, listenPorts: [8404] }),
 * });
 * ```
 */
export function tuning(args: TuningArgs): Resource[] {
    assertForm(argsForm, args, "tuning");
    return [
        // Newer releases of Debian do not bring this directory.
        { kind: "directory", path: dirname(MODULES) },
        { kind: "file", path: MODULES, content: renderTemplate("modules-load.conf.mustache", { module: MODULE }) },
        { kind: "sysctl", name: NAME, values: valuesOf(args), modules: [MODULE] },
    ];
}

/** Sources: ip-sysctl and nf_conntrack-sysctl of the kernel's documentation. */
function valuesOf(args: TuningArgs): Record<string, SysctlValue> {
    const { maxconn, fileDescriptors, listenPorts, reservedPorts = [], nonlocalBind = false, sysctls = {} } = args;
    const ofMaxconn = `maxconn ${maxconn}`;
    const queue = { value: Math.max(HIGHEST, maxconn), atLeast: true, reason: ofMaxconn };
    const reserved = portRanges([...listenPorts, ...reservedPorts]);
    const tracked = Math.max(DEFAULT_TRACKED, 4 * maxconn);
    return {
        // A connection to a server takes a local port, which only another server or another source address may take as well.
        "net.ipv4.ip_local_port_range": { value: `1024 ${HIGHEST}`, reason: `${ofMaxconn}, to one server` },
        ...(reserved !== "" && { "net.ipv4.ip_local_reserved_ports": { value: reserved, atLeast: true } }),
        "net.ipv4.tcp_tw_reuse": { value: 1 },
        "net.core.somaxconn": queue,
        "net.ipv4.tcp_max_syn_backlog": queue,
        // One entry on each side of HAProxy, and as many that have just ended.
        "net.netfilter.nf_conntrack_max": { value: tracked, atLeast: true, reason: `4 x ${ofMaxconn}` },
        "net.netfilter.nf_conntrack_tcp_timeout_established": { value: 86_400 },
        // Two entries of each connection stay for so many seconds after its end.
        "net.netfilter.nf_conntrack_tcp_timeout_time_wait": { value: 30 },
        ...(nonlocalBind && {
            "net.ipv4.ip_nonlocal_bind": { value: 1 },
            "net.ipv6.ip_nonlocal_bind": { value: 1, optional: true },
        }),
        ...(fileDescriptors > DEFAULT_FILES && {
            "fs.nr_open": { value: fileDescriptors, atLeast: true, reason: ofMaxconn },
        }),
        ...Object.fromEntries(Object.entries(sysctls).map(([key, value]) => [key, { value }])),
    };
}

/** Ports as the kernel lists them: ascending, with ranges. */
function portRanges(ports: readonly number[]): string {
    const ranges: [first: number, last: number][] = [];
    for (const port of [...new Set(ports)].sort((a, b) => a - b)) {
        const range = ranges.at(-1);
        if (range && range[1] === port - 1) {
            range[1] = port;
        } else {
            ranges.push([port, port]);
        }
    }
    return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(",");
}
