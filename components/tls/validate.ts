import { IssueList } from "../haproxy";
import { asciiName, coveringNames, coversHost } from "./coverage";
import { daysLeft } from "./facts";
import type { TlsIssue } from "./issues";
import type { CertificateFacts } from "./types";

/** What is known of a certificate: all, at least the names that it is declared with, or nothing before an up. */
export type KnownFacts = CertificateFacts | (Partial<CertificateFacts> & Pick<CertificateFacts, "names">) | undefined;

/** Who serves certificates, on which port, and for which hosts. */
export interface CertificateUse {
    /** Path of what is declared, such as `services[2]`. */
    readonly path: string;
    /** Name of the service, or of the frontend. */
    readonly service: string;
    /** Hosts that clients ask for. None if they may ask for any. */
    readonly hosts: readonly string[];
    /** Names of the certificates that it is served with. */
    readonly certificates: readonly string[];
    readonly port: number;
    /** Whether HAProxy uses these certificates for these hosts whatever names are in them, with options of their own. @default false */
    readonly each?: boolean;
    /** Whether the port lets in clients of another authority, too, under other names. @default false */
    readonly otherClients?: boolean;
}

/** What `certificateIssues` judges. */
export interface CertificatesInUse {
    /** Every declared certificate by its name. */
    readonly certificates: ReadonlyMap<string, KnownFacts>;
    readonly uses: readonly CertificateUse[];
    /** Days that each certificate must still be valid. @default 0 */
    readonly minimumDays?: number;
    readonly now: Date;
}

/** From how many days on a certificate is mentioned. */
const warningDays = 30;

/** Finds what is wrong between certificates and the hosts that they are for, and certificates that expire soon. */
export function certificateIssues({ certificates: given, uses, minimumDays = 0, now }: CertificatesInUse): TlsIssue[] {
    const list = new IssueList();
    const certificates = new Map([...given].map(([name, facts]) => [name, facts && withAsciiNames(facts)]));
    for (const [name, facts] of certificates) {
        dayIssues(name, facts, minimumDays, now, list);
    }
    const numbers = [...new Set(uses.map(({ port }) => port))];
    const ports = numbers.map((number) =>
        portOf(
            number,
            uses.filter(({ port }) => port === number),
            certificates,
        ),
    );
    for (const port of ports) {
        coverageIssues(port, list);
        for (const use of port.uses.filter(({ each }) => each)) {
            optionIssues(use, port, list);
        }
        duplicateIssues(port, list);
    }
    for (const [name, facts] of certificates) {
        useIssues(name, facts, ports, list);
    }
    return list.issues;
}

/** Declared names may be in Unicode. */
function withAsciiNames(facts: NonNullable<KnownFacts>): KnownFacts {
    return { ...facts, names: facts.names.map(asciiName) };
}

/** A port with all certificates of its services: HAProxy chooses among them by the name that a client asks for. */
interface Port {
    readonly number: number;
    readonly uses: readonly CertificateUse[];
    readonly certificates: ReadonlyMap<string, KnownFacts>;
    /** Names with which a certificate is valid for one of the hosts at least. */
    readonly needed: ReadonlySet<string>;
    /** Whether clients may ask for hosts that are not declared. */
    readonly anyHost: boolean;
}

function portOf(number: number, uses: readonly CertificateUse[], all: CertificatesInUse["certificates"]): Port {
    const names = new Set(uses.flatMap(({ certificates }) => certificates));
    return {
        number,
        uses,
        certificates: new Map([...names].filter((name) => all.has(name)).map((name) => [name, all.get(name)])),
        needed: new Set(uses.flatMap(({ hosts }) => hosts.flatMap(coveringNames))),
        anyHost: uses.some(({ hosts }) => hosts.length === 0),
    };
}

function dayIssues(name: string, facts: KnownFacts, minimumDays: number, now: Date, list: IssueList): void {
    // `readBundle` reports those that have expired.
    if (facts?.notAfter === undefined || Date.parse(facts.notAfter) <= now.getTime()) {
        return;
    }
    const days = daysLeft({ notAfter: facts.notAfter }, now);
    const problem = `certificate ${name}: it has ${days === 1 ? "1 day" : `${days} days`} left`;
    if (days < minimumDays) {
        list.error(
            "certificate-dates",
            `certificates.${name}`,
            `${problem}, and minimumDays is ${minimumDays}; renew it`,
        );
    } else if (days < warningDays) {
        list.warning("certificate-expires", `certificates.${name}`, `${problem}; renew it`);
    }
}

function coverageIssues({ number, uses, certificates }: Port, list: IssueList): void {
    const known = knownOf(certificates);
    // What is not known yet may cover any host.
    if (known.length < certificates.size) {
        return;
    }
    const names = new Set(known.flatMap(({ facts }) => facts.names));
    for (const { path, service, hosts } of uses) {
        for (const host of hosts.filter((one) => !coveringNames(one).some((name) => names.has(name)))) {
            list.error(
                "uncovered-host",
                path,
                `service ${service}: no certificate of port ${number} is valid for ${host}; ${remedyFor(host, known)}`,
            );
        }
    }
}

/**
 * Where options belong to certificates for some hosts, HAProxy does not look at the names in these, and chooses the type of key before the
 * name: ECDSA, else RSA, else any other, of those that the client can use.
 */
function optionIssues(use: CertificateUse, port: Port, list: IssueList): void {
    const { path, service, hosts, certificates } = use;
    const [own, others] = [true, false].map((wanted) =>
        knownOf(port.certificates).filter(({ name }) => certificates.includes(name) === wanted),
    ) as [Known[], Known[]];
    for (const host of hosts) {
        const wrong = own.find(({ facts }) => !coversHost(facts, host));
        const other = own.length > 0 ? rivalOf(own, others, host, use) : undefined;
        if (wrong) {
            list.error(
                "uncovered-host",
                path,
                `service ${service}: its minVersion or clients make certificate ${wrong.name} that of ${host}, for which it is not valid; set certificates to those for all its hosts`,
            );
        } else if (other) {
            const { name, type, usual } = other;
            const problem = usual
                ? `HAProxy prefers certificate ${name} for ${host}, because its key is ${type}, and with it no minVersion or clients of the service`
                : `clients that can only use ${type} get certificate ${name} for ${host}, and with it those of another authority get in`;
            list.error(
                "tls-conflict",
                path,
                `service ${service}: ${problem}; give the service an ${type} certificate, too`,
            );
        }
    }
}

const keyTypes = { ecdsa: "ECDSA", rsa: "RSA", ed25519: "Ed25519" } as const;
const byPreference = Object.keys(keyTypes) as (keyof typeof keyTypes)[];

/** A certificate that HAProxy gives clients for a host instead of those of the service, and whether it gives it to most of them. */
function rivalOf(
    own: readonly Known[],
    others: readonly Known[],
    host: string,
    { otherClients = false }: CertificateUse,
): { readonly name: string; readonly type: string; readonly usual: boolean } | undefined {
    const has = (type: keyof typeof keyTypes) => own.some(({ facts }) => facts.keyType === type);
    const best = byPreference.findIndex(has);
    for (const [rank, type] of byPreference.entries()) {
        const usual = rank < best;
        const rival =
            !has(type) && (usual || otherClients)
                ? others.find(({ facts }) => facts.keyType === type && coversHost(facts, host))
                : undefined;
        if (rival) {
            return { name: rival.name, type: keyTypes[type], usual };
        }
    }
    return undefined;
}

interface Known {
    readonly name: string;
    readonly facts: NonNullable<KnownFacts>;
}

function knownOf(certificates: Port["certificates"]): Known[] {
    return [...certificates].flatMap(([name, facts]) => (facts ? [{ name, facts }] : []));
}

function remedyFor(host: string, known: readonly Known[]): string {
    const [near] = [...known].sort((a, b) => likeness(b.facts.names, host) - likeness(a.facts.names, host));
    if (!near) {
        return "declare one";
    }
    const { names } = near.facts;
    const shown = names.length > 5 ? [...names.slice(0, 5), `${names.length - 5} more`] : names;
    const which = `the nearest is ${near.name} (${shown.join(", ") || "no subject alternative names"})`;
    return `add one, or have one issued with that name: ${which}`;
}

/** How many labels at the end the most similar name shares with a host. */
function likeness(names: readonly string[], host: string): number {
    const labels = asciiName(host).split(".").reverse();
    const shared = (name: string) => {
        const others = name.split(".").reverse();
        const first = labels.findIndex((label, i) => label !== others[i]);
        return first < 0 ? labels.length : first;
    };
    return Math.max(0, ...names.map(shared));
}

/** HAProxy serves the first of two such certificates, and says nothing. */
function duplicateIssues({ number, uses, certificates, needed, anyHost }: Port, list: IssueList): void {
    const holders = new Map<string, Known>();
    const said = new Set<string>();
    for (const one of knownOf(certificates)) {
        for (const name of one.facts.names) {
            if (one.facts.keyType === undefined || !(anyHost || needed.has(name))) {
                continue;
            }
            const key = `${one.facts.keyType} ${name}`;
            const other = holders.get(key);
            if (!other) {
                holders.set(key, one);
            } else if (other.facts.sha256 !== one.facts.sha256 && !said.has(`${other.name} ${one.name}`)) {
                said.add(`${other.name} ${one.name}`);
                const path = uses.find((use) => use.certificates.includes(one.name))?.path ?? "";
                list.error(
                    "duplicate-certificate",
                    path,
                    `certificates ${other.name} and ${one.name}: both have ${name} and a key of type ` +
                        `${one.facts.keyType}, so that port ${number} would serve only one; leave one out`,
                );
            }
        }
    }
}

/** The model's own checks report a certificate that no port has. */
function useIssues(name: string, facts: KnownFacts, ports: readonly Port[], list: IssueList): void {
    const own = ports.filter(({ certificates }) => certificates.has(name));
    const needs = ({ anyHost, needed }: Port) => anyHost || !facts || facts.names.some((one) => needed.has(one));
    if (own.length > 0 && !own.some(needs)) {
        const where = own.map(({ number }) => number).join(", ");
        const message = `certificate ${name}: no host of port ${where} needs it; remove it`;
        list.warning("unused-certificate", `certificates.${name}`, message);
    }
}
