import {
    addressesOf,
    allBinds,
    type Bind,
    canonical,
    certificatePath,
    certificatesOf,
    defaultAmong,
    type HaproxyConfig,
    isAddress,
    portsOf,
} from "../../haproxy";
import type { CertificateFacts } from "../../tls";

/** What is known of certificates, by name; undefined, or missing, if nothing is. */
export type KnownCertificates = Readonly<Record<string, CertificateFacts | undefined>>;

/** What the adapter compares with what HAProxy serves. */
export interface ServedCertificates {
    /** For each certificate that HAProxy loads and whose facts are known: its name and SHA-1 fingerprint. */
    readonly fingerprints: readonly Fingerprint[];
    /** Handshakes that show a certificate; those of defaults first. */
    readonly handshakes: readonly Handshake[];
}

/** How `show ssl cert` names a certificate. */
export interface Fingerprint {
    readonly certificate: string;
    /** Lower-case hexadecimal. */
    readonly sha1: string;
}

/** A handshake that the host itself can make, and the certificate that must come. */
export interface Handshake {
    readonly certificate: string;
    readonly address: string;
    readonly port: number;
    /** The name to ask for. @default - none, so that the default certificate comes */
    readonly name?: string;
    /** Whether to offer no other signatures than those of RSA keys, because the name has a certificate of another type, too. */
    readonly onlyRsa: boolean;
}

/** A line of a bind's list. */
interface Line {
    readonly certificate: string;
    readonly names: readonly string[];
    readonly keyType?: CertificateFacts["keyType"];
}

/** Computes what HAProxy has to serve. */
export function servedCertificates(config: HaproxyConfig, known: KnownCertificates): ServedCertificates {
    const loaded = loadedCertificates(config);
    const handshakes = allBinds(config)
        .map(({ bind }) => bind)
        .flatMap((bind) => handshakesOf(bind, known));
    return {
        fingerprints: [...loaded].flatMap((certificate) => {
            const sha1 = known[certificate]?.sha1;
            return sha1 === undefined ? [] : [{ certificate, sha1 }];
        }),
        handshakes: [
            ...firstOf(handshakes.filter(({ name }) => name === undefined)),
            ...firstOf(handshakes.filter(({ name }) => name !== undefined)),
        ],
    };
}

/** One handshake for each certificate is enough. */
function firstOf(handshakes: readonly Handshake[]): Handshake[] {
    const seen = new Set<string>();
    return handshakes.filter(({ certificate }) => !seen.has(certificate) && seen.add(certificate));
}

/** Declared certificates that binds name, and those that servers get. */
function loadedCertificates(config: HaproxyConfig): Set<string> {
    const { certificates = [], backends, listens = [] } = config;
    const named = allBinds(config).flatMap(({ bind: { ssl } }) =>
        ssl ? certificatesOf(ssl).map(({ certificate }) => certificate) : [],
    );
    const ofBinds = allBinds(config).flatMap(({ bind: { ssl } }) => ssl?.crt ?? []);
    const ofServers = [...backends, ...listens]
        .flatMap(({ servers, serverTemplates = [] }) => [...servers, ...serverTemplates])
        .flatMap(({ ssl }) => (ssl && ssl.crt !== undefined ? [ssl.crt] : []));
    const paths = new Set([...ofBinds, ...ofServers]);
    const byPath = certificates.map(({ name }) => name).filter((name) => paths.has(certificatePath(name)));
    return new Set([...named, ...byPath]);
}

/** The certificates that a bind shows, if the host itself can connect there. */
function handshakesOf(bind: Bind, known: KnownCertificates): Handshake[] {
    const { ssl } = bind;
    // With certificates outside of the list, it is unknown which one counts.
    if (!ssl || ssl.crt || "path" in bind || !isReachable(bind)) {
        return [];
    }
    const address = addressesOf(bind).find((one) => one === "*" || isAddress(one));
    const [port] = portsOf(bind);
    if (address === undefined || port === undefined) {
        return [];
    }
    const lines = certificatesOf(ssl).map(
        ({ certificate, hosts }): Line => ({
            certificate,
            names: hosts ?? known[certificate]?.names ?? [],
            keyType: known[certificate]?.keyType,
        }),
    );
    const place = { address: canonical(address), port };
    const byDefault = defaultAmong(certificatesOf(ssl), ssl);
    return [
        ...(byDefault ? [{ certificate: byDefault.certificate, ...place, onlyRsa: false }] : []),
        ...lines.flatMap((line) => {
            const name = line.names.map(askedName).find((asked) => shows(line, asked, lines));
            const onlyRsa = line.keyType === "rsa" && lines.some(({ keyType }) => keyType !== "rsa");
            return name === undefined ? [] : [{ certificate: line.certificate, ...place, name, onlyRsa }];
        }),
    ];
}

/** The proof knows neither the proxy protocol nor a way from outside. */
function isReachable({ acceptProxy, raw = "", ...bind }: Exclude<Bind, { path: string }>): boolean {
    const restricted = /(?:^|\s)(?:accept-proxy|accept-netscaler-cip|interface|namespace|transparent)(?:\s|$)/;
    return !acceptProxy && bind.interface === undefined && !bind.transparent && !restricted.test(raw);
}

/** A name that a wildcard covers, and that nothing else is likely to have. */
function askedName(name: string): string {
    return name.replace(/^\*(?=\.)/, "haproxy-fleet-proof").toLowerCase();
}

/**
 * Whether this line decides what clients get who ask for a name. An exact name counts more than a wildcard, and of equal ones the first.
 * Before both counts the type of the key: an ECDSA certificate comes first for clients that can use one, so an RSA certificate is asked
 * for with RSA alone.
 */
function shows(line: Line, asked: string, lines: readonly Line[]): boolean {
    if (/[^a-z0-9.-]/.test(asked) || isAddress(asked)) {
        return false;
    }
    const rivals = lines.filter(({ names }) => matches(names, asked) > 0);
    if (rivals.length > 1 && rivals.some(({ keyType }) => keyType === undefined || keyType === "ed25519")) {
        return false;
    }
    const same = rivals.filter(({ keyType }) => keyType === line.keyType);
    const best = Math.max(...same.map(({ names }) => matches(names, asked)));
    return same.find(({ names }) => matches(names, asked) === best) === line;
}

/** 2 for an exact name, 1 for a wildcard, 0 for none. */
function matches(names: readonly string[], asked: string): number {
    const wildcard = asked.replace(/^[^.]+/, "*");
    return names.some((name) => name.toLowerCase() === asked)
        ? 2
        : names.some((name) => name.toLowerCase() === wildcard)
          ? 1
          : 0;
}
