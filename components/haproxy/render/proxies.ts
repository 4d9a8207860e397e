import type { View } from "../../templates";
import type { Acl, Compression, HaproxyConfig } from "../model";
import { modeOf, type PlacedProxy } from "../model/lookup";
import { atLeast, releaseOf } from "../model/versions";
import { bindText } from "./binds";
import { balanceOf, defaultsName, frontendOptions, optionOff, proxyTimeouts, timeoutLines } from "./defaults";
import { maxconnBesideHealth } from "./health";
import { checkView } from "./healthChecks";
import { from, fromEach } from "./lineIndex";
import { flag, optional, optionLines, words } from "./lines";
import { cookieText, stickRuleText, stickTableText } from "./persistence";
import { format, fragment, word } from "./quoting";
import { rawLines } from "./rawLines";
import { conditionText, inPhases, ruleText, tcpRequestText, tcpResponseText } from "./rules";
import { serverParams, serverTemplateText, serverText } from "./servers";

/** The view of a section `frontend`, `backend` or `listen`. */
export function proxyView(placed: PlacedProxy, config: HaproxyConfig): View {
    const { section, proxy, path } = placed;
    const mode = modeOf(proxy, config);
    const own = section === "backend" ? {} : frontendOptions(proxy, config);
    const { defaultServer } = proxy;
    const raw = rawLines(proxy.raw, `${path}.raw`);
    return {
        section,
        name: from(path, word(proxy.name)),
        from: optional(path, defaultsName(placed, config)),
        binds: fromEach(`${path}.binds`, proxy.binds, (bind) => bindText(bind, mode, config)),
        mode: optional(`${path}.mode`, proxy.mode),
        maxconn:
            proxy.maxconn === undefined
                ? optional("global.maxconn", maxconnBesideHealth(placed, config))
                : optional(`${path}.maxconn`, proxy.maxconn),
        balance: optional(`${path}.balance`, balanceOf(placed, config), fragment),
        options: optionLines(`${path}.options`, { ...own, ...proxy.options }, (name) =>
            optionOff(name, own, proxy, config),
        ),
        timeouts: timeoutLines(`${path}.timeouts`, proxyTimeouts(placed, config)),
        ...checkView(proxy, path),
        compression: compressionTexts(proxy.compression).map((text) => from(`${path}.compression`, text)),
        errorfiles: optional(`${path}.errorfiles`, proxy.errorfiles),
        stickTable: proxy.stickTable ? [from(`${path}.stickTable`, stickTableText(proxy.stickTable))] : [],
        acls: (proxy.acls ?? []).flatMap((acl, i) =>
            criteria(acl, releaseOf(config)).map((text) => from(`${path}.acls[${i}]`, `${word(acl.name)} ${text}`)),
        ),
        raw: raw.others,
        tcpRequestRules: inPhases([
            ...raw.of("tcp-request"),
            ...fromEach(`${path}.tcpRequestRules`, proxy.tcpRequestRules, tcpRequestText),
        ]),
        tcpResponseRules: [
            ...raw.of("tcp-response"),
            ...fromEach(`${path}.tcpResponseRules`, proxy.tcpResponseRules, tcpResponseText),
        ],
        httpRequestRules: [
            ...raw.of("http-request"),
            ...fromEach(`${path}.httpRequestRules`, proxy.httpRequestRules, ruleText),
        ],
        httpResponseRules: [
            ...raw.of("http-response"),
            ...fromEach(`${path}.httpResponseRules`, proxy.httpResponseRules, ruleText),
        ],
        httpAfterResponseRules: [
            ...raw.of("http-after-response"),
            ...fromEach(`${path}.httpAfterResponseRules`, proxy.httpAfterResponseRules, ruleText),
        ],
        redirects: raw.of("redirect"),
        useBackends: [
            ...raw.of("use_backend"),
            ...fromEach(
                `${path}.useBackends`,
                proxy.useBackends,
                ({ backend, ...when }) => `${format(backend)}${conditionText(when)}`,
            ),
        ],
        defaultBackend: optional(`${path}.defaultBackend`, proxy.defaultBackend),
        cookie: proxy.cookie ? [from(`${path}.cookie`, cookieText(proxy.cookie))] : [],
        dynamicCookieKey: optional(`${path}.cookie.dynamicKey`, proxy.cookie?.dynamicKey),
        stickRules: fromEach(`${path}.stickRules`, proxy.stickRules, stickRuleText),
        useServers: [
            ...raw.of("use-server"),
            ...fromEach(
                `${path}.useServers`,
                proxy.useServers,
                ({ server, ...when }) => `${format(server)}${conditionText(when)}`,
            ),
        ],
        defaultServers: [
            ...optional(
                `${path}.defaultServer`,
                defaultServer && serverParams(defaultServer).join(" "),
                (text) => text,
            ),
            ...raw.of("default-server"),
        ],
        servers: [
            ...raw.of("server"),
            ...fromEach(`${path}.servers`, proxy.servers, (server) => serverText(server, defaultServer)),
        ],
        serverTemplates: [
            ...raw.of("server-template"),
            ...fromEach(`${path}.serverTemplates`, proxy.serverTemplates, (template) =>
                serverTemplateText(template, defaultServer),
            ),
        ],
        furtherSections: raw.furtherSections,
    };
}

/** The criteria of an acl, one per line. Several lines are alternatives; HAProxy reads at most 64 words of a line. */
function criteria(acl: Acl, version: string): string[] {
    if ("host" in acl) {
        const withoutPort = atLeast(version, "2.7") ? "host_only" : "field(1,:)";
        return valueLines(acl.host).map((hosts) => `hdr(host),${withoutPort} -i ${hosts}`);
    }
    if ("path" in acl) {
        return valueLines(acl.path).map((paths) => `path ${paths}`);
    }
    return "pathBeg" in acl ? valueLines(acl.pathBeg).map((paths) => `path_beg ${paths}`) : [fragment(acl.criterion)];
}

function valueLines(values: readonly string[]): string[] {
    const rows = Math.ceil(values.length / valuesPerLine);
    return Array.from({ length: rows }, (_, i) => words(values.slice(i * valuesPerLine, (i + 1) * valuesPerLine)));
}

const valuesPerLine = 50;

function compressionTexts(compression: Compression | undefined): string[] {
    if (!compression) {
        return [];
    }
    const { algo = ["gzip"], type, offload } = compression;
    return [`algo ${words(algo)}`, ...(type.length > 0 ? [`type ${words(type)}`] : []), ...flag("offload", offload)];
}
