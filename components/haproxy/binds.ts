import { endpoint } from "./addresses";
import type { Bind, BindTls, Mode } from "./model";
import { flag, param } from "./views";
import { asWritten, word } from "./words";

/** A `bind` line without its keyword. */
export function bindText(bind: Bind, mode: Mode): string {
    const place =
        "path" in bind
            ? [
                  `unix@${word(bind.path)}`,
                  ...param("mode", bind.mode),
                  ...param("user", bind.user),
                  ...param("group", bind.group),
              ]
            : [
                  `${endpoint(bind)}${bind.portEnd === undefined ? "" : `-${bind.portEnd}`}`,
                  ...param("interface", bind.interface),
                  ...flag("transparent", bind.transparent),
              ];
    return [
        ...place,
        ...param("name", bind.name),
        ...param("maxconn", bind.maxconn),
        ...flag("accept-proxy", bind.acceptProxy),
        ...(bind.ssl ? tlsParams(bind.ssl, mode) : []),
        ...(bind.raw ? [asWritten(bind.raw)] : []),
    ].join(" ");
}

/** Does a client that speaks nothing but HTTP get an answer there? */
export function speaksPlainly(bind: Bind): boolean {
    // What raw parameters make of it is not known: they may ask for TLS.
    return !bind.ssl && !bind.acceptProxy && !bind.raw;
}

function tlsParams(tls: BindTls, mode: Mode): string[] {
    const { crt, alpn = mode === "http" ? ["h2", "http/1.1"] : [], caFile, verify, sslMinVer, strictSni } = tls;
    return [
        "ssl",
        ...crt.flatMap((path) => param("crt", path)),
        ...(alpn.length > 0 ? param("alpn", alpn.join(",")) : []),
        ...param("ca-file", caFile),
        ...param("verify", verify ?? (caFile === undefined ? undefined : "required")),
        ...param("ssl-min-ver", sslMinVer),
        ...flag("strict-sni", strictSni),
    ];
}
