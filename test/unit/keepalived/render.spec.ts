import assert from "node:assert/strict";
import fc from "fast-check";
import { fillSlots, slot, slotsIn } from "../../../components/convergence/slots";
import {
    keepalivedFiles,
    pairIssues,
    pairPaths,
    pairSettingsFile,
    renderKeepalived,
    resolvePair,
} from "../../../components/keepalived/index";
import type { Pair, PairMember, PairSettings } from "../../../components/keepalived/types";
import { pairSlotIssue } from "../../../components/keepalived/values";
import { elastic, elasticMembers, members, vip } from "../../support/pairs";

/** Lines without those that must differ between the hosts of a pair. */
function shared(text: string): string[] {
    return text
        .split("\n")
        .filter(
            (line) => !/^ *(router_id|priority|unicast_src_ip) /.test(line) && !/^ {8}192\.0\.2\.1[12]$/.test(line),
        );
}

const ipv4 = fc
    .tuple(fc.integer({ min: 1, max: 223 }), ...Array(3).fill(fc.integer({ min: 0, max: 255 })))
    .map((parts) => parts.join("."));
const address = fc.oneof(
    fc.tuple(ipv4, fc.constantFrom("", "/24", "/32", "/27")).map((parts) => parts.join("")),
    fc
        .tuple(fc.integer({ min: 1, max: 0xffff }), fc.constantFrom("", "/64", "/128"))
        .map(([n, p]) => `2001:db8::${n.toString(16)}${p}`),
);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const settings: fc.Arbitrary<PairSettings> = fc.record({
    failback: fc.constantFrom("never" as const, "immediate" as const),
    addresses: fc.array(address, { minLength: 1, maxLength: 5 }),
    password: maybe(fc.oneof(fc.string({ maxLength: 10 }), fc.constant(slot("password")))),
    routerId: maybe(fc.integer({ min: 1, max: 255 })),
    priorities: maybe(fc.tuple(fc.integer({ min: 1, max: 254 }), fc.integer({ min: 1, max: 254 }))),
    advertise: maybe(fc.integer({ min: 1, max: 255 })),
    check: maybe(
        fc.record({
            interval: maybe(fc.constantFrom(0.1, 0.5, 1, 2, 60)),
            fall: maybe(fc.integer({ min: 1, max: 10 })),
            rise: maybe(fc.integer({ min: 1, max: 10 })),
        }),
    ),
    standby: maybe(fc.constantFrom("lb1", "lb2")),
});
const sound = settings.filter((each) => pairIssues(each, members).every(({ severity }) => severity !== "error"));

describe("keepalived.conf", () => {
    it("has on both hosts what must be equal, and the two sides crossed, for any sound pair", () => {
        fc.assert(
            fc.property(sound, (each) => {
                const pair = resolvePair("edge", each, members);
                const [first, second] = ["lb1", "lb2"].map((host) => renderKeepalived(pair, host)) as [string, string];
                assert.deepEqual(shared(first), shared(second));
                const [ours, theirs] = [first, second].map((text) => {
                    const side = /unicast_src_ip (\S+)\n {4}unicast_peer \{\n {8}(\S+)\n {4}\}/.exec(text) ?? [];
                    return [side[1], side[2], Number(/^ {4}priority (\d+)$/m.exec(text)?.[1])] as const;
                }) as [[string, string, number], [string, string, number]];
                assert.deepEqual(ours.slice(0, 2), ["192.0.2.11", "192.0.2.12"]);
                assert.deepEqual(theirs.slice(0, 2), ["192.0.2.12", "192.0.2.11"]);
                assert.ok(ours[2] > theirs[2], `${ours[2]} and ${theirs[2]}`);
            }),
        );
    });

    it("never has what breaks a hand-over, closes every block, and is one word in every value", () => {
        fc.assert(
            fc.property(sound, (each) => {
                const text = renderKeepalived(resolvePair("edge", each, members), "lb1");
                assert.deepEqual(text.match(/^ *state .*/gm), ["    state BACKUP"]);
                assert.equal(/^ {4}nopreempt$/m.test(text), each.failback === "never");
                assert.deepEqual([...new Set(text.match(/^ *weight .*/gm))], ["    weight 0"]);
                assert.doesNotMatch(text, /vrrp_strict|use_vmac|priority 255/);
                const lines = text.split("\n").filter((line) => !line.startsWith("#") && !/^ *#/.test(line));
                const depth = lines.reduce((sum, line) => {
                    // A brace stands alone at the end of a line.
                    const [opens, closes] = [/ \{$/.test(line), /^ *\}$/.test(line)];
                    assert.equal((line.match(/[{}]/g) ?? []).length, opens || closes ? 1 : 0, line);
                    return sum + (opens ? 1 : 0) - (closes ? 1 : 0);
                }, 0);
                assert.equal(depth, 0);
                const [, ipv4Block = "", ipv6Block = ""] =
                    /virtual_ipaddress \{\n([^}]*)\}[\s\S]*?(?:virtual_ipaddress_excluded \{\n([^}]*)\}|$)/.exec(
                        text,
                    ) ?? [];
                assert.doesNotMatch(ipv4Block, /::/);
                assert.doesNotMatch(ipv6Block, /^ *\d+\.\d+\./m);
                const named = [...ipv4Block.matchAll(/^ {8}\S+$/gm), ...ipv6Block.matchAll(/^ {8}\S+$/gm)];
                assert.equal(named.length, each.addresses?.length);
            }),
        );
    });

    it("refuses every value that would be more than a word, in every place", () => {
        const bad = fc
            .tuple(fc.string(), fc.constantFrom(...'\n\r\t {}#!"\\\0\x7fä'), fc.string())
            .map((parts) => parts.join(""))
            .filter((text) => slotsIn(text).length === 0);
        const [first, second] = members;
        const place = fc.constantFrom<(value: string) => Pair>(
            (password) => resolvePair("edge", { ...vip, password }, members),
            (name) => resolvePair("edge", vip, [{ ...first, name }, second]),
            (value) => resolvePair("edge", vip, [{ ...first, address: value }, second]),
            (value) => resolvePair("edge", vip, [first, { ...second, address: value }]),
            (value) => resolvePair("edge", { ...vip, addresses: [value] }, members),
        );
        fc.assert(
            fc.property(bad, place, (value, make) => {
                const pair = make(value);
                assert.throws(() => renderKeepalived(pair, pair.hosts[0].name), /^Error: [\s\S]*: it /);
            }),
        );
    });
});

describe("pair.conf", () => {
    it("has a line for each key, without quotes, and refuses what would be another line", () => {
        for (const [pairSettings, hosts] of [
            [vip, members],
            [elastic, elasticMembers],
        ] as const) {
            const text = pairSettingsFile(resolvePair("edge", pairSettings, hosts), "lb2");
            const lines = text
                .trimEnd()
                .split("\n")
                .filter((line) => !line.startsWith("#"));
            for (const line of lines) {
                assert.match(line, /^[a-z_]+=[!-~]*( [!-~]+)*$/);
            }
            const keys = lines.map((line) => line.split("=")[0]);
            assert.equal(new Set(keys).size, keys.length);
        }
        const named = resolvePair("edge\nhost=lb9", vip, members);
        assert.throws(() => pairSettingsFile(named, "lb1"), /^Error: the name of the pair: it has a blank/);
    });

    it("names the own side and that of the peer, and EC2's API of the region", () => {
        const pair = resolvePair("edge", { ...elastic, failback: "immediate" }, elasticMembers);
        const read = (host: string) =>
            Object.fromEntries(
                pairSettingsFile(pair, host)
                    .split("\n")
                    .filter((line) => line.includes("="))
                    .map((line) => line.split(/=(.*)/s)),
            );
        const [first, second] = [read("lb1"), read("lb2")];
        assert.deepEqual([first.address, first.peer, first.peer_name], [second.peer, second.address, "lb2"]);
        assert.deepEqual(
            [first.interface_id, first.peer_interface_id],
            [second.peer_interface_id, second.interface_id],
        );
        assert.deepEqual([first.preferred, second.preferred], ["yes", "no"]);
        assert.deepEqual([first.service_address, second.service_address], ["192.0.2.21", "192.0.2.22"]);
        assert.equal(first.endpoint, "https://ec2.eu-central-1.amazonaws.com");
    });
});

describe("files of a pair", () => {
    const secret = resolvePair(
        "edge",
        {
            ...elastic,
            password: slot("password"),
            elasticIp: { allocationId: slot("allocation"), region: slot("region") },
        },
        [1, 2].map(
            (n): PairMember => ({
                name: `lb${n}`,
                address: slot(`address-${n}`),
                elastic: { networkInterfaceId: slot(`eni-${n}`), serviceAddress: slot(`service-${n}`) },
            }),
        ),
    );

    it("hide their slots from other users of the host, and only them", () => {
        const modes = (pair: Pair) => keepalivedFiles(pair, "lb1").map(({ path, mode }) => [path, mode]);
        const { config, settings: file, standby } = pairPaths;
        assert.deepEqual(modes(resolvePair("edge", vip, members)), [
            [config, "0600"],
            [file, "0644"],
            [standby, "0644"],
        ]);
        assert.deepEqual(modes(secret), [
            [config, "0600"],
            [file, "0600"],
            [standby, "0644"],
        ]);
    });

    it("are, with filled slots, those of the values themselves", () => {
        const values: Record<string, string> = {
            digest: "d",
            password: "pa$$w'0",
            allocation: "eipalloc-0123456789abcdef0",
            region: "eu-central-1",
            ...Object.fromEntries(
                elasticMembers.flatMap((member, i) => [
                    [`address-${i + 1}`, member.address],
                    [`eni-${i + 1}`, member.elastic?.networkInterfaceId ?? ""],
                    [`service-${i + 1}`, member.elastic?.serviceAddress ?? ""],
                ]),
            ),
        };
        const plain = resolvePair("edge", { ...elastic, password: values.password }, elasticMembers);
        const filled = keepalivedFiles(secret, "lb2").map(({ content, slotIssue }) =>
            fillSlots(String(content), (marker) => {
                const [name = "", encoding] = marker.split("/");
                const value = values[name] ?? assert.fail(marker);
                assert.equal(slotIssue?.(value, encoding), undefined, marker);
                return value;
            }),
        );
        assert.deepEqual(
            filled,
            keepalivedFiles(plain, "lb2").map(({ content }) => fillSlots(String(content), () => "d")),
        );
    });

    it("say why a slot cannot be filled, without quoting the value", () => {
        const tooLong = pairSlotIssue("hunter2hunter2", "keepalived-password");
        assert.equal(tooLong, "has more than 8 characters, and keepalived uses only the first 8; use a shorter one");
        for (const [value, encoding, words] of [
            ["hunter#", "keepalived-password", /^has a character that keepalived would misread; use /],
            ["", "keepalived-password", /^is empty$/],
            ["2001:db8::12", "keepalived-address", /^is not an IPv4 address; use one of the host/],
            ["192.0.2.12/24", "keepalived-address", /^is not an IPv4 address; use one of the host/],
            ["lb2.example.com", "keepalived-address", /^is not an IPv4 address; use one of the host/],
            ["eni-1\nmode=vip", "keepalived-word", /^has a blank, a control character, /],
        ] as const) {
            assert.match(pairSlotIssue(value, encoding) ?? "", words);
            assert.ok(value === "" || !pairSlotIssue(value, encoding)?.includes(value));
        }
    });
});
