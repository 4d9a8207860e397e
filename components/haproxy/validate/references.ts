import type { HaproxyConfig } from "../model";
import { mapPath } from "../model/files";
import { type AnyProxy, modeOf, type PlacedProxy } from "../model/lookup";
import { atLeast, releaseOf } from "../model/versions";
import { declared, type IssueList, show } from "./issues";

type Kind = "backend" | "table" | "cache" | "resolvers" | "peers" | "defaults" | "http-errors";

/** Raw lines can begin sections too. */
const rawSection = /^\s*(backend|listen|cache|resolvers|peers|defaults|http-errors)\s+(\S+)/;

/**
 * Checks fields that name sections. HAProxy also refuses unknown names, but does not list the declared ones, and it never sees the
 * backends that a map names.
 */
export function referenceIssues(proxies: readonly PlacedProxy[], config: HaproxyConfig, issues: IssueList): void {
    const known = declaredNames(proxies, config);
    const named = (kind: Kind, name: string | undefined, path: string) => {
        if (name !== undefined && !known[kind].has(name)) {
            issues.error(
                "unknown-reference",
                path,
                `${kind} ${show(name)}: not declared; ${declared(known[kind], kind)}`,
            );
        }
    };
    config.health?.needs?.forEach((name, i) => {
        named("backend", name, `health.needs.${i}`);
    });
    for (const { proxy, path } of proxies) {
        const { servers = [], serverTemplates = [], defaultServer, useBackends = [], defaultBackend } = proxy;
        named("defaults", proxy.from, `${path}.from`);
        named("http-errors", proxy.errorfiles, `${path}.errorfiles`);
        named("peers", proxy.stickTable?.peers, `${path}.stickTable.peers`);
        named("resolvers", defaultServer?.resolvers, `${path}.defaultServer.resolvers`);
        for (const [list, options] of Object.entries({ servers, serverTemplates })) {
            options.forEach(({ resolvers }, i) => {
                named("resolvers", resolvers, `${path}.${list}.${i}.resolvers`);
            });
        }
        named("backend", defaultBackend, `${path}.defaultBackend`);
        useBackends.forEach(({ backend }, i) => {
            const namedAt = `${path}.useBackends.${i}.backend`;
            if (!backend.includes("%[")) {
                named("backend", backend, namedAt);
            }
            for (const name of mappedNames(backend, config)) {
                named("backend", name, namedAt);
                mappedMode(name, proxy, namedAt, config, issues);
            }
        });
        for (const list of ["tcpRequestRules", "httpRequestRules", "httpResponseRules", "stickRules"] as const) {
            (proxy[list] ?? []).forEach((rule, i) => {
                if (typeof rule === "string") {
                    return;
                }
                if ("rule" in rule || rule.action === "track-sc") {
                    named("table", rule.table ?? proxy.name, `${path}.${list}.${i}.table`);
                } else if ("cache" in rule) {
                    named("cache", rule.cache, `${path}.${list}.${i}.cache`);
                }
            });
        }
    }
}

function declaredNames(proxies: readonly PlacedProxy[], config: HaproxyConfig): Record<Kind, Set<string>> {
    const { global, defaults, namedDefaults = [], peers = [], resolvers = [] } = config;
    const raw = [global, defaults, ...namedDefaults, ...peers, ...resolvers, ...proxies.map(({ proxy }) => proxy)]
        .flatMap((section) => section?.raw ?? [])
        .map((line) => rawSection.exec(line))
        .flatMap((found) =>
            found ? [{ kind: found[1] === "listen" ? "backend" : found[1], name: found[2] ?? "" }] : [],
        );
    const names = (kind: Kind, sections: readonly { readonly name: string }[] = []) =>
        new Set([...sections, ...raw.filter((section) => section.kind === kind)].map(({ name }) => name));
    const tables = proxies.filter(
        ({ proxy }) => proxy.stickTable ?? proxy.raw?.some((line) => /^\s*stick-table\s/.test(line)),
    );
    return {
        backend: names(
            "backend",
            proxies.filter(({ section }) => section !== "frontend").map(({ proxy }) => proxy),
        ),
        // HAProxy finds out whether a raw section has a table.
        table: new Set([
            ...tables.map(({ proxy }) => proxy.name),
            ...rawTables(config),
            ...raw.map(({ name }) => name),
        ]),
        cache: names("cache", config.caches),
        // From 2.6 on, HAProxy declares these itself.
        resolvers: names("resolvers", [
            ...resolvers,
            ...(atLeast(releaseOf(config), "2.6") ? [{ name: "default" }] : []),
        ]),
        peers: names("peers", peers),
        defaults: names("defaults", namedDefaults),
        "http-errors": names("http-errors", config.httpErrors),
    };
}

/** Tables that raw lines of `peers` declare, as `peers/name`. */
function rawTables({ peers = [] }: HaproxyConfig): string[] {
    return peers.flatMap(({ name, raw = [] }) =>
        raw.flatMap((line) => {
            const table = /^\s*table\s+(\S+)/.exec(line)?.[1];
            return table === undefined ? [] : [`${name}/${table}`];
        }),
    );
}

/** The backends that an expression can result in, if its last converter reads a map of the model. */
function mappedNames(expression: string, { maps = [] }: HaproxyConfig): Set<string> {
    const [, file, fallback] = /,map(?:_[a-z]+)*\(([^,)]+)(?:,([^)]+))?\)\]$/.exec(expression) ?? [];
    const entries = maps.find(({ name }) => mapPath(name) === file)?.entries ?? [];
    return new Set([...entries.map(({ value }) => value), fallback].filter((name) => name !== undefined));
}

/** Checks the mode of a backend from a map. HAProxy checks only backends that a line names. */
function mappedMode(name: string, proxy: AnyProxy, path: string, config: HaproxyConfig, issues: IssueList): void {
    const backend = [...config.backends, ...(config.listens ?? [])].find((candidate) => candidate.name === name);
    if (backend && modeOf(proxy, config) === "http" && modeOf(backend, config) === "tcp") {
        issues.error(
            "mode-mismatch",
            path,
            `backend ${name}: has mode tcp, but the map is read in mode http; give both the same mode`,
        );
    }
}
