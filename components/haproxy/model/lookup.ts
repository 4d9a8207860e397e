import type { Defaults, HaproxyConfig } from "./config";
import type { Backend, Frontend, Listen, Mode, ProxySection } from "./proxies";

/** The proxy sections as one kind: what a section of its kind does not have is undefined. */
export type AnyProxy = ProxySection & Partial<Frontend> & Partial<Backend>;

/** A proxy section, its keyword and its place in the model. */
export interface PlacedProxy {
    readonly section: "frontend" | "backend" | "listen";
    readonly path: string;
    readonly proxy: AnyProxy;
}

/** All proxy sections, in the order of the file. */
export function allProxies({ frontends, backends, listens = [] }: HaproxyConfig): PlacedProxy[] {
    const placed = (section: PlacedProxy["section"], list: readonly (Frontend | Backend | Listen)[]) =>
        list.map((proxy, i): PlacedProxy => ({ section, path: `${section}s.${i}`, proxy }));
    return [...placed("frontend", frontends), ...placed("backend", backends), ...placed("listen", listens)];
}

/** The mode of a section once its defaults are counted in. */
export function modeOf({ mode, from }: { readonly mode?: Mode; readonly from?: string }, config: HaproxyConfig): Mode {
    return mode ?? defaultsOf(from, config)?.mode ?? "http";
}

/** The `defaults` that a section says it is from. */
export function defaultsOf(from: string | undefined, config: HaproxyConfig): Defaults | undefined {
    return from === undefined ? config.defaults : config.namedDefaults?.find(({ name }) => name === from);
}
