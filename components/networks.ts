/** Networks of IP addresses: `192.0.2.0/24`, `2001:db8::/32`, or one address. */
import { isIP, SocketAddress } from "node:net";

/** Addresses of one family, from the first to the last, as numbers. */
export interface AddressRange {
    readonly family: 4 | 6;
    readonly first: bigint;
    readonly last: bigint;
}

const lengthOf = { 4: 32, 6: 128 } as const;

/** Whether the text is an address without a zone, or a network: an address and the length of its prefix. */
export function isNetwork(text: string): boolean {
    return partsOf(text) !== undefined;
}

/**
 * The addresses of a network.
 *
 * @throws {Error} if the text is no network
 */
export function rangeOf(network: string): AddressRange {
    const { family, value, length } = parsed(network);
    const size = 1n << BigInt(lengthOf[family] - length);
    const first = (value / size) * size;
    return { family, first, last: first + size - 1n };
}

/**
 * The network as tools print it: without bits after the prefix, in lower case, and as an address alone if it is one. IPv4 addresses
 * that are written as IPv6 ones (`::ffff:192.0.2.1`) are IPv4: that is how they arrive.
 *
 * @throws {Error} if the text is no network
 */
export function canonicalNetwork(text: string): string {
    const { family, length } = parsed(text);
    const address = addressText(rangeOf(text));
    const mapped = family === 6 && length >= 96 && /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
    if (mapped) {
        return canonicalNetwork(`${mapped}/${length - 96}`);
    }
    return length === lengthOf[family] ? address : `${address}/${length}`;
}

/** Canonical networks, each once and without those that another one contains, sorted by family and address. */
export function distinctNetworks(networks: readonly string[]): string[] {
    const ranges = [...new Set(networks.map(canonicalNetwork))].map((text) => ({ text, range: rangeOf(text) }));
    return ranges
        .filter(({ text, range }) => !ranges.some((other) => other.text !== text && contains(other.range, range)))
        .sort((a, b) => a.range.family - b.range.family || (a.range.first < b.range.first ? -1 : 1))
        .map(({ text }) => text);
}

/** Whether the first range has every address of the second. */
export function contains(outer: AddressRange, inner: AddressRange): boolean {
    return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

function parsed(text: string) {
    const parts = partsOf(text);
    if (parts === undefined) {
        throw new Error(`${JSON.stringify(text)} is no network`);
    }
    return parts;
}

function partsOf(text: string): { family: 4 | 6; value: bigint; length: number } | undefined {
    const [, address = "", prefix] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const family = isIP(address);
    if (family !== 4 && family !== 6) {
        return undefined;
    }
    const length = prefix === undefined ? lengthOf[family] : Number(prefix);
    return length > lengthOf[family] ? undefined : { family, value: numberOf(address, family), length };
}

function numberOf(address: string, family: 4 | 6): bigint {
    if (family === 4) {
        return BigInt(address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0));
    }
    // The last 32 bits may be written as an IPv4 address.
    const text = address.replace(/\d+\.\d+\.\d+\.\d+$/, (last) => {
        const value = numberOf(last, 4);
        return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
    });
    const [before = [], after = []] = text.split("::").map((half) => (half === "" ? [] : half.split(":")));
    const zeros = Array<string>(8 - before.length - after.length).fill("0");
    return [...before, ...zeros, ...after].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

function addressText({ family, first }: AddressRange): string {
    const [groups, width, radix] = family === 4 ? [4, 8n, 10] : [8, 16n, 16];
    const parts = Array.from({ length: groups }, (_, i) =>
        ((first >> (width * BigInt(groups - 1 - i))) & ((1n << width) - 1n)).toString(radix),
    );
    return family === 4 ? parts.join(".") : new SocketAddress({ address: parts.join(":"), family: "ipv6" }).address;
}
