import assert from "node:assert/strict";
import { slot } from "../../../components/convergence/slots";
import type { HaproxyConfig, PortBind } from "../../../components/haproxy";
import { needsNonlocalBind, pairBindIssues, resolvePair, withHealthPage } from "../../../components/keepalived/index";
import type { PairSettings } from "../../../components/keepalived/types";
import { elastic, elasticMembers, members, vip } from "../../support/pairs";

const pair = resolvePair("edge", { ...vip, addresses: ["192.0.2.100/24", "2001:db8::100/64"] }, members);

const withBinds = (...binds: PortBind[]): HaproxyConfig => ({
    version: "2.6",
    frontends: [{ name: "http", binds, defaultBackend: "shop" }],
    backends: [{ name: "shop", servers: [{ name: "shop1", address: "192.0.2.31", port: 8080 }] }],
});

const found = (config: HaproxyConfig, host = "lb1", of = pair) =>
    pairBindIssues(config, of, host).map(({ rule, path, message }) => `${rule} ${path}: ${message}`);
const alone = (address: string, port: number, remedy: string, where = "frontend http") =>
    `bind of ${where}: only the MASTER has ${address}, so on the BACKUP nothing could be proven at port ${port}; leave the address out to ` +
    `listen on all, or bind ${remedy} with the same port as well`;

describe("binds of a pair", () => {
    it("are refused if only the MASTER answers there", () => {
        const config = withBinds({ address: "192.0.2.100", port: 80 }, { address: "2001:0db8::0100", port: 443 });
        for (const [host, own] of [
            ["lb1", "192.0.2.11"],
            ["lb2", "192.0.2.12"],
        ] as const) {
            assert.deepEqual(found(config, host), [
                `pair-bind frontends[0].binds[0]: ${alone("192.0.2.100", 80, `the host's own address ${own}`)}`,
                `pair-bind frontends[0].binds[1]: ${alone("2001:0db8::0100", 443, '"::"')}`,
            ]);
        }
    });

    it("are refused in raw lines, too, and on the page of statistics", () => {
        const config: HaproxyConfig = {
            ...withBinds({ port: 80 }),
            stats: { bind: { address: "192.0.2.100", port: 8404 } },
            listens: [{ name: "db", binds: [], servers: [], raw: ["bind 192.0.2.100:5432"] }],
        };
        assert.deepEqual(found(config), [
            `pair-bind : ${alone("192.0.2.100", 5432, "the host's own address 192.0.2.11", "a raw line")}`,
            `pair-bind stats.bind: ${alone("192.0.2.100", 8404, "the host's own address 192.0.2.11", "the statistics page")}`,
        ]);
    });

    it("may name the address beside the own one, or beside all, at the same port", () => {
        for (const bind of [
            { address: ["192.0.2.100", "192.0.2.11"], port: 80 },
            { address: ["192.0.2.100", "*"], port: 80 },
            { address: ["192.0.2.100", "::"], port: 80 },
            { address: "192.0.2.11", port: 80 },
            { port: 80 },
            { address: ["2001:db8::100", "::"], port: 80 },
            { address: ["2001:db8::100", "0::0"], port: 80, v6only: true },
            { address: ["192.0.2.100", "::"], port: 80, raw: "v4v6" },
        ]) {
            assert.deepEqual(found(withBinds(bind)), [], JSON.stringify(bind));
        }
        // That of the other host, another port, and the wildcard of another family prove nothing.
        for (const binds of [
            [{ address: ["192.0.2.100", "192.0.2.12"], port: 80 }],
            [{ address: "192.0.2.100", port: 80 }, { port: 81 }],
            [{ address: ["2001:db8::100", "*"], port: 80 }],
            [
                { address: "192.0.2.100", port: 80 },
                { address: "::", port: 80, v6only: true },
            ],
            [
                { address: "192.0.2.100", port: 80 },
                { address: "::", port: 80, raw: "v4v6 v6only" },
            ],
        ]) {
            assert.equal(found(withBinds(...binds)).length, 1, JSON.stringify(binds));
        }
    });

    it("may name an own address that is known later", () => {
        const later = resolvePair("edge", vip, [{ name: "lb1", address: slot("lb1-address") }, members[1]]);
        assert.deepEqual(found(withBinds({ address: "192.0.2.100", port: 80 }), "lb1", later), [
            `pair-bind frontends[0].binds[0]: ${alone("192.0.2.100", 80, "the host's own address")}`,
        ]);
    });

    it("are refused at the port of the health page, on any address", () => {
        const problem = (port: number) =>
            `the health page of the pair has port ${port}; use another port, or set check.port of the pair`;
        assert.deepEqual(found(withBinds({ address: "192.0.2.11", port: 8407 })), [
            `pair-bind frontends[0].binds[0]: bind of frontend http: ${problem(8407)}`,
        ]);
        const settings: PairSettings = { ...vip, check: { port: 9000 } };
        assert.deepEqual(
            found(withBinds({ port: 8999, portEnd: 9001 }), "lb1", resolvePair("edge", settings, members)),
            [`pair-bind frontends[0].binds[0]: bind of frontend http: ${problem(9000)}`],
        );
    });

    it("need a kernel that lets a BACKUP bind if they name an address of the MASTER", () => {
        assert.equal(needsNonlocalBind(withBinds({ port: 80 }), pair), false);
        assert.equal(needsNonlocalBind(withBinds({ address: "192.0.2.11", port: 80 }), pair), false);
        assert.equal(needsNonlocalBind(withBinds({ address: ["192.0.2.11", "192.0.2.100"], port: 80 }), pair), true);
        assert.equal(needsNonlocalBind(withBinds({ address: ["::", "2001:db8:0::100"], port: 80 }), pair), true);
    });

    it("have in a VPC only addresses that each host has", () => {
        const inVpc = resolvePair("edge", elastic, elasticMembers);
        const config = withBinds({ address: ["192.0.2.21"], port: 80 });
        assert.equal(needsNonlocalBind(config, inVpc), false);
        assert.deepEqual(found(config, "lb1", inVpc), []);
    });
});

describe("the health page of a pair", () => {
    it("is the same on both hosts, and answers both", () => {
        const config = withHealthPage(withBinds({ port: 80 }), resolvePair("edge", vip, members));
        assert.deepEqual(config, {
            ...withBinds({ port: 80 }),
            health: { port: 8407, from: ["192.0.2.11", "192.0.2.12"] },
        });
        const settings: PairSettings = { ...vip, check: { port: 9000, needs: ["shop"] } };
        assert.deepEqual(withHealthPage(withBinds(), resolvePair("edge", settings, members)).health, {
            port: 9000,
            from: ["192.0.2.11", "192.0.2.12"],
            needs: ["shop"],
        });
    });
});
