import type { Bind, BindCertificate, BindTls, BindTlsOptions } from "./binds";
import type { HaproxyConfig } from "./config";
import { authorityPath, certificatePath, fleetDirectory, revocationsPath } from "./files";
import { allProxies } from "./lookup";
import { eachText } from "./strings";
import { atLeast, releaseOf } from "./versions";

/** A bind with its section and its path in the model. */
export interface PlacedBind {
    readonly bind: Bind;
    readonly path: string;
    /** Its section for messages, such as `frontend http`. */
    readonly where: string;
    /** Name of its section. */
    readonly section: string;
}

/** All declared binds, in the order of the file. */
export function allBinds(config: HaproxyConfig): PlacedBind[] {
    const { stats, metrics, health } = config;
    return [
        ...allProxies(config).flatMap(({ section, proxy, path }) =>
            (proxy.binds ?? []).map((bind, i) => ({
                bind,
                path: `${path}.binds.${i}`,
                where: `${section} ${proxy.name}`,
                section: proxy.name,
            })),
        ),
        ...(stats ? [{ bind: stats.bind, path: "stats.bind", where: "the statistics page", section: "stats" }] : []),
        ...(metrics ? [{ bind: metrics.bind, path: "metrics.bind", where: "the metrics", section: "metrics" }] : []),
        ...(health
            ? [{ bind: { port: health.port }, path: "health", where: "the health page", section: "health" }]
            : []),
    ];
}

/** The certificates of a bind as objects. */
export function certificatesOf({ certificates = [] }: BindTls): BindCertificate[] {
    return certificates.map((entry) => (typeof entry === "string" ? { certificate: entry } : entry));
}

/** The one of a bind's certificates that clients get who ask for no name, or for one that none has; none with strict SNI. */
export function defaultAmong(
    entries: readonly BindCertificate[],
    { defaultCertificate, strictSni }: BindTls,
): BindCertificate | undefined {
    return strictSni
        ? undefined
        : (entries.find(({ certificate }) => certificate === defaultCertificate) ?? entries[0]);
}

/** How clients are verified: `required` with authorities, unless the model says otherwise. */
export function verifyOf({ verify, caFile }: BindTlsOptions): BindTlsOptions["verify"] {
    return verify ?? (caFile === undefined ? undefined : "required");
}

/** Whether any bind, and any server, speaks TLS; raw lines included. */
export function usesTls(config: HaproxyConfig): { readonly clients: boolean; readonly servers: boolean } {
    const { backends, listens = [], defaults, namedDefaults = [] } = config;
    const raw = rawLinesOf(config);
    const servers = [...backends, ...listens].some(({ servers: list, serverTemplates = [], defaultServer = {} }) =>
        [...list, ...serverTemplates].some(
            (server) => speaksTls(server) || (server.ssl === undefined && speaksTls(defaultServer)),
        ),
    );
    const inDefaults = [defaults, ...namedDefaults].flatMap((section) => section?.raw ?? []);
    return {
        clients: allBinds(config).some(({ bind }) => speaksTls(bind)) || raw.some((line) => rawTls("bind", line)),
        servers: servers || [...raw, ...inDefaults].some((line) => rawTls("(default-)?server(-template)?", line)),
    };
}

const tlsWord = /(?:^|\s)(?:check-)?ssl(?:\s|$)/;

function speaksTls({ ssl, raw = "" }: { readonly ssl?: object | false; readonly raw?: string }): boolean {
    return Boolean(ssl) || tlsWord.test(raw);
}

function rawTls(keyword: string, line: string): boolean {
    return new RegExp(`^\\s*${keyword}\\s`).test(line) && tlsWord.test(line);
}

function rawLinesOf(config: HaproxyConfig): string[] {
    return allProxies(config).flatMap(({ proxy }) => proxy.raw ?? []);
}

/**
 * Whether sessions must not be resumed, because HAProxy below 3.2 does not verify the client of a resumed session again: with one that
 * was made where no certificate is needed, a client gets in where one is, on another name or on another bind.
 */
export function mustNotResume(config: HaproxyConfig): boolean {
    if (atLeast(releaseOf(config), "3.2")) {
        return false;
    }
    const policies = new Set<string>();
    for (const { bind } of allBinds(config)) {
        if (bind.ssl) {
            const { crt, ...tls } = bind.ssl;
            const lines = certificatesOf(tls).map((entry) => ({ ...tls, verify: verifyOf(tls), ...withVerify(entry) }));
            for (const line of [...(crt ? [tls] : []), ...lines]) {
                policies.add(clientPolicy(line, bind.raw));
            }
        } else if (bind.raw && speaksTls(bind)) {
            policies.add(clientPolicy({}, bind.raw));
        }
    }
    for (const line of rawLinesOf(config).filter((raw) => rawTls("bind", raw))) {
        policies.add(clientPolicy({}, line));
    }
    return policies.size > 1;
}

/** An entry without fields that its bind sets. */
function withVerify(entry: BindCertificate): BindTlsOptions {
    const { caFile, crlFile } = entry;
    const verify = verifyOf(entry);
    return {
        ...(caFile !== undefined && { caFile }),
        ...(crlFile !== undefined && { crlFile }),
        ...(verify !== undefined && { verify }),
    };
}

/** Equal for lines that accept the same clients. */
function clientPolicy(tls: BindTlsOptions, raw = ""): string {
    const verify = verifyOf(tls) ?? "none";
    const words = raw.match(/(?:^|\s)(?:verify|ca-file|ca-verify-file|crl-file)\s+\S+/g) ?? [];
    return JSON.stringify(verify === "none" ? words : [verify, tls.caFile, tls.crlFile, ...words]);
}

/** Declared certificates and authorities that something names. */
export interface UsedFiles {
    readonly certificates: ReadonlySet<string>;
    readonly authorities: ReadonlySet<string>;
}

/** The certificates that a bind names, and all certificates and authorities whose path is in a text of the model. */
export function usedFiles(config: HaproxyConfig): UsedFiles {
    const { certificates = [], authorities = [] } = config;
    const named = new Set(
        allBinds(config).flatMap(({ bind }) =>
            bind.ssl ? certificatesOf(bind.ssl).map(({ certificate }) => certificate) : [],
        ),
    );
    const paths = certificates.length + authorities.length > 0 ? fleetPathsIn(config) : new Set<string>();
    const used = (list: readonly { readonly name: string }[], uses: (name: string) => boolean) =>
        new Set(list.map(({ name }) => name).filter(uses));
    return {
        certificates: used(certificates, (name) => named.has(name) || paths.has(certificatePath(name))),
        authorities: used(authorities, (name) => paths.has(authorityPath(name)) || paths.has(revocationsPath(name))),
    };
}

/** The PEM files of {@link fleetDirectory} that texts of the model name. */
function fleetPathsIn({ certificates: _, authorities: __, maps: ___, ...config }: HaproxyConfig): Set<string> {
    const pattern = new RegExp(`${fleetDirectory}/[a-z0-9.-]+\\.pem(?![A-Za-z0-9._-])`, "g");
    const found = new Set<string>();
    eachText(config, (text) => {
        for (const [path] of text.includes(fleetDirectory) ? text.matchAll(pattern) : []) {
            found.add(path);
        }
    });
    return found;
}
