import type { Server, ServerOptions, ServerTemplate, ServerTls } from "../model";
import { endpoint, isHostName } from "../model/addresses";
import { flag, param } from "./lines";
import { asWritten, word } from "./quoting";

/** A `server` line without its keyword. */
export function serverText(server: Server, defaults?: ServerOptions): string {
    const params = [...param("cookie", server.cookie), ...serverParams(server)];
    return [server.name, endpoint(server), ...flag("check", isChecked(server, defaults)), ...params].join(" ");
}

/** Whether a server's health is checked; `defaults`: those of its section's `default-server`. */
export function isChecked({ check }: ServerOptions, defaults: ServerOptions = {}): boolean {
    return check ?? defaults.check ?? true;
}

/** A `server-template` line without its keyword. */
export function serverTemplateText(template: ServerTemplate, defaults?: ServerOptions): string {
    const { prefix, count, fqdn, port } = template;
    return [
        prefix,
        count,
        `${fqdn}:${port}`,
        ...flag("check", isChecked(template, defaults)),
        ...serverParams(template),
    ].join(" ");
}

/** The names of a template's servers: HAProxy numbers them from 1. */
export function templateNames({ prefix, count }: Pick<ServerTemplate, "prefix" | "count">): string[] {
    return Array.from({ length: Math.min(count, longestTemplate) }, (_, i) => `${prefix}${i + 1}`);
}

/** More of them than anybody names one by one. */
const longestTemplate = 1000;

/** What may stand on a `default-server` line too. That servers are checked is said on their own lines. */
export function serverParams(options: ServerOptions): string[] {
    return [
        ...param("port", options.checkPort),
        ...param("inter", options.inter),
        ...param("fall", options.fall),
        ...param("rise", options.rise),
        ...param("weight", options.weight),
        ...param("maxconn", options.maxconn),
        ...param("slowstart", options.slowstart),
        ...param("on-marked-down", options.onMarkedDown),
        ...param("on-marked-up", options.onMarkedUp),
        ...param("observe", options.observe),
        ...flag(options.sendProxy === "v2" ? "send-proxy-v2" : "send-proxy", Boolean(options.sendProxy)),
        ...(options.ssl ? tlsParams(options.ssl) : []),
        ...param("resolvers", options.resolvers),
        ...param("init-addr", options.initAddr),
        ...flag("backup", options.backup),
        ...(options.raw ? [asWritten(options.raw)] : []),
    ];
}

/** Checks have no request that a name could come from: only one that is always the same is theirs too. */
function constantName(sni = ""): string | undefined {
    const name = /^str\(([^()]*)\)$/.exec(sni)?.[1];
    return name !== undefined && isHostName(name) ? name : undefined;
}

function tlsParams({ verify = "required", caFile, verifyhost, sni, alpn, crt }: ServerTls): string[] {
    return [
        "ssl",
        `verify ${verify}`,
        ...param("ca-file", caFile),
        ...param("verifyhost", verifyhost),
        ...(sni === undefined ? [] : [`sni ${word(sni)}`]),
        ...param("check-sni", constantName(sni)),
        ...(alpn ? param("alpn", alpn.join(",")) : []),
        ...param("crt", crt),
    ];
}
