/** A keyword that not every version has. */
export interface Keyword {
    readonly section: Section;
    readonly keyword: string;
    /** First version that has it. @default - all */
    readonly since?: string;
    /** First version that no longer has it. @default - none */
    readonly until?: string;
    /** What to write instead. @default - nothing */
    readonly instead?: string;
}

/**
 * Where a keyword stands: `section` begins one, `global`, `proxy` and `cache` a line of these sections; `bind`, `server` and `rule` (an
 * action of `http-request` and the like) as a word of such a line; `table` what it stores; `sample` in any expression, as a fetch or a
 * converter (section 7.3).
 */
export type Section = "section" | "global" | "proxy" | "cache" | "table" | "bind" | "server" | "rule" | "sample";

/**
 * What is rarely used, and so has no field in the model. Not whole: what is missing is left to the host's own checker. Each line is held
 * against the daemons of 2.2, 2.6 and 3.0 by a test; versions in between are those of the release notes.
 */
export const keywords: readonly Keyword[] = [
    ...from("2.3", "section", "log-forward"),
    ...from("2.3", "proxy", "clitcpka-idle", "clitcpka-intvl", "clitcpka-cnt"),
    ...from("2.3", "proxy", "srvtcpka-idle", "srvtcpka-intvl", "srvtcpka-cnt"),
    ...from("2.3", "sample", "iif"),
    ...from("2.4", "global", "default-path", "set-var", "numa-cpu-mapping", "expose-experimental-directives"),
    ...from("2.4", "global", "h2-workaround-bogus-websocket-clients"),
    ...from("2.4", "cache", "process-vary"),
    ...from("2.4", "rule", "wait-for-body", "normalize-uri", "set-timeout", "switch-mode"),
    ...from("2.4", "sample", "json_query", "ub64enc", "ub64dec", "xxh3", "mqtt_field_value", "fix_is_valid"),
    ...from("2.5", "global", "set-var-fmt"),
    ...from("2.5", "proxy", "error-log-format", "option httpslog"),
    ...from("2.4", "table", "server_key", "http_fail_cnt", "http_fail_rate"),
    ...from("2.5", "table", "gpc", "gpc_rate", "gpt"),
    ...from("3.0", "table", "glitch_cnt", "glitch_rate"),
    ...from("2.6", "proxy", "balance hash"),
    ...from("2.5", "bind", "shards"),
    ...from("2.5", "server", "ws"),
    ...from("2.5", "rule", "set-var-fmt", "sc-set-gpt"),
    { section: "rule", keyword: "sc-inc-gpc", since: "2.5", instead: "sc-inc-gpc0" },
    ...from("2.5", "sample", "add_item", "jwt_verify", "jwt_header_query", "jwt_payload_query", "be2hex", "be2dec"),
    ...from("2.5", "sample", "sc_get_gpc", "sc_get_gpt", "table_gpc", "fc_err", "bc_err"),
    ...from("2.4", "sample", "fc_src", "fc_dst", "bc_src", "bc_dst", "baseq", "srv_weight"),
    ...from("2.5", "sample", "http_auth_bearer", "sc_inc_gpc", "sc_clr_gpc", "src_get_gpc", "src_get_gpt"),
    ...from(
        "2.5",
        "global",
        "httpclient.ssl.verify",
        "httpclient.ssl.ca-file",
        "lua-load-per-thread",
        "tune.fail-alloc",
    ),
    ...from("2.6", "global", "thread-groups", "thread-group", "no-memory-trimming", "httpclient.resolvers.prefer"),
    ...from("2.6", "global", "close-spread-time", "ssl-provider", "ssl-propquery"),
    ...from("2.6", "proxy", "option idle-close-on-response", "option http-restrict-req-hdr-names"),
    ...from("2.7", "global", "anonkey"),
    ...from("2.7", "rule", "set-bandwidth-limit"),
    { section: "sample", keyword: "host_only", since: "2.7", instead: "field(1,:)" },
    ...from("2.7", "sample", "port_only"),
    ...from("2.7", "global", "tune.lua.burst-timeout", "harden.reject-privileged-ports.tcp"),
    ...from("2.8", "sample", "bytes_in", "bytes_out"),
    ...from("2.8", "global", "thread-hard-limit", "tune.stick-counters", "tune.listener.default-shards"),
    ...from("2.8", "global", "ssl-default-bind-sigalgs", "ssl-default-bind-client-sigalgs"),
    ...from("2.8", "global", "tune.h2.be.initial-window-size", "tune.h2.fe.initial-window-size"),
    { section: "proxy", keyword: "compression algo-req", since: "2.8", instead: "compression algo" },
    { section: "proxy", keyword: "compression algo-res", since: "2.8", instead: "compression algo" },
    ...from("2.8", "proxy", "compression direction"),
    ...from("2.8", "bind", "sigalgs", "client-sigalgs"),
    ...from("2.8", "rule", "sc-add-gpc"),
    ...from("2.8", "sample", "rfc7239_field", "rfc7239_is_valid", "req.cook_names", "res.cook_names", "ssl_c_r_dn"),
    ...from("2.9", "global", "setcap", "ssl-default-server-curves", "ssl-default-server-sigalgs"),
    ...from("2.9", "server", "set-proxy-v2-tlv-fmt", "curves", "sigalgs", "client-sigalgs"),
    ...from("2.9", "bind", "nbconn"),
    ...from("2.9", "rule", "attach-srv"),
    ...from("2.9", "sample", "fc_pp_tlv"),
    ...from("2.9", "global", "tune.h2.fe.max-concurrent-streams", "tune.h2.be.max-concurrent-streams", "prealloc-fd"),
    ...from("3.0", "section", "crt-store"),
    ...from("3.0", "global", "stats-file", "key-base", "http-err-codes", "http-fail-codes"),
    ...from("3.0", "global", "tune.h2.fe.glitches-threshold", "tune.h2.be.glitches-threshold"),
    ...from("3.0", "global", "ssl-security-level", "tune.ring.queues", "ocsp-update.mode"),
    ...from("3.0", "server", "pool-conn-name"),
    ...from("3.0", "proxy", "guid"),
    ...from("3.0", "bind", "guid-prefix", "default-crt"),
    ...from("3.0", "server", "guid", "hash-key"),
    ...from("3.0", "rule", "set-fc-mark", "set-fc-tos", "set-bc-mark", "set-bc-tos"),
    ...from("3.0", "sample", "map_str_key", "map_beg_key", "sc_glitch_cnt", "table_glitch_cnt", "aes_gcm_enc"),
    ...from("3.1", "section", "log-profile", "traces"),
    ...from("3.1", "proxy", "log-steps"),
    ...from("3.1", "server", "init-state"),
    ...from("3.1", "rule", "set-retries", "do-log"),
    ...from("3.2", "server", "strict-maxconn", "check-reuse-pool"),
    ...from("3.2", "rule", "pause"),
    ..."reqadd reqdel reqidel reqrep reqirep reqdeny reqideny reqallow reqiallow reqpass reqipass reqtarpit reqitarpit"
        .split(" ")
        .map((keyword) => gone("2.1", "proxy", keyword, "http-request rules")),
    ..."rspadd rspdel rspidel rsprep rspirep rspdeny rspideny"
        .split(" ")
        .map((keyword) => gone("2.1", "proxy", keyword, "http-response rules")),
    gone("2.1", "proxy", "block", "http-request deny"),
    gone("2.1", "proxy", "clitimeout", "timeouts.client"),
    gone("2.1", "proxy", "contimeout", "timeouts.connect"),
    gone("2.1", "proxy", "srvtimeout", "timeouts.server"),
    gone("2.3", "proxy", "option forceclose", "option httpclose, or nothing"),
    gone("2.3", "proxy", "option http-tunnel", "nothing in its place"),
    gone("2.3", "proxy", "option http-use-htx", "nothing in its place"),
    gone("2.5", "proxy", "grace", "hard-stop-after"),
    gone("2.5", "proxy", "option http_proxy", "http-request do-resolve and set-dst"),
    gone("2.5", "global", "nbproc", "nbthread, or nothing: threads are on by default"),
    gone("2.7", "proxy", "bind-process", "the parameter thread of bind"),
    gone("2.7", "bind", "process", "thread"),
];

function from(since: string, section: Section, ...names: string[]): Keyword[] {
    return names.map((keyword) => ({ section, keyword, since }));
}

function gone(until: string, section: Section, keyword: string, instead: string): Keyword {
    return { section, keyword, until, instead };
}
