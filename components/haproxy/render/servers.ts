import type { Server, ServerOptions, ServerTemplate, ServerTls } from "../model";
import { endpoint, isHostName } from "../model/addresses";
import { isChecked } from "../model/lookup";
import { flag, param } from "./lines";
import { fragment, word } from "./quoting";

/** A `server` line without its keyword. */
export function serverText(server: Server, defaults?: ServerOptions): string {
    const params = [...param("cookie", server.cookie), ...serverParams(server, defaults)];
    return [word(server.name), word(endpoint(server)), ...checkParams(server, defaults), ...params].join(" ");
}

/** A `server-template` line without its keyword. */
export function serverTemplateText(template: ServerTemplate, defaults?: ServerOptions): string {
    const { prefix, count, fqdn, port } = template;
    const params = [...checkParams(template, defaults), ...serverParams(template, defaults)];
    return [word(prefix), count, word(`${fqdn}:${port}`), ...params].join(" ");
}

/** Written on each server's own line, because raw lines may have another default. */
function checkParams(options: ServerOptions, defaults?: ServerOptions): string[] {
    return options.check === false ? ["no-check"] : flag("check", isChecked(options, defaults));
}

/** Parameters that `server` and `default-server` lines have; `defaults`: those of the section's `default-server`. */
export function serverParams(options: ServerOptions, defaults: ServerOptions = {}): string[] {
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
        ...sendProxyParams(options.sendProxy, defaults.sendProxy),
        ...(options.ssl ? tlsParams(options.ssl, defaults.ssl || undefined) : flag("no-ssl", options.ssl === false)),
        ...param("resolvers", options.resolvers),
        ...param("init-addr", options.initAddr),
        ...(options.backup === false ? ["no-backup"] : flag("backup", options.backup)),
        ...(options.raw ? [fragment(options.raw)] : []),
    ];
}

/** Turns off the version of `default-server`, because HAProxy would use both. */
function sendProxyParams(
    sendProxy: ServerOptions["sendProxy"],
    byDefault: ServerOptions["sendProxy"] = false,
): string[] {
    if (sendProxy === false) {
        return ["no-send-proxy", "no-send-proxy-v2"];
    }
    const keyword = (version: true | "v2") => (version === "v2" ? "send-proxy-v2" : "send-proxy");
    return sendProxy === undefined
        ? []
        : [...(byDefault && byDefault !== sendProxy ? [`no-${keyword(byDefault)}`] : []), keyword(sendProxy)];
}

/** The name in a constant `sni`. Health checks can send only that, because they have no request to take a name from. */
function constantName(sni = ""): string | undefined {
    const name = /^str\(([^()]*)\)$/.exec(sni)?.[1];
    return name !== undefined && isHostName(name) ? name : undefined;
}

function tlsParams({ verify, caFile, verifyhost, sni, alpn, crt }: ServerTls, defaults?: ServerTls): string[] {
    return [
        "ssl",
        `verify ${verify ?? defaults?.verify ?? "required"}`,
        ...param("ca-file", caFile),
        ...param("verifyhost", verifyhost),
        ...param("sni", sni),
        ...param("check-sni", constantName(sni)),
        ...(alpn ? param("alpn", alpn.join(",")) : []),
        ...param("crt", crt),
    ];
}
