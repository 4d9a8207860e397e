import { renderTemplate, type View } from "../../templates";
import type { HaproxyConfig, LogTarget, PortBind, StatsSocket } from "../model";
import { defaultTimeouts, globalDefaults } from "../model/defaults";
import { serverStatesFile } from "../model/files";
import { allProxies, keepsServerStates } from "../model/lookup";
import { given } from "../model/strings";
import { atLeast, releaseOf } from "../model/versions";
import { bindText } from "./binds";
import { defaultsViews } from "./defaults";
import { healthView } from "./health";
import { from, fromEach, takeSources } from "./lineIndex";
import { param, words } from "./lines";
import { proxyView } from "./proxies";
import { word } from "./quoting";
import { rawLinesInOrder } from "./rawLines";
import { sectionsView } from "./sections";
import { tlsLines } from "./tls";

/** A rendered haproxy.cfg. */
export interface Rendered {
    /** The whole file, ending with a newline. */
    readonly text: string;
    /** For each line the path in the model that it comes from, such as `backends[0].servers[2]`; undefined if there is none. */
    readonly sources: readonly (string | undefined)[];
}

/**
 * Renders haproxy.cfg; equal models give equal files.
 *
 * @param config A model in which `validate` finds no error.
 * @param proof.digest Identifies the file in the running process: from 2.4 by `get var proc.cfg` on its runtime API, before by the
 * description in `show info`.
 */
export function render(config: HaproxyConfig, proof: { readonly digest: string }): Rendered {
    return takeSources(
        renderTemplate("haproxy.cfg.mustache", {
            global: globalView(config, proof.digest),
            ...sectionsView(config),
            defaults: defaultsViews(config),
            proxies: allProxies(config).map((placed) => proxyView(placed, config)),
            stats: statsView(config),
            metrics: metricsView(config),
            health: healthView(config, (health) => nameBeside("health", health, config)),
        }),
    );
}

function globalView(config: HaproxyConfig, digest: string): View {
    const { global = {} } = config;
    const version = releaseOf(config);
    const settings = { ...globalDefaults, ...given(global) };
    const setting = (name: Exclude<keyof typeof settings, "log" | "statsSockets" | "serverStates" | "tls" | "raw">) =>
        from(`global.${name}`, word(`${settings[name]}`));
    return {
        log: fromEach("global.log", settings.log, logTarget),
        chroot: setting("chroot"),
        user: setting("user"),
        group: setting("group"),
        statsSockets: fromEach("global.statsSockets", settings.statsSockets, (socket) => statsSocket(socket, version)),
        statsTimeout: setting("statsTimeout"),
        maxconn: setting("maxconn"),
        hardStopAfter: setting("hardStopAfter"),
        mworkerMaxReloads: setting("mworkerMaxReloads"),
        serverStates: keepsServerStates(config) ? [from("global.serverStates", word(serverStatesFile))] : [],
        tls: tlsLines(config),
        digestInVariable: atLeast(version, "2.4"),
        digest,
        raw: rawLinesInOrder(settings.raw, "global.raw"),
    };
}

function logTarget({ address, length, format, facility = "local0", level }: LogTarget): string {
    return [word(address), ...param("len", length), ...param("format", format), words([facility, level])].join(" ");
}

function statsSocket({ path, mode = "600", level = "admin", user, group }: StatsSocket, version: string): string {
    const owner = [...(user ? ["user", user] : []), ...(group ? ["group", group] : [])];
    // Below 2.6 a reload takes the listeners over this socket; from 2.6 the master keeps them itself.
    const handOver = atLeast(version, "2.6") ? [] : ["expose-fd", "listeners"];
    return words([path, "mode", mode, ...owner, "level", level, ...handOver]);
}

function statsView(config: HaproxyConfig): View[] {
    const { stats } = config;
    if (!stats) {
        return [];
    }
    return [
        {
            ...ownTimeouts(config),
            name: from("stats", nameBeside("stats", stats.bind, config)),
            bind: from("stats.bind", bindText(stats.bind, "http", config)),
            uri: from("stats.uri", word(stats.uri ?? "/stats")),
            refresh: from("stats.refresh", word(stats.refresh ?? "10s")),
            auth: fromEach("stats.auth", stats.auth, ({ user, password }) => `${word(user)}:${word(password)}`),
        },
    ];
}

function metricsView(config: HaproxyConfig): View[] {
    const { metrics } = config;
    if (!metrics) {
        return [];
    }
    return [
        {
            ...ownTimeouts(config),
            name: from("metrics", nameBeside("metrics", metrics.bind, config)),
            bind: from("metrics.bind", bindText(metrics.bind, "http", config)),
            uri: from("metrics.uri", word(metrics.uri ?? "/metrics")),
        },
    ];
}

/** The timeouts of a frontend that has `defaults` of its own. */
function ownTimeouts({ defaults }: HaproxyConfig): View {
    const timeouts = { ...defaultTimeouts("http"), ...given(defaults?.timeouts ?? {}) };
    const names = ["connect", "client", "server", "httpRequest"] as const;
    return Object.fromEntries(
        names.map((name) => [name, from(`defaults.timeouts.${name}`, word(timeouts[name] as string))]),
    );
}

/** HAProxy refuses two frontends of one name, and from 3.2 on it warns about a frontend and a backend of one. */
function nameBeside(name: string, { port }: Pick<PortBind, "port">, config: HaproxyConfig): string {
    return allProxies(config).some(({ proxy }) => proxy.name === name) ? `${name}:${port}` : name;
}
