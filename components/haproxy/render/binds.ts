import type { Bind, BindTls, Mode, PortBind } from "../model";
import { endpoint } from "../model/addresses";
import { flag, param } from "./lines";
import { fragment, word } from "./quoting";

/** A `bind` line without its keyword. */
export function bindText(bind: Bind, mode: Mode): string {
    const endpoints =
        "path" in bind
            ? [
                  `unix@${word(bind.path)}`,
                  ...param("mode", bind.mode),
                  ...param("user", bind.user),
                  ...param("group", bind.group),
              ]
            : [
                  word(
                      addressesOf(bind)
                          .map((address) => endpoint({ address, port: portsText(bind) }))
                          .join(","),
                  ),
                  ...flag("v6only", bind.v6only),
                  ...param("interface", bind.interface),
                  ...flag("transparent", bind.transparent),
              ];
    return [
        ...endpoints,
        ...param("name", bind.name),
        ...param("maxconn", bind.maxconn),
        ...flag("accept-proxy", bind.acceptProxy),
        ...(bind.ssl ? tlsParams(bind.ssl, mode) : []),
        ...(bind.raw ? [fragment(bind.raw)] : []),
    ].join(" ");
}

/** All addresses of a bind. */
export function addressesOf({ address = "*" }: PortBind): readonly string[] {
    return typeof address === "string" ? [address] : address;
}

function portsText({ port, portEnd }: PortBind): string {
    return portEnd === undefined ? `${port}` : `${port}-${portEnd}`;
}

/** Whether a plain HTTP request gets an answer there; raw parameters might require TLS. */
export function speaksPlainly(bind: Bind): boolean {
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
