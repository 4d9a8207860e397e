import type { View } from "../templates";
import { bindText } from "./binds";
import { checkView } from "./checks";
import type { Acl, Compression, HaproxyConfig, Options, Timeouts, UseBackend } from "./model";
import { cookieText, stickRuleText, stickTableText } from "./persistence";
import { modeOf, type PlacedProxy } from "./proxies";
import { conditionText, ruleText, tcpRequestTexts } from "./rules";
import { serverParams, serverTemplateText, serverText } from "./servers";
import { atLeast } from "./versions";
import { flag, given, optional, optionLines, timeoutKeyword, words } from "./views";
import { asWritten, word } from "./words";

/** A section of section 4 as the template wants it. */
export function proxyView({ section, proxy }: PlacedProxy, config: HaproxyConfig): View {
    const mode = modeOf(proxy, config);
    const own = section === "backend" ? {} : ownOptions(mode, config.version);
    return {
        section,
        name: proxy.name,
        from: optional(proxy.from),
        binds: (proxy.binds ?? []).map((bind) => bindText(bind, mode)),
        mode: optional(proxy.mode),
        maxconn: optional(proxy.maxconn),
        balance: optional(proxy.balance && asWritten(proxy.balance)),
        options: optionLines({ ...own, ...proxy.options }, (name) => (name in own ? [] : [`no option ${name}`])),
        timeouts: timeoutTexts(proxy.timeouts),
        ...checkView(proxy),
        compression: compressionTexts(proxy.compression),
        errorfiles: optional(proxy.errorfiles),
        stickTable: optional(proxy.stickTable && stickTableText(proxy.stickTable)),
        acls: (proxy.acls ?? []).map((acl) => ({ name: acl.name, criterion: criterion(acl, config.version) })),
        raw: (proxy.raw ?? []).map(asWritten),
        tcpRequestRules: tcpRequestTexts(proxy.tcpRequestRules),
        tcpResponseRules: (proxy.tcpResponseRules ?? []).map(ruleText),
        httpRequestRules: (proxy.httpRequestRules ?? []).map(ruleText),
        httpResponseRules: (proxy.httpResponseRules ?? []).map(ruleText),
        httpAfterResponseRules: (proxy.httpAfterResponseRules ?? []).map(ruleText),
        useBackends: (proxy.useBackends ?? []).map(useBackendText),
        defaultBackend: optional(proxy.defaultBackend),
        cookie: optional(proxy.cookie && cookieText(proxy.cookie)),
        dynamicCookieKey: optional(proxy.cookie?.dynamicKey && word(proxy.cookie.dynamicKey)),
        stickRules: (proxy.stickRules ?? []).map(stickRuleText),
        defaultServer: optional(proxy.defaultServer && serverParams(proxy.defaultServer).join(" ")),
        servers: (proxy.servers ?? []).map(serverText),
        serverTemplates: (proxy.serverTemplates ?? []).map(serverTemplateText),
    };
}

function ownOptions(mode: string, version: string): Options {
    return mode === "tcp"
        ? { tcplog: true }
        : { httplog: true, ...(atLeast(version, "2.6") && { "idle-close-on-response": true }) };
}

function criterion(acl: Acl, version: string): string {
    if ("host" in acl) {
        const withoutPort = atLeast(version, "2.7") ? "host_only" : "field(1,:)";
        return `hdr(host),${withoutPort} -i ${words(acl.host)}`;
    }
    if ("path" in acl) {
        return `path ${words(acl.path)}`;
    }
    return "pathBeg" in acl ? `path_beg ${words(acl.pathBeg)}` : asWritten(acl.criterion);
}

function compressionTexts(compression: Compression | undefined): string[] {
    if (!compression) {
        return [];
    }
    const { algo = ["gzip"], type, offload } = compression;
    return [`algo ${words(algo)}`, ...(type.length > 0 ? [`type ${words(type)}`] : []), ...flag("offload", offload)];
}

function timeoutTexts(timeouts: Timeouts = {}): string[] {
    return Object.entries(given(timeouts)).map(([name, duration]) => `${timeoutKeyword(name)} ${duration}`);
}

function useBackendText({ backend, if: terms }: UseBackend): string {
    return `${backend}${conditionText(terms)}`;
}
