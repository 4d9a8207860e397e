import { z } from "zod";
import { anyText, assertForm, flag, text } from "../../forms";

/**
 * `option` keywords of section 4.2 without the word `option`. `true` sets it, a string sets it with these arguments, `false` writes
 * `no option`. For a keyword that is not listed, see {@link otherOptions}.
 */
export type Options = { readonly [name in OptionName]?: boolean | string };

/** The options that editors offer; {@link otherOptions} takes any other. */
export type OptionName =
    | "abortonclose"
    | "accept-invalid-http-request"
    | "accept-invalid-http-response"
    | "accept-unsafe-violations-in-http-request"
    | "accept-unsafe-violations-in-http-response"
    | "allbackups"
    | "assume-rfc6587-ntf"
    | "checkcache"
    | "clitcpka"
    | "contstats"
    | "disable-h2-upgrade"
    | "dontlog-normal"
    | "dontlognull"
    | "external-check"
    | "forwarded"
    | "forwardfor"
    | "h1-case-adjust-bogus-client"
    | "h1-case-adjust-bogus-server"
    | "http-buffer-request"
    | "http-drop-request-trailers"
    | "http-drop-response-trailers"
    | "http-ignore-probes"
    | "http-keep-alive"
    | "http-no-delay"
    | "http-pretend-keepalive"
    | "http-restrict-req-hdr-names"
    | "http-server-close"
    | "http-use-proxy-header"
    | "httpchk"
    | "httpclose"
    | "httplog"
    | "httpslog"
    | "idle-close-on-response"
    | "independent-streams"
    | "ldap-check"
    | "log-health-checks"
    | "log-separate-errors"
    | "logasap"
    | "mysql-check"
    | "nolinger"
    | "originalto"
    | "persist"
    | "pgsql-check"
    | "prefer-last-server"
    | "redis-check"
    | "redispatch"
    | "smtpchk"
    | "socket-stats"
    | "splice-auto"
    | "splice-request"
    | "splice-response"
    | "spop-check"
    | "srvtcpka"
    | "ssl-hello-chk"
    | "tcp-check"
    | "tcp-smart-accept"
    | "tcp-smart-connect"
    | "tcpka"
    | "tcplog"
    | "transparent"
    | "use-small-buffers";

const optionsForm = z.record(text, z.union([flag, anyText]));

/**
 * Options that {@link OptionName} does not list, such as those of a newer HAProxy: `{ forwardfor: true, ...otherOptions({ "new": true }) }`.
 *
 * @example
 * ```typescript
 * import { haproxy } from "haproxy-fleet";
 *
 * export const options: haproxy.Options = { forwardfor: true, ...haproxy.otherOptions({ "http-new-option": true }) };
 * ```
 */
export function otherOptions(options: Readonly<Record<string, boolean | string>>): Options {
    assertForm(optionsForm, options, "otherOptions");
    return options;
}
