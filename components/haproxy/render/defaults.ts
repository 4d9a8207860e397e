import type { View } from "../../templates";
import type { Defaults, HaproxyConfig, Mode, NamedDefaults, Options, Timeouts } from "../model";
import { defaultTimeouts, httpIdle, httpTunnel, proxyDefaults } from "../model/defaults";
import { milliseconds } from "../model/durations";
import {
    type AnyProxy,
    allProxies,
    defaultsOf,
    hasLine,
    keepsServerStates,
    modeOf,
    type PlacedProxy,
} from "../model/lookup";
import { given } from "../model/strings";
import { atLeast, releaseOf } from "../model/versions";
import { from } from "./lineIndex";
import { optional, optionLines, timeoutKeyword } from "./lines";
import { fragment, word } from "./quoting";
import { rawLinesInOrder } from "./rawLines";

// What sections have by default. It never replaces what is declared.

/** The sections `defaults`, the one without a name last. */
export function defaultsViews(config: HaproxyConfig): View[] {
    const named = (config.namedDefaults ?? []).flatMap((defaults, i) => {
        const path = `namedDefaults[${i}]`;
        const shared = isShared(defaults.name, config);
        const own = view(defaults, path, config);
        return [own, ...(shared ? [{ ...own, name: optional(path, backendDefaults(defaults.name)) }] : [])];
    });
    return [...named, view(config.defaults ?? {}, "defaults", config)];
}

/** HAProxy refuses `defaults` with rules that both frontends and backends use, so backends get a copy. */
function isShared(name: string, config: HaproxyConfig): boolean {
    const rules = /^\s*(tcp|http)-(request|response|after-response)\s/;
    const { frontends, backends } = config;
    return (
        [frontends, backends].every((proxies) => proxies.some(({ from }) => from === name)) &&
        (defaultsOf(name, config)?.raw ?? []).some((line) => rules.test(line))
    );
}

function backendDefaults(name: string): string {
    return `${name}:backends`;
}

/** The name of the `defaults` that a section is from. */
export function defaultsName(
    { section, proxy: { from: name } }: PlacedProxy,
    config: HaproxyConfig,
): string | undefined {
    return name !== undefined && section === "backend" && isShared(name, config) ? backendDefaults(name) : name;
}

function view(defaults: Defaults | NamedDefaults, path: string, config: HaproxyConfig): View {
    const name = "name" in defaults ? defaults.name : undefined;
    const { mode = proxyDefaults.mode, balance = proxyDefaults.balance, retries = proxyDefaults.retries } = defaults;
    return {
        name: optional(path, name),
        mode: from(`${path}.mode`, word(mode)),
        options: optionLines(`${path}.options`, { ...proxyDefaults.options, ...defaults.options }, () => []),
        balance: balanceInDefaults(name, config) ? [from(`${path}.balance`, fragment(balance))] : [],
        retries: from(`${path}.retries`, retries),
        serverStates: keepsServerStates(config) ? [from("global.serverStates", "global")] : [],
        ...timeoutsView(`${path}.timeouts`, timeoutsOf(defaults)),
        raw: rawLinesInOrder(defaults.raw, `${path}.raw`),
    };
}

function timeoutsView(path: string, timeouts: Timeouts): View {
    const always = ["connect", "client", "server", "httpRequest", "httpKeepAlive", "queue", "check"] as const;
    const optionally = ["tunnel", "clientFin", "serverFin", "tarpit"] as const;
    return Object.fromEntries([
        ...always.map((name) => [name, from(`${path}.${name}`, word(timeouts[name] as string))]),
        ...optionally.map((name) => [name, optional(`${path}.${name}`, timeouts[name])]),
    ]);
}

/** `timeout` lines without the keyword. */
export function timeoutLines(path: string, timeouts: Timeouts = {}): string[] {
    return Object.entries(given(timeouts)).map(([name, duration]) =>
        from(`${path}.${name}`, `${timeoutKeyword(name)} ${word(duration as string)}`),
    );
}

function timeoutsOf({ mode = proxyDefaults.mode, timeouts = {} }: Defaults): Timeouts {
    const { client, server, tunnel, httpKeepAlive } = timeouts;
    const all = { ...defaultTimeouts(mode), ...given(timeouts) };
    return {
        ...all,
        ...(httpKeepAlive === undefined && { httpKeepAlive: shorter(all.httpKeepAlive as string, client) }),
        ...(tunnel === undefined && all.tunnel !== undefined && { tunnel: longest(all.tunnel, client, server) }),
    };
}

function shorter(ours: string, declared = ours): string {
    return (milliseconds(declared) ?? Infinity) < (milliseconds(ours) ?? 0) ? declared : ours;
}

function longest(...durations: readonly (string | undefined)[]): string {
    const length = (duration = "0") => milliseconds(duration) ?? 0;
    return durations.reduce<string>(
        (a, b) => (b !== undefined && length(b) > length(a) ? b : a),
        durations[0] as string,
    );
}

/** The timeouts of a proxy: those declared, and others for ours in its `defaults` that would replace a declared one. */
export function proxyTimeouts(placed: PlacedProxy, config: HaproxyConfig): Timeouts {
    return { ...ownKeepAlive(placed, config), ...ownTunnel(placed, config) };
}

/** From 2.8 on, HAProxy closes an idle client after `http-keep-alive` even if its `client` is shorter. */
function ownKeepAlive({ section, proxy }: PlacedProxy, config: HaproxyConfig): Timeouts {
    const { timeouts = {} } = proxy;
    const defaults = defaultsOf(proxy.from, config) ?? {};
    if (
        section === "backend" ||
        modeOf(proxy, config) === "tcp" ||
        (timeouts.httpKeepAlive ?? defaults.timeouts?.httpKeepAlive) !== undefined ||
        hasLine(defaults.raw, "timeout http-keep-alive")
    ) {
        return {};
    }
    const httpKeepAlive = shorter(httpIdle, timeouts.client ?? defaults.timeouts?.client);
    return httpKeepAlive === timeoutsOf(defaults).httpKeepAlive ? {} : { httpKeepAlive };
}

function ownTunnel({ section, proxy }: PlacedProxy, config: HaproxyConfig): Timeouts {
    const { timeouts = {} } = proxy;
    const defaults = defaultsOf(proxy.from, config) ?? {};
    const inherited = timeoutsOf(defaults).tunnel;
    const declared = timeouts.tunnel ?? defaults.timeouts?.tunnel;
    if (
        section === "frontend" ||
        inherited === undefined ||
        declared !== undefined ||
        hasLine(defaults.raw, "timeout tunnel")
    ) {
        return timeouts;
    }
    if (modeOf(proxy, config) === "tcp") {
        return { ...timeouts, tunnel: "0" };
    }
    const tunnel = longest(httpTunnel, inherited, timeouts.client, timeouts.server);
    return tunnel === inherited ? timeouts : { ...timeouts, tunnel };
}

/** Whether a backend must not have `balance`, not even from its `defaults`, because HAProxy refuses it or ignores the other setting. */
function unbalanced({ proxy }: PlacedProxy, config: HaproxyConfig): boolean {
    const defaults = defaultsOf(proxy.from, config) ?? {};
    const transparent = proxy.options?.transparent ?? defaults.options?.transparent;
    const sayTransparent = [proxy.raw, defaults.raw].some((raw) => hasLine(raw, "option transparent"));
    return Boolean(transparent) || sayTransparent || hasLine(proxy.raw, "dispatch");
}

const unbalancedOf = new WeakMap<HaproxyConfig, Set<string | undefined>>();

/** Whether these `defaults` have `balance`: not if a section that uses them must not have it. */
function balanceInDefaults(name: string | undefined, config: HaproxyConfig): boolean {
    let found = unbalancedOf.get(config);
    if (!found) {
        const proxies = allProxies(config).filter(
            (placed) => placed.section !== "frontend" && unbalanced(placed, config),
        );
        found = new Set(proxies.map(({ proxy }) => proxy.from));
        unbalancedOf.set(config, found);
    }
    return !found.has(name);
}

/** The `balance` of a backend: its own, or that of its `defaults` if it is not rendered there. */
export function balanceOf(placed: PlacedProxy, config: HaproxyConfig): string | undefined {
    const { section, proxy } = placed;
    return proxy.balance !== undefined ||
        section === "frontend" ||
        balanceInDefaults(proxy.from, config) ||
        unbalanced(placed, config)
        ? proxy.balance
        : (defaultsOf(proxy.from, config)?.balance ?? proxyDefaults.balance);
}

/** Options of a frontend or listen section by default. */
export function frontendOptions(proxy: AnyProxy, config: HaproxyConfig): Options {
    const defaults = defaultsOf(proxy.from, config) ?? {};
    const mode = modeOf(proxy, config);
    const idleClose = "idle-close-on-response";
    const closes = mode === "http" && atLeast(releaseOf(config), "2.6") && !declares(defaults, idleClose);
    return {
        ...(logs(proxy, defaults, config) &&
            !hasFormat(proxy, defaults, mode) && { [mode === "http" ? "httplog" : "tcplog"]: true }),
        ...(closes && { [idleClose]: true }),
    };
}

/** The lines that turn an option off. None if nothing but our default would turn it on, because HAProxy cannot negate every option. */
export function optionOff(
    name: string,
    own: Options,
    { from: defaultsName }: AnyProxy,
    config: HaproxyConfig,
): string[] {
    const isFormat = [...formats.http, ...formats.tcp].some((format) => format === name);
    const declared = declares(defaultsOf(defaultsName, config) ?? {}, name as keyof Options);
    return name in own || (isFormat && !declared) ? [] : [`no option ${word(name)}`];
}

function declares({ options = {}, raw }: Pick<AnyProxy, "options" | "raw">, option: keyof Options): boolean {
    return options[option] !== undefined || hasLine(raw, `option ${option}`) || hasLine(raw, `no option ${option}`);
}

/** HAProxy warns about a log format in a section that logs nothing. */
function logs({ raw = [] }: AnyProxy, defaults: Defaults, { global = {} }: HaproxyConfig): boolean {
    const lines = ["log global", ...(defaults.raw ?? []), ...raw];
    const valid = lines.slice(lines.map((line) => hasLine([line], "no log")).lastIndexOf(true) + 1);
    const globally = global.log?.length !== 0 || hasLine(global.raw, "log");
    return valid.some((line) => hasLine([line], "log") && (globally || !hasLine([line], "log global")));
}

const formats = { http: ["httplog", "httpslog"], tcp: ["tcplog"] } as const;

/** Whether the section or its `defaults` declare a log format for this mode. */
function hasFormat(proxy: AnyProxy, defaults: Defaults, mode: Mode): boolean {
    const options = mode === "http" ? [...formats.http, ...formats.tcp] : formats.tcp;
    return [proxy, defaults].some(
        (section) =>
            hasLine(section.raw, "log-format") ||
            options.some((option) => Boolean(section.options?.[option]) || hasLine(section.raw, `option ${option}`)),
    );
}
