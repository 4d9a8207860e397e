import { isIP, isIPv6, SocketAddress } from "node:net";

/** Address and port, or ports, as one word of a `bind` or `server` line. */
export function endpoint({ address, port }: { readonly address: string; readonly port: number | string }): string {
    return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Whether the text is an address that HAProxy need not resolve. HAProxy does not support zones, as in `fe80::1%eth0`. */
export function isAddress(text: string): boolean {
    return isIP(text) !== 0 && !text.includes("%");
}

/** A host name without `ipv4@` or `ipv6@`, which make HAProxy use only its addresses of that family. */
export function withoutFamily(name: string): string {
    return name.replace(/^ipv[46]@/, "");
}

/** The address as the host's own tools print it, because an IPv6 address has many spellings. */
export function canonical(address: string): string {
    return isIPv6(address) && isAddress(address) ? new SocketAddress({ address, family: "ipv6" }).address : address;
}

/** A host name of RFC 1123; a last label of digits only would be a mistyped IPv4 address. */
export function isHostName(text: string): boolean {
    const labels = text.split(".");
    return (
        text.length <= 253 &&
        labels.every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label)) &&
        !/^\d+$/.test(labels.at(-1) ?? "")
    );
}

/** Whether a client may send it in the header Host, without the port: a name or an address. */
export function isHost(text: string): boolean {
    return isHostName(text) || isIP(text) === 4 || (/^\[.*\]$/.test(text) && isIPv6(text.slice(1, -1)));
}
