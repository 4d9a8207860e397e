import { isSlot } from "../../convergence/slots";
import type { ServerOptions } from "../model";
import { isTarget } from "../model/addresses";
import type { PlacedProxy } from "../model/lookup";
import { type IssueList, show } from "./issues";

/** Checks the servers of a section for mistakes that HAProxy accepts. */
export function serverIssues(placed: PlacedProxy, issues: IssueList): void {
    const { section, proxy, path } = placed;
    const where = `${section} ${proxy.name}`;
    proxy.servers?.forEach(({ name, address }, i) => {
        addressIssues(address, `${path}.servers.${i}.address`, `server ${name} of ${where}`, issues);
    });
    proxy.serverTemplates?.forEach(({ prefix, fqdn }, i) => {
        addressIssues(fqdn, `${path}.serverTemplates.${i}.fqdn`, `server-template ${prefix} of ${where}`, issues);
    });
    unverifiedNames(placed, issues);
    cookieIssues(placed, issues);
}

/**
 * HAProxy reads `/run/x:80` as a socket of that name. With `init-addr none` it accepts any other text as a name that does not resolve
 * yet.
 */
function addressIssues(address: string, path: string, subject: string, issues: IssueList): void {
    // The value of a slot is judged when it is known.
    if (address === "*" || isSlot(address) || isTarget(address)) {
        return;
    }
    const [, slash] = /(?:^|[^:/])(\/[^/].*)$/.exec(address) ?? [];
    const remedy = address.includes("\0")
        ? "make the slot all of it"
        : /^(unix@)?\//.test(address)
          ? `write a socket as a raw line, like ${show(`server app1 unix@${address.replace(/^unix@/, "")} check`)}`
          : slash === undefined
            ? 'use an IP address or a host name, and "port" for the port'
            : `use an IP address or a host name; to check the path, set httpchk.uri ${show(slash)}; to serve it, set the path by a rule`;
    issues.error("server-address", path, `${subject}: ${show(address)} is not an address; ${remedy}`);
}

/** Finds TLS that checks who signed a certificate, but not its name. Reported once if `default-server` declares it. */
function unverifiedNames({ section, proxy, path }: PlacedProxy, issues: IssueList): void {
    const { defaultServer, servers = [], serverTemplates = [] } = proxy;
    const subjects = new Map<string, string>();
    const all: [ServerOptions, string, string][] = [
        ...servers.map((server, i): [ServerOptions, string, string] => [
            server,
            `servers.${i}`,
            `server ${server.name}`,
        ]),
        ...serverTemplates.map((template, i): [ServerOptions, string, string] => [
            template,
            `serverTemplates.${i}`,
            `server-template ${template.prefix}`,
        ]),
    ];
    for (const [options, field, subject] of all) {
        if (options.ssl === false) {
            continue;
        }
        const ssl = { ...defaultServer?.ssl, ...options.ssl };
        const raw = `${defaultServer?.raw ?? ""} ${options.raw ?? ""}`;
        const named = ssl.verifyhost ?? ssl.sni ?? /(^|\s)(verifyhost|sni)\s/.exec(raw)?.[0];
        if (ssl.caFile !== undefined && (ssl.verify ?? "required") === "required" && named === undefined) {
            const [from, whose] = options.ssl ? [field, subject] : ["defaultServer", "servers"];
            subjects.set(`${path}.${from}.ssl`, `${whose} of ${section} ${proxy.name}`);
        }
    }
    for (const [sslPath, subject] of subjects) {
        issues.warning(
            "unverified-name",
            sslPath,
            `${subject}: any certificate signed by the ca-file is accepted; set verifyhost or sni`,
        );
    }
}

function cookieIssues({ section, proxy, path }: PlacedProxy, issues: IssueList): void {
    const { cookie, servers = [], raw = [] } = proxy;
    const where = `${section} ${proxy.name}`;
    servers.forEach((server, i) => {
        const cookiePath = `${path}.servers.${i}.cookie`;
        const subject = `server ${server.name} of ${where}`;
        if (
            cookie &&
            cookie.dynamicKey === undefined &&
            server.cookie === undefined &&
            !(server.backup ?? proxy.defaultServer?.backup)
        ) {
            issues.warning(
                "server-without-cookie",
                cookiePath,
                `${subject}: has no cookie value, so its clients do not stay; set cookie, or cookie.dynamicKey of the section`,
            );
        }
        if (!cookie && server.cookie !== undefined && !raw.some((line) => /^\s*cookie\s/.test(line))) {
            issues.warning(
                "unused-cookie",
                cookiePath,
                `${subject}: cookie ${show(server.cookie)} is never sent, because the section has no cookie; declare it`,
            );
        }
    });
}
