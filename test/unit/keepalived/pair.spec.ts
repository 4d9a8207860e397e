import assert from "node:assert/strict";
import fc from "fast-check";
import {
    addressesOfPair,
    checkOf,
    dummyAddress,
    resolvePair,
    routerIdOf,
    sidesOf,
} from "../../../components/keepalived/index";
import { elastic, elasticMembers, members, vip } from "../../support/pairs";

describe("a pair", () => {
    it("has a router id from 1 to 255, always the same for a name, and its own if it is declared", () => {
        // Another value would be another identity, which both hosts of every pair in use had to change at once.
        assert.deepEqual(["edge", "shop", "intern", "Ä"].map(routerIdOf), [99, 123, 51, 46]);
        const ids = new Set<number>();
        fc.assert(
            fc.property(fc.string({ unit: "grapheme" }), (name) => {
                const id = routerIdOf(name);
                ids.add(id);
                assert.ok(Number.isInteger(id) && id >= 1 && id <= 255, `${id}`);
            }),
            { numRuns: 2000 },
        );
        assert.ok(ids.size > 200, `${ids.size} of 255`);
        assert.equal(resolvePair("edge", vip, members).routerId, 99);
        assert.equal(resolvePair("edge", { ...vip, routerId: 7 }, members).routerId, 7);
    });

    it("has two hosts, each the peer of the other", () => {
        const pair = resolvePair("edge", vip, members);
        assert.deepEqual(sidesOf(pair, "lb1"), { own: members[0], peer: members[1] });
        assert.deepEqual(sidesOf(pair, "lb2"), { own: members[1], peer: members[0] });
        assert.throws(() => sidesOf(pair, "lb3"), /^Error: pair edge: it has no host lb3; its hosts are lb1 and lb2$/);
        for (const list of [[], [members[0]], [...members, members[0]]]) {
            assert.throws(() => resolvePair("edge", vip, list), /^Error: pair edge: \d hosts; declare two$/);
        }
    });

    it("gives addresses without a prefix length a network of their own", () => {
        const pair = (addresses: string[]) => resolvePair("edge", { ...vip, addresses }, members);
        assert.deepEqual(addressesOfPair(pair(["192.0.2.100/24", "192.0.2.101", "2001:db8::1/64", "2001:db8::2"])), [
            "192.0.2.100/24",
            "192.0.2.101/32",
            "2001:db8::1/64",
            "2001:db8::2/128",
        ]);
    });

    it("spells addresses as the hosts' own tools do, which tell whether the MASTER has them", () => {
        const pair = resolvePair(
            "edge",
            { ...vip, addresses: ["192.0.2.100", "2001:DB8:0:0::100/64", "2001:db8::0:0:1"] },
            members,
        );
        assert.deepEqual(addressesOfPair(pair), ["192.0.2.100/32", "2001:db8::100/64", "2001:db8::1/128"]);
    });

    it("has a link-local address of its own beside an elastic one", () => {
        const pair = resolvePair("edge", elastic, elasticMembers);
        assert.equal(dummyAddress(pair), "169.254.112.99");
        assert.deepEqual(addressesOfPair(pair), ["169.254.112.99/32"]);
    });

    it("gives a check no more time than keepalived waits, and never less than a new process needs", () => {
        const timeout = (interval?: number) => checkOf({ ...vip, check: { interval } }).timeout;
        assert.deepEqual([undefined, 1, 2, 5, 60, 0.1, 0.9].map(timeout), [2, 1, 2, 5, 5, 0.5, 0.9]);
    });
});
