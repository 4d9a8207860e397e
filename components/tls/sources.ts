/** Where certificates come from: the only file of this folder that asks a provider. */
import { isIP } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { onlyDeclared } from "../convergence/declaredHosts";
import { made, unknownOutput } from "../convergence/outputs";
import { optionalPackage } from "../optionalPackage";
import type { AuthorityParts } from "./authority";
import { asciiName } from "./coverage";
import { decryptDataBag } from "./dataBag";
import { usualDays } from "./dates";
import { partsFromFields, partsFromSecret } from "./fields";
import type { BundleParts } from "./parts";
import { SourceError } from "./sourceError";
import type {
    AuthoritySource,
    CertificateSource,
    DataBagSource,
    PrivateAuthority,
    PrivateCertificate,
    SecretsManagerSource,
} from "./types";

/** Why a source gives nothing: the words after `certificate shop: `. It quotes no secret. */
export interface SourceProblem {
    readonly problem: string;
}

/** By name. Each is secret, and unknown in a preview that would create it. A failure is a value, so that several are reported at once. */
export interface SourcedParts {
    readonly certificates: Readonly<Record<string, Sourced<BundleParts>>>;
    readonly authorities: Readonly<Record<string, Sourced<AuthorityParts>>>;
}

/** The component whose certificates these are. Its children use its providers. */
export interface SourceOwner {
    /** Children are named after it: `NAME-CERTIFICATE-key`, `NAME-AUTHORITY_ca-key`. */
    readonly name: string;
    readonly parent: pulumi.Resource;
}

type Text = pulumi.Input<string>;
type Sourced<T> = pulumi.Output<T | SourceProblem>;

/**
 * Gets the texts of certificates and authorities from where they are. Creates private ones as children of their owner.
 *
 * Without an engine, in a check or with mocks, what a provider would give is unknown.
 */
export function certificateParts(
    sources: Readonly<Record<string, CertificateSource<Text>>>,
    authorities: Readonly<Record<string, AuthoritySource<Text>>>,
    owner: SourceOwner,
): SourcedParts {
    const made = mapValues(authorities, (source, name) =>
        // Certificates have no underscore in their names, so one named `internal-ca` has other children.
        "private" in source ? makeAuthority(source, `${owner.name}-${name}_ca`, owner) : undefined,
    );
    return {
        certificates: mapValues(sources, (source, name): Sourced<BundleParts> => {
            const child = `${owner.name}-${name}`;
            if ("pem" in source) return given(source);
            if ("dataBag" in source) return fromDataBag(source);
            if ("secretsManager" in source) return fromSecretsManager(source, owner);
            if ("selfSigned" in source) return selfSigned(source.selfSigned, child, owner);
            const issuer = made[source.issuedBy];
            if (issuer === undefined) return pulumi.output(problem(notPrivate(source.issuedBy)));
            if ("problem" in issuer) return pulumi.output(problem(`its authority ${source.issuedBy} cannot be made`));
            return issued(source, issuer, child, owner);
        }),
        authorities: mapValues(authorities, (source, name): Sourced<AuthorityParts> => {
            const own = made[name];
            if (own !== undefined) return "problem" in own ? pulumi.output(own) : secretParts({ pem: own.certificate });
            return "pem" in source ? given(source) : unknownOutput<AuthorityParts>();
        }),
    };
}

const problem = (text: string): SourceProblem => ({ problem: text });
const notPrivate = (authority: string) =>
    `it is issued by ${authority}, which is no private authority; declare ${authority} in \`authorities\`, with \`private\``;

/** One secret of all texts, without those that are not declared. */
function secretParts<K extends string>(texts: { readonly [name in K]: Text | undefined }) {
    type Parts = Sourced<{ readonly [name in K]: string }>;
    const declared = Object.entries<Text | undefined>(texts).filter(([, text]) => text !== undefined);
    const all = pulumi.all(declared.map((entry) => pulumi.output(entry)));
    return pulumi.secret(
        all.apply((entries) => textProblem(Object.fromEntries(entries)) ?? Object.fromEntries(entries)),
    ) as unknown as Parts;
}

/** Why a value that an output has given is no text. No compiler has seen it. */
function textProblem(texts: Readonly<Record<string, unknown>>): SourceProblem | undefined {
    const [name, text] = Object.entries(texts).find(([, value]) => typeof value !== "string") ?? [];
    if (name === undefined) return undefined;
    return text === undefined || text === null
        ? problem(`its \`${name}\` has no value; check the output or the setting that it comes from`)
        : problem(`its \`${name}\` is of type ${typeof text}; use text`);
}

const given = <T extends object>(source: T) => secretParts({ ...source } as { pem: Text }) as Sourced<BundleParts>;

const fromDataBag = ({ dataBag, sharedSecret, fields }: DataBagSource<Text>): Sourced<BundleParts> =>
    pulumi.secret(
        pulumi
            .all([dataBag, sharedSecret])
            .apply(
                ([item, secret]) =>
                    textProblem({ dataBag: item, sharedSecret: secret }) ??
                    orProblem(() => partsFromFields(decryptDataBag(item, secret), fields)),
            ),
    );

/** What is read, or why it cannot be. */
function orProblem<T>(read: () => T): T | SourceProblem {
    try {
        return read();
    } catch (error) {
        if (error instanceof SourceError) return problem(error.message);
        throw error;
    }
}

function fromSecretsManager(source: SecretsManagerSource, { parent }: SourceOwner): Sourced<BundleParts> {
    type Module = typeof import("@pulumi/aws/secretsmanager/getSecretVersion");
    // Only this part: the whole package takes a tenth of a second and 10 MB.
    const aws = installed("@pulumi/aws", (): Module => require("@pulumi/aws/secretsmanager/getSecretVersion"));
    if (aws === undefined) return unknownOutput();
    if ("problem" in aws) return pulumi.output(aws);
    const { secretsManager: secretId, versionId, versionStage, region, fields } = source;
    const read: Promise<{ readonly secretString?: string } | SourceProblem> = aws
        .getSecretVersion({ secretId, versionId, versionStage, region }, { parent })
        .catch((error: Error) => problem(readProblem(secretId, error)));
    return pulumi.secret(read).apply((found): Sourced<BundleParts> => {
        if ("problem" in found) return pulumi.output(found);
        // An answer without it comes from mocks, or while the provider itself is unknown.
        if (found.secretString === undefined) return unknownOutput();
        const { secretString } = found;
        const parts =
            secretString === ""
                ? problem(`secret ${secretId} has no text; store PEM or JSON in it as text, not as binary`)
                : orProblem(() => partsFromSecret(secretString, fields));
        return pulumi.output(parts);
    });
}

/** Why a secret cannot be read, from what the provider says in several lines. */
function readProblem(secretId: string, { message }: Error): string {
    const words = message.replace(/\s+/g, " ").trim();
    const reason = words.replace(/^.*(returned an error: |reading Secrets Manager Secret Version \(.*?\): )/, "");
    const subject = `secret ${secretId} of AWS Secrets Manager`;
    if (reason.includes("couldn't find resource")) {
        return `${subject} is not there, or has no such version; check its name, version and region`;
    }
    return reason.includes("AccessDenied")
        ? `${subject} must not be read; allow secretsmanager:GetSecretValue to the program's AWS credentials (${reason})`
        : `${subject} cannot be read (${reason}); check the region and the AWS credentials of the program`;
}

/** What signs certificates. */
interface Authority {
    readonly certificate: pulumi.Output<string>;
    readonly key: pulumi.Output<string>;
}

function makeAuthority(
    { private: { commonName, ...args } }: PrivateAuthority,
    name: string,
    { parent }: SourceOwner,
): Authority | SourceProblem {
    const days = args.days ?? usualDays.authority;
    const tls = tlsPackage();
    if (tls === undefined) return { certificate: unknownOutput(), key: unknownOutput() };
    if ("problem" in tls) return tls;
    const key = new tls.PrivateKey(`${name}-key`, keyArgs("ecdsa"), { parent });
    const certificate = new tls.SelfSignedCert(
        `${name}-cert`,
        {
            privateKeyPem: key.privateKeyPem,
            subject: { commonName },
            isCaCertificate: true,
            allowedUses: ["cert_signing", "crl_signing"],
            ...validity(days, args.renewDays),
        },
        { parent },
    );
    return { certificate: made(certificate.certPem), key: made(key.privateKeyPem) };
}

function selfSigned(certificate: PrivateCertificate, name: string, owner: SourceOwner): Sourced<BundleParts> {
    return withKey(certificate, name, owner, (tls, key, options) => {
        const args = { privateKeyPem: key, ...subjectOf(certificate), ...useOf(certificate) };
        return { pem: made(new tls.SelfSignedCert(`${name}-cert`, args, options).certPem) };
    });
}

function issued(
    certificate: PrivateCertificate,
    authority: Authority,
    name: string,
    owner: SourceOwner,
): Sourced<BundleParts> {
    return withKey(certificate, name, owner, (tls, key, options) => {
        const asked = { privateKeyPem: key, ...subjectOf(certificate) };
        const args = {
            certRequestPem: new tls.CertRequest(`${name}-request`, asked, options).certRequestPem,
            caCertPem: authority.certificate,
            caPrivateKeyPem: authority.key,
            ...useOf(certificate),
        };
        const { certPem } = new tls.LocallySignedCert(`${name}-cert`, args, options);
        return { pem: made(certPem), chain: authority.certificate };
    });
}

type TlsPackage = typeof import("@pulumi/tls");

/** Makes a key, and with it a certificate. */
function withKey(
    { key: kind = "ecdsa" }: PrivateCertificate,
    name: string,
    { parent }: SourceOwner,
    make: (
        tls: TlsPackage,
        key: pulumi.Output<string>,
        options: pulumi.CustomResourceOptions,
    ) => Readonly<Record<string, Text>>,
): Sourced<BundleParts> {
    const tls = tlsPackage();
    if (tls === undefined) return unknownOutput();
    if ("problem" in tls) return pulumi.output(tls);
    const { privateKeyPem } = new tls.PrivateKey(`${name}-key`, keyArgs(kind), { parent });
    const parts = { ...make(tls, privateKeyPem, { parent }), key: made(privateKeyPem) };
    return secretParts(parts) as unknown as Sourced<BundleParts>;
}

const keyArgs = (kind: "ecdsa" | "rsa") =>
    kind === "rsa" ? { algorithm: "RSA", rsaBits: 2048 } : { algorithm: "ECDSA", ecdsaCurve: "P256" };

/** What a certificate of servers is for, and how long. A client that still exchanges keys by RSA needs key_encipherment. */
const useOf = ({ key, days = usualDays.certificate, renewDays }: PrivateCertificate) => ({
    allowedUses: ["digital_signature", ...(key === "rsa" ? ["key_encipherment"] : []), "server_auth"],
    ...validity(days, renewDays),
});

function validity(days: number, renewDays: number | undefined) {
    const validityPeriodHours = days * 24;
    return {
        validityPeriodHours,
        earlyRenewalHours: renewDays === undefined ? Math.floor(validityPeriodHours / 3) : renewDays * 24,
    };
}

/** The names of a certificate, in the form that certificates have them. The common name has at most 64 characters, and clients ignore it. */
function subjectOf({ names }: PrivateCertificate) {
    const all = names.map(asciiName);
    const commonName = all.find((name) => name.length <= 64);
    const addresses = all.filter((name) => isIP(name) !== 0);
    const hosts = all.filter((name) => isIP(name) === 0);
    return {
        ...(commonName !== undefined && { subject: { commonName } }),
        ...(hosts.length > 0 && { dnsNames: hosts }),
        ...(addresses.length > 0 && { ipAddresses: addresses }),
    };
}

const tlsPackage = () => installed("@pulumi/tls", (): TlsPackage => require("@pulumi/tls"));

/** A package that only some sources need, or that it is missing; nothing if no provider is asked. */
function installed<T extends object>(name: string, load: () => T): T | SourceProblem | undefined {
    return onlyDeclared() === undefined ? optionalPackage(name, load) : undefined;
}

const mapValues = <T, R>(values: Readonly<Record<string, T>>, compute: (value: T, name: string) => R) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, compute(value, name)]));
