// tls.SelfSignedCert and tls.LocallySignedCert.
import { randomBytes } from "node:crypto";
import type { Field } from "../provider/fields";
import type { Table } from "../provider/tableType";
import type { Properties } from "../provider/values";
import { alternativeNames, type SigningKey, signingKey, subjectFields, subjectOf } from "./keys";
import * as x509 from "./x509";

const { KeyUsageFlags, ExtendedKeyUsage } = x509;
const keyUsages: Record<string, number> = {
    digital_signature: KeyUsageFlags.digitalSignature,
    content_commitment: KeyUsageFlags.nonRepudiation,
    key_encipherment: KeyUsageFlags.keyEncipherment,
    data_encipherment: KeyUsageFlags.dataEncipherment,
    key_agreement: KeyUsageFlags.keyAgreement,
    cert_signing: KeyUsageFlags.keyCertSign,
    crl_signing: KeyUsageFlags.cRLSign,
    encipher_only: KeyUsageFlags.encipherOnly,
    decipher_only: KeyUsageFlags.decipherOnly,
};
const extendedUsages: Record<string, string> = {
    any_extended: "2.5.29.37.0",
    server_auth: ExtendedKeyUsage.serverAuth,
    client_auth: ExtendedKeyUsage.clientAuth,
    code_signing: ExtendedKeyUsage.codeSigning,
    email_protection: ExtendedKeyUsage.emailProtection,
    timestamping: ExtendedKeyUsage.timeStamping,
    ocsp_signing: ExtendedKeyUsage.ocspSigning,
};

const hourMs = 3_600_000;
/** What the time is. A test sets it, as no test waits for weeks. */
const now = () => new Date(process.env.HAPROXY_FLEET_LAB_CLOCK ?? Date.now());

const commonFields: Record<string, Field> = {
    allowedUses: {
        kind: "strings",
        required: true,
        replaces: true,
        oneOf: [...Object.keys(keyUsages), ...Object.keys(extendedUsages)],
    },
    earlyRenewalHours: { kind: "integer", default: 0, min: 0 },
    isCaCertificate: { kind: "boolean", default: false, replaces: true },
    maxPathLength: { kind: "integer", replaces: true, min: -1 },
    setSubjectKeyId: { kind: "boolean", default: false, replaces: true },
    validityPeriodHours: { kind: "integer", required: true, replaces: true, min: 0 },
};
const commonOutputs = ["certPem", "readyForRenewal", "validityEndTime", "validityStartTime"];

/** Whether the certificate has ended, or the time has come to renew it. */
function isReady(validityEndTime: unknown, earlyRenewalHours: unknown): boolean {
    return now().getTime() >= Date.parse(String(validityEndTime)) - Number(earlyRenewalHours) * hourMs;
}

/** What both types do with the time. An up replaces a certificate that is ready; a refresh only records that it is. */
const renewal: Pick<Table, "outdated" | "read"> = {
    outdated: (state, inputs) =>
        isReady(state.validityEndTime, inputs.earlyRenewalHours) ? "readyForRenewal" : undefined,
    read: async (state) => ({
        ...state,
        readyForRenewal: isReady(state.validityEndTime, state.earlyRenewalHours) || (state.readyForRenewal ?? false),
    }),
};

export const selfSignedCert: Table = {
    fields: {
        ...subjectFields,
        ...commonFields,
        setAuthorityKeyId: { kind: "boolean", default: false, replaces: true },
    },
    computed: [...commonOutputs, "keyAlgorithm"],
    async create(inputs) {
        const key = await signingKey(inputs.privateKeyPem);
        const subject = subjectOf(inputs);
        if (inputs.isCaCertificate && subject.length === 0) {
            throw new Error("an authority needs a subject with at least one name");
        }
        const withId = inputs.setSubjectKeyId || inputs.isCaCertificate;
        if (inputs.setAuthorityKeyId && !withId) {
            throw new Error("could not determine the authority key identifier: set setSubjectKeyId, too");
        }
        const extensions = [
            ...alternativeNames(inputs),
            ...(inputs.setAuthorityKeyId
                ? [await x509.AuthorityKeyIdentifierExtension.create(key.pair.publicKey)]
                : []),
        ];
        const { id, outputs } = await sign(
            { subject: new x509.Name(subject), publicKey: key.pair.publicKey, extensions },
            { name: new x509.Name(subject), key },
            inputs,
        );
        return { id, outputs: { ...outputs, keyAlgorithm: key.algorithm } };
    },
    ...renewal,
};

export const locallySignedCert: Table = {
    fields: {
        ...commonFields,
        caCertPem: { kind: "string", required: true, replaces: true },
        caPrivateKeyPem: { kind: "string", required: true, replaces: true },
        certRequestPem: { kind: "string", required: true, replaces: true },
    },
    computed: [...commonOutputs, "caKeyAlgorithm"],
    async create(inputs) {
        const request = new x509.Pkcs10CertificateRequest(String(inputs.certRequestPem));
        const authority = new x509.X509Certificate(String(inputs.caCertPem));
        const key = await signingKey(inputs.caPrivateKeyPem);
        if (!Buffer.from(authority.publicKey.rawData).equals(Buffer.from(await spki(key)))) {
            throw new Error(
                "failed to create the certificate: the private key of the authority is not that of its certificate",
            );
        }
        const names = request.extensions.filter(({ type }) => type === "2.5.29.17");
        const keyId = authority.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
        const extensions = [...names, ...(keyId ? [new x509.AuthorityKeyIdentifierExtension(keyId)] : [])];
        const { id, outputs } = await sign(
            { subject: request.subjectName, publicKey: request.publicKey, extensions },
            { name: authority.subjectName, key },
            inputs,
        );
        return { id, outputs: { ...outputs, caKeyAlgorithm: key.algorithm } };
    },
    ...renewal,
};

const spki = (key: SigningKey) => crypto.subtle.exportKey("spki", key.pair.publicKey);

/** What a certificate says of its owner. */
interface Owner {
    readonly subject: x509.Name;
    readonly publicKey: x509.PublicKeyType;
    readonly extensions: readonly x509.Extension[];
}

async function sign(owner: Owner, issuer: { readonly name: x509.Name; readonly key: SigningKey }, inputs: Properties) {
    // A positive number of at most 16 bytes.
    const serial = BigInt(`0x${randomBytes(16).toString("hex")}`);
    const start = now();
    const end = new Date(start.getTime() + Number(inputs.validityPeriodHours) * hourMs);
    const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: evenHex(serial),
        subject: owner.subject.toJSON(),
        issuer: issuer.name.toJSON(),
        notBefore: start,
        notAfter: end,
        publicKey: owner.publicKey,
        signingKey: issuer.key.pair.privateKey,
        signingAlgorithm: issuer.key.signingAlgorithm,
        extensions: [...(await usage(owner.publicKey, inputs)), ...owner.extensions],
    });
    return {
        id: serial.toString(),
        outputs: {
            certPem: `${certificate.toString("pem").trimEnd()}\n`,
            readyForRenewal: false,
            validityStartTime: start.toISOString(),
            validityEndTime: end.toISOString(),
        },
    };
}

/** The extensions that say what a certificate may be used for. */
async function usage(publicKey: x509.PublicKeyType, inputs: Properties): Promise<x509.Extension[]> {
    const uses = inputs.allowedUses as string[];
    const flags = uses.reduce((sum, use) => sum | (keyUsages[use] ?? 0), 0);
    const extended = uses.flatMap((use) => extendedUsages[use] ?? []);
    const isAuthority = inputs.isCaCertificate === true;
    const length = Number(inputs.maxPathLength ?? -1);
    return [
        ...(flags ? [new x509.KeyUsagesExtension(flags, true)] : []),
        ...(extended.length > 0 ? [new x509.ExtendedKeyUsageExtension(extended)] : []),
        // Go leaves a length of 0 out, and so does the real plugin.
        new x509.BasicConstraintsExtension(isAuthority, isAuthority && length > 0 ? length : undefined, true),
        ...(isAuthority || inputs.setSubjectKeyId ? [await x509.SubjectKeyIdentifierExtension.create(publicKey)] : []),
    ];
}

function evenHex(number: bigint): string {
    const hex = number.toString(16);
    return hex.length % 2 === 0 ? hex : `0${hex}`;
}
