import { domainToASCII } from "node:url";
import type { BindCertificate, BindTls, BindTlsOptions, HaproxyConfig } from "../model";
import { isHostName } from "../model/addresses";
import { authorityPath, certificatePath, fleetDirectory, revocationsPath } from "../model/files";
import { allProxies } from "../model/lookup";
import { allBinds, certificatesOf, mustNotResume, type PlacedBind, usedFiles } from "../model/tls";
import { declared, type IssueList, show } from "./issues";

/** Checks certificates, authorities, and the binds and servers that use them. HAProxy judges what is in the files. */
export function certificateIssues(config: HaproxyConfig, issues: IssueList): void {
    fileIssues(config, issues);
    for (const placed of allBinds(config)) {
        bindTlsIssues(placed, config, issues);
    }
    for (const { path, where, field, file } of namedFiles(config)) {
        undeclaredFile(file, `${path}.${field}`, `${field} of ${where}`, config, issues);
    }
    unusedFiles(config, issues);
    resumption(config, issues);
}

/** Names that differ may be one file: `a.ca` among certificates, and `a` among authorities. */
function fileIssues({ certificates = [], authorities = [] }: HaproxyConfig, issues: IssueList): void {
    const owners = new Map<string, string>();
    const own = (paths: readonly string[], path: string, subject: string) => {
        const owner = paths.map((file) => owners.get(file)).find((found) => found !== undefined);
        if (owner !== undefined) {
            issues.error(
                "duplicate-name",
                `${path}.name`,
                `${subject}: its file is that of ${owner}; use another name`,
            );
        }
        for (const file of paths) {
            owners.set(file, owner ?? subject);
        }
    };
    certificates.forEach(({ name, pem }, i) => {
        const path = `certificates.${i}`;
        own([certificatePath(name)], path, `certificate ${name}`);
        if (!pem.includes("\0")) {
            issues.error(
                "plain-password",
                `${path}.pem`,
                `certificate ${name}: its private key would show in previews and in state as plain text; use a slot`,
            );
        }
    });
    authorities.forEach(({ name }, i) => {
        own([authorityPath(name), revocationsPath(name)], `authorities.${i}`, `authority ${name}`);
    });
}

function bindTlsIssues(placed: PlacedBind, config: HaproxyConfig, issues: IssueList): void {
    const { bind, path, where } = placed;
    const { ssl } = bind;
    if (!ssl) {
        return;
    }
    const names = (config.certificates ?? []).map(({ name }) => name);
    const entries = certificatesOf(ssl);
    revocationIssues(ssl, ssl, `${path}.ssl`, `bind of ${where}`, issues);
    ssl.certificates?.forEach((given, i) => {
        const entry = entries[i] as BindCertificate;
        const at = `${path}.ssl.certificates.${i}`;
        const subject = `certificate ${entry.certificate} of ${where}`;
        if (!names.includes(entry.certificate)) {
            issues.error(
                "unknown-reference",
                typeof given === "string" ? at : `${at}.certificate`,
                `certificate ${show(entry.certificate)}: not declared; ${declared(names, "certificate")}`,
            );
        }
        revocationIssues(entry, ssl, at, subject, issues);
        hostIssues(entry, at, subject, issues);
        listIssues(entry, at, subject, issues);
    });
    repeatedEntries(entries, `${path}.ssl.certificates`, where, issues);
    defaultIssues(ssl, entries, `${path}.ssl.defaultCertificate`, where, issues);
}

/** Without authorities, HAProxy asks for no certificates, and ignores the list. */
function revocationIssues(
    { caFile, crlFile }: BindTlsOptions,
    bind: BindTls,
    path: string,
    subject: string,
    issues: IssueList,
): void {
    if (crlFile !== undefined && caFile === undefined && bind.caFile === undefined) {
        issues.error(
            "revocations-without-authority",
            `${path}.crlFile`,
            `${subject}: HAProxy ignores the revocation list, because it asks clients for no certificate; set caFile`,
        );
    }
}

/** HAProxy accepts any name, and never finds one that no client sends. */
function hostIssues({ hosts = [] }: BindCertificate, path: string, subject: string, issues: IssueList): void {
    hosts.forEach((host, i) => {
        const name = host.replace(/^!/, "").replace(/^\*\./, "");
        if (name !== "*" && !isHostName(name)) {
            const ascii = /^[^\s:/#*]+$/.test(name) ? domainToASCII(name) : "";
            const remedy = ascii !== "" && isHostName(ascii) ? `use ${show(host.replace(name, ascii))}` : "use one";
            issues.error(
                "certificate-host",
                `${path}.hosts.${i}`,
                `${subject}: ${show(host)} is neither a host name nor one with "*." before it; ${remedy}`,
            );
        }
    });
}

/** In a `crt-list`, nothing can be quoted. */
function listIssues(entry: BindCertificate, path: string, subject: string, issues: IssueList): void {
    const { caFile, crlFile, alpn = [] } = entry;
    for (const [field, text] of Object.entries({ caFile, crlFile, alpn: alpn.join("") })) {
        if (text !== undefined && /[\s[\]#"'\\]/.test(text)) {
            issues.error(
                "crt-list-text",
                `${path}.${field}`,
                `${subject}: a list of certificates cannot have a blank, quote, backslash, "#" or bracket as in ${show(text)}; use another path`,
            );
        }
    }
}

/** HAProxy takes the first of two lines for one name, silently. */
function repeatedEntries(entries: readonly BindCertificate[], path: string, where: string, issues: IssueList): void {
    const seen = new Set<string>();
    entries.forEach(({ certificate, hosts = [""] }, i) => {
        const keys = hosts.map((host) => `${certificate} ${host.toLowerCase()}`);
        const repeated = keys.findIndex((key) => seen.has(key));
        if (repeated >= 0) {
            const name = hosts[repeated] ? ` for ${hosts[repeated]}` : "";
            issues.error(
                "repeated-certificate",
                `${path}.${i}`,
                `certificate ${certificate} of ${where}: HAProxy takes an earlier entry${name} instead of this; remove one`,
            );
        }
        for (const key of keys) {
            seen.add(key);
        }
    });
}

function defaultIssues(
    { defaultCertificate }: BindTls,
    entries: readonly BindCertificate[],
    path: string,
    where: string,
    issues: IssueList,
): void {
    const names = [...new Set(entries.map(({ certificate }) => certificate))];
    if (defaultCertificate !== undefined && !names.includes(defaultCertificate)) {
        const remedy = names.length > 0 ? `use ${names.join(" or ")}` : "with crt, the first file is the default";
        issues.error(
            "unknown-reference",
            path,
            `default certificate of ${where}: ${show(defaultCertificate)} is not among its certificates; ${remedy}`,
        );
    }
}

interface NamedFile {
    readonly path: string;
    readonly where: string;
    readonly field: string;
    readonly file: string;
}

/** Files of certificates and authorities that fields of binds and servers name. */
function namedFiles(config: HaproxyConfig): NamedFile[] {
    const named: NamedFile[] = [];
    const add = (path: string, where: string, fields: Readonly<Record<string, string | undefined>>) => {
        for (const [field, file] of Object.entries(fields)) {
            if (file !== undefined) {
                named.push({ path, where, field, file });
            }
        }
    };
    for (const { bind, path, where } of allBinds(config)) {
        const { caFile, crlFile, crt = [] } = bind.ssl ?? {};
        add(`${path}.ssl`, where, { caFile, crlFile, ...Object.fromEntries(crt.map((file, i) => [`crt.${i}`, file])) });
        certificatesOf(bind.ssl ?? {}).forEach((entry, i) => {
            add(`${path}.ssl.certificates.${i}`, where, { caFile: entry.caFile, crlFile: entry.crlFile });
        });
    }
    for (const { section, proxy, path } of allProxies(config)) {
        const { defaultServer, servers = [], serverTemplates = [] } = proxy;
        const lists = { defaultServer: defaultServer && [defaultServer], servers, serverTemplates };
        for (const [list, options] of Object.entries(lists)) {
            options?.forEach(({ ssl }, i) => {
                const at = list === "defaultServer" ? list : `${list}.${i}`;
                const { caFile, crt } = ssl || {};
                add(`${path}.${at}.ssl`, `a server of ${section} ${proxy.name}`, { caFile, crt });
            });
        }
    }
    return named;
}

/** What is not declared is removed from the directory, but only after HAProxy has read the new files. */
function undeclaredFile(
    file: string,
    path: string,
    subject: string,
    { certificates = [], authorities = [] }: HaproxyConfig,
    issues: IssueList,
): void {
    const files = [
        ...certificates.map(({ name }) => certificatePath(name)),
        ...authorities.flatMap(({ name, revocations }) => [
            authorityPath(name),
            ...(revocations === undefined ? [] : [revocationsPath(name)]),
        ]),
    ];
    if (file.startsWith(`${fleetDirectory}/`) && !files.includes(file)) {
        const authority = authorities.find(({ name }) => file === revocationsPath(name));
        const remedy = authority
            ? `set revocations of authority ${authority.name}`
            : `declare its certificate or authority, or keep the file outside of ${fleetDirectory}`;
        issues.error(
            "unknown-reference",
            path,
            `${subject.replace(/\.\d+/, "")}: ${show(file)} is not declared; ${remedy}`,
        );
    }
}

function unusedFiles(config: HaproxyConfig, issues: IssueList): void {
    const used = usedFiles(config);
    const { certificates = [], authorities = [] } = config;
    certificates.forEach(({ name }, i) => {
        if (!used.certificates.has(name)) {
            issues.warning(
                "unused-certificate",
                `certificates.${i}.name`,
                `certificate ${name}: nothing uses it, so no host gets it; use it in the tls of a service or in a bind of a model, or remove it`,
            );
        }
    });
    authorities.forEach(({ name }, i) => {
        if (!used.authorities.has(name)) {
            issues.warning(
                "unused-authority",
                `authorities.${i}.name`,
                `authority ${name}: nothing uses it, so no host gets it; use it in the clients of a service or as a caFile of a model (${authorityPath(name)}), or remove it`,
            );
        }
    });
}

function resumption(config: HaproxyConfig, issues: IssueList): void {
    if (!mustNotResume(config)) {
        return;
    }
    config.global?.raw?.forEach((line, i) => {
        const [, size] = /^\s*tune\.ssl\.cachesize\s+(\S+)/.exec(line) ?? [];
        if (size !== undefined && size !== "0") {
            issues.error(
                "duplicate-setting",
                `global.raw.${i}`,
                `raw line ${show(line)}: below 3.2, clients could get in without their certificate by a session of another name; remove the line`,
            );
        }
    });
}
