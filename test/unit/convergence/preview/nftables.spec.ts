import assert from "node:assert/strict";
import { judge } from "../../../../components/convergence/preview/nftables/judge";
import { parseRuleset } from "../../../../components/convergence/preview/nftables/ruleset";
import { translation } from "../../../../components/convergence/preview/nftables/translation";
import { rangeOf } from "../../../../components/networks";
import { type RecordedRuleset, recordedRuleset } from "../../../support/rulesets";

/** The verdict on packets such as `tcp 80 v6`, `tcp 8000-8010 from 192.0.2.0/24` and `vrrp v4`. */
function verdict({ ruleset, text }: RecordedRuleset, words: string): string {
    const parsed = parseRuleset(ruleset, translation(text)) ?? assert.fail("no ruleset");
    const [protocol, ...rest] = words.split(" ");
    const [first, last = first] = rest[0]?.match(/\d+(?=-|$)|(?<=-)\d+/g)?.map(Number) ?? [];
    const source = rest.at(-2) === "from" ? rangeOf(rest.at(-1) ?? "") : undefined;
    return judge(parsed, {
        protocol: protocol as "tcp",
        family: source?.family ?? (rest.at(-1) === "v6" ? 6 : 4),
        ...(protocol !== "vrrp" && { ports: [first ?? 0, last ?? 0] as const }),
        ...(source && { from: source }),
    }).verdict;
}

/** What must be judged so, by verdict. */
type Expected = Partial<Record<"dropped" | "accepted" | "unknown", string>>;

/** Compares, for each of some hosts. */
function judges(names: readonly string[], expected: Expected): void {
    const wanted = Object.entries(expected).flatMap(([found, list]) =>
        list.split(",").map((words) => `${words.trim()}: ${found}`),
    );
    for (const name of names) {
        const host = recordedRuleset(name);
        const found = wanted
            .map((line) => line.replace(/: \w+$/, ""))
            .map((words) => `${words}: ${verdict(host, words)}`);
        assert.deepEqual(found, wanted, name);
    }
}

/** The same ruleset as nft of Debian 11, 12 and forky lists it. */
const each = (name: string) => ["0.9.8", "1.0.6", "1.1.7"].map((version) => `${name}-${version}`);

const text = (...entries: unknown[]) => JSON.stringify({ nftables: [{ metainfo: {} }, ...entries] });
/** A chain at the hook `input` that drops what its rules do not accept. */
const chain = (...rules: unknown[][]) => [
    { table: { family: "inet", name: "t" } },
    { chain: { family: "inet", table: "t", name: "c", type: "filter", hook: "input", prio: 0, policy: "drop" } },
    ...rules.map((expr, handle) => ({ rule: { family: "inet", table: "t", chain: "c", handle, expr } })),
];
const ofRules = (...rules: unknown[][]) => verdict({ ruleset: text(...chain(...rules)), text: "" }, "tcp 80 v4");
const accept = { accept: null };

describe("the judge of a host's chains", () => {
    it("knows that Debian's example of a workstation drops all that is new", () => {
        judges(each("workstation"), {
            dropped: "tcp 80 v4, tcp 80 v6, tcp 1-65535 v4, udp 443 v6, vrrp v4, vrrp v6, tcp 80 from 10.0.0.0/8",
        });
    });

    it("knows sets, ranges, concatenations, verdict maps, jumps, returns, and chains before and after each other", () => {
        judges(each("modern"), {
            accepted:
                "tcp 22 v6, tcp 100-109 v6, tcp 22 from 10.0.0.1, tcp 80 from 10.0.0.0/9, tcp 8000-8010 from 10.0.0.0/8, " +
                "tcp 81 from 10.1.0.0/16, tcp 82 from fd00::/64, tcp 81 from 203.0.113.0/25, tcp 4444 from 10.0.0.1, tcp 6666 v6, " +
                "tcp 6667 from fe80::1, tcp 9001 from 10.1.2.3, tcp 9003 from 192.0.2.0/24, tcp 3306 v6, tcp 3307 from fd00::1, " +
                "tcp 9200 v6, udp 9200 v6, tcp 9300-9310 v6, udp 9305 v6, tcp 9400 v6, tcp 10000-65535 v6",
            dropped:
                "tcp 90-99 v4, tcp 95 v6, tcp 80 from 192.0.2.1, tcp 80 from 198.51.100.66, tcp 82 from 192.0.2.1, tcp 81 from 2001:db8::/64, " +
                "tcp 4445 v4, tcp 6666 v4, tcp 4444 v6, tcp 9001 from 192.0.2.1, tcp 9002 from 10.0.0.1, tcp 9100 from 192.0.2.1, " +
                "tcp 22 from 198.51.100.7, tcp 3307 from 2001:db8::1, udp 54 v4, udp 80 from 10.0.0.1, tcp 5555 v4, tcp 5555 v6",
            unknown:
                // Some addresses, or some ports of a range, are accepted, others are not.
                "tcp 22 v4, tcp 80 v4, tcp 8000-8011 from 10.0.0.0/8, tcp 105-115 v6, tcp 81 from 0.0.0.0/0, " +
                // Depends on a rate, on other connections, or on a mark.
                "udp 53 v6, tcp 9100 from 10.0.0.1, tcp 9250 v6, " +
                // Sent elsewhere before.
                "tcp 8888 v4, tcp 7777 v4",
        });
    });

    it("takes sets whose elements are not listed for unknown", () => {
        judges(["terse-1.0.6"], {
            accepted: "tcp 22 v6, tcp 100-109 v6",
            dropped: "tcp 95 v6, tcp 82 from 2001:db8::1",
            unknown: "tcp 80 from 10.0.0.1, tcp 80 v6, tcp 3306 v6, tcp 5555 v6, tcp 22 from 10.0.0.1",
        });
    });

    it("knows rules of iptables by nft's words for them, with those of Docker and fail2ban", () => {
        judges(each("iptables"), {
            accepted:
                "tcp 81 v4, tcp 81 v6, tcp 22 from 192.0.2.1, tcp 9005 from 192.0.2.1, tcp 9000-9010 from 192.0.2.0/25, " +
                "tcp 8080 from 10.0.0.0/16, tcp 9100-9110 from fd00::1, vrrp from 192.0.2.12, vrrp from 2001:db8::12",
            dropped:
                "tcp 80 v4, tcp 80 v6, tcp 22 from 198.51.100.7, tcp 22 from 2001:db8::7, tcp 9005 from 192.0.3.1, tcp 8080 from 11.0.0.1, " +
                "tcp 444 v4, udp 53 v6, vrrp from 192.0.2.13, udp 8080 from 10.0.0.1",
            // The last is what Docker publishes.
            unknown: "tcp 22 v4, tcp 9005 v4, udp 123 v4, tcp 445 v4, tcp 446 v6, vrrp v4, tcp 8088 v4",
        });
    });

    it("says nothing of rules of iptables without these words", () => {
        const { ruleset } = recordedRuleset("iptables-1.1.7");
        for (const words of ["tcp 80 v4", "tcp 80 v6", "tcp 22 from 198.51.100.7"]) {
            assert.equal(verdict({ ruleset, text: "" }, words), "unknown");
        }
    });

    it("knows zones of firewalld, and chains of ufw", () => {
        judges(["firewalld-1.1.7"], {
            accepted: "tcp 22 v4, tcp 8080 v4, tcp 9000-9010 from 192.0.2.0/24",
            dropped: "tcp 80 v4, tcp 80 v6, udp 443 v4, tcp 9005 from 192.0.3.1, tcp 9005 v6, vrrp v4",
            unknown: "tcp 9005 v4",
        });
        judges(["ufw-1.0.6"], { accepted: "tcp 22 v4", dropped: "tcp 80 v4, tcp 80 v6, udp 443 v4, vrrp v4" });
    });

    it("takes for unknown what it has never heard of", () => {
        assert.equal(ofRules(), "dropped");
        assert.equal(ofRules([accept]), "accepted");
        for (const statement of [
            { "strange statement": {} },
            "text",
            null,
            {},
            { drop: null, accept: null },
            { match: null },
            { match: { op: "==", left: { meta: { key: "strange" } }, right: 1 } },
            { match: { op: "~", left: { payload: { protocol: "tcp", field: "dport" } }, right: 80 } },
            { match: { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right: "www" } },
            { match: { op: "==", left: { payload: { protocol: "tcp", field: "sport" } }, right: 80 } },
            { match: { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right: "@none" } },
            { match: { op: "==", left: { payload: { base: "nh", offset: 0, len: 8 } }, right: 80 } },
            { match: { op: "==", left: { ct: { key: "mark" } }, right: 0 } },
            { match: { op: "in", left: { ct: { key: "state" } }, right: { strange: 1 } } },
            { jump: { target: "none" } },
            { goto: "none" },
            { vmap: { key: { payload: { protocol: "tcp", field: "dport" } }, data: "@none" } },
            { vmap: null },
            { queue: { num: 0 } },
            { xt: null },
            { xt: { type: "match", name: "conntrack" } },
        ]) {
            assert.equal(ofRules([statement, accept]), "unknown", JSON.stringify(statement));
        }
        // Whatever it does, it may let the packet go on.
        assert.equal(ofRules([{ "strange statement": {} }], [{ drop: null }]), "unknown");
        for (const ruleset of ["", "{}", "[]", "null", '{"nftables":{}}', "# Warning: …", "{"]) {
            assert.equal(parseRuleset(ruleset), undefined);
        }
        assert.equal(
            verdict({ ruleset: text(1, null, {}, { rule: {} }, { chain: {} }), text: "" }, "tcp 80 v4"),
            "accepted",
        );
    });

    it("does not count on connection tracking where something switches it off", () => {
        const tracked = [{ match: { op: "in", left: { ct: { key: "state" } }, right: "new" } }, accept];
        const raw = { family: "ip", table: "raw", name: "pre", type: "filter", hook: "prerouting", prio: -300 };
        const early = [
            { chain: { ...raw, policy: "accept" } },
            { rule: { ...raw, chain: "pre", expr: [{ notrack: null }] } },
        ];
        assert.equal(ofRules(tracked), "accepted");
        assert.equal(verdict({ ruleset: text(...chain(tracked), ...early), text: "" }, "tcp 80 v4"), "unknown");
    });

    it("ends with chains that jump to each other", () => {
        const looping = text(...chain([{ jump: { target: "c" } }, accept]));
        assert.equal(verdict({ ruleset: looping, text: "" }, "tcp 80 v4"), "unknown");
    });
});
