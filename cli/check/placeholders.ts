import { webcrypto } from "node:crypto";
import type { DeclaredFile } from "../../components/convergence/kinds/index";
import { fillSlots, secretSlots, slotParts } from "../../components/convergence/slots";
import { slotPlaceholder } from "../../components/haproxy";

/** What a placeholder stands for. */
export type PlaceholderKind = "certificate" | "revocations" | "response";

/** A response that is valid as the error file of any status. */
const RESPONSE = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

const DAY = 24 * 60 * 60 * 1000;

/** The text of a file with a placeholder for each value that is secret or not known. */
export function filled({ content, slotValue = (value) => value }: DeclaredFile): string {
    return fillSlots(typeof content === "string" ? content : Buffer.from(content).toString("utf8"), (slot) => {
        const { encoding } = slotParts(slot);
        const value = slotPlaceholder(encoding);
        return encoding === undefined ? value : slotValue(value, encoding);
    });
}

/** What a declared file needs as a whole: PEM that is secret or not known, which no word can stand for. */
export function wholePlaceholder({ path, content }: DeclaredFile): PlaceholderKind | undefined {
    const isOpen = typeof content === "string" && path.endsWith(".pem") && secretSlots(content).length > 0;
    return isOpen ? (path.endsWith(".crl.pem") ? "revocations" : "certificate") : undefined;
}

/**
 * Texts that the daemon accepts: a certificate of an authority with its key, which serves as a bundle, too; a list on which that authority
 * revokes nothing; a response. A path that ends with "/" is a directory of certificates.
 *
 * @param wanted what each path needs
 */
export async function placeholderFiles(
    wanted: ReadonlyMap<string, PlaceholderKind>,
): Promise<[path: string, text: string][]> {
    const needsPem = [...wanted.values()].some((kind) => kind !== "response");
    const texts = { ...(needsPem ? await placeholderPem() : { certificate: "", revocations: "" }), response: RESPONSE };
    return [...wanted].map(([path, kind]) => [path.endsWith("/") ? `${path}placeholder.pem` : path, texts[kind]]);
}

async function placeholderPem(): Promise<Record<"certificate" | "revocations", string>> {
    // Loaded here, because few runs need it.
    require("reflect-metadata");
    const x509: typeof import("@peculiar/x509") = require("@peculiar/x509");
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
    const now = Date.now();
    const [from, to] = [new Date(now - DAY), new Date(now + 3650 * DAY)];
    const { digitalSignature, keyCertSign, cRLSign } = x509.KeyUsageFlags;
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
        {
            name: "CN=placeholder",
            keys,
            signingAlgorithm: algorithm,
            notBefore: from,
            notAfter: to,
            extensions: [
                new x509.BasicConstraintsExtension(true, undefined, true),
                new x509.KeyUsagesExtension(digitalSignature | keyCertSign | cRLSign, true),
            ],
        },
        webcrypto as Crypto,
    );
    const list = await x509.X509CrlGenerator.create(
        {
            issuer: certificate.subject,
            thisUpdate: from,
            nextUpdate: to,
            signingKey: keys.privateKey,
            signingAlgorithm: algorithm,
        },
        webcrypto as Crypto,
    );
    const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
    const pem = (label: string, der: ArrayBuffer) => `${x509.PemConverter.encode(der, label)}\n`;
    return {
        certificate: pem("CERTIFICATE", certificate.rawData) + pem("PRIVATE KEY", key),
        revocations: pem("X509 CRL", list.rawData),
    };
}
