/** Addresses and networks as a firewall writes them. */
import { isIP } from "node:net";

/** Number of bits of an address, by its version. */
const BITS = { 4: 32, 6: 128 } as const;

/**
 * An address or a network (CIDR) in the form that firewalls print: without the bits after its prefix, without a prefix that says nothing,
 * IPv6 in lower case and as short as possible (RFC 5952).
 *
 * @returns undefined if it is neither
 */
export function canonicalNetwork(text: string): string | undefined {
    const [address = "", prefix, ...rest] = text.split("/");
    const version = isIP(address);
    if (version === 0 || address.includes("%") || rest.length > 0 || !/^\d{1,3}$/.test(prefix ?? "0")) {
        return undefined;
    }
    const bits = BITS[version as 4 | 6];
    const length = Number(prefix ?? bits);
    if (length > bits) {
        return undefined;
    }
    const hostBits = BigInt(bits - length);
    const network = (numberOf(address, version) >> hostBits) << hostBits;
    return `${textOf(network, version)}${length === bits ? "" : `/${length}`}`;
}

/** The version of an address or network: 4 or 6. */
export function versionOf(network: string): number {
    return network.includes(":") ? 6 : 4;
}

function numberOf(address: string, version: number): bigint {
    return version === 4
        ? address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n)
        : groupsOf(address).reduce((sum, part) => sum * 65536n + BigInt(`0x${part}`), 0n);
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): string[] {
    const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
    const [before = [], after] = short.split("::").map((part) => part.split(":").filter((group) => group !== ""));
    const missing = 8 - before.length - (after?.length ?? 0);
    return after === undefined ? before : [...before, ...Array<string>(missing).fill("0"), ...after];
}

function textOf(number: bigint, version: number): string {
    const [count, width] = version === 4 ? [4, 8n] : [8, 16n];
    const parts = Array.from({ length: count }, (_, n) =>
        ((number >> (width * BigInt(count - 1 - n))) & ((1n << width) - 1n)).toString(version === 4 ? 10 : 16),
    );
    return version === 4 ? parts.join(".") : new URL(`http://[${parts.join(":")}]`).hostname.slice(1, -1);
}
