import assert from "node:assert/strict";
import { judgeAll } from "../../../../cli/status/judge";
import { inDoubt } from "../../../../cli/status/judgePairs";
import type { Answer, HostStatus, PairAnswer } from "../../../../cli/status/types";
import { now, pairAnswer, statusOf } from "../../../support/answers";

const fleet = { project: "edge", stack: "prod", pulumiCommand: "pulumi" };

/** A host of the pair edge, which is healthy but for the changes. */
const member = (host: "lb1" | "lb2", pair: Partial<PairAnswer> = {}, changes: Partial<Answer> = {}): HostStatus =>
    statusOf(`edge-${host}`, { pair: pairAnswer(host, pair), ...changes });
const away = (host: string): HostStatus => ({ ...statusOf(host), answer: { unanswered: "it is off" } });

/** Verdict of each host, and its reasons as `level kind: text; remedy`. */
const judged = (...statuses: HostStatus[]) =>
    Object.fromEntries(
        judgeAll(statuses, fleet).map(({ host, verdict, reasons }) => [
            host,
            [
                verdict,
                ...reasons.map(
                    ({ level, kind, text, remedy }) => `${level} ${kind}: ${text}${remedy === "" ? "" : `; ${remedy}`}`,
                ),
            ],
        ]),
    );
const kinds = (...statuses: HostStatus[]) =>
    judgeAll(statuses, fleet).flatMap(({ host, reasons }) =>
        reasons.map(({ level, kind }) => `${host} ${level} ${kind}`),
    );

describe("judgeAll", () => {
    it("has nothing to say about a healthy pair, whether both are asked or one", () => {
        assert.deepEqual(judged(member("lb1"), member("lb2")), { "edge-lb1": ["healthy"], "edge-lb2": ["healthy"] });
        assert.deepEqual(judged(member("lb2")), { "edge-lb2": ["healthy"] });
    });

    it("fails both hosts of a pair with two masters, and names no prefix length", () => {
        const both = [member("lb1"), member("lb2", { role: "MASTER", holds: "all" })];
        const reason =
            "failing both-master: both are MASTER, so clients reach either of them; let VRRP (IP protocol 112) through between them, both ways; if it gets through, run an up: their settings differ";
        assert.deepEqual(judged(...both), { "edge-lb1": ["failing", reason], "edge-lb2": ["failing", reason] });
        const nobody = judged(member("lb1", { role: "FAULT", holds: "none" }), member("lb2"))["edge-lb2"]?.[1] ?? "";
        assert.match(
            nobody,
            /: the service address 192\.0\.2\.100 is on no host: edge-lb1 is FAULT, edge-lb2 is BACKUP; /,
        );
    });

    it("does not judge hosts of different pairs together", () => {
        const other = statusOf("shop-lb1", { owner: "edge/prod/shop-lb1", pair: pairAnswer("lb1", { name: "shop" }) });
        const others = statusOf("shop-lb2", { owner: "edge/prod/shop-lb2", pair: pairAnswer("lb2", { name: "shop" }) });
        assert.deepEqual(kinds(member("lb1"), other, others, member("lb2")), []);
    });

    it("does not call an elastic IP address by the one that only marks the MASTER", () => {
        const elastic = { mode: "elastic", addresses: ["169.254.1.1/32"], holds: "none", role: "FAULT" } as const;
        const [, text = ""] = judged(member("lb1", elastic), member("lb2", elastic))["edge-lb1"] ?? [];
        assert.match(text, /: the service address is on no host: /);
    });

    it("says of a host that its peer does not answer, and fails the peer only", () => {
        assert.deepEqual(kinds(member("lb1"), away("edge-lb2")), [
            "edge-lb1 attention alone",
            "edge-lb2 failing unanswered",
        ]);
        assert.deepEqual(kinds(member("lb1"), { host: "edge-lb2", address: "", expectedToken: "" }), [
            "edge-lb1 attention alone",
            "edge-lb2 attention never-converged",
        ]);
        assert.deepEqual(kinds(member("lb2"), away("edge-lb1")), ["edge-lb1 failing unanswered"]);
        assert.deepEqual(kinds(member("lb1"), member("lb2"), away("edge-lb3")), ["edge-lb3 failing unanswered"]);
    });

    it("says how the settings of two hosts differ", () => {
        const differing = judged(
            member("lb1", { addresses: ["192.0.2.101/24", "192.0.2.100/24"], peerAddress: "192.0.2.3" }),
            member("lb2", { routerId: "52" }),
        );
        const remedy = "pulumi up --stack prod gives both the same";
        assert.deepEqual(differing, {
            "edge-lb1": [
                "attention",
                `attention pair-mismatch: differs from edge-lb2: addresses 192.0.2.100/24 192.0.2.101/24 instead of 192.0.2.100/24, router id 51 instead of 52, address of the peer 192.0.2.3 instead of 192.0.2.2; ${remedy}`,
            ],
            "edge-lb2": [
                "attention",
                `attention pair-mismatch: differs from edge-lb1: addresses 192.0.2.100/24 instead of 192.0.2.100/24 192.0.2.101/24, router id 52 instead of 51; ${remedy}`,
            ],
        });
        const order = ["192.0.2.101/24", "192.0.2.100/24"];
        assert.deepEqual(
            kinds(member("lb1", { addresses: order }), member("lb2", { addresses: [...order].reverse() })),
            [],
        );
        assert.deepEqual(kinds(member("lb1", { routerId: "", mode: "", address: "" }), member("lb2")), []);
    });

    it("says that two hosts are not of one pair", () => {
        const remedy = "pulumi up --stack prod gives both the same";
        assert.deepEqual(judged(member("lb1"), statusOf("edge-lb2"))["edge-lb1"], [
            "attention",
            `attention pair-mismatch: its peer is edge-lb2, which is in no pair of that name; ${remedy}`,
        ]);
        assert.deepEqual(judged(member("lb1"), member("lb2", { peer: "lb3" }))["edge-lb1"], [
            "attention",
            `attention pair-mismatch: its peer is edge-lb2, whose peer is edge-lb3; ${remedy}`,
        ]);
        assert.deepEqual(kinds(member("lb1"), statusOf("edge-lb2", { pairProblem: "late; wait" })), [
            "edge-lb2 attention pair-unknown",
        ]);
    });

    it("expects no equal settings while a converge runs", () => {
        const converging = { converging: "bob@ci", drift: undefined };
        assert.deepEqual(kinds(member("lb1", { routerId: "52" }), member("lb2", { role: "WAITING" }, converging)), [
            "edge-lb2 remark converging",
        ]);
    });

    it("wants to be looked at what keepalived has complained of since both hosts were converged", () => {
        const warnings = (ago?: number) => [
            { text: "heard 192.0.2.9; look who that is", ...(ago !== undefined && { ago }) },
        ];
        const said = (ago?: number, changes: Partial<Answer> = {}) =>
            judged(member("lb1", { warnings: warnings(ago) }), member("lb2", {}, changes))["edge-lb1"];
        const found = ["attention", "attention pair-warning: keepalived warns: heard 192.0.2.9; look who that is"];
        assert.deepEqual(said(7_299), found);
        assert.deepEqual(said(), found);
        assert.deepEqual(said(7_301), ["healthy"]);
        const lastConverge = { ended: now - 30, took: 4, by: "ci", result: "done" };
        assert.deepEqual(said(31, { lastConverge }), ["healthy"]);
        assert.deepEqual(said(29, { lastConverge }), found);
        assert.deepEqual(said(29, { converging: "bob@ci", drift: undefined }), [
            "healthy",
            "remark pair-warning: keepalived warns: heard 192.0.2.9; look who that is",
        ]);
        assert.deepEqual(judged(member("lb1", { warnings: [{ text: "odd" }] }))["edge-lb1"]?.slice(1), [
            "attention pair-warning: keepalived warns: odd; journalctl -u keepalived",
        ]);
    });
});

describe("inDoubt", () => {
    const doubt = (...statuses: HostStatus[]) => inDoubt(statuses, fleet);

    it("has both hosts of a pair that looks as during a hand-over, but no other", () => {
        const shop = statusOf("shop-lb1", { owner: "edge/prod/shop-lb1", pair: pairAnswer("lb1", { name: "shop" }) });
        const both = ["edge-lb1", "edge-lb2"];
        assert.deepEqual(doubt(member("lb1"), shop, member("lb2", { role: "MASTER", holds: "all" })), both);
        assert.deepEqual(doubt(member("lb1", { role: "STOPPED", holds: "none" }), member("lb2")), both);
        assert.deepEqual(doubt(member("lb1"), member("lb2", { role: "FAULT" })), both);
        assert.deepEqual(doubt(member("lb1"), shop, member("lb2")), []);
    });

    it("has no host of which asking again would say the same", () => {
        assert.deepEqual(doubt(member("lb1", { routerId: "9", warnings: [{ text: "w" }] }), member("lb2")), []);
        assert.deepEqual(doubt(member("lb1"), member("lb2", { role: "FAULT", outside: "standby" })), []);
        assert.deepEqual(doubt(member("lb1"), away("edge-lb2"), statusOf("edge-lb3")), []);
    });
});
