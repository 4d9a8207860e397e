import { isIP, isIPv6, SocketAddress } from "node:net";
import { isSlot, withEncoding } from "../../convergence/slots";

/**
 * Address and port, or ports, as one word of a `bind` or `server` line. A slot gets an encoding: its value may be an IPv6 address,
 * which needs brackets.
 */
export function endpoint({ address, port }: { readonly address: string; readonly port: number | string }): string {
    const host = isSlot(address) ? withEncoding(address, "haproxy-address") : bracketed(address);
    return `${host}:${isSlot(port) ? withEncoding(`${port}`, "haproxy-port") : port}`;
}

/** The address as it stands before a port. */
export function bracketed(address: string): string {
    return isIPv6(address) ? `[${address}]` : address;
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

/** Whether only the host itself can connect to it. */
export function isLoopback(address: string): boolean {
    return /^(localhost|127(\.\d+){3}|::1|::ffff:127(\.\d+){3})$/i.test(canonical(withoutFamily(address)));
}

/** Whether HAProxy can connect to it: an address, or a host name, also with `ipv4@` or `ipv6@` or a dot at its end. */
export function isTarget(text: string): boolean {
    return isAddress(text) || isHostName(withoutFamily(text).replace(/\.$/, ""));
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
