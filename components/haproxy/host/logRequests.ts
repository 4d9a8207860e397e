import type { Bind, HaproxyConfig } from "../model";
import { canonical } from "../model/addresses";
import { type AnyProxy, allProxies, defaultsOf, hasLine, modeOf } from "../model/lookup";
import type { OptionName } from "../model/options";
import { listeners } from "./requirements";

/** A request of the host itself to a listener of HAProxy, of which HAProxy writes a log line. */
export interface LogRequest {
    /** An IP address of the host; `*` or `::` for every address. */
    readonly address: string;
    /** 1 to 65535. */
    readonly port: number;
    /**
     * `http`: a plain HTTP request, whose path is in the line. `tcp`: data that are not TLS, for TLS and other protocols; the client's
     * address and port are in the line. HAProxy logs nothing of a connection without data.
     */
    readonly ask: "http" | "tcp";
}

const most = 5;

/**
 * Finds up to five such requests, plain HTTP first, and of these the listeners on all addresses. Left out are the statistics page
 * and the metrics, which log nothing, sections that may not log a request, and binds that the host itself cannot use.
 */
export function logRequests(config: HaproxyConfig): LogRequest[] {
    const found = allProxies(config)
        .filter(({ proxy }) => logsRequests(proxy, config))
        .flatMap(({ proxy }) => {
            const mode = modeOf(proxy, config);
            return (proxy.binds ?? []).filter(isOpen).flatMap((bind) =>
                listeners(bind, mode)
                    .filter((listener) => listener.interface === undefined && !listener.transparent)
                    .map(({ address, port, mode: ask }) => ({
                        listener: { address: reached(address), port, ask },
                        // Data that is not TLS ends a handshake; in mode tcp it may reach a server.
                        rank: (ask === "http" ? 0 : mode === "http" ? 2 : 4) + (wildcards.has(address) ? 0 : 1),
                    })),
            );
        });
    return found
        .sort((a, b) => a.rank - b.rank)
        .slice(0, most)
        .map(({ listener }) => listener);
}

const wildcards = new Map([
    ["*", "127.0.0.1"],
    ["0.0.0.0", "127.0.0.1"],
    ["::", "::1"],
]);

function reached(address: string): string {
    return wildcards.get(address) ?? canonical(address);
}

/** Whether connections need no proxy protocol, and reach the bind from the host's own network. */
function isOpen({ acceptProxy, raw = "" }: Bind): boolean {
    return !acceptProxy && !/(^|\s)(accept-|namespace\s)/.test(raw);
}

/** Rules and lines by which a connection or a request may leave no line. */
const silencing = /\b(set-log-level|monitor-net|silent-drop|(connection|session) (reject|expect-proxy))\b/;
/** What a `log-format` needs, so that a line shows the path of its request, or the client's port. */
const needed = {
    http: /%(\{[^}]*\})?(r|HU|HP|HPO)\b|\b(path|pathq|url|base|capture\.req\.uri)\b/,
    tcp: /%(\{[^}]*\})?cp\b|\bsrc_port\b/,
};

/** Whether rules or lines of a section may leave no line. */
function isSilencing(section: Partial<AnyProxy>): boolean {
    const { raw = [], httpRequestRules = [], httpResponseRules = [], httpAfterResponseRules = [] } = section;
    const rules = [...raw, ...httpRequestRules, ...httpResponseRules, ...httpAfterResponseRules];
    return (
        rules.some((rule) => typeof rule === "string" && silencing.test(rule)) ||
        (section.tcpRequestRules ?? []).some((rule) =>
            typeof rule === "string"
                ? silencing.test(rule)
                : rule.at !== "content" && (rule.action === "reject" || rule.action === "expect-proxy"),
        )
    );
}

/** Whether the log targets of `global` get a line of each request, by which it can be known. */
function logsRequests(proxy: AnyProxy, config: HaproxyConfig): boolean {
    const defaults = defaultsOf(proxy.from, config) ?? {};
    const lines = ["log global", ...(defaults.raw ?? []), ...(proxy.raw ?? [])];
    const valid = lines.slice(lines.map((line) => hasLine([line], "no log")).lastIndexOf(true) + 1);
    const format = lines.filter((line) => hasLine([line], "log-format")).at(-1);
    const mode = modeOf(proxy, config);
    const option = (name: OptionName) => optionOf(proxy, name) ?? optionOf(defaults, name);
    const byOption = option("httplog") || option("httpslog") || !(option("httplog") === false || option("tcplog"));
    return (
        hasLine(valid, "log global") &&
        !hasLine(lines, "disabled") &&
        !option("dontlog-normal") &&
        ![proxy, defaults, ...config.backends].some(isSilencing) &&
        (format === undefined ? mode === "tcp" || byOption : needed[mode].test(format))
    );
}

/** Whether a section turns an option on or off; raw lines come last. */
function optionOf(
    { options = {}, raw = [] }: Pick<AnyProxy, "options" | "raw">,
    name: OptionName,
): boolean | undefined {
    const line = raw.filter((each) => hasLine([each], `option ${name}`) || hasLine([each], `no option ${name}`)).at(-1);
    const declares = line === undefined ? options[name] : !hasLine([line], `no option ${name}`);
    return declares === undefined ? undefined : declares !== false;
}
