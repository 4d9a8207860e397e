import type { HaproxyConfig } from "../model";
import { allProxies, type PlacedProxy } from "../model/lookup";
import { expressionsIn, stringsIn } from "../model/strings";
import { atLeast } from "../model/versions";
import { templateNames } from "../render/servers";
import { declared } from "./conditions";
import { type IssueList, show } from "./issues";

type Kind =
    | "backend"
    | "frontend"
    | "server"
    | "userlist"
    | "table"
    | "cache"
    | "resolvers"
    | "peers"
    | "mailers"
    | "defaults"
    | "http-errors";

/** Where texts name sections (sections 4.2 and 7.3). Samples of which the table is not the last argument are left out. */
const mentions: readonly (readonly [Kind, RegExp])[] = [
    ["backend", /\b(?:nbsrv|be_conn|be_conn_free|be_sess_rate|connslots|avg_queue|queue)\(([^),\s]+)\)/g],
    ["frontend", /\bfe_(?:conn|req_rate|sess_rate)\(([^),\s]+)\)/g],
    ["server", /\bsrv_(?:is_up|conn|conn_free|queue|sess_rate|weight|iweight|uweight)\(([^),\s]+)\)/g],
    ["userlist", /\bhttp_auth(?:_group)?\(([^),\s]+)\)/g],
    ["table", /\bsc_(?!get_gp|gpc|set_gpt)[a-z0-9_]+\(\d+,([^),\s]+)\)/g],
    ["table", /\b(?:sc[012]|src)_(?!get_gpc\(|get_gpt\(|gpc_rate|is_local)[a-z0-9_]+\(([^),\s]+)\)/g],
    ["table", /\b(?:table_(?!gp[ct]\(|gpc_rate\()[a-z0-9_]+|in_table)\(([^),\s]+)\)/g],
    ["table", /\btrack-sc\d\s+\S+\s+table\s+(\S+)/g],
    ["table", /^\s*stick\s.*\stable\s+(\S+)/g],
    ["cache", /^\s*(?:http-(?:request|response)\s+)?cache-(?:use|store)\s+(\S+)/g],
    ["resolvers", /\bdo-resolve\([^,)]+,([^,)]+)/g],
    ["resolvers", /^\s*(?:default-)?server(?:-template)?\s.*\sresolvers\s+(\S+)/g],
    ["mailers", /^\s*email-alert\s+mailers\s+(\S+)/g],
];

/** What goes by the table of its own section, as it names no other. */
const ownTable = [
    /\btrack-sc\d\s+\S+(?!.*\stable\s)/,
    /^\s*stick\s+(?:on|match|store-request|store-response)\s(?!.*\stable\s)/,
    /(?:^|\{ +|^\s*acl\s+\S+\s+)src_(?:bytes|clr|conn|get|http|inc|kbytes|sess|updt)_[a-z0-9_]+\s/,
];

/** Every section that is named exists. */
export function references(config: HaproxyConfig, issues: IssueList): void {
    const proxies = allProxies(config);
    const known: Record<Kind, Set<string>> = {
        backend: new Set(proxies.filter(({ section }) => section !== "frontend").map(({ proxy }) => proxy.name)),
        frontend: new Set([
            ...proxies.filter(({ section }) => section !== "backend").map(({ proxy }) => proxy.name),
            ...(config.stats ? ["stats"] : []),
        ]),
        server: new Set(proxies.flatMap(serverNames)),
        userlist: names(config.userlists),
        table: new Set([...proxies.filter(hasTable).map(({ proxy }) => proxy.name), ...rawTables(config)]),
        cache: names(config.caches),
        resolvers: names(config.resolvers),
        peers: names(config.peers),
        mailers: names(config.mailers),
        defaults: names(config.namedDefaults),
        "http-errors": names(config.httpErrors),
    };
    // From 2.6 HAProxy has resolvers of that name by itself.
    if (atLeast(config.version, "2.6")) {
        known.resolvers.add("default");
    }
    const named = (kind: Kind, name: string | undefined, path: string, where: string) => {
        if (name !== undefined && !known[kind].has(name)) {
            issues.error(path, `unknown ${kind} ${show(name)} in ${where}: ${declared(known[kind], kind)}`);
        }
    };
    const alerts = stringsIn([config.defaults, config.namedDefaults, proxies.map(({ proxy }) => proxy.raw)], "");
    config.mailers?.forEach(({ name }, i) => {
        if (!alerts.some(({ text }) => text.trim().split(/\s+/).join(" ") === `email-alert mailers ${name}`)) {
            issues.error(
                `mailers.${i}.name`,
                `mailers ${name} of which nobody makes use, so that HAProxy warns: say "email-alert mailers ${name}" in a raw line, or remove it`,
            );
        }
    });
    for (const { section, proxy, path } of proxies) {
        const where = `${section} ${proxy.name}`;
        const { servers = [], serverTemplates = [], defaultServer, ...rest } = proxy;
        for (const found of expressionsIn(rest, path)) {
            for (const [kind, pattern] of mentions) {
                for (const [, name] of found.text.matchAll(pattern)) {
                    const own = kind === "server" && name !== undefined && !name.includes("/");
                    named(kind, own ? `${proxy.name}/${name}` : name, found.path, where);
                }
            }
            if (ownTable.some((pattern) => pattern.test(found.text))) {
                named("table", proxy.name, found.path, where);
            }
        }
        named("defaults", proxy.from, `${path}.from`, where);
        named("http-errors", proxy.errorfiles, `${path}.errorfiles`, where);
        named("peers", proxy.stickTable?.peers, `${path}.stickTable.peers`, where);
        named("resolvers", defaultServer?.resolvers, `${path}.defaultServer.resolvers`, where);
        servers.forEach((server, i) => {
            named("resolvers", server.resolvers, `${path}.servers.${i}.resolvers`, `server ${server.name} of ${where}`);
        });
        serverTemplates.forEach((template, i) => {
            named("resolvers", template.resolvers, `${path}.serverTemplates.${i}.resolvers`, where);
        });
        for (const list of ["tcpRequestRules", "httpRequestRules", "httpResponseRules", "stickRules"] as const) {
            (proxy[list] ?? []).forEach((rule, i) => {
                if (typeof rule === "string") {
                    return;
                }
                const own = "action" in rule ? rule.action === "track-sc" : "rule" in rule;
                if ("table" in rule || own) {
                    const table = ("table" in rule ? rule.table : undefined) ?? proxy.name;
                    named("table", table, `${path}.${list}.${i}.table`, where);
                }
                if ("cache" in rule) {
                    named("cache", rule.cache, `${path}.${list}.${i}.cache`, where);
                }
            });
        }
    }
}

function names(sections: readonly { readonly name: string }[] | undefined): Set<string> {
    return new Set(sections?.map(({ name }) => name));
}

/** `backend/server`, as samples call it. */
function serverNames({ proxy }: PlacedProxy): string[] {
    const { servers = [], serverTemplates = [], raw = [] } = proxy;
    const names = [
        ...servers.map(({ name }) => name),
        ...raw.flatMap((line) => /^\s*server\s+(\S+)/.exec(line)?.[1] ?? []),
        ...[...serverTemplates, ...raw.flatMap(rawTemplate)].flatMap(templateNames),
    ];
    return names.map((name) => `${proxy.name}/${name}`);
}

function rawTemplate(line: string): { readonly prefix: string; readonly count: number }[] {
    const [, prefix, count] = /^\s*server-template\s+(\S+)\s+(?:\d+-)?(\d+)\s/.exec(line) ?? [];
    return prefix === undefined ? [] : [{ prefix, count: Number(count) }];
}

function hasTable({ proxy }: PlacedProxy): boolean {
    return proxy.stickTable !== undefined || (proxy.raw ?? []).some((line) => /^\s*stick-table\s/.test(line));
}

/** Tables of peers sections: `peers/name`. */
function rawTables({ peers = [] }: HaproxyConfig): string[] {
    return peers.flatMap(({ name, raw = [] }) =>
        raw.flatMap((line) => {
            const table = /^\s*table\s+(\S+)/.exec(line)?.[1];
            return table === undefined ? [] : [`${name}/${table}`];
        }),
    );
}
