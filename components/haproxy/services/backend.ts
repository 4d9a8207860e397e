import type { Acl, Backend, Defaults, Options, Server, ServerGuards, ServerOptions, Timeouts } from "../model";
import { hasLine } from "../model/lookup";
import { atLeast, releaseOf } from "../model/versions";
import { words } from "../render/lines";
import { accessAcls, clientKey, httpAccess, redirectAcls, tcpAccess } from "./access";
import type { BackendTls } from "./backendTls";
import { linesOf } from "./routes";
import type { Service, ServiceCheck } from "./types";

/** Settings that backends and frontends depend on. */
export interface ProxySettings {
    readonly version?: string;
    readonly defaults?: Defaults;
}

/** How long a TCP session may be idle: databases and mail clients keep theirs open. */
const tcpIdle = "1h";

/** {@link tcpIdle}, unless the stack's defaults declare another timeout. */
export function idleTimeout(
    side: "client" | "server",
    { defaults = {} }: Pick<ProxySettings, "defaults">,
): string | undefined {
    return declaresTimeout(side, defaults) ? undefined : tcpIdle;
}

function declaresTimeout(name: "client" | "server" | "tunnel", { timeouts, raw }: Defaults): boolean {
    return timeouts?.[name] !== undefined || hasLine(raw, `timeout ${name}`);
}

const cookieName = "SRV";

/** HAProxy numbers servers from 1. Backups get ids from this one on, so that a table entry shows whether its server is a backup. */
const backupIds = 100_001;

/**
 * Keep-alive probes after 2 minutes, because the kernel's own 2 h are longer than {@link tcpIdle}. Omits what the stack's defaults declare.
 * HAProxy below 2.3 can only use the kernel's interval.
 */
export function keepAlive(
    side: "clitcpka" | "srvtcpka",
    settings: ProxySettings,
): { readonly options: Options; readonly raw: readonly string[] } {
    const { defaults = {} } = settings;
    const interval = `${side}-idle`;
    return {
        options: defaults.options?.[side] === undefined ? { [side]: true } : {},
        raw: atLeast(releaseOf(settings), "2.3") && !hasLine(defaults.raw, interval) ? [`${interval} 2m`] : [],
    };
}

/** The backend of a service. */
export function backendOf(
    service: Service,
    servers: readonly Server[],
    settings: ProxySettings,
    tls: BackendTls,
): Backend {
    const { name, protocol = "http", balance, persistence, httpRequestRules = [] } = service;
    const http = protocol === "http";
    // With tcp, the frontend decides about access.
    const returning = backupReturn(service, servers);
    const access = protocol === "tcp" ? [] : [...accessAcls(service), ...(http ? redirectAcls(service) : [])];
    const acls = [...tls.acls, ...access, ...(returning?.acls ?? [])];
    const tcpRules = protocol === "https" ? tcpAccess(service, "content") : [];
    const httpRules = http ? [...tls.first, ...httpAccess(service), ...tls.last, ...httpRequestRules] : [];
    const defaultServer = serverOptions(service);
    const alive = protocol === "tcp" ? keepAlive("srvtcpka", settings) : { options: {}, raw: [] };
    const raw = [...alive.raw, ...(returning?.raw ?? []), ...(service.raw ?? [])];
    return {
        name,
        ...(!http && { mode: "tcp" }),
        ...(balance !== undefined && { balance }),
        ...withEntries("options", { ...alive.options, ...backendOptions(service, servers, settings) }),
        ...withEntries("timeouts", backendTimeouts(service, settings)),
        ...(service.check && checkOf(service.check, service)),
        ...(acls.length > 0 && { acls }),
        ...(tcpRules.length > 0 && { tcpRequestRules: tcpRules }),
        ...(httpRules.length > 0 && { httpRequestRules: httpRules }),
        ...(tls.afterResponse.length > 0 && { httpAfterResponseRules: tls.afterResponse }),
        ...(persistence?.by === "cookie" && {
            cookie: { name: persistence.name ?? cookieName, ...(persistence.secure && { secure: true }) },
        }),
        ...(persistence?.by === "address" && {
            stickTable: { type: "ipv6", size: "100k", expire: persistence.expire ?? "30m" },
            stickRules: returning?.stickRules ?? [{ rule: "on", pattern: clientKey(service) }],
        }),
        ...(raw.length > 0 && { raw }),
        ...withEntries("defaultServer", defaultServer),
        ...guardsOf(service),
        servers: servers.map((server, i) => ({
            ...server,
            ...(returning?.stickRules && server.backup && { raw: `id ${backupIds + i} ${server.raw ?? ""}`.trimEnd() }),
            ...(persistence?.by === "cookie" && server.cookie === undefined && { cookie: server.name }),
        })),
    };
}

/** Returns clients from a backup once other servers are up again; persistence alone would keep them there. */
function backupReturn(
    service: Service,
    servers: readonly Server[],
): Pick<Backend, "acls" | "raw" | "stickRules"> | undefined {
    const { name, persistence } = service;
    const backups = servers.filter(({ backup }) => backup);
    const others = servers.filter((server) => !server.backup && server.weight !== 0);
    if (!persistence || backups.length === 0 || others.length === 0) {
        return undefined;
    }
    const up = others.map((server): Acl => ({ name: "up", criterion: `srv_is_up(${name}/${server.name})` }));
    if (persistence.by === "cookie") {
        const cookies = linesOf(backups.map((server) => server.cookie ?? server.name));
        const criterion = `req.cook(${persistence.name ?? cookieName}) -m str --`;
        return {
            acls: [...cookies.map((line) => ({ name: "backup", criterion: `${criterion} ${words(line)}` })), ...up],
            raw: ["ignore-persist if backup up"],
        };
    }
    const pattern = clientKey(service);
    return {
        acls: [{ name: "backup", criterion: `${pattern},table_server_id(${name}) ge ${backupIds}` }, ...up],
        stickRules: [
            { rule: "match", pattern, if: ["!backup", "or", "!up"] },
            { rule: "store-request", pattern },
        ],
    };
}

/**
 * The timeouts of a backend. In mode tcp, a `tunnel` of the stack's defaults would replace what the service declares; sessions of TLS that
 * is passed through may be WebSockets, so they are tunnels unless something else is declared.
 */
function backendTimeouts(
    { protocol = "http", timeouts: { client, ...declared } = {} }: Service,
    { defaults = {} }: ProxySettings,
): Timeouts {
    const server = declared.server ?? (protocol === "tcp" ? idleTimeout("server", { defaults }) : undefined);
    const own = (client ?? declared.server) !== undefined;
    const byDefault = (["client", "server", "tunnel"] as const).some((name) => declaresTimeout(name, defaults));
    const tunnel =
        protocol !== "http" && own && declaresTimeout("tunnel", defaults)
            ? "0"
            : protocol === "https" && !own && !byDefault
              ? tcpIdle
              : undefined;
    return { ...(tunnel !== undefined && { tunnel }), ...declared, ...(server !== undefined && { server }) };
}

/** Default of `maxShrinkPercent` for servers that are found by search, which may find too few. */
export const searchedMaxShrinkPercent = 50;

function guardsOf({
    servers,
    minServers,
    maxShrinkPercent = servers ? undefined : searchedMaxShrinkPercent,
    backupFacility,
    backups = servers !== undefined || backupFacility !== undefined,
    drain,
    minUp,
}: Service): ServerGuards {
    return {
        ...(minServers !== undefined && { minServers }),
        ...(maxShrinkPercent !== undefined && { maxShrinkPercent }),
        ...(maxShrinkPercent !== undefined && !backups && { backups }),
        ...(drain !== undefined && { drain }),
        ...(minUp !== undefined && { minUp }),
    };
}

function backendOptions(
    { forwardFor }: Service,
    servers: readonly Server[],
    { defaults = {} }: ProxySettings,
): Options {
    const backups = servers.some(({ backup }) => backup) && defaults.options?.allbackups === undefined;
    return {
        ...(forwardFor && { forwardfor: true }),
        // Without it, only the first backup is used.
        ...(backups && { allbackups: true }),
    };
}

function serverOptions(service: Service): ServerOptions {
    const { slowStart, serverMaxconn, serverTls, check } = service;
    const raw = tlsCheck(service);
    return {
        ...(check?.port !== undefined && { checkPort: check.port }),
        ...(check?.inter !== undefined && { inter: check.inter }),
        ...(check?.fall !== undefined && { fall: check.fall }),
        ...(check?.rise !== undefined && { rise: check.rise }),
        ...(serverMaxconn !== undefined && { maxconn: serverMaxconn }),
        ...(slowStart !== undefined && { slowstart: slowStart }),
        ...(serverTls && { ssl: serverTls }),
        ...(raw !== undefined && { raw }),
    };
}

/** If TLS is passed through, the check needs TLS of its own; clients verify the certificate. */
function tlsCheck({ protocol, check, hosts = [] }: Service): string | undefined {
    if (protocol !== "https" || (check && "protocol" in check) || check?.port !== undefined) {
        return undefined;
    }
    const sni = hosts[0] === undefined ? "" : ` check-sni ${hosts[0]}`;
    return `check-ssl verify none${sni}`;
}

function checkOf(check: ServiceCheck, { hosts = [] }: Service): Partial<Backend> {
    const { port: _, inter: __, fall: ___, rise: ____, ...what } = check;
    if ("uri" in what) {
        const host = what.host ?? hosts[0];
        return { httpchk: { ...what, ...(host !== undefined && { host }) } };
    }
    return what.protocol === "tcp" ? { tcpChecks: [{ step: "connect" }] } : { protocolCheck: what };
}

/** Omits the key if the value is empty. */
function withEntries<K extends string, V extends object>(key: K, value: V): { readonly [P in K]?: V } {
    return Object.keys(value).length === 0 ? {} : ({ [key]: value } as { readonly [P in K]: V });
}
