import { type AddressRange, contains, isNetwork, rangeOf } from "../../../networks";
import { isObject, type Json } from "./json";

/** What is known of a connection's first packet, or of a datagram, that arrives from outside. */
export interface Packet {
    readonly family: 4 | 6;
    readonly protocol: "tcp" | "udp" | "vrrp";
    /** First and last destination port; none for VRRP. */
    readonly ports?: readonly [number, number];
    /** Where it comes from. @default - anywhere */
    readonly from?: AddressRange;
    /** Whether connections are tracked, so that it has the state `new`. */
    readonly isTracked: boolean;
}

/** True, false, or undefined: not known. */
export type Truth = boolean | undefined;

/** Elements of a named set; undefined if they are not known. */
export type Elements = (name: string) => readonly Json[] | undefined;

/** How a value compares with a constant. */
type Compare = (constant: Json) => Truth;

/** A value of a packet, and how it compares; `absent`: such a packet has no such value, so no comparison holds. */
type Value = Compare | "absent" | undefined;

const PROTOCOLS = { tcp: 6, udp: 17, vrrp: 112 } as const;
/** Names of protocols: a packet of one has no fields of another. */
const protocolNames = new Set<Json>([
    "tcp",
    "udp",
    "vrrp",
    "icmp",
    "icmpv6",
    "ipv6-icmp",
    "igmp",
    "sctp",
    "dccp",
    "udplite",
    "esp",
    "ah",
    "comp",
    "gre",
]);

/** Whether the packet matches: the statement `match` of libnftables-json(5). */
export function matches(statement: Json, packet: Packet, elements: Elements): Truth {
    if (!isObject(statement)) {
        return undefined;
    }
    const { op, left, right } = statement;
    const value = valueIn(left, packet);
    if (value === "absent") {
        return false;
    }
    if (value === undefined) {
        return undefined;
    }
    switch (op) {
        case "==":
            return isFlags(right) ? onlyFlag(right, value) : isIn(right, value, elements);
        case "in":
            return isIn(right, value, elements);
        case "!=":
            return isFlags(right) && isIn(right, value, elements) !== false
                ? undefined
                : not(isIn(right, value, elements));
        default:
            return undefined;
    }
}

/** Whether the packet matches an entry of a verdict map. */
export function matchesKey(key: Json, constant: Json, packet: Packet, elements: Elements): Truth {
    const value = valueIn(key, packet);
    return value === "absent" ? false : value && isIn(constant, value, elements);
}

/** Whether packets have the value at all. */
export function hasValue(key: Json, packet: Packet): boolean {
    return valueIn(key, packet) !== "absent";
}

function not(truth: Truth): Truth {
    return truth === undefined ? undefined : !truth;
}

/** One of them is enough. */
function any(truths: readonly Truth[]): Truth {
    return truths.includes(true) || (truths.includes(undefined) ? undefined : false);
}

function all(truths: readonly Truth[]): Truth {
    return !truths.includes(false) && (truths.includes(undefined) ? undefined : true);
}

/** A list of flags, such as the states of connections. */
function isFlags(constant: Json): constant is readonly Json[] {
    return Array.isArray(constant);
}

/** Several flags are no single value. */
function onlyFlag(flags: readonly Json[], value: Compare): Truth {
    return flags.length === 1 ? value(flags[0]) : undefined;
}

/** Whether a value is a constant, or in a set of constants. */
function isIn(constant: Json, value: Compare, elements: Elements): Truth {
    if (typeof constant === "string" && constant.startsWith("@")) {
        const named = elements(constant.slice(1));
        return named && any(named.map((element) => isIn(element, value, elements)));
    }
    if (Array.isArray(constant)) {
        return any(constant.map((one) => isIn(one, value, elements)));
    }
    if (isObject(constant)) {
        if (Array.isArray(constant.set)) {
            return any(constant.set.map((element) => isIn(element, value, elements)));
        }
        if (isObject(constant.elem)) {
            const found = isIn(constant.elem.val, value, elements);
            // Such an element may go at any time.
            return found === true && Object.keys(constant.elem).some((key) => /^(timeout|expires|limit)/.test(key))
                ? undefined
                : found;
        }
    }
    return value(constant);
}

function valueIn(expression: Json, packet: Packet): Value {
    if (!isObject(expression)) {
        return undefined;
    }
    const { meta, payload, ct, fib, concat } = expression;
    if (isObject(meta)) {
        return metaValue(meta.key, packet);
    }
    if (isObject(payload)) {
        return payloadValue(payload.protocol, payload.field, packet);
    }
    if (isObject(ct)) {
        return ct.dir === undefined ? trackedValue(ct.key, packet) : undefined;
    }
    if (isObject(fib)) {
        return isLocalAddress(fib) && packet.protocol !== "vrrp"
            ? words("local", ["unicast", "broadcast", "multicast", "anycast", "blackhole", "prohibit", "unreachable"])
            : undefined;
    }
    if (Array.isArray(concat)) {
        return concatenation(concat.map((part) => valueIn(part, packet)));
    }
    return isObject(expression["&"]) || Array.isArray(expression["&"]) ? masked(expression["&"], packet) : undefined;
}

/** The type of the destination address: the host receives only what is for it. */
function isLocalAddress({ result, flags }: { readonly [field: string]: Json }): boolean {
    return result === "type" && [flags].flat().join() === "daddr";
}

function concatenation(parts: readonly Value[]): Value {
    if (parts.includes("absent")) {
        return "absent";
    }
    return (constant) =>
        isObject(constant) && Array.isArray(constant.concat) && constant.concat.length === parts.length
            ? all(
                  constant.concat.map((each, i) => {
                      const part = parts[i];
                      return typeof part === "function" ? isIn(each, part, () => undefined) : undefined;
                  }),
              )
            : undefined;
}

/** The flags of TCP, of which the first packet has only SYN. */
function masked(operands: Json, { protocol }: Packet): Value {
    const [field, mask] = Array.isArray(operands) ? operands : [];
    if (!isObject(field) || !isObject(field.payload)) {
        return undefined;
    }
    const { payload } = field;
    if (payload.protocol !== "tcp" || payload.field !== "flags") {
        return undefined;
    }
    if (protocol !== "tcp") {
        return "absent";
    }
    const kept = flagsOf(mask);
    return kept.includes("syn") && kept.every((flag) => tcpFlags.has(flag))
        ? (constant) => (constant === "syn" ? true : tcpFlags.has(constant) ? false : undefined)
        : undefined;
}

function flagsOf(mask: Json): readonly Json[] {
    const parts = isObject(mask) ? mask["|"] : mask;
    return Array.isArray(parts) ? parts.flatMap(flagsOf) : [parts];
}

/** Without `ecn` and `cwr`, which a first packet may have. */
const tcpFlags = new Set<Json>(["fin", "syn", "rst", "psh", "ack", "urg"]);

function metaValue(key: Json, packet: Packet): Value {
    switch (key) {
        case "l4proto":
            return protocolValue(packet);
        case "nfproto":
            return words(`ipv${packet.family}`, ["ipv4", "ipv6"]);
        case "protocol":
            return words(packet.family === 4 ? "ip" : "ip6", ["ip", "ip6", "arp", "vlan"]);
        case "iif":
        case "iifname":
            // It comes from outside, by an interface that is not known.
            return (constant) => (constant === "lo" ? false : undefined);
        case "pkttype":
            return packet.protocol === "tcp"
                ? words("host", ["unicast", "broadcast", "multicast", "other"])
                : undefined;
        default:
            return undefined;
    }
}

function payloadValue(protocol: Json, field: Json, packet: Packet): Value {
    const family = protocol === "ip" ? 4 : protocol === "ip6" ? 6 : undefined;
    if (family !== undefined) {
        if (family !== packet.family) {
            return "absent";
        }
        switch (field) {
            case "protocol":
            case "nexthdr":
                return protocolValue(packet);
            case "daddr":
                return (constant) => (isNoDestination(constant, packet) ? false : undefined);
            case "saddr":
                return packet.from && ((constant) => addressIs(constant, packet.from as AddressRange));
            default:
                return undefined;
        }
    }
    if (typeof protocol !== "string") {
        return undefined;
    }
    if (protocol === packet.protocol || (protocol === "th" && packet.ports !== undefined)) {
        return field === "dport" && packet.ports ? numbers(packet.ports) : undefined;
    }
    return protocolNames.has(protocol) ? "absent" : undefined;
}

function protocolValue({ protocol }: Packet): Compare {
    const number = PROTOCOLS[protocol];
    const compare = numbers([number, number]);
    return (constant) =>
        typeof constant !== "string" || /^\d+$/.test(constant)
            ? compare(constant)
            : constant === protocol
              ? true
              : protocolNames.has(constant)
                ? false
                : undefined;
}

function trackedValue(key: Json, packet: Packet): Value {
    switch (key) {
        case "state":
            return (constant) => stateIs(constant, packet);
        case "status":
            // Nothing has answered yet, and what may be sent elsewhere is not judged.
            return (constant) =>
                ["dnat", "snat", "seen-reply", "assured"].includes(constant as string) ? false : undefined;
        default:
            return undefined;
    }
}

function stateIs(constant: Json, { isTracked }: Packet): Truth {
    return typeof constant !== "string"
        ? undefined
        : constant === "established" || constant === "related" || constant === "invalid"
          ? false
          : isTracked && (constant === "new" || constant === "untracked")
            ? constant === "new"
            : undefined;
}

/** A value that is one of some words. */
function words(value: string, others: readonly string[]): Compare {
    return (constant) => (constant === value ? true : others.includes(constant as string) ? false : undefined);
}

/** Numbers from the first to the last: true if the constant has all of them. */
function numbers([first, last]: readonly [number, number]): Compare {
    return (constant) => {
        const [from, to] = numberRange(constant);
        return from === undefined || to === undefined
            ? undefined
            : from <= first && last <= to
              ? true
              : to < first || last < from
                ? false
                : undefined;
    };
}

function numberRange(constant: Json): (number | undefined)[] {
    const range = isObject(constant) && Array.isArray(constant.range) ? constant.range : [constant, constant];
    return range.map((end: Json) =>
        typeof end === "number" || (typeof end === "string" && /^\d+$/.test(end)) ? Number(end) : undefined,
    );
}

function addressIs(constant: Json, from: AddressRange): Truth {
    const range = addressRange(constant);
    return range === undefined
        ? undefined
        : contains(range, from)
          ? true
          : range.family === from.family && range.first <= from.last && from.first <= range.last
            ? undefined
            : false;
}

/** Addresses of this host alone. */
const ownAddresses = ["127.0.0.0/8", "0.0.0.0", "::1", "::"].map(rangeOf);
/** Addresses that take no connection. */
const groups = ["224.0.0.0/4", "255.255.255.255", "ff00::/8"].map(rangeOf);

function isNoDestination(constant: Json, { protocol }: Packet): boolean {
    const range = addressRange(constant);
    const never = protocol === "vrrp" ? ownAddresses : [...ownAddresses, ...groups];
    return range !== undefined && never.some((one) => contains(one, range));
}

function addressRange(constant: Json): AddressRange | undefined {
    if (typeof constant === "string") {
        return isNetwork(constant) ? rangeOf(constant) : undefined;
    }
    if (!isObject(constant)) {
        return undefined;
    }
    if (isObject(constant.prefix)) {
        return addressRange(`${constant.prefix.addr}/${constant.prefix.len}`);
    }
    const [first, last] = Array.isArray(constant.range) ? constant.range.map(addressRange) : [];
    return first && last && first.family === last.family
        ? { family: first.family, first: first.first, last: last.last }
        : undefined;
}
