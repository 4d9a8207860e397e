import { dirname } from "node:path";
import { z } from "zod";
import type { Resource, Transaction } from "../../convergence/kinds/index";
import { DIGEST_SLOT, slot } from "../../convergence/slots";
import { aFunction, flag, formError, formIssues, formOf, text, texts, whole } from "../../forms";
import {
    acceptDownIssues,
    canonical,
    duration,
    filesOf,
    fleetDirectory,
    gateLimit,
    globalDefaults,
    type HaproxyConfig,
    hostRequirements,
    keepsServerStates,
    type Listener,
    modelFormIssues,
    releaseOf,
    render,
    seconds,
    serverGuardRules,
    serverStatesFile,
    slotIssue,
    slotValue,
} from "../../haproxy";
import { adapterScript, hostProgram } from "../../scripts";
import { renderTemplate } from "../../templates";
import type { CertificateFacts } from "../../tls";
import { describePem } from "../../tls";
import { type Handshake, type KnownCertificates, servedCertificates } from "./servedCertificates";

const DIRECTORY = "/etc/haproxy";
const UNIT = "haproxy.service";
const MASTER = "/run/haproxy-master.sock";
/** No certificate, map or list has this name. */
const ROOTS = `${fleetDirectory}/roots.crt`;
const RELOAD = "/usr/local/lib/haproxy-fleet/haproxy-reload";

/** The form of {@link HaproxyOptions} without functions, for forms that have more fields. */
export const optionsShape = {
    allowWarnings: texts.optional(),
    allowShrink: flag.optional(),
    restart: z.literal("now", { message: 'expected "now"' }).optional(),
    oldWorkers: whole(1, 1_000_000).optional(),
    bake: duration.refine((text) => seconds(text) <= 600, { message: "expected at most 10 minutes" }).optional(),
    acceptDown: texts.optional(),
};
const optionsForm = formOf<HaproxyOptions>()(
    z.strictObject({
        ...optionsShape,
        // Computed from certificates by our own code.
        certificates: z.custom<KnownCertificates>().optional(),
        roots: text.optional(),
        sourceOf: aFunction<(path: string) => string>().optional(),
    }),
);

/** Arguments of the recipe besides the configuration. */
export interface HaproxyOptions {
    /** Substrings of `haproxy -c` warnings to accept, as in `"missing timeouts for frontend 'web'"`. @default [] */
    allowWarnings?: string[];
    /** Ignores the guards `minServers` and `maxShrinkPercent`; meant for a single up. @default false */
    allowShrink?: boolean;
    /**
     * `"now"` restarts HAProxy if only that raises a limit of the running process; its connections are lost. Otherwise such a limit is
     * refused as pending. Meant for a single up. @default - no restart
     */
    restart?: "now";
    /**
     * How many old workers may still have connections when the next reload is due. If there are more, the reload waits; after
     * `hardStopAfter` it is refused. Each old worker keeps its memory. @default 5
     */
    oldWorkers?: number;
    /**
     * How long the gate goes on to watch the servers after an activation, a duration of at most `"10m"`. If a backend loses its servers
     * meanwhile, the last good files come back. @default "0"
     */
    bake?: string;
    /**
     * Backends, and sections `listen`, that may have fewer servers up after a change than `minUp`, or none; meant for a single up.
     * @default []
     */
    acceptDown?: string[];
    /**
     * What is known of the declared certificates, by name. HAProxy is proven to serve those with these fingerprints; one that it serves
     * instead is drift. @default - the fingerprints of certificates are not compared
     */
    certificates?: Readonly<Record<string, CertificateFacts | undefined>>;
    /**
     * PEM of root certificates, or its slot: the chain of each certificate that a handshake shows must lead to one of them.
     * @default - chains are not verified
     */
    roots?: string;
    /**
     * Returns where a part of the configuration was declared, for messages about its lines; see `sourceOf` of `compileServices`.
     * @default - the path in the configuration
     */
    sourceOf?: (path: string) => string;
}

/**
 * HAProxy: package, account, limits, configuration, service.
 *
 * @throws {Error} If the configuration or the options do not have their form.
 * @example
 * ```typescript
 * import { ConvergedHost, type haproxy, recipes } from "haproxy-fleet";
 *
 * const model: haproxy.HaproxyConfig = {
 *     version: "2.6",
 *     frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "shop" }],
 *     backends: [{ name: "shop", servers: [{ name: "shop1", address: "192.0.2.21", port: 8080 }] }],
 * };
 * new ConvergedHost("lb1", {
 *     connection: { address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" },
 *     resources: [{ kind: "packages", names: ["tcpdump"] }, ...recipes.haproxy(model, { bake: "30s" })],
 * });
 * ```
 */
export function haproxy(config: HaproxyConfig, options: HaproxyOptions = {}): Resource[] {
    const form = [...modelFormIssues(config), ...formIssues(optionsForm, options)];
    const issues = form.length > 0 ? form : acceptDownIssues(config, options.acceptDown);
    if (issues.length > 0) {
        throw formError(issues, "haproxy");
    }
    const { user = globalDefaults.user, group = globalDefaults.group } = config.global ?? {};
    return [
        // Before the package, so that the first start has it: a reload cannot raise a limit.
        { kind: "systemdUnit", name: `${UNIT}.d/10-limits.conf`, content: limits(config) },
        // The adapter needs iproute2 and perl, and so does the program that reloads.
        {
            kind: "packages",
            names: ["haproxy", "iproute2", "perl-base", ...(declaresCertificates(config) ? ["openssl"] : [])],
        },
        ...(keepsServerStates(config) ? serverStates() : []),
        { kind: "group", name: group },
        // HAProxy sets its group itself, so an account such as www-data, which others use, keeps its own primary group.
        { kind: "user", name: user, ...(user === group && { group }) },
        configuration(config, options, group),
        { kind: "service", name: UNIT },
    ];
}

function limits(config: HaproxyConfig): string {
    const descriptors = Math.max(65_536, hostRequirements(config).fileDescriptors);
    return renderTemplate("limits.conf.mustache", { descriptors });
}

/**
 * Reloads, also those by hand, hand the states of servers over; a start reads none. The drop-in comes after the program that it
 * names, and sorts before an `override.conf`, so that a user's own ExecReload wins.
 */
function serverStates(): Resource[] {
    const directory = dirname(serverStatesFile);
    return [
        { kind: "directory", path: dirname(RELOAD) },
        {
            kind: "file",
            path: RELOAD,
            content: hostProgram("haproxy", "haproxy-reload.pl"),
            mode: "0755",
            program: true,
        },
        {
            kind: "systemdUnit",
            name: `${UNIT}.d/10-server-states.conf`,
            content: renderTemplate("server-states.conf.mustache", { program: RELOAD, master: MASTER, directory }),
        },
    ];
}

/** Readable by HAProxy's group, not by others, because the files may contain passwords. */
function configuration(config: HaproxyConfig, options: HaproxyOptions, group: string): Transaction {
    const { allowWarnings = [], allowShrink = false, restart, oldWorkers = 5, sourceOf = (path) => path } = options;
    const { bake = "0", acceptDown = [], certificates = {} } = options;
    const roots = declaresCertificates(config) ? options.roots : undefined;
    const served = servedCertificates(config, certificates);
    const requirements = hostRequirements(config);
    const { text, sources } = render(config, { digest: slot(DIGEST_SLOT) });
    const permissions = { group, mode: "0640" };
    return {
        kind: "transaction",
        name: "haproxy",
        directory: DIRECTORY,
        allowWarnings,
        files: [
            {
                path: `${DIRECTORY}/haproxy.cfg`,
                content: text,
                lineSources: sources.map((path) => path && sourceOf(path)),
                ...permissions,
                slotIssue,
                slotValue,
            },
            // HAProxy opens them as root, at a start and during a reload.
            ...filesOf(config).map((file) => ({
                ...permissions,
                ...file,
                ...(file.path.endsWith(".pem") && { summary: describePem }),
                lineSources: file.lineSources?.map((path) => path && sourceOf(path)),
            })),
            ...(roots === undefined ? [] : [{ path: ROOTS, content: roots, summary: describePem, ...permissions }]),
        ],
        owned: [fleetDirectory],
        package: { name: "haproxy" },
        adapter: {
            name: "haproxy",
            script: adapterScript("haproxy", declaresCertificates(config) ? ["certificates"] : []),
            parameters: {
                config: `${DIRECTORY}/haproxy.cfg`,
                unit: UNIT,
                master: MASTER,
                release: releaseOf(config),
                binds: requirements.binds.map(listener).join("\n"),
                directories: requirements.socketDirectories.join("\n"),
                chroot: requirements.chroot,
                fds: String(requirements.fileDescriptors),
                maxconn: String(requirements.maxconn),
                memory: String(requirements.memory),
                hard_stop: String(requirements.hardStopAfter),
                old_workers: String(oldWorkers),
                names: requirements.serverNames.join(" "),
                servers: serverGuardRules(config),
                states: keepsServerStates(config) ? "yes" : "no",
                allow_shrink: allowShrink ? "yes" : "no",
                restart: restart === "now" ? "yes" : "no",
                gate_limit: String(gateLimit(config)),
                bake: String(seconds(bake)),
                accept_down: acceptDown.join(" "),
                bundles: fleetDirectory,
                certificates: served.fingerprints.map(({ certificate, sha1 }) => `${certificate} ${sha1}`).join("\n"),
                handshakes: served.handshakes.map(handshake).join("\n"),
                roots: roots === undefined ? "" : ROOTS,
            },
        },
    };
}

/** Only then the proof needs openssl, and the adapter its part about certificates. */
function declaresCertificates({ certificates = [] }: HaproxyConfig): boolean {
    return certificates.length > 0;
}

/** A handshake in the adapter's notation. */
function handshake({ certificate, address, port, name = "-", onlyRsa }: Handshake): string {
    return [certificate, address, port, name, onlyRsa ? "rsa" : "-"].join(" ");
}

/** A bind in the adapter's notation, which it compares with the host's listeners. */
function listener({ address, port, mode, interface: device = "-", transparent, v6only }: Listener): string {
    // The proof connects from the host itself, so it reaches neither a bind to an interface nor an address that the host lacks.
    const ask = device !== "-" || transparent ? "nothing" : mode;
    const marks = [...(transparent ? ["transparent"] : []), ...(v6only ? ["v6only"] : [])];
    return [canonical(address), port, ask, device, ...(marks.length > 0 ? [marks.join(",")] : [])].join(" ");
}
