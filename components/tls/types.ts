/**
 * Where a certificate, its chain and its key come from.
 *
 * @typeParam Text how texts are given: in a program as Inputs, which should be secret if they hold a key, a passphrase or a shared
 * secret; in a stack by name, see `NamedText`
 */
export type CertificateSource<Text> =
    | PemSource<Text>
    | DataBagSource<Text>
    | SecretsManagerSource
    | SelfSignedSource
    | IssuedSource;

/** PEM, together or apart, in any order. Text around its blocks is ignored. */
export interface PemSource<Text> {
    /** The certificate; with its intermediates and key, unless these are given apart. */
    readonly pem: Text;
    /** Intermediates. @default - those in `pem` */
    readonly chain?: Text;
    /** Private key. @default - the one in `pem` */
    readonly key?: Text;
    /** Passphrase of an encrypted key. @default - the key is not encrypted */
    readonly passphrase?: Text;
}

/** A Chef encrypted data bag item of version 1, 2 or 3, decrypted in the program. */
export interface DataBagSource<Text> {
    /** The item: the JSON text of its file. */
    readonly dataBag: Text;
    /** The secret that the data bag is encrypted with. */
    readonly sharedSecret: Text;
    /** Where the item has what. @default - usual names, such as `cert`, `chain` and `key` */
    readonly fields?: CertificateFields;
}

/** A secret of AWS Secrets Manager, read in every preview and up with the AWS credentials of the program. */
export interface SecretsManagerSource {
    /** Name or ARN of the secret. Its text is PEM, or a JSON object with PEM in its fields. */
    readonly secretsManager: string;
    /** @default "AWSCURRENT" */
    readonly versionStage?: string;
    /** @default - the version at `versionStage` */
    readonly versionId?: string;
    /** @default - that of the AWS provider */
    readonly region?: string;
    /** Where a JSON object has what. @default - usual names, such as `certificate`, `chain` and `key` */
    readonly fields?: CertificateFields;
}

/** Names of the fields that hold a certificate. */
export interface CertificateFields {
    /** @default - usual names */
    readonly certificate?: string;
    /** @default - usual names */
    readonly chain?: string;
    /** @default - usual names */
    readonly key?: string;
    /** @default - usual names */
    readonly passphrase?: string;
}

/** A certificate that signs itself, for development. No client trusts it. */
export interface SelfSignedSource {
    /** What the certificate has. */
    readonly selfSigned: PrivateCertificate;
}

/** A certificate that an authority of one's own signs. Only clients that trust that authority trust it. */
export interface IssuedSource extends PrivateCertificate {
    /** Name of a private authority in `authorities`. */
    readonly issuedBy: string;
}

/** A certificate that is made by `@pulumi/tls`, and renewed by the first up within its renewal window. */
export interface PrivateCertificate {
    /** Host names, also with a wildcard such as `*.example.com`, and IP addresses. At least one. */
    readonly names: readonly string[];
    /** Days that it is valid. @default 90 */
    readonly days?: number;
    /** Days before its end from which an up renews it; less than `days`. @default - a third of `days` */
    readonly renewDays?: number;
    /** Kind of key: ECDSA P-256, or RSA of 2048 bits. @default "ecdsa" */
    readonly key?: "ecdsa" | "rsa";
}

/** Certificates of authorities that sign certificates of clients, or an authority of one's own. */
export type AuthoritySource<Text> = TrustedAuthority<Text> | PrivateAuthority;

/** Authorities of others. */
export interface TrustedAuthority<Text> {
    /** PEM of one or more certificates of authorities. */
    readonly pem: Text;
    /**
     * PEM of their revocation lists, one for each authority. HAProxy refuses every client of an authority whose list is missing or
     * expired. @default - revoked certificates are accepted
     */
    readonly revocations?: Text;
}

/** An authority that `@pulumi/tls` makes. Its key is an encrypted secret in the state. */
export interface PrivateAuthority {
    /** What its certificate has. */
    readonly private: {
        /** Its name, which people see in certificates. */
        readonly commonName: string;
        /** Days that it is valid. @default 3650 */
        readonly days?: number;
        /** Days before its end from which an up renews it. @default - a third of `days` */
        readonly renewDays?: number;
    };
}

/** What load balancers need to know of certificates. */
export interface CertificateArguments<Text> {
    /** Certificates of services with `tls`, and of binds, by name: lower-case letters, digits, dots and hyphens. @default {} */
    readonly certificates?: Readonly<Record<string, CertificateSource<Text>>>;
    /** Authorities that sign certificates of clients, or those with `issuedBy`, by name. @default {} */
    readonly authorities?: Readonly<Record<string, AuthoritySource<Text>>>;
    /** PEM of the root certificates that clients trust: each chain must lead to one of them. @default - chains are not verified */
    readonly roots?: Text;
    /** Days that each certificate must still be valid; with fewer, previews and ups fail. @default 0 */
    readonly minimumDays?: number;
}

/** A text in a stack, which has no secrets itself: a key in the stack's Pulumi config, or a file in the repository. */
export type NamedText =
    | {
          /** Key in the stack's Pulumi config, set with `--secret`. */
          readonly secret: string;
      }
    | {
          /** Path of a file, relative to the project's directory. */
          readonly file: string;
      };

/** What is known of a certificate without its key. All of it is public: every client sees it. */
export interface CertificateFacts {
    /** Such as `CN=shop.example.com`. */
    readonly subject: string;
    /** Subject of the certificate that signed it. */
    readonly issuer: string;
    /** Of the extension subjectAltName: DNS names in lower case and in ASCII, then IP addresses. */
    readonly names: readonly string[];
    /** SHA-256 of the certificate, in lower-case hexadecimal. */
    readonly sha256: string;
    /** SHA-1 of the certificate, in lower-case hexadecimal: HAProxy shows this one. */
    readonly sha1: string;
    /** In lower-case hexadecimal. */
    readonly serial: string;
    /** ISO 8601. */
    readonly notBefore: string;
    /** ISO 8601. */
    readonly notAfter: string;
    /** ECDSA and RSA certificates of one name may stand beside each other. */
    readonly keyType: "rsa" | "ecdsa" | "ed25519";
    /** Length of the key. */
    readonly keyBits: number;
    /** Whether its own key signed it. */
    readonly selfSigned: boolean;
    /** Number of intermediates. */
    readonly chain: number;
    /** Whether it demands a stapled OCSP response. */
    readonly mustStaple: boolean;
}

/** A certificate with its intermediates and key as HAProxy reads them. */
export interface Bundle {
    /** Leaf, intermediates and key, in PEM. Secret. */
    readonly pem: string;
    /** What is public about it. */
    readonly facts: CertificateFacts;
}
