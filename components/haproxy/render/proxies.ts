import type { View } from "../../templates";
import type { Acl, Compression, HaproxyConfig, Mode, Options, Timeouts, UseBackend } from "../model";
import { type AnyProxy, defaultsOf, modeOf, type PlacedProxy } from "../model/lookup";
import { atLeast } from "../model/versions";
import { bindText } from "./binds";
import { checkView } from "./healthChecks";
import { flag, given, optional, optionLines, timeoutKeyword, words } from "./lines";
import { cookieText, stickRuleText, stickTableText } from "./persistence";
import { asWritten, word } from "./quoting";
import { conditionText, ruleText, tcpRequestTexts } from "./rules";
import { serverParams, serverTemplateText, serverText } from "./servers";

/** A section of section 4 as the template wants it. */
export function proxyView({ section, proxy }: PlacedProxy, config: HaproxyConfig): View {
    const mode = modeOf(proxy, config);
    const own = section === "backend" ? {} : ownOptions(mode, proxy, config);
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
        acls: (proxy.acls ?? []).flatMap((acl) =>
            criteria(acl, config.version).map((criterion) => ({ name: acl.name, criterion })),
        ),
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
        servers: (proxy.servers ?? []).map((server) => serverText(server, proxy.defaultServer)),
        serverTemplates: (proxy.serverTemplates ?? []).map((template) =>
            serverTemplateText(template, proxy.defaultServer),
        ),
    };
}

function ownOptions(mode: Mode, proxy: AnyProxy, config: HaproxyConfig): Options {
    const { version, global } = config;
    // HAProxy warns of a format of logs that go nowhere.
    const raw = [global, defaultsOf(proxy.from, config), proxy].flatMap((section) => section?.raw ?? []);
    const logs = global?.log?.length !== 0 || raw.some((line) => /^\s*log\s/.test(line));
    const http = mode === "http";
    return {
        ...(logs && (http ? { httplog: true } : { tcplog: true })),
        ...(http && atLeast(version, "2.6") && { "idle-close-on-response": true }),
    };
}

/** Of one line or, as HAProxy reads 64 words of a line, several, of which one must match. */
function criteria(acl: Acl, version: string): string[] {
    if ("host" in acl) {
        const withoutPort = atLeast(version, "2.7") ? "host_only" : "field(1,:)";
        return valueLines(acl.host).map((hosts) => `hdr(host),${withoutPort} -i ${hosts}`);
    }
    if ("path" in acl) {
        return valueLines(acl.path).map((paths) => `path ${paths}`);
    }
    return "pathBeg" in acl ? valueLines(acl.pathBeg).map((paths) => `path_beg ${paths}`) : [asWritten(acl.criterion)];
}

function valueLines(values: readonly string[]): string[] {
    const rows = Math.ceil(values.length / valuesOfLine);
    return Array.from({ length: rows }, (_, i) => words(values.slice(i * valuesOfLine, (i + 1) * valuesOfLine)));
}

const valuesOfLine = 50;

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
