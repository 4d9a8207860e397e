import { z } from "zod";
import { formOf, matching, text, whole } from "../forms";
import { isAddress, isHostName } from "../haproxy";
import { asciiName } from "./coverage";
import { usualDays } from "./dates";
import type { CertificateFields, PrivateCertificate } from "./types";

// The form of sources, for data that no compiler has seen. What fields mean is documented at their types.

/** Longest life of a certificate that `@pulumi/tls` makes, in days: a hundred years. */
const mostDays = 36_500;

const fields = formOf<CertificateFields>()(
    z.strictObject({
        certificate: text.optional(),
        chain: text.optional(),
        key: text.optional(),
        passphrase: text.optional(),
    }),
);

const daysShape = { days: whole(1, mostDays).optional(), renewDays: whole(0, mostDays).optional() };

/** Renewal before the certificate begins would renew it in every up. */
const renewsWithin = ({ days, renewDays }: { days?: number; renewDays?: number }, usual: number) =>
    renewDays === undefined || renewDays < (days ?? usual);
const renewMessage = { message: "expected renewDays to be less than days", path: ["renewDays"] };

/** What clients can compare with a host: a name with at most a wildcard as its first label, or an address. */
const certifiedName = matching((name) => {
    const ascii = asciiName(name);
    return isAddress(ascii) || isHostName(ascii.replace(/^\*\./, ""));
}, 'expected a host name, such as "*.example.com", or an IP address');

const privateShape = {
    names: z
        .array(certifiedName, { message: "expected a list of host names and IP addresses" })
        .min(1, "expected at least one host name or IP address"),
    ...daysShape,
    key: z.enum(["ecdsa", "rsa"]).optional(),
};
const privateCertificate = formOf<PrivateCertificate>()(
    z
        .strictObject(privateShape)
        .refine((certificate) => renewsWithin(certificate, usualDays.certificate), renewMessage),
);

/** The form of a {@link CertificateSource}. `text` is that of its texts. */
function certificateForm<Form extends z.ZodType>(textForm: Form) {
    return z.union(
        [
            z.strictObject({
                pem: textForm,
                chain: textForm.optional(),
                key: textForm.optional(),
                passphrase: textForm.optional(),
            }),
            z.strictObject({ dataBag: textForm, sharedSecret: textForm, fields: fields.optional() }),
            z.strictObject({
                secretsManager: text,
                versionStage: text.optional(),
                versionId: text.optional(),
                region: text.optional(),
                fields: fields.optional(),
            }),
            z.strictObject({ selfSigned: privateCertificate }),
            z
                .strictObject({ issuedBy: text, ...privateShape })
                .refine((certificate) => renewsWithin(certificate, usualDays.certificate), renewMessage),
        ],
        { message: "expected a source: pem, dataBag, secretsManager, selfSigned or issuedBy" },
    );
}

/** The form of an {@link AuthoritySource}. `text` is that of its texts. */
function authorityForm<Form extends z.ZodType>(textForm: Form) {
    return z.union(
        [
            z.strictObject({ pem: textForm, revocations: textForm.optional() }),
            z.strictObject({
                private: z
                    .strictObject({ commonName: text, ...daysShape })
                    .refine((authority) => renewsWithin(authority, usualDays.authority), renewMessage),
            }),
        ],
        { message: "expected pem, or private" },
    );
}

/** Name of a certificate or an authority: of a file, and part of the name of a slot. */
const name = matching(
    /^[a-z0-9][a-z0-9.-]{0,39}$/,
    "expected a name of 1 to 40 lower-case letters, digits, dots and hyphens, with a letter or digit first",
);

/** Fields of {@link CertificateArguments}, for forms that have more fields. `text` is the form of their texts. */
export function certificatesShape<Form extends z.ZodType>(textForm: Form) {
    return {
        certificates: z.record(name, certificateForm(textForm)).optional(),
        authorities: z.record(name, authorityForm(textForm)).optional(),
        roots: textForm.optional(),
        minimumDays: whole(0, 3650).optional(),
    };
}
