import assert from "node:assert/strict";
import { BlockList, isIPv6, SocketAddress } from "node:net";
import fc from "fast-check";
import { canonicalNetwork, contains, distinctNetworks, isNetwork, rangeOf } from "../../components/networks";

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();
const network = fc.oneof(
    fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })).map(([address, length]) => `${address}/${length}`),
    fc.tuple(ipv6, fc.integer({ min: 0, max: 128 })).map(([address, length]) => `${address}/${length}`),
);

/** Node's own judgement. */
function isIn(address: string, network: string): boolean {
    const [base = "", length] = network.split("/");
    const list = new BlockList();
    list.addSubnet(base, Number(length), isIPv6(base) ? "ipv6" : "ipv4");
    return list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

describe("networks", () => {
    it("are addresses without a zone, and networks with a prefix that fits", () => {
        for (const text of [
            "192.0.2.1",
            "192.0.2.1/0",
            "192.0.2.1/32",
            "2001:db8::/128",
            "::",
            "::ffff:192.0.2.1/96",
        ]) {
            assert.ok(isNetwork(text), text);
        }
        for (const text of [
            "",
            "192.0.2.1/33",
            "192.0.2/24",
            "192.0.2.01",
            "2001:db8::/129",
            "fe80::1%eth0",
            "fe80::/64%eth0",
            "192.0.2.1/",
            "192.0.2.1/-1",
            "192.0.2.1/24 ",
            "192.0.2.1-192.0.2.9",
            "example.com",
            "10.0.0.0/255.0.0.0",
        ]) {
            assert.ok(!isNetwork(text), text);
        }
    });

    it("have one spelling", () => {
        const cases = {
            "192.0.2.77/24": "192.0.2.0/24",
            "192.0.2.77/32": "192.0.2.77",
            "192.0.2.77": "192.0.2.77",
            "10.0.0.0/08": "10.0.0.0/8",
            "192.0.2.77/0": "0.0.0.0/0",
            "2001:DB8:0:0::F/64": "2001:db8::/64",
            "2001:db8::f/128": "2001:db8::f",
            "::/0": "::/0",
            "::ffff:192.0.2.1": "192.0.2.1",
            "::FFFF:c000:0201/120": "192.0.2.0/24",
            "::ffff:0:0/95": "::fffe:0:0/95",
            "64:ff9b::192.0.2.1": "64:ff9b::c000:201",
        };
        assert.deepEqual(Object.fromEntries(Object.keys(cases).map((text) => [text, canonicalNetwork(text)])), cases);
        fc.assert(
            fc.property(network, (text) => {
                const canonical = canonicalNetwork(text);
                assert.equal(canonicalNetwork(canonical), canonical);
            }),
        );
        fc.assert(
            fc.property(ipv6, (address) => {
                const expected = new SocketAddress({ address, family: "ipv6" }).address.replace(/^::ffff:(?=.*\.)/, "");
                assert.equal(canonicalNetwork(address), expected);
            }),
        );
    });

    it("contain the addresses that Node says", () => {
        fc.assert(
            fc.property(network, ipv4, ipv6, fc.boolean(), (text, four, six, inside) => {
                const address = inside ? (text.split("/")[0] as string) : text.includes(":") ? six : four;
                assert.equal(contains(rangeOf(text), rangeOf(address)), isIn(address, text));
            }),
        );
    });

    it("are listed once, sorted, and without those that another contains", () => {
        const found = distinctNetworks([
            "2001:db8::1",
            "192.0.2.9",
            "10.0.0.0/8",
            "192.0.2.0/24",
            "2001:db8::/32",
            "192.0.2.77/24",
            "9.9.9.9",
        ]);
        assert.deepEqual(found, ["9.9.9.9", "10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"]);
    });
});
