import assert from "node:assert/strict";
import { type PairKnown, type PairRole, pairProblems } from "../../../components/keepalived/judge";

const addresses = ["192.0.2.100"];
const up = "pulumi up";
const known: PairKnown = { addresses, up };
const lb1: PairRole = { host: "lb1", role: "MASTER", holds: "all" };
const lb2: PairRole = { host: "lb2", role: "BACKUP", holds: "none" };

/** Each problem as `level kind hosts: text; remedy`. */
const said = (roles: readonly PairRole[], changes: Partial<PairKnown> = {}) =>
    pairProblems(roles, { ...known, ...changes }).map(
        ({ level, kind, hosts, text, remedy }) =>
            `${level} ${kind} ${hosts.join("+")}: ${text}${remedy === "" ? "" : `; ${remedy}`}`,
    );
/** Each problem without its words. */
const kinds = (roles: readonly PairRole[], changes: Partial<PairKnown> = {}) =>
    pairProblems(roles, { ...known, ...changes }).map(
        ({ level, kind, hosts }) => `${level} ${kind} ${hosts.join("+")}`,
    );

describe("pairProblems", () => {
    it("has nothing to say about a healthy pair, whoever is MASTER, nor about one of its hosts alone", () => {
        assert.deepEqual(said([lb1, lb2]), []);
        assert.deepEqual(
            said([
                { ...lb1, role: "BACKUP", holds: "none" },
                { ...lb2, role: "MASTER", holds: "all" },
            ]),
            [],
        );
        for (const alone of [lb1, lb2]) assert.deepEqual(said([alone]), []);
        assert.deepEqual(said([]), []);
    });

    it("fails two masters, together", () => {
        assert.deepEqual(said([lb1, { ...lb2, role: "MASTER", holds: "all" }]), [
            "failing both-master lb1+lb2: both are MASTER, so clients reach either of them; let VRRP (IP protocol 112) through between them, both ways; if it gets through, run an up: their settings differ",
        ]);
    });

    it("fails a pair of which no host has the address, and says what to look at first", () => {
        const remedy = (...roles: PairRole["role"][]) => {
            const [first = ""] = said(
                roles.map((role, n) => ({ host: `lb${n + 1}`, role, holds: "none" as const })),
                { addresses: ["192.0.2.100", "2001:db8::1"] },
            );
            const start = `failing address-on-no-host lb1+lb2: the service addresses 192.0.2.100, 2001:db8::1 are on no host: lb1 is ${roles[0]}, lb2 is ${roles[1]}; `;
            assert.equal(first.slice(0, start.length), start);
            return first.slice(start.length);
        };
        const fault = "find out why HAProxy does not serve on the host in FAULT: journalctl -u keepalived";
        assert.equal(remedy("MASTER", "FAULT"), "run on the MASTER: systemctl restart keepalived");
        assert.equal(remedy("FAULT", "FAULT"), fault);
        assert.equal(remedy("STOPPED", "FAULT"), fault);
        assert.equal(remedy("STOPPED", "STOPPED"), "start keepalived: systemctl start keepalived");
        assert.equal(
            remedy("BACKUP", "BACKUP"),
            "a BACKUP hears a MASTER that is no host of the pair: journalctl -u keepalived",
        );
        assert.equal(remedy("WAITING", "WAITING"), "run an up of both hosts");
        assert.deepEqual(
            kinds([
                { ...lb1, role: "FAULT", holds: "none", outside: "standby" },
                { ...lb2, role: "STOPPED" },
            ]),
            ["failing address-on-no-host lb1+lb2", "remark standby lb1", "attention no-backup lb2"],
        );
    });

    it("says nothing of an address that a host may have which was not asked, or did not answer", () => {
        for (const role of ["BACKUP", "FAULT", "STOPPED"] as const) {
            const host = { ...lb2, role };
            assert.ok(!kinds([host]).some((kind) => kind.startsWith("failing")));
            assert.ok(!kinds([host], { absent: ["lb1"] }).some((kind) => kind.startsWith("failing")));
        }
    });

    it("fails an address on a host that is not MASTER, beside one that is", () => {
        assert.deepEqual(said([lb1, { ...lb2, holds: "some" }]), [
            "failing address-elsewhere lb2: has the service address 192.0.2.100, but is BACKUP, so clients reach either host; run there: /usr/local/libexec/haproxy-fleet/pair release",
        ]);
        assert.deepEqual(
            kinds([
                { ...lb1, holds: "none" },
                { ...lb2, holds: "all" },
            ]),
            ["failing address-missing lb1", "failing address-elsewhere lb2"],
        );
    });

    it("wants keepalived to be started where an address was left without a MASTER", () => {
        assert.deepEqual(
            said([
                { ...lb1, role: "STOPPED" },
                { ...lb2, role: "STOPPED" },
            ]),
            [
                "attention address-elsewhere lb1: has the service address 192.0.2.100, but is STOPPED, so nobody would take over; start keepalived there: systemctl start keepalived",
                "attention no-backup lb1: could not take over: keepalived does not run; pulumi up starts it; journalctl -u keepalived says why it ended",
                "attention no-backup lb2: could not take over: keepalived does not run; pulumi up starts it; journalctl -u keepalived says why it ended",
            ],
        );
    });

    it("fails a MASTER that lacks addresses", () => {
        const remedy = "systemctl restart keepalived puts them on; journalctl -u keepalived says why they were gone";
        assert.deepEqual(said([{ ...lb1, holds: "some" }, lb2]), [
            `failing address-missing lb1: is MASTER, but has only some of the service address 192.0.2.100; ${remedy}`,
        ]);
        assert.deepEqual(said([{ ...lb1, holds: "none" }]), [
            `failing address-missing lb1: is MASTER, but has none of the service address 192.0.2.100; ${remedy}`,
        ]);
        assert.deepEqual(kinds([{ ...lb1, holds: "none" }, lb2]), ["failing address-on-no-host lb1+lb2"]);
    });

    for (const [role, text] of [
        [
            "FAULT",
            "could not take over: it is in FAULT, because HAProxy does not serve or the interface is down; journalctl -u keepalived",
        ],
        [
            "WAITING",
            "could not take over: keepalived waits, so that there are not two masters; pulumi up gives both hosts the same settings",
        ],
        [
            "STOPPED",
            "could not take over: keepalived does not run; pulumi up starts it; journalctl -u keepalived says why it ended",
        ],
        [
            "UNKNOWN",
            "it is not known whether it could take over: keepalived has not said its role; journalctl -u keepalived",
        ],
    ] as const) {
        it(`wants a host to be looked at that is ${role}, unless a converge runs`, () => {
            assert.deepEqual(said([lb1, { ...lb2, role }]), [`attention no-backup lb2: ${text}`]);
            assert.deepEqual(
                said([
                    { ...lb1, converging: true },
                    { ...lb2, role },
                ]),
                [],
            );
            assert.deepEqual(said([lb1, { ...lb2, role, converging: true }]), []);
        });
    }

    it("says what a host waits for", () => {
        const [text = ""] = said([lb1, { ...lb2, role: "WAITING", waits: "lb1 has another password" }]);
        assert.match(
            text,
            /: keepalived waits, so that there are not two masters: lb1 has another password; pulumi up /,
        );
    });

    it("only remarks that a host stands by as declared, but not that it is MASTER all the same, or stopped", () => {
        const outside = "standby";
        assert.deepEqual(said([lb1, { ...lb2, role: "FAULT", outside }]), [
            "remark standby lb2: stands by, as declared: it stays out",
        ]);
        assert.deepEqual(kinds([{ ...lb1, outside }, lb2]), ["attention standby lb1"]);
        assert.deepEqual(kinds([lb1, { ...lb2, role: "STOPPED", outside }]), ["attention no-backup lb2"]);
    });

    it("says of a host that has handed over why, but nothing while a converge runs", () => {
        const handed: PairRole = { ...lb2, role: "FAULT", outside: "yield" };
        assert.deepEqual(said([lb1, { ...handed, converging: true }]), []);
        const remedy = "to end it, run there: /usr/local/libexec/haproxy-fleet/pair resume";
        assert.deepEqual(said([lb1, handed]), [
            `attention no-backup lb2: has handed over and stays out for a while; ${remedy}`,
        ]);
        assert.deepEqual(said([lb1, { ...handed, reason: "maintenance" }]), [
            `attention no-backup lb2: has handed over and stays out for a while: maintenance; ${remedy}`,
        ]);
    });

    it("says of a MASTER that its peer does not answer", () => {
        assert.deepEqual(said([lb1], { absent: ["lb2"] }), [
            "attention alone lb1: no host could take over from it: lb2 does not answer",
        ]);
        assert.deepEqual(said([lb2], { absent: ["lb1"] }), []);
    });

    it("fails a MASTER to which the elastic IP address does not lead, by its own word only", () => {
        const remedy = "journalctl -t haproxy-fleet-address says why it was not moved";
        const leading = (to: "own" | "peer" | "nobody" | "other", text = "") =>
            said([{ ...lb1, leads: { to, text } }, lb2]);
        assert.deepEqual(leading("own"), []);
        const start = "failing elastic-ip lb1: is MASTER, but the elastic IP address leads to";
        assert.deepEqual(leading("peer"), [`${start} its peer; ${remedy}`]);
        assert.deepEqual(leading("nobody"), [`${start} nobody; ${remedy}`]);
        assert.deepEqual(leading("other", "eni-1 10.0.0.9"), [`${start} eni-1 10.0.0.9; ${remedy}`]);
        assert.deepEqual(said([lb1, { ...lb2, leads: { to: "nobody", text: "" } }]), []);
    });

    it("says of two masters nothing of the elastic IP address, which one leaves with the other", () => {
        const leads = { to: "peer", text: "" } as const;
        assert.deepEqual(kinds([lb1, { ...lb2, role: "MASTER", holds: "all", leads }]), [
            "failing both-master lb1+lb2",
        ]);
    });

    it("wants EC2's API to be reachable from both hosts", () => {
        const leads = { to: "unknown", text: "no route" } as const;
        assert.deepEqual(said([lb1, { ...lb2, leads }]), [
            "attention elastic-ip lb2: does not know where the elastic IP address leads: no route; let it reach EC2's API, with a role that may move the address",
        ]);
    });
});
