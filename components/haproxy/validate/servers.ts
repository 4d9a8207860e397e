import type { Server, ServerOptions, ServerTemplate } from "../model";
import { isHostName } from "../model/addresses";
import type { PlacedProxy } from "../model/lookup";
import { type IssueList, show } from "./issues";

/** What is wrong with a server of a section. */
export function serverIssues(server: Server, path: string, backend: string, issues: IssueList): void {
    const where = `server ${server.name} of ${backend}`;
    issues.name(server.name, `${path}.name`, `a server of ${backend}`);
    issues.serverAddress(server.address, `${path}.address`, where);
    issues.port(server.port, `${path}.port`, where);
    issues.token(server.cookie, `${path}.cookie`, `cookie of ${where}`);
    optionIssues(server, path, where, issues);
}

/** What is wrong with a template for servers. */
export function templateIssues(template: ServerTemplate, path: string, backend: string, issues: IssueList): void {
    const where = `server-template ${template.prefix} of ${backend}`;
    issues.name(template.prefix, `${path}.prefix`, `a server-template of ${backend}`);
    issues.whole(template.count, 1, 100_000, `${path}.count`, `number of servers of ${where}`);
    issues.port(template.port, `${path}.port`, where);
    if (!isHostName(template.fqdn)) {
        issues.error(`${path}.fqdn`, `invalid name ${show(template.fqdn)} of ${where}: use a name that DNS knows`);
    }
    optionIssues(template, path, where, issues);
}

/** What is wrong with what servers, templates and `default-server` have in common. */
export function optionIssues(options: ServerOptions, path: string, where: string, issues: IssueList): void {
    const { ssl } = options;
    for (const [field, min, max] of ranges) {
        issues.whole(options[field], min, max, `${path}.${field}`, `${field} of ${where}`);
    }
    issues.duration(options.inter, `${path}.inter`, `inter of ${where}`);
    issues.duration(options.slowstart, `${path}.slowstart`, `slowstart of ${where}`);
    if (options.initAddr !== undefined && !/^((last|libc|none|[0-9a-fA-F.:]+)(,|$))+$/.test(options.initAddr)) {
        issues.error(
            `${path}.initAddr`,
            `invalid init-addr ${show(options.initAddr)} of ${where}: list last, libc, none or an address, like "last,libc,none"`,
        );
    }
    if (options.raw !== undefined) {
        issues.line(options.raw, `${path}.raw`, where, "server");
    }
    if (ssl) {
        issues.file(ssl.caFile, `${path}.ssl.caFile`, `ca-file of ${where}`);
        issues.file(ssl.crt, `${path}.ssl.crt`, `certificate of ${where}`);
        issues.token(ssl.verifyhost, `${path}.ssl.verifyhost`, `verifyhost of ${where}`);
        issues.argument(ssl.sni, `${path}.ssl.sni`, `sni of ${where}`);
        if ((ssl.verify ?? "required") === "required" && ssl.caFile === undefined) {
            issues.error(
                `${path}.ssl`,
                `TLS without a ca-file to ${where}, so that no certificate can be verified: add caFile, or say verify "none"`,
            );
        }
    }
}

/** TLS that verifies certificates, but not whose they are: once for servers that have it from `default-server`. */
export function nameIssues({ section, proxy, path }: PlacedProxy, issues: IssueList): void {
    const { defaultServer, servers = [], serverTemplates = [] } = proxy;
    const places = new Map<string, string>();
    const all = [
        ...servers.map((server, i) => ({
            options: server as ServerOptions,
            at: `servers.${i}`,
            of: `server ${server.name}`,
        })),
        ...serverTemplates.map((template, i) => ({
            options: template as ServerOptions,
            at: `serverTemplates.${i}`,
            of: `server-template ${template.prefix}`,
        })),
    ];
    for (const { options, at, of } of all) {
        const ssl = { ...defaultServer?.ssl, ...options.ssl };
        const raw = `${defaultServer?.raw ?? ""} ${options.raw ?? ""}`;
        const named = ssl.verifyhost ?? ssl.sni ?? /(^|\s)(verifyhost|sni)\s/.exec(raw)?.[0];
        if (ssl.caFile !== undefined && (ssl.verify ?? "required") === "required" && named === undefined) {
            const [place, whose] = options.ssl ? [at, of] : ["defaultServer", "the servers"];
            places.set(`${path}.${place}.ssl`, `${whose} of ${section} ${proxy.name}`);
        }
    }
    for (const [place, whose] of places) {
        issues.warning(
            place,
            `no name to verify in the certificate of ${whose}, so that anybody's passes whom the ca-file trusts: add verifyhost, or sni`,
        );
    }
}

const ranges = [
    ["checkPort", 1, 65_535],
    ["fall", 1, 100_000],
    ["rise", 1, 100_000],
    ["weight", 0, 256],
    ["maxconn", 1, 10_000_000],
] as const;
