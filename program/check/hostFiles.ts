import { run } from "../../lab/machine/exec";

/** A response that is valid as the error file of any status. */
const response = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

/**
 * Replacements for files that only hosts have, by path: a certificate with its key, or a response if the name ends like an error
 * file's. A path that ends with "/" is a directory of certificates.
 */
export async function placeholderFiles(paths: readonly string[]): Promise<[path: string, text: string][]> {
    const isResponse = (path: string) => path.endsWith(".http");
    const certificates = paths.filter((path) => !isResponse(path));
    const pem = certificates.length > 0 ? await certificate() : "";
    return paths.map((path) => [
        path.endsWith("/") ? `${path}placeholder.pem` : path,
        isResponse(path) ? response : pem,
    ]);
}

/** A self-signed certificate, and its key. */
async function certificate(): Promise<string> {
    const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=placeholder", "-days", "3650"];
    const { stdout } = await run("openssl", [...args, "-keyout", "-", "-out", "-"]);
    return stdout;
}
