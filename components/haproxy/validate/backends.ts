import type { HaproxyConfig } from "../model";
import { type AnyProxy, defaultsOf, isChecked, modeOf, type PlacedProxy } from "../model/lookup";
import { textsIn } from "../model/strings";
import type { IssueList } from "./issues";
import { serverGuardIssues } from "./serverGuards";

/** Checks backends for mistakes that show only when requests come, so that HAProxy's checker accepts them. */
export function backendIssues(proxies: readonly PlacedProxy[], config: HaproxyConfig, issues: IssueList): void {
    for (const { section, proxy, path } of proxies) {
        const where = `${section} ${proxy.name}`;
        if (section === "backend" && !serves(proxy)) {
            issues.warning(
                "no-servers",
                `${path}.servers`,
                `${where}: has no servers, so every request gets a 503; add one, unless servers are added while HAProxy runs`,
            );
        }
        if (weightless(proxy)) {
            issues.warning(
                "zero-weights",
                `${path}.servers`,
                `${where}: every server has weight 0, so requests get a 503; give one a weight`,
            );
        }
        if (section !== "frontend") {
            serverGuardIssues(proxy, path, where, issues);
        }
    }
    unusedBackends(proxies, issues);
    balanceBehindProxy(proxies, config, issues);
    connectOnlyChecks(proxies, config, issues);
}

/** Whether a backend has servers, answers without any, or only holds a table. */
function serves(backend: AnyProxy): boolean {
    const { servers, serverTemplates, raw, options = {}, stickTable, errorfiles } = backend;
    const { tcpRequestRules, httpRequestRules, httpResponseRules } = backend;
    const lists: (readonly unknown[] | undefined)[] = [servers, serverTemplates, raw, tcpRequestRules];
    return (
        [...lists, httpRequestRules, httpResponseRules].some((list) => list?.length) ||
        stickTable !== undefined ||
        errorfiles !== undefined ||
        options.transparent === true
    );
}

function weightless({ servers = [], serverTemplates = [], defaultServer, raw = [] }: AnyProxy): boolean {
    const all = [...servers, ...serverTemplates];
    return (
        all.length > 0 &&
        all.every(({ weight = defaultServer?.weight }) => weight === 0) &&
        !raw.some((line) => /^\s*server(-template)?\s/.test(line))
    );
}

/** Finds backends whose name occurs in no rule and no other text. */
function unusedBackends(proxies: readonly PlacedProxy[], issues: IssueList): void {
    const used = new Set<string>();
    let computed = false;
    for (const { proxy } of proxies) {
        const { name: _, servers: __, acls = [], ...rest } = proxy;
        const criteria = acls.map((acl) => ("criterion" in acl ? acl.criterion : ""));
        for (const text of textsIn([rest, criteria])) {
            for (const part of text.split(/[^A-Za-z0-9_.:-]+/)) {
                used.add(part);
            }
        }
        const targets = [...(proxy.useBackends ?? []).map(({ backend }) => backend), ...(proxy.raw ?? [])];
        computed ||= targets.some((text) => text.includes("%["));
    }
    for (const { section, proxy, path } of proxies) {
        if (section === "backend" && !computed && !used.has(proxy.name)) {
            issues.warning(
                "unused-backend",
                `${path}.name`,
                `backend ${proxy.name}: no frontend uses it; use or remove it`,
            );
        }
    }
}

/**
 * Finds `balance source` behind a proxy: if a section reads X-Forwarded-For, there is one, and `src` is its address for every client.
 */
function balanceBehindProxy(proxies: readonly PlacedProxy[], config: HaproxyConfig, issues: IssueList): void {
    const says = (pattern: RegExp) =>
        proxies.find(({ proxy: { servers: _, ...rest } }) => textsIn(rest).some((text) => pattern.test(text)));
    // With set-src, `src` is the client's address again.
    const reader = says(/^(http-request )?set-src\s/) ? undefined : says(/\bhdr(_ip)?\(x-forwarded-for/i);
    for (const { section, proxy, path } of reader ? proxies : []) {
        const balance = proxy.balance ?? defaultsOf(proxy.from, config)?.balance;
        if (section !== "frontend" && balance === "source") {
            issues.warning(
                "balance-behind-proxy",
                `${path}.balance`,
                `balance of ${section} ${proxy.name}: "source" is the address of a proxy, because ${reader?.section} ${reader?.proxy.name} reads X-Forwarded-For; use "hdr(X-Forwarded-For)", or the proxy protocol`,
            );
        }
    }
}

/** Finds backends whose checks only connect, beside others that are checked by HTTP: an open port says little about an application. */
function connectOnlyChecks(proxies: readonly PlacedProxy[], config: HaproxyConfig, issues: IssueList): void {
    const backends = proxies.filter(({ section, proxy }) => section !== "frontend" && modeOf(proxy, config) === "http");
    const asked = backends.find(({ proxy }) => proxy.httpchk ?? proxy.httpChecks);
    for (const { section, proxy, path } of asked ? backends : []) {
        const { httpchk, httpChecks, tcpChecks, protocolCheck, servers = [], defaultServer } = proxy;
        const checked = servers.some((server) => isChecked(server, defaultServer));
        const own = httpchk ?? httpChecks ?? tcpChecks ?? protocolCheck;
        if (checked && !own && ![proxy, defaultsOf(proxy.from, config)].some(hasCheckOption)) {
            issues.warning(
                "connect-only-check",
                `${path}.httpchk`,
                `check of ${section} ${proxy.name}: only connects, but ${asked?.section} ${asked?.proxy.name} is asked by HTTP; set httpchk, or tcpChecks [{ step: "connect" }] if that is meant`,
            );
        }
    }
}

function hasCheckOption({ options = {}, raw = [] }: Pick<AnyProxy, "options" | "raw"> = {}): boolean {
    return [...Object.keys(options).map((name) => `option ${name}`), ...raw].some((line) =>
        /^\s*option (\S+-check|httpchk|smtpchk|ssl-hello-chk)\b/.test(line),
    );
}
