import type { HaproxyConfig, ServerOptions } from "../model";
import { defaultTimeouts } from "../model/defaults";
import { milliseconds } from "../model/durations";
import { type AnyProxy, defaultsOf, isChecked } from "../model/lookup";
import { given } from "../model/strings";

/** Seconds that an up waits at most for the checks of its servers. */
const LONGEST = 300;

/**
 * Seconds in which each checked server of a new worker has been judged by its checks: until then, a server that has just failed counts
 * as up. 5 to 300. For a server that is checked too rarely, only its first check counts, or nothing.
 */
export function gateLimit(config: HaproxyConfig): number {
    const longest = [...config.backends, ...(config.listens ?? [])]
        .flatMap((backend) => judgedAfter(backend, config))
        .reduce((a, b) => Math.max(a, b), 0);
    return Math.min(LONGEST, Math.max(5, Math.ceil(longest / 1000) + 2));
}

/**
 * For each checked server the milliseconds after which it is down at the latest, if it hangs, or up again; or else has been checked once.
 */
function judgedAfter(proxy: AnyProxy, config: HaproxyConfig): number[] {
    const { servers = [], serverTemplates = [], defaultServer = {}, timeouts = {}, raw = [] } = proxy;
    const defaults = defaultsOf(proxy.from, config);
    const inherited = { ...defaultTimeouts("http"), ...given(defaults?.timeouts ?? {}) };
    const [check, connect] = [timeouts.check ?? inherited.check, timeouts.connect ?? inherited.connect].map(
        (duration) => milliseconds(duration as string) ?? 0,
    ) as [number, number];
    const lines = raw.filter((line) => /^\s*(default-server|server|server-template)\s/.test(line));
    const rawDefaults = [...(defaults?.raw ?? []), ...raw].filter((line) => /^\s*default-server\s/.test(line));
    const base = {
        ...Object.assign({}, ...rawDefaults.map((line) => intervalOf({ raw: line }))),
        ...intervalOf(defaultServer),
    };
    const all: ServerOptions[] = [...servers, ...serverTemplates, ...lines.map((line) => ({ raw: line }))];
    return all
        .filter((server) => isChecked(server, defaultServer))
        .map((server) => {
            const { inter = "2s", fall = 3, rise = 2 } = { ...base, ...intervalOf(server) };
            const interval = milliseconds(inter) ?? 0;
            // The next check of a server that does not answer begins one inter after the end of the last.
            const round = interval + Math.max(check, Math.min(interval, connect));
            const times = [Math.max(fall, rise), 1, 0].map((checks) => checks * round);
            return times.find((time) => time <= LONGEST * 1000) ?? 0;
        });
}

/** `inter`, `fall` and `rise`, which raw parameters may set as well. `fastinter` and `downinter` are ignored: they are usually shorter. */
function intervalOf({ inter, fall, rise, raw = "" }: ServerOptions): Pick<ServerOptions, "inter" | "fall" | "rise"> {
    const rawInter = /(?:^|\s)inter\s+(\w+)/.exec(raw)?.[1];
    const count = (keyword: string) => new RegExp(`(?:^|\\s)${keyword}\\s+(\\d+)`).exec(raw)?.[1];
    const [rawFall, rawRise] = [count("fall"), count("rise")];
    return given({
        inter: rawInter ?? inter,
        fall: rawFall === undefined ? fall : Number(rawFall),
        rise: rawRise === undefined ? rise : Number(rawRise),
    });
}
