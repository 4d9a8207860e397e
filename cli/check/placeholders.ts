import type { DeclaredFile } from "../../components/convergence/kinds/index";
import { fillSlots, slotParts } from "../../components/convergence/slots";
import { slotPlaceholder } from "../../components/haproxy";
import { attempt } from "../surroundings";

/** A response that is valid as the error file of any status. */
const RESPONSE = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

/** The text of a file with a placeholder for each value that is secret or not known. */
export function filled({ content, slotValue = (value) => value }: DeclaredFile): string {
    return fillSlots(typeof content === "string" ? content : Buffer.from(content).toString("utf8"), (slot) => {
        const { encoding } = slotParts(slot);
        const value = slotPlaceholder(encoding);
        return encoding === undefined ? value : slotValue(value, encoding);
    });
}

/**
 * Replacements for files that only hosts have, by path: a certificate with its key, or a response if the name ends like an error
 * file's. A path that ends with "/" is a directory of certificates.
 *
 * @throws {Error} If openssl cannot make the certificate.
 */
export async function placeholderFiles(paths: readonly string[]): Promise<[path: string, text: string][]> {
    const isResponse = (path: string) => path.endsWith(".http");
    const certificates = paths.filter((path) => !isResponse(path));
    const pem = certificates.length > 0 ? await certificate() : "";
    return paths.map((path) => [
        path.endsWith("/") ? `${path}placeholder.pem` : path,
        isResponse(path) ? RESPONSE : pem,
    ]);
}

/** A self-signed certificate, and its key. */
async function certificate(): Promise<string> {
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=placeholder", "-days", "3650"];
    const { code, stdout, stderr } = await attempt("openssl", [...request, "-keyout", "-", "-out", "-"]);
    if (code !== 0) {
        const problem = code === 127 ? "openssl is not installed on this machine" : `openssl: ${stderr.trim()}`;
        throw new Error(`no placeholders for its certificates, because ${problem}`);
    }
    return stdout;
}
