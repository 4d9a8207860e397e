import { renderTemplate, type View } from "../../templates";
import type { Defaults, Global, HaproxyConfig, NamedDefaults, StatsSocket } from "../model";
import { allProxies } from "../model/lookup";
import { atLeast } from "../model/versions";
import { bindText } from "./binds";
import { given, optional, optionLines, words } from "./lines";
import { proxyView } from "./proxies";
import { asWritten, word } from "./quoting";
import { sectionsView } from "./sections";

/** Values of {@link Global} where the stack names none. */
export const globalDefaults = {
    maxconn: 50_000,
    hardStopAfter: "10m",
    mworkerMaxReloads: 1000,
    chroot: "/var/lib/haproxy",
    user: "haproxy",
    group: "haproxy",
    log: [
        { address: "/dev/log", facility: "local0", level: "info" },
        { address: "/dev/log", facility: "local1", level: "notice" },
    ],
    statsSockets: [{ path: "/run/haproxy/admin.sock" }],
    statsTimeout: "30s",
    raw: [],
} as const satisfies Global;

const timeouts = {
    connect: "5s",
    client: "50s",
    server: "50s",
    httpRequest: "10s",
    httpKeepAlive: "10s",
    queue: "30s",
    check: "5s",
    tunnel: "1h",
};

/**
 * The whole haproxy.cfg, ending with a newline. Two renders of equal models are equal.
 *
 * @param config A model in which `check` found no error.
 * @param proof.digest What the running process answers when it has this file: `get var proc.cfg` on its runtime API from
 * 2.4, the description in `show info` before.
 */
export function render(config: HaproxyConfig, proof: { readonly digest: string }): string {
    return renderTemplate("haproxy.cfg.mustache", {
        global: globalView(config, proof.digest),
        ...sectionsView(config),
        defaults: [...(config.namedDefaults ?? []), config.defaults ?? {}].map(defaultsView),
        proxies: allProxies(config).map((placed) => proxyView(placed, config)),
        stats: statsView(config),
    });
}

function globalView({ global = {}, version }: HaproxyConfig, digest: string): View {
    const settings = { ...globalDefaults, ...given(global) };
    return {
        log: settings.log.map(({ address, facility = "local0", level }) => words([address, facility, level])),
        chroot: word(settings.chroot),
        user: word(settings.user),
        group: word(settings.group),
        statsSockets: settings.statsSockets.map((socket) => statsSocket(socket, version)),
        statsTimeout: settings.statsTimeout,
        maxconn: settings.maxconn,
        hardStopAfter: settings.hardStopAfter,
        mworkerMaxReloads: settings.mworkerMaxReloads,
        digestInVariable: atLeast(version, "2.4"),
        digest,
        raw: settings.raw.map(asWritten),
    };
}

function statsSocket({ path, mode = "600", level = "admin", user, group }: StatsSocket, version: string): string {
    const owner = [...(user ? ["user", user] : []), ...(group ? ["group", group] : [])];
    // Below 2.6 a reload takes the listeners over this socket; from 2.6 the master keeps them itself.
    const handOver = atLeast(version, "2.6") ? [] : ["expose-fd", "listeners"];
    return words([path, "mode", mode, ...owner, "level", level, ...handOver]);
}

function defaultsView(defaults: Defaults | NamedDefaults): View {
    return {
        name: "name" in defaults ? [defaults.name] : [],
        mode: defaults.mode ?? "http",
        options: optionLines({ dontlognull: true, redispatch: true, ...defaults.options }, () => []),
        balance: asWritten(defaults.balance ?? "roundrobin"),
        retries: defaults.retries ?? 3,
        ...timeouts,
        ...given(defaults.timeouts ?? {}),
        clientFin: optional(defaults.timeouts?.clientFin),
        serverFin: optional(defaults.timeouts?.serverFin),
        tarpit: optional(defaults.timeouts?.tarpit),
        raw: (defaults.raw ?? []).map(asWritten),
    };
}

function statsView({ stats, defaults }: HaproxyConfig): View[] {
    if (!stats) {
        return [];
    }
    const { connect, client, server, httpRequest } = { ...timeouts, ...given(defaults?.timeouts ?? {}) };
    return [
        {
            connect,
            client,
            server,
            httpRequest,
            bind: bindText(stats.bind, "http"),
            uri: word(stats.uri ?? "/stats"),
            refresh: stats.refresh ?? "10s",
            auth: (stats.auth ?? []).map(({ user, password }) => ({ user: word(user), password: word(password) })),
        },
    ];
}
