import type { HaproxyConfig } from "../model";
import { allProxies, defaultsOf, modeOf, type PlacedProxy } from "../model/lookup";
import { stringsIn } from "../model/strings";
import { atLeast, isVersion, oldestVersion } from "../model/versions";
import { isChecked } from "../render/servers";
import { backendIssues } from "./backends";
import { duplicateBinds } from "./binds";
import { fileIssues } from "./files";
import { frontendIssues } from "./frontends";
import { defaultsIssues, globalIssues, statsIssues } from "./global";
import { type Issue, IssueList, show } from "./issues";
import { proxyIssues } from "./proxies";
import { references } from "./references";
import { sectionIssues } from "./sections";

export type { Issue } from "./issues";

/** Everything wrong with a model, in the order of the file. No error in it: `render` gives a file that HAProxy accepts. */
export function validate(config: HaproxyConfig): Issue[] {
    const { version, stats } = config;
    const issues = new IssueList(isVersion(version) ? version : "999.0");
    if (!isVersion(version) || !atLeast(version, oldestVersion)) {
        issues.error("version", `invalid HAProxy version ${show(version)}: use ${oldestVersion} or later, like "2.6"`);
    }
    globalIssues(config, issues);
    defaultsIssues(config.defaults ?? {}, "defaults", "defaults", issues);
    config.namedDefaults?.forEach((defaults, i) => {
        const path = `namedDefaults.${i}`;
        issues.name(defaults.name, `${path}.name`, "defaults");
        defaultsIssues(defaults, path, `defaults ${defaults.name}`, issues);
    });
    const proxies = allProxies(config);
    for (const role of ["frontend", "backend"] as const) {
        const names = proxies.filter(({ section }) => section === role || section === "listen");
        issues.unique(
            [...names.map(({ proxy }) => proxy.name), ...(stats && role === "frontend" ? ["stats"] : [])],
            (i) => (names[i] ? `${names[i].path}.name` : "stats"),
            role,
        );
    }
    const tables = proxies.filter(({ proxy }) => proxy.stickTable !== undefined);
    issues.unique(
        tables.map(({ proxy }) => proxy.name),
        (i) => `${tables[i]?.path}.stickTable`,
        "name of sections with a stick table",
    );
    for (const placed of proxies) {
        proxyIssues(placed, config, issues);
        if (placed.section !== "backend") {
            frontendIssues(placed, config, issues);
        }
        if (placed.section !== "frontend") {
            backendIssues(placed, config, issues);
        }
    }
    unusedBackends(proxies, issues);
    sectionIssues(config, issues);
    fileIssues(config, issues);
    references(config, issues);
    balanceBehindProxy(config, proxies, issues);
    mereTcpChecks(config, proxies, issues);
    if (stats) {
        statsIssues(stats, issues);
    }
    duplicateBinds(config, issues);
    return issues.issues;
}

/** A backend that neither a rule nor any text names. */
function unusedBackends(proxies: readonly PlacedProxy[], issues: IssueList): void {
    const used = new Set<string>();
    let computed = false;
    for (const { proxy } of proxies) {
        const { name: _, servers: __, acls, ...rest } = proxy;
        for (const { text } of stringsIn(
            [rest, (acls ?? []).map((acl) => ("criterion" in acl ? acl.criterion : ""))],
            "",
        )) {
            for (const part of text.split(/[^A-Za-z0-9_.:-]+/)) {
                used.add(part);
            }
        }
        computed ||= [...(proxy.useBackends ?? []).map(({ backend }) => backend), ...(proxy.raw ?? [])].some((text) =>
            /%\[/.test(text),
        );
    }
    for (const { section, proxy, path } of proxies) {
        if (section === "backend" && !computed && !used.has(proxy.name)) {
            issues.warning(`${path}.name`, `no frontend uses backend ${proxy.name}: use it or remove it`);
        }
    }
}

/** Who reads X-Forwarded-For sits behind a proxy: its address is the `src` of everybody. */
function balanceBehindProxy(config: HaproxyConfig, proxies: readonly PlacedProxy[], issues: IssueList): void {
    const says = (pattern: RegExp) =>
        proxies.find(({ proxy: { servers: _, ...rest } }) =>
            stringsIn(rest, "").some(({ text }) => pattern.test(text)),
        );
    // With set-src the address is the client's again.
    const reader = says(/^(http-request )?set-src\s/) ? undefined : says(/\bhdr(_ip)?\(x-forwarded-for/i);
    for (const { section, proxy, path } of proxies) {
        const balance = proxy.balance ?? defaultsOf(proxy.from, config)?.balance;
        if (reader && section !== "frontend" && balance === "source") {
            issues.warning(
                `${path}.balance`,
                `balance source of ${section} ${proxy.name} goes by the address of the proxy before it, as ${reader.section} ${reader.proxy.name} reads X-Forwarded-For: use "hdr(X-Forwarded-For)", or the proxy protocol`,
            );
        }
    }
}

/** A backend whose application is asked nothing, where others are: an open port says little of it. */
function mereTcpChecks(config: HaproxyConfig, proxies: readonly PlacedProxy[], issues: IssueList): void {
    const backends = proxies.filter(({ section, proxy }) => section !== "frontend" && modeOf(proxy, config) === "http");
    const asked = backends.find(({ proxy }) => proxy.httpchk ?? proxy.httpChecks);
    for (const { section, proxy, path } of backends) {
        const { options = {}, raw = [], servers = [], tcpChecks, protocolCheck } = proxy;
        const where = `${section} ${proxy.name}`;
        const http =
            proxy.httpchk ??
            proxy.httpChecks ??
            ("httpchk" in options || raw.some((line) => /^\s*option httpchk/.test(line)));
        const steps = raw.findIndex((line) => /^\s*http-check\s/.test(line));
        if (!http && steps >= 0 && !inDefaults(proxy.from, config)) {
            issues.warning(
                `${path}.raw.${steps}`,
                `http-check in ${where} without option httpchk, so servers are merely connected to: use httpchk or httpChecks`,
            );
        } else if (
            asked &&
            !(http || tcpChecks || protocolCheck || inDefaults(proxy.from, config)) &&
            servers.some((server) => isChecked(server, proxy.defaultServer))
        ) {
            issues.warning(
                `${path}.httpchk`,
                `servers of ${where} are merely connected to, those of ${asked.section} ${asked.proxy.name} are asked by HTTP: give it a httpchk, or say tcpChecks [{ step: "connect" }] if that is meant`,
            );
        }
    }
}

/** Whether the `defaults` of a section ask for checks by HTTP. */
function inDefaults(from: string | undefined, config: HaproxyConfig): boolean {
    const { options = {}, raw = [] } = defaultsOf(from, config) ?? {};
    return "httpchk" in options || raw.some((line) => /^\s*option httpchk/.test(line));
}
