import type { Bind, BindTls, HaproxyConfig, Mode, PortBind } from "../model";
import { endpoint } from "../model/addresses";
import { addressesOf } from "../model/lookup";
import { verifyOf } from "../model/tls";
import { crtListOf } from "./crtLists";
import { flag, param } from "./lines";
import { fragment, word } from "./quoting";

/** A `bind` line without its keyword. */
export function bindText(bind: Bind, mode: Mode, config: HaproxyConfig): string {
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
        ...(bind.ssl ? tlsParams(bind.ssl, mode, config) : []),
        ...(bind.raw ? [fragment(bind.raw)] : []),
    ].join(" ");
}

function portsText({ port, portEnd }: PortBind): string {
    return portEnd === undefined ? `${port}` : `${port}-${portEnd}`;
}

function tlsParams(tls: BindTls, mode: Mode, config: HaproxyConfig): string[] {
    const { crt = [], certificates = [], alpn = mode === "http" ? ["h2", "http/1.1"] : [] } = tls;
    return [
        "ssl",
        // Before `crt`, because the first certificate is the default.
        ...(certificates.length > 0 ? param("crt-list", crtListOf(tls, config)) : []),
        ...crt.flatMap((path) => param("crt", path)),
        ...(alpn.length > 0 ? param("alpn", alpn.join(",")) : []),
        ...param("ca-file", tls.caFile),
        ...param("crl-file", tls.crlFile),
        ...param("verify", verifyOf(tls)),
        ...param("ssl-min-ver", tls.sslMinVer),
        ...flag("strict-sni", tls.strictSni),
    ];
}
