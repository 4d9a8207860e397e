import type { IssueList } from "../haproxy/index";
import { type AddressRange, contains, isNetwork, rangeOf } from "../networks";
import { withoutPrefix, withPrefix } from "./pair";

/** An advert has one byte for the number of its addresses (RFC 3768, section 5.3.5). */
const mostAddresses = 255;

/** Prefixes shorter than these make foreign networks look local. */
const shortestPrefix = { 4: 8, 6: 32 } as const;

/** Addresses that a host can have, but not share. */
const unusable: readonly (readonly [network: string, what: string])[] = [
    ["0.0.0.0/8", "no address of a host"],
    ["127.0.0.0/8", "a loopback address"],
    ["169.254.0.0/16", "a link-local address"],
    ["224.0.0.0/3", "a multicast or reserved address"],
    ["::/127", "no address that others reach"],
    ["::ffff:0:0/96", "an IPv4 address written as an IPv6 one"],
    ["fe80::/10", "a link-local address"],
    ["ff00::/8", "a multicast address"],
];

/** Judges the list of service addresses. */
export function addressIssues(addresses: readonly string[] | undefined, issues: IssueList): void {
    if (addresses === undefined) {
        return;
    }
    const valid = addresses.map((address) => (isNetwork(address) ? address : undefined));
    addresses.forEach((address, index) => {
        const issue = valid[index] === undefined ? notAnAddress : issueOf(address, valid.slice(0, index));
        if (issue !== undefined) {
            issues.error("pair-address", `addresses.${index}`, `service address ${JSON.stringify(address)}: ${issue}`);
        }
    });
    const ipv4 = valid.filter((address) => address !== undefined && rangeOf(address).family === 4);
    if (ipv4.length === 0) {
        issues.error(
            "pair-address",
            "addresses",
            `addresses: ${addresses.length === 0 ? "there is none" : "there are only IPv6 ones"}; add an IPv4 address, which the adverts of VRRP name`,
        );
    }
    if (ipv4.length > mostAddresses) {
        issues.error(
            "pair-address",
            "addresses",
            `addresses: there are ${ipv4.length} IPv4 ones, and an advert names ${mostAddresses} at most; make two pairs`,
        );
    }
}

const notAnAddress = "it is not an IP address; use one like 192.0.2.100 or 192.0.2.100/24";

function issueOf(address: string, earlier: readonly (string | undefined)[]): string | undefined {
    const host = rangeOf(withoutPrefix(address));
    const network = rangeOf(withPrefix(address));
    const [, what] = unusable.find(([range]) => contains(rangeOf(range), host)) ?? [];
    if (what !== undefined) {
        return `it is ${what}; use one that clients reach`;
    }
    const twin = earlier.findIndex((each) => each !== undefined && same(rangeOf(withoutPrefix(each)), host));
    if (twin >= 0) {
        return `addresses[${twin}] is the same; remove one`;
    }
    const prefix = Number(withPrefix(address).split("/")[1]);
    if (prefix < shortestPrefix[host.family]) {
        return `its prefix length ${prefix} would make foreign networks look local; use that of the host's network, or none`;
    }
    const edge = edgeOf(host, network);
    return edge && `it is ${edge}; use one of a host, with the prefix length of its network`;
}

function same(a: AddressRange, b: AddressRange): boolean {
    return a.family === b.family && a.first === b.first;
}

/** The address of a network that no host has, if it is one. Networks of one or two addresses have none (RFC 3021, RFC 6164). */
function edgeOf(host: AddressRange, { first, last }: AddressRange): string | undefined {
    if (last - first < 2n) {
        return undefined;
    }
    if (host.first === first) {
        return host.family === 4 ? "that of the network itself" : "the anycast address of the routers of its network";
    }
    return host.family === 4 && host.first === last ? "the broadcast address of its network" : undefined;
}
