import type { Mode, Options } from "../model";
import type { PlacedProxy } from "../model/lookup";
import { atLeast } from "../model/versions";
import { type IssueList, show } from "./issues";

/**
 * Keyword `option`, section 4.2: HAProxy warns of one that the section, or its mode, does not heed. As the daemons of 2.2, 2.6 and 3.0
 * say; what later releases have more is left to them.
 */
const frontendOnly = names(`accept-invalid-http-request clitcpka contstats disable-h2-upgrade dontlog-normal dontlognull
    h1-case-adjust-bogus-client http-ignore-probes http-use-proxy-header httplog httpslog idle-close-on-response log-separate-errors
    logasap socket-stats tcp-smart-accept tcplog`);
const checks = names(
    `external-check httpchk ldap-check mysql-check pgsql-check redis-check smtpchk spop-check ssl-hello-chk tcp-check`,
);
const backendOnly =
    names(`abortonclose accept-invalid-http-response allbackups checkcache forwarded h1-case-adjust-bogus-server
    http-pretend-keepalive log-health-checks persist prefer-last-server redispatch srvtcpka tcp-smart-connect transparent`);
const anywhere =
    names(`forceclose forwardfor http-buffer-request http-keep-alive http-no-delay http-restrict-req-hdr-names
    http-server-close http-tunnel http-use-htx http_proxy httpclose independent-streams nolinger originalto splice-auto splice-request
    splice-response tcpka`);

/** Without `no option`. */
const irrevocable = new Set([
    ...checks,
    ...names("forwardfor http-restrict-req-hdr-names httplog httpslog originalto tcpka tcplog"),
]);

/** Also where `defaults` say so: but for `httplog`, of which a section of mode tcp has an own one. */
const needsHttp =
    names(`accept-invalid-http-request accept-invalid-http-response checkcache disable-h2-upgrade forwarded forwardfor
    http-buffer-request http-ignore-probes http-no-delay http-pretend-keepalive http-use-proxy-header idle-close-on-response originalto
    prefer-last-server`);
const httpLogs = names("httplog httpslog");

/** The last release whose options are all above. */
const known = "3.0";

/** Faults of options by themselves, wherever they stand. */
export function optionNameIssues(options: Options = {}, path: string, where: string, issues: IssueList): void {
    for (const [name, value] of Object.entries(options)) {
        const place = `${path}.${name}`;
        const line = `option ${name}${typeof value === "string" ? ` ${value}` : ""}`;
        issues.line(line, place, where);
        if (!/^[a-z0-9_-]+$/.test(name)) {
            issues.error(
                "option",
                place,
                `invalid option ${show(name)} of ${where}: use a name of the manual without "option"`,
            );
        } else if (
            atLeast(known, issues.version) &&
            ![frontendOnly, backendOnly, checks, anywhere].some((set) => set.has(name))
        ) {
            issues.error(
                "option",
                place,
                `unknown option ${show(name)} of ${where}: use a name of the manual, section 4.2`,
            );
        }
    }
}

/**
 * Faults of the options of a section, where they stand.
 *
 * @param inherited Those of its `defaults`.
 */
export function optionPlaceIssues(
    { section, proxy, path: parent }: PlacedProxy,
    inherited: Options = {},
    mode: Mode,
    issues: IssueList,
): void {
    const { name: proxyName, options = {} } = proxy;
    const path = `${parent}.options`;
    const where = `${section} ${proxyName}`;
    // The log format that render would give the section.
    const ownLog = mode === "tcp" ? "tcplog" : "httplog";
    for (const [name, value] of Object.entries(options)) {
        const place = `${path}.${name}`;
        const home = frontendOnly.has(name)
            ? "frontend"
            : backendOnly.has(name) || checks.has(name)
              ? "backend"
              : section;
        if (section !== "listen" && section !== home) {
            issues.error(
                "option",
                place,
                `option ${name} of ${where}, where HAProxy ignores it: put it into the ${home}`,
            );
        } else if (value === false && irrevocable.has(name) && name !== ownLog) {
            issues.error(
                "option",
                place,
                `option ${name} of ${where} is false, but HAProxy knows no "no option ${name}": leave it out of the defaults`,
            );
        } else if (value !== false && mode === "tcp" && (needsHttp.has(name) || httpLogs.has(name))) {
            issues.error("option", place, `option ${name} of ${where} needs mode http: it has mode tcp`);
        }
    }
    for (const [name, value] of Object.entries(inherited)) {
        const heeds = section === "listen" || !(section === "frontend" ? backendOnly : frontendOnly).has(name);
        if (
            mode === "tcp" &&
            value !== false &&
            (options as Record<string, unknown>)[name] !== false &&
            needsHttp.has(name) &&
            heeds
        ) {
            issues.error(
                "option",
                path,
                `option ${name} of the defaults of ${where} needs mode http, it has mode tcp: give it defaults of its own by "from"${irrevocable.has(name) ? "" : `, or say "${name}": false`}`,
            );
        }
    }
}

function names(list: string): Set<string> {
    return new Set(list.split(/\s+/));
}
