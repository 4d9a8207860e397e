import type { BundleParts } from "./parts";
import { SourceError } from "./sourceError";
import type { CertificateFields } from "./types";

type Part = keyof CertificateFields;

/**
 * Names of fields by what they hold, in lower case, with letters only, and without `pem` or `content` at the end: those of public Chef
 * cookbooks, of AWS's interfaces, of Kubernetes and of certbot.
 */
const usualNames: Readonly<Record<Part, readonly string[]>> = {
    certificate: [
        ...["cert", "crt", "certificate", "certificatebody", "pem", "fullchain", "bundle", "content"],
        ...["sslcert", "sslcrt", "sslcertificate", "tlscert", "tlscrt"],
    ],
    chain: [
        ...["chain", "certchain", "certificatechain", "sslchain", "cachain", "ca", "cacrt", "cacert", "cacertificate"],
        ...["cabundle", "intermediate", "intermediates", "certinter", "intermediatecert", "intermediatecertificate"],
    ],
    key: [
        ...["key", "privatekey", "privkey", "sslkey", "tlskey", "certkey", "certificatekey", "sslcertificatekey"],
        "sslprivatekey",
    ],
    passphrase: [
        "passphrase",
        "keypassphrase",
        "password",
        "keypassword",
        "pass",
        "keypass",
        "sslpass",
        "sslpassphrase",
    ],
};

/**
 * Finds the parts of a certificate among the fields of a data bag item or of a JSON secret.
 *
 * @param values by field
 * @param fields which field has what. @default - by usual names, such as `cert`, `chain` and `key`, in any case
 * @throws {SourceError} If there is no certificate, a named field is missing, or a part is not text. Quotes names only.
 */
export function partsFromFields(
    values: Readonly<Record<string, unknown>>,
    fields: CertificateFields = {},
): BundleParts {
    const have = Object.keys(values).sort().join(", ") || "none";
    const textOf = (part: Part): string | undefined => {
        const named = fields[part];
        if (named !== undefined && !Object.hasOwn(values, named)) {
            throw new SourceError(
                `its source has no field ${named} for the ${part} (it has ${have}); correct \`fields\``,
            );
        }
        const taken = Object.entries(fields).flatMap(([other, name]) => (other === part ? [] : [name]));
        const found =
            named === undefined
                ? Object.keys(values).filter((name) => isUsual(name, part) && !taken.includes(name))
                : [named];
        const texts = found.flatMap((name) => textsIn(name, values[name]));
        return texts.length === 0 ? undefined : part === "passphrase" ? texts[0] : texts.join("\n");
    };
    const [pem, chain, key, passphrase] = (["certificate", "chain", "key", "passphrase"] as const).map(textOf);
    if (pem === undefined) {
        throw new SourceError(
            `its source has no field with a usual name for the certificate (it has ${have}); name it in \`fields\``,
        );
    }
    return {
        pem,
        ...(chain !== undefined && { chain }),
        ...(key !== undefined && { key }),
        ...(passphrase !== undefined && { passphrase }),
    };
}

/**
 * Finds the parts of a certificate in a text that is PEM, or a JSON object with PEM in its fields.
 *
 * @throws {SourceError} If it is neither, or as `partsFromFields` does. Never quotes the text.
 */
export function partsFromSecret(text: string, fields?: CertificateFields): BundleParts {
    if (!text.trimStart().startsWith("{")) {
        if (!text.includes("-----BEGIN ")) {
            throw new SourceError("its secret is neither PEM nor a JSON object; store one of them");
        }
        return { pem: text };
    }
    let values: unknown;
    try {
        values = JSON.parse(text);
    } catch {
        // The error of JSON.parse would quote the text.
        throw new SourceError("its secret begins like a JSON object, but is not JSON; store it again");
    }
    return partsFromFields(values as Record<string, unknown>, fields);
}

function isUsual(name: string, part: Part): boolean {
    const letters = name.toLowerCase().replace(/[^a-z]/g, "");
    return usualNames[part].includes(letters.replace(/(?<=.)(pem|content)$/, ""));
}

function textsIn(name: string, value: unknown): string[] {
    if (value === null || value === undefined || value === "") {
        return [];
    }
    const texts = Array.isArray(value) ? value : [value];
    if (!texts.every((text) => typeof text === "string")) {
        throw new SourceError(`field ${name} of its source is not text; store PEM in it`);
    }
    return texts as string[];
}
