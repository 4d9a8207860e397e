import * as pulumi from "@pulumi/pulumi";
import { authoritySlot, bundleSlot, revocationsSlot, rootsSlot } from "./certificateFiles";
import { type Later, valueIn } from "./convergence/outputs";
import { allBinds, certificatesOf, type HaproxyConfig, type Issue, portsOf, type TlsUse } from "./haproxy";
import {
    type AuthorityParts,
    type BundleParts,
    type CertificateArguments,
    type CertificateFacts,
    type CertificateSource,
    type CertificateUse,
    certificateIssues,
    daysLeft,
    type KnownFacts,
    type ReadAuthority,
    type ReadBundle,
    readAuthority,
    readBundle,
    readRoots,
    usualDays,
} from "./tls";
import { certificateParts, type SourceProblem } from "./tls/sources";

/** What is known of the certificates of a preview or an up. */
export interface JudgedCertificates {
    /** By name; undefined if only an up knows it. */
    readonly facts: Readonly<Record<string, CertificateFacts | undefined>>;
    /** What is wrong with certificates and authorities by themselves. */
    readonly issues: readonly Issue[];
}

/** Certificates and authorities, taken out of arguments. */
export interface TakenCertificates {
    /** PEM by the names of slots. */
    readonly slots: Readonly<Record<string, pulumi.Output<string>>>;
    /** PEM of authorities by name. It is no secret: clients need it to trust what a private authority has issued. */
    readonly authorities: Readonly<Record<string, pulumi.Output<string>>>;
    /** A promise if any are declared. */
    readonly judged: Later<JudgedCertificates>;
}

type Declared = CertificateArguments<pulumi.Input<string>>;
type Source = CertificateSource<pulumi.Input<string>>;

/**
 * Asks the sources of certificates and authorities, and makes bundles of what they give.
 *
 * @param component the parent of what the sources create
 */
export function takeCertificates(
    component: pulumi.Resource,
    name: string,
    { certificates = {}, authorities = {}, roots }: Declared,
): TakenCertificates {
    if (Object.keys({ ...certificates, ...authorities }).length === 0) {
        return { slots: {}, authorities: {}, judged: { facts: {}, issues: [] } };
    }
    const parts = certificateParts(certificates, authorities, { name, parent: component });
    const rootsPem = pulumi.output(roots);
    const trusted = trustedBy(rootsPem);
    const bundles = mapped(parts.certificates, (given, key) =>
        bundleOf(key, given, isPrivate(certificates[key]) ? unrestricted : rootsPem, trusted.roots),
    );
    const read = mapped(parts.authorities, (given, key) => authorityOf(key, given));
    // A proof verifies all chains, also those that lead to what this component makes.
    const ownRoots = [
        ...named(certificates, "selfSigned").map((key) => parts.certificates[key]),
        ...named(authorities, "private").map((key) => parts.authorities[key]),
    ].map((given) => (given as pulumi.Output<object>).apply((texts) => ("pem" in texts ? String(texts.pem) : "")));
    return {
        slots: {
            ...slotsOf(bundles, bundleSlot, ({ bundle }) => bundle?.pem),
            ...slotsOf(read, authoritySlot, ({ authority }) => authority?.pem),
            ...slotsOf(read, revocationsSlot, ({ authority }) => authority?.revocations),
            ...(roots !== undefined && { [rootsSlot]: pulumi.all([rootsPem, ...ownRoots]).apply(joined) }),
        },
        authorities: mapped(read, (output) => pulumi.unsecret(output.apply(({ authority }) => authority?.pem ?? ""))),
        judged: judgedOf(bundles, [...Object.values(read), trusted.read]),
    };
}

/** In place of roots: a chain may end anywhere. */
const unrestricted = pulumi.output<string | undefined>(undefined);

/** Reads roots once. Outputs carry only their text: of what they unwrap, objects of a class do not stay what they are. */
function trustedBy(rootsPem: pulumi.Output<string | undefined>) {
    let known: ReturnType<typeof readRoots> | undefined;
    const readOnce = (pem: string) => {
        known ??= readRoots(pem);
        return known;
    };
    return {
        roots: (pem: string) => readOnce(pem).roots,
        read: rootsPem.apply((pem) => (pem === undefined ? undefined : { issues: readOnce(pem).issues })),
    };
}

type Given<T> = pulumi.Output<T | SourceProblem>;

/** The bundle of a certificate. Its dates are judged when it is known, because it may have been made a moment ago. */
function bundleOf(
    name: string,
    given: Given<BundleParts>,
    rootsPem: pulumi.Output<string | undefined>,
    rootsIn: (pem: string) => ReturnType<typeof readRoots>["roots"],
): pulumi.Output<ReadBundle> {
    return pulumi
        .all([given, rootsPem])
        .apply(([texts, pem]) =>
            "problem" in texts
                ? { issues: [problemIssue("certificate", name, texts)] }
                : readBundle(name, texts, new Date(), pem === undefined ? undefined : rootsIn(pem)),
        );
}

function authorityOf(name: string, given: Given<AuthorityParts>): pulumi.Output<ReadAuthority> {
    return given.apply((texts) =>
        "problem" in texts
            ? { issues: [problemIssue("authority", name, texts)] }
            : readAuthority(name, texts, new Date()),
    );
}

/** Values of slots. What has no value has an issue, which ends the run before a slot is filled. */
function slotsOf<T>(
    outputs: Readonly<Record<string, pulumi.Output<T>>>,
    slot: (name: string) => string,
    pem: (value: T) => string | undefined,
): Readonly<Record<string, pulumi.Output<string>>> {
    return Object.fromEntries(
        Object.entries(outputs).map(([key, output]) => [slot(key), output.apply((value) => pem(value) ?? "")]),
    );
}

/** The names of sources of a kind. */
function named(sources: Readonly<Record<string, object>>, kind: string): string[] {
    return Object.keys(sources).filter((name) => kind in (sources[name] as object));
}

function joined(texts: readonly (string | undefined)[]): string {
    return texts.map((text) => `${text?.trimEnd()}\n`).join("");
}

/** Whether it is made by the component itself, so that it is not of one of the roots that clients trust. */
function isPrivate(source: object = {}): boolean {
    return "selfSigned" in source || "issuedBy" in source;
}

/** Whether resources of the component itself make certificates: they are created only after it. */
export function makesCertificates({ certificates = {}, authorities = {} }: Declared): boolean {
    const sources = [...Object.values(certificates), ...Object.values(authorities)];
    return sources.some((source) => isPrivate(source) || "private" in source);
}

/** Waits for what is known. What is not known yet has no issues. */
async function judgedOf(
    bundles: Readonly<Record<string, pulumi.Output<ReadBundle>>>,
    others: readonly pulumi.Output<{ readonly issues: readonly Issue[] } | undefined>[],
): Promise<JudgedCertificates> {
    const found = await Promise.all(
        Object.entries(bundles).map(async ([name, output]) => ({ name, read: (await valueIn(output))?.value })),
    );
    const more = await Promise.all(others.map(async (output) => (await valueIn(output))?.value?.issues ?? []));
    return {
        facts: Object.fromEntries(found.map(({ name, read }) => [name, read?.facts])),
        issues: [...found.flatMap(({ read }) => read?.issues ?? []), ...more.flat()],
    };
}

/** Why a source gives nothing, as an issue. */
function problemIssue(kind: "certificate" | "authority", name: string, { problem }: SourceProblem): Issue {
    const path = `${kind === "certificate" ? "certificates" : "authorities"}.${name}`;
    return { rule: "certificate-source", path, message: `${kind} ${name}: ${problem}`, severity: "error" };
}

/** What is wrong between certificates and what they are for. */
export function useIssues(
    { certificates = {}, minimumDays }: Declared,
    { facts }: JudgedCertificates,
    services: readonly TlsUse[],
    config: HaproxyConfig,
    now: Date,
): Issue[] {
    const names = Object.keys(certificates);
    if (names.length === 0) {
        return [];
    }
    const ofServices = services.map(({ certificates: own = names, ...use }) => ({ ...use, certificates: own }));
    const ports = new Set(ofServices.map(({ port }) => port));
    // A hand-written model says in conditions of any form which hosts it serves.
    const ofBinds = bindUses(config).filter(({ port }) => !ports.has(port));
    const issues = certificateIssues({
        certificates: new Map(names.map((name) => [name, facts[name] ?? declaredNames(certificates[name])])),
        uses: [...ofServices, ...ofBinds],
        minimumDays,
        now,
    });
    const waits = names.filter((name) => isBeforeRenewal(certificates[name], facts[name], now));
    return issues.filter(
        ({ rule, path }) => rule !== "certificate-expires" || !waits.some((name) => path === `certificates.${name}`),
    );
}

/** Whether an up would not renew the certificate yet, so that a warning could not be acted on. */
function isBeforeRenewal(source: Source | undefined, facts: CertificateFacts | undefined, now: Date): boolean {
    if (source === undefined || facts === undefined || !("selfSigned" in source || "issuedBy" in source)) {
        return false;
    }
    const { days = usualDays.certificate, renewDays = days / 3 } = "selfSigned" in source ? source.selfSigned : source;
    return daysLeft(facts, now) >= renewDays;
}

/** What a source says about a certificate that is not made yet. */
function declaredNames(source: Source | undefined): KnownFacts {
    return source === undefined
        ? undefined
        : "selfSigned" in source
          ? { names: source.selfSigned.names }
          : "issuedBy" in source
            ? { names: source.names }
            : undefined;
}

/** The certificates that binds name. */
function bindUses(config: HaproxyConfig): CertificateUse[] {
    return allBinds(config).flatMap(({ bind, path, where }) => {
        const certificates = bind.ssl ? certificatesOf(bind.ssl).map(({ certificate }) => certificate) : [];
        return certificates.length > 0 && "port" in bind
            ? portsOf(bind).map((port) => ({ path, service: where, hosts: [], certificates, port }))
            : [];
    });
}

function mapped<T, R>(
    record: Readonly<Record<string, T>>,
    compute: (value: T, key: string) => R,
): Readonly<Record<string, R>> {
    return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, compute(value, key)]));
}
