import { createHash, createHmac } from "node:crypto";
import type { Request } from "./calls";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();

/** What the Authorization header of a signed call says. */
export interface Signature {
    readonly keyId: string;
    /** Day, region, service and `aws4_request`. */
    readonly scope: readonly string[];
    readonly headers: readonly string[];
    readonly value: string;
}

/** `undefined` if the call is not signed. */
export function signatureOf({ headers }: Request): Signature | undefined {
    const found = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), *SignedHeaders=([^,]+), *Signature=(\w+)$/.exec(
        headers.authorization ?? "",
    );
    if (!found) return undefined;
    const [, keyId = "", scope = "", names = "", value = ""] = found;
    return { keyId, scope: scope.split("/"), headers: names.split(";"), value };
}

/** Whether a call has temporary credentials, which only roles have here. */
export const isOfRole = (request: Request) => signatureOf(request)?.keyId.startsWith("ASIA") ?? false;

/**
 * Computes the signature that a call should have (version 4). The query is empty in calls whose parameters are a form.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function expectedSignature(request: Request, { scope, headers }: Signature, secret: string): string {
    const lines = headers.map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/ +/g, " ")}\n`);
    const canonical = [request.method, request.path, "", lines.join(""), headers.join(";"), sha256(request.body)];
    const text = [
        "AWS4-HMAC-SHA256",
        request.headers["x-amz-date"] ?? "",
        scope.join("/"),
        sha256(canonical.join("\n")),
    ].join("\n");
    return hmac(scope.reduce<string | Buffer>(hmac, `AWS4${secret}`), text).toString("hex");
}
