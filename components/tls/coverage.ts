import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import type { CertificateFacts } from "./types";

/**
 * Whether a certificate is valid for a host, by the rules of browsers: a name of it is the host, or a wildcard for exactly one label. The
 * common name does not count.
 *
 * @param host a host name in Unicode or ASCII, an IP address, or a wildcard such as `*.example.com`, which only the same name covers
 */
export function coversHost({ names }: Pick<CertificateFacts, "names">, host: string): boolean {
    return coveringNames(host).some((name) => names.includes(name));
}

/** The names that a certificate may have to be valid for a host. */
export function coveringNames(host: string): string[] {
    const name = asciiName(host);
    return isIP(name) === 0 ? [name, name.replace(/^[^.]+(?=\.)/, "*")] : [name];
}

/** A host name in lower case, in ASCII and without the dot at its end; an IP address in its short form. */
export function asciiName(host: string): string {
    const name = host.trim().replace(/\.$/, "");
    const address = name.replace(/^\[(.*)\]$/, "$1");
    switch (isIP(address)) {
        case 4:
            return address;
        case 6:
            return domainToASCII(`[${address}]`).slice(1, -1) || address;
        default:
            // Returns nothing for what cannot be a host name, such as one with a space.
            return domainToASCII(name) || name.toLowerCase();
    }
}
