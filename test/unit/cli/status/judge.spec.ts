import assert from "node:assert/strict";
import { exitStatus, type JudgedHost, judge } from "../../../../cli/status/judge";
import type { Answer, Haproxy, HostStatus } from "../../../../cli/status/types";
import { backendOf, haproxyOf, now, statusOf } from "../../../support/answers";

const fleet = { project: "edge", stack: "prod", pulumiCommand: "pulumi" };
const DAY = 86_400;

/** The verdict, and each reason as `level kind: text; remedy`. */
const said = ({ verdict, reasons }: JudgedHost) => [
    verdict,
    ...reasons.map(({ level, kind, text, remedy }) => `${level} ${kind}: ${text}${remedy === "" ? "" : `; ${remedy}`}`),
];
const judged = (status: HostStatus) => said(judge(status, fleet));
const ofAnswer = (changes: Partial<Answer>) => judged(statusOf("edge-lb1", changes));
const ofHaproxy = (changes: Partial<Haproxy>) => ofAnswer({ haproxy: haproxyOf(changes) });

describe("judge", () => {
    it("has nothing to say about a host that serves as declared", () => {
        assert.deepEqual(ofAnswer({}), ["healthy"]);
        assert.deepEqual(ofAnswer({ managesHaproxy: false, haproxy: undefined }), ["healthy"]);
    });

    it("fails a host that does not answer, with the problem and its remedy", () => {
        const answer = { unanswered: "refuses connections; check sshd; and the port" };
        assert.deepEqual(judged({ host: "edge-lb1", address: "192.0.2.1", expectedToken: "t1", answer }), [
            "failing",
            "failing unanswered: refuses connections; check sshd; and the port",
        ]);
    });

    it("asks for an up on a host that was never converged", () => {
        assert.deepEqual(judged({ host: "edge-lb1", address: "", expectedToken: "" }), [
            "attention",
            "attention never-converged: was never converged; pulumi up --stack prod converges it",
        ]);
    });

    it("fails a host whose HAProxy does not run, and says so once", () => {
        const drift = [
            { resource: "transaction[haproxy]", what: "stopped" },
            { resource: "service[haproxy.service]", what: "stopped" },
            { resource: "service[haproxy.service]", what: "disabled" },
        ];
        assert.deepEqual(ofAnswer({ haproxy: undefined, drift }), [
            "failing",
            "failing stopped: HAProxy does not run; pulumi up --stack prod starts it; journalctl -u haproxy says why it ended",
            "attention drift: drift: service[haproxy.service] disabled; pulumi preview --stack prod shows it, pulumi up --stack prod repairs it",
        ]);
        assert.equal(ofAnswer({ haproxy: undefined, drift: [] })[0], "failing");
    });

    it("fails a host whose HAProxy cannot be asked", () => {
        assert.deepEqual(ofAnswer({ haproxy: undefined, haproxyProblem: "HAProxy's master is mute; restart it" }), [
            "failing",
            "failing unknown-haproxy: HAProxy's master is mute; restart it",
        ]);
    });

    for (const what of ["stopped", "outdated", "other"]) {
        it(`fails a host whose HAProxy is ${what}`, () => {
            assert.deepEqual(ofAnswer({ drift: [{ resource: "transaction[haproxy]", what }] }), [
                "failing",
                "failing other-configuration: HAProxy runs another configuration than declared; pulumi up --stack prod activates it",
            ]);
        });
    }

    it("takes files of HAProxy and other daemons that differ for drift only", () => {
        const drift = [
            { resource: "transaction[haproxy]", what: "haproxy.cfg: content" },
            { resource: "transaction[haproxy]", what: "unfinished" },
            { resource: "transaction[keepalived]", what: "stopped" },
            { resource: "host", what: "manifest" },
        ];
        const [verdict, ...reasons] = ofAnswer({ drift });
        assert.equal(verdict, "attention");
        assert.deepEqual(reasons, [
            "attention drift: drift: transaction[haproxy] haproxy.cfg: content, transaction[haproxy] unfinished, transaction[keepalived] stopped, its record of what is managed; pulumi preview --stack prod shows it, pulumi up --stack prod repairs it",
        ]);
    });

    it("counts drift beyond the first ones", () => {
        const drift = [1, 2, 3, 4, 5, 6].map((n) => ({ resource: `file[/${n}]`, what: "mode" }));
        assert.match(ofAnswer({ drift })[1] ?? "", /file\[\/4\] mode and 2 more;/);
        assert.match(ofAnswer({ drift: drift.slice(1) })[1] ?? "", /file\[\/5\] mode, file\[\/6\] mode;/);
    });

    it("fails a backend with servers of which none is up, and only then", () => {
        const remedy = "look at the servers, and at what the health checks ask";
        const backends = [
            backendOf("shop", 2, "s1 L4CON", "s2 L7STS"),
            backendOf("api", 2, "a2 L4TOUT"),
            backendOf("none", 0),
        ];
        assert.deepEqual(ofHaproxy({ backends }), [
            "failing",
            `failing no-server: backend shop: no server is up (s1 L4CON, s2 L7STS); ${remedy}`,
            `attention server: backend api: 1 of 2 servers takes no requests: a2 L4TOUT; ${remedy}`,
        ]);
    });

    it("says of a server that is set by hand nothing else, unless no server is left", () => {
        const hand = {
            byHand: ["api/a1 in maintenance", "api/a2 with weight 5 instead of 100"],
            undo: "set server api/a1 state ready",
        };
        assert.deepEqual(ofHaproxy({ ...hand, backends: [backendOf("api", 2, "a1 MAINT")] }), [
            "attention",
            "attention by-hand: set by hand: api/a1 in maintenance, api/a2 with weight 5 instead of 100; undo each in HAProxy's runtime API, such as: set server api/a1 state ready",
        ]);
        const warnings = ["transaction[haproxy]: set by hand: api/a1 in maintenance; reloads keep it; undo it"];
        assert.equal(ofAnswer({ warnings, haproxy: haproxyOf(hand) }).length, 2);
        assert.equal(ofAnswer({ warnings }).length, 2);
        assert.match(
            ofHaproxy({ ...hand, backends: [backendOf("api", 3, "a1 MAINT", "a10 L4CON")] })[1] ?? "",
            /1 of 3 servers takes no requests: a10 L4CON;/,
        );
        assert.match(
            ofHaproxy({ ...hand, backends: [backendOf("api", 1, "a1 MAINT")] })[1] ?? "",
            /^failing no-server/,
        );
    });

    it("judges certificates by the clock of the host", () => {
        const ends = (left: number) => ofHaproxy({ certificates: [{ name: "shop.pem", ends: now + left }] });
        assert.deepEqual(ends(14 * DAY), ["healthy"]);
        assert.deepEqual(ends(14 * DAY - 1), [
            "attention",
            "attention certificate-ends: certificate shop.pem ends in 13 days; renew it, then pulumi up --stack prod",
        ]);
        assert.deepEqual(ends(1)[0], "attention");
        assert.deepEqual(ends(0), [
            "failing",
            "failing certificate-ended: certificate shop.pem ended 0 s ago; renew it, then pulumi up --stack prod",
        ]);
    });

    it("looks at connections above 80 % of maxconn, and at more than 5 old workers", () => {
        assert.deepEqual(ofHaproxy({ connections: 40_000, oldWorkers: 5 }), ["healthy"]);
        assert.deepEqual(ofHaproxy({ connections: 40_001, oldWorkers: 6 }), [
            "attention",
            "attention connections: 40,001 of 50,000 connections are in use; raise maxconn, or look who holds them (show sess)",
            "attention old-workers: 6 old workers still have connections; hardStopAfter limits how long they may stay",
        ]);
        assert.deepEqual(ofHaproxy({ connections: 5, maxconn: 0 }), ["healthy"]);
    });

    it("says why the last converge failed", () => {
        const lastConverge = { ended: now - 300, took: 9, by: "ci", result: "file[/x] failed: no space" };
        assert.deepEqual(ofAnswer({ lastConverge }), [
            "attention",
            "attention last-converge: the last converge, 5 min ago by ci, failed: file[/x] failed: no space; correct the cause, then pulumi up --stack prod",
        ]);
    });

    it("says who else has converged the host, or that the state does not know its last converge", () => {
        assert.deepEqual(ofAnswer({ owner: "other/dev/lb1", token: "t2" }), [
            "attention",
            "attention owner: is converged by other/dev/lb1, not by this stack; pulumi preview --stack prod says how to take it over, if it belongs here",
        ]);
        assert.deepEqual(ofAnswer({ owner: "", token: "" }), [
            "attention",
            "attention owner: no component converges it, as its own records say; pulumi up --stack prod converges it",
        ]);
        assert.deepEqual(ofAnswer({ token: "t2" }), [
            "attention",
            "attention token: its last converge is not the one in the state: an up was interrupted, or used another state; pulumi preview --stack prod shows what differs",
        ]);
    });

    it("only remarks that a converge runs, and expects nothing of its records meanwhile", () => {
        for (const before of [{}, { owner: "", token: "" }, { token: "t2" }])
            assert.deepEqual(ofAnswer({ converging: "bob@ci", drift: undefined, ...before }), [
                "healthy",
                "remark converging: is being converged by bob@ci",
            ]);
    });

    it("only remarks that an older release has kept no check, and what the check warns of", () => {
        assert.deepEqual(ofAnswer({ drift: undefined }), [
            "healthy",
            "remark no-check: drift is not known: no check is kept there; the next converge records one",
        ]);
        assert.deepEqual(ofAnswer({ warnings: ["ufw drops it; allow it"] }), [
            "healthy",
            "remark warning: ufw drops it; allow it",
        ]);
    });

    it("wants a check that has failed to be looked at", () => {
        const warnings = ["the check did not end within 14 s, so it is not known what differs; run a preview"];
        assert.deepEqual(ofAnswer({ drift: undefined, warnings }), [
            "attention",
            "attention no-check: the check did not end within 14 s, so it is not known what differs; run a preview",
        ]);
    });

    it("gives the worst reasons first", () => {
        const [verdict, ...reasons] = ofAnswer({
            converging: "bob@ci",
            haproxy: haproxyOf({ oldWorkers: 9, backends: [backendOf("shop", 1, "s1 L4CON")] }),
        });
        assert.equal(verdict, "failing");
        assert.deepEqual(
            reasons.map((text) => text.split(" ")[0]),
            ["failing", "attention", "remark"],
        );
    });
});

describe("exitStatus", () => {
    it("is that of the worst host", () => {
        const healthy = judge(statusOf("a"), fleet);
        const attention = judge(statusOf("b", { token: "t2" }), fleet);
        const failing = judge(statusOf("c", { haproxy: undefined }), fleet);
        assert.equal(exitStatus([healthy, healthy]), 0);
        assert.equal(exitStatus([healthy, attention]), 2);
        assert.equal(exitStatus([attention, failing, healthy]), 1);
    });
});
