import type { Acl, Backend, Options, ServerGuards, ServerOptions, Timeouts } from "../model";
import { unknownKeywords } from "../model/versions";
import { words } from "../render/lines";
import { milliseconds } from "../validate/issues";
import { accessAcls, clientKey, httpAccess, redirectAcls, tcpAccess } from "./access";
import { linesOf } from "./routes";
import type { Service, ServiceCheck, ServiceServer } from "./types";

/** How long a TCP session may be silent: databases and mail keep theirs open. */
export const tcpIdle = "1h";

const cookieName = "SRV";

/** HAProxy numbers servers from 1; by numbers from here on, a table tells which of its entries lead to backups. */
const backupIds = 100_001;

/**
 * When the kernel begins to ask whether a silent peer is still there: its own 2 h are longer than {@link tcpIdle}. It goes by its own
 * with versions that cannot say another.
 */
export function keepAlive(side: "clitcpka" | "srvtcpka", version: string): string[] {
    const line = `${side}-idle 2m`;
    return unknownKeywords(line, version).length > 0 ? [] : [line];
}

/** The backend of a service. */
export function backendOf(service: Service, servers: readonly ServiceServer[], version: string): Backend {
    const { name, protocol = "http", balance, persistence, httpRequestRules = [] } = service;
    const http = protocol === "http";
    // With tcp, access is decided in the frontend, before there is a backend.
    const turnBack = backupReturn(service, servers);
    const access = protocol === "tcp" ? [] : [...accessAcls(service), ...(http ? redirectAcls(service) : [])];
    const acls = [...access, ...(turnBack?.acls ?? [])];
    const tcpRules = protocol === "https" ? tcpAccess(service, "content") : [];
    const httpRules = http ? [...httpAccess(service), ...httpRequestRules] : [];
    const defaultServer = serverOptions(service);
    const raw = [
        ...(protocol === "tcp" ? keepAlive("srvtcpka", version) : []),
        ...(turnBack?.raw ?? []),
        ...(service.raw ?? []),
    ];
    return {
        name,
        ...(!http && { mode: "tcp" }),
        ...(balance !== undefined && { balance }),
        ...withEntries("options", backendOptions(service, servers)),
        ...withEntries("timeouts", backendTimeouts(service)),
        ...(service.check && checkOf(service.check, service)),
        ...(acls.length > 0 && { acls }),
        ...(tcpRules.length > 0 && { tcpRequestRules: tcpRules }),
        ...(httpRules.length > 0 && { httpRequestRules: httpRules }),
        ...(persistence?.by === "cookie" && {
            cookie: { name: persistence.name ?? cookieName, ...(persistence.secure && { secure: true }) },
        }),
        ...(persistence?.by === "address" && {
            stickTable: { type: "ipv6", size: "100k", expire: persistence.expire ?? "30m" },
            stickRules: turnBack?.stickRules ?? [{ rule: "on", pattern: clientKey(service) }],
        }),
        ...(raw.length > 0 && { raw }),
        ...withEntries("defaultServer", defaultServer),
        ...removalOf(service),
        servers: servers.map((server, i) => ({
            ...server,
            ...(turnBack?.stickRules && server.backup && { raw: `id ${backupIds + i} ${server.raw ?? ""}`.trimEnd() }),
            port: server.port ?? service.port,
            ...(service.weights?.[server.name] !== undefined && { weight: service.weights[server.name] }),
            ...(persistence?.by === "cookie" && server.cookie === undefined && { cookie: server.name }),
        })),
    };
}

/** Either sort of persistence would keep clients on a backup after the others have come back. */
function backupReturn(
    service: Service,
    servers: readonly ServiceServer[],
): Pick<Backend, "acls" | "raw" | "stickRules"> | undefined {
    const { name, persistence, weights = {} } = service;
    const backups = servers.filter(({ backup }) => backup);
    const others = servers.filter((server) => !server.backup && (weights[server.name] ?? server.weight) !== 0);
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

/** In sessions that HAProxy does not read, `tunnel` takes the place of `client` and `server`: it must not belie them. */
function backendTimeouts({ protocol = "http", timeouts: { client, ...given } = {} }: Service): Timeouts {
    const idle = protocol === "tcp" ? tcpIdle : undefined;
    const server = given.server ?? idle;
    if (protocol === "http" || server === undefined) {
        return given;
    }
    return { ...given, server, tunnel: given.tunnel ?? longer(server, client ?? idle ?? server) };
}

function longer(a: string, b: string): string {
    return (milliseconds(a) ?? 0) < (milliseconds(b) ?? 0) ? b : a;
}

/** A search may find too few, a list is written by somebody. */
function removalOf({ servers, minServers, maxShrinkPercent = servers ? undefined : 50, drain }: Service): ServerGuards {
    return {
        ...(minServers !== undefined && { minServers }),
        ...(maxShrinkPercent !== undefined && { maxShrinkPercent }),
        ...(drain !== undefined && { drain }),
    };
}

function backendOptions({ protocol, forwardFor }: Service, servers: readonly ServiceServer[]): Options {
    return {
        ...(protocol === "tcp" && { srvtcpka: true }),
        ...(forwardFor && { forwardfor: true }),
        // Without it, only the first backup is used.
        ...(servers.some(({ backup }) => backup) && { allbackups: true }),
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

/** The check of TLS that is passed through needs TLS of its own; whose certificate it is, clients judge. */
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

/** Nothing is said of what is empty. */
function withEntries<K extends string, V extends object>(key: K, value: V): { readonly [P in K]?: V } {
    return Object.keys(value).length === 0 ? {} : ({ [key]: value } as { readonly [P in K]: V });
}
