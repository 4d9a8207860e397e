import assert from "node:assert/strict";
import { parseAnswer } from "../../../../cli/status/answer";
import type { Answer } from "../../../../cli/status/types";

/** What a host answers whose question about its pair ended with a status. */
const answer = (status: number | string, ...lines: string[]): Answer =>
    parseAnswer(
        [
            "haproxy-fleet status",
            "now\t1795958351",
            "owner\t",
            "token\t",
            "last-converge\t",
            `asked-pair\t${status}`,
            ...lines,
            "haproxy-fleet status ends",
            "",
        ].join("\n"),
    );
const said = (...lines: string[]) => answer(0, ...lines.map((line) => `pair-says\t${line}`));
const PAIR = "pair\tedge\tlb1\tlb2\t192.0.2.100/24 2001:db8::100/64\tvip\t192.0.2.1\t192.0.2.2\t51";

describe("what a host answers of its pair", () => {
    it("is read", () => {
        const { pair, pairProblem } = said(
            PAIR,
            "role\tMASTER\tall\t7",
            "outside\tyield\tpackage keepalived",
            "warning\treceived an advert of 192.0.2.9; look who has router id 51\t12",
            "warning\treceived an advert of 192.0.2.9; look who has router id 51\t2",
            "warning\tno time",
        );
        assert.equal(pairProblem, undefined);
        assert.deepEqual(pair, {
            name: "edge",
            host: "lb1",
            peer: "lb2",
            addresses: ["192.0.2.100/24", "2001:db8::100/64"],
            mode: "vip",
            address: "192.0.2.1",
            peerAddress: "192.0.2.2",
            routerId: "51",
            role: "MASTER",
            holds: "all",
            since: 7,
            outside: "yield",
            reason: "package keepalived",
            warnings: [
                { text: "received an advert of 192.0.2.9; look who has router id 51", ago: 2 },
                { text: "no time" },
            ],
        });
    });

    it("may lack what is not known, and have lines of a later release", () => {
        const { pair } = said("pair\tedge\tlb1\tlb2\t192.0.2.100/24", "role\tSTOPPED\tnone\t", "later\tx", "");
        assert.deepEqual(pair, {
            name: "edge",
            host: "lb1",
            peer: "lb2",
            addresses: ["192.0.2.100/24"],
            mode: "",
            address: "",
            peerAddress: "",
            routerId: "",
            role: "STOPPED",
            holds: "none",
            warnings: [],
        });
    });

    it("says what keepalived waits for", () => {
        const { pair } = said(PAIR, "role\tWAITING\tnone\t3", "waits\tlb2 has another password");
        assert.deepEqual([pair?.role, pair?.waits], ["WAITING", "lb2 has another password"]);
    });

    it("has no role that keepalived does not have, nor a time that is no number", () => {
        for (const role of ["role\tmaster\tmany\t-1", "role\t__proto__\tall \t1e3", "role", ""]) {
            const { pair } = said(PAIR, role);
            assert.deepEqual([pair?.role, pair?.holds, pair?.since], ["UNKNOWN", "none", undefined], role);
        }
        assert.equal(said(PAIR, "outside\telsewhere").pair?.outside, undefined);
    });

    it("is nothing on a host in no pair", () => {
        const none = answer(1);
        assert.deepEqual([none.pair, none.pairProblem], [undefined, undefined]);
        assert.ok(!("pair" in none || "pairProblem" in none));
    });

    it("is a problem if the question did not end, or failed", () => {
        const late =
            "its role in the pair is not known: it did not say so within 5 s; see whether the host is overloaded";
        for (const status of [124, 137]) assert.equal(answer(status).pairProblem, late);
        assert.equal(
            answer("2\x1b[2J").pairProblem,
            "its role in the pair is not known: the question failed with status 2\\x1b[2J; run there: sudo /usr/local/libexec/haproxy-fleet/pair role",
        );
    });

    it("says where the elastic IP address leads, as the host has asked", () => {
        const leads = (line: string) => answer(0, `pair-says\t${PAIR}`, `elastic-ip\t${line}`).pair?.leads;
        for (const to of ["own", "peer", "nobody"]) assert.deepEqual(leads(to), { to, text: "" });
        assert.deepEqual(leads("other eni-1 10.0.0.9"), { to: "other", text: "eni-1 10.0.0.9" });
        assert.deepEqual(leads("unknown no route to EC2"), { to: "unknown", text: "no route to EC2" });
        assert.deepEqual(leads(""), { to: "unknown", text: "the question did not end within 8 s" });
        assert.deepEqual(leads("owner x"), { to: "unknown", text: "owner x" });
        assert.equal(said(PAIR).pair?.leads, undefined);
    });

    it("shows control characters of all texts instead of passing them on", () => {
        const strange = (text: string) => `${text}\x1b[2J\r\u009b`;
        const pair = ["edge", "lb1", "lb2", "192.0.2.100/24", "vip", "192.0.2.1", "192.0.2.2", "51"].map(strange);
        const { pair: parsed } = answer(
            0,
            `pair-says\tpair\t${pair.join("\t")}`,
            `pair-says\twarning\t${strange("w")}`,
            `elastic-ip\tother ${strange("x")}`,
        );
        const text = JSON.stringify(parsed);
        assert.doesNotMatch(text, /\\u00|\\r|[\u0080-\u009f]/);
        assert.equal(text.split("\\\\x1b[2J\\\\x0d\\\\x9b").length - 1, 10);
    });

    it("has at most 20 warnings", () => {
        const warnings = Array.from({ length: 500 }, (_, n) => `warning\tw${n}\t${n}`);
        assert.equal(said(PAIR, ...warnings).pair?.warnings.length, 20);
    });
});
