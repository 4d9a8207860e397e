import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { judgeAll } from "../../../../cli/status/judge";
import { table } from "../../../../cli/status/table";
import type { HostStatus, PairAnswer } from "../../../../cli/status/types";
import { backendOf, haproxyOf, now, pairAnswer, statusOf } from "../../../support/answers";

const DAY = 86_400;

/** `UPDATE_GOLDEN=1` writes the tables anew; read the diff before you commit it. */
const update = process.env.UPDATE_GOLDEN === "1";

const shown = (hosts: readonly HostStatus[], coloured = false, stack = "prod") =>
    table({
        stack,
        coloured,
        hosts: judgeAll(hosts, { project: "edge", stack, pulumiCommand: "pulumi" }),
    });

/** Compares a table with the file that people have read. */
function assertTable(name: string, text: string): void {
    const file = join(__dirname, "tables", `${name}.txt`);
    if (update) writeFileSync(file, text);
    assert.equal(text, readFileSync(file, "utf8"));
}

const away = (host: string, unanswered: string): HostStatus => ({
    host,
    address: "192.0.2.1",
    expectedToken: "t1",
    answer: { unanswered },
});
const mixed: HostStatus[] = [
    statusOf("edge-lb1"),
    statusOf("edge-lb2", {
        drift: [
            { resource: "file[/etc/motd]", what: "content" },
            { resource: "file[/etc/motd]", what: "mode" },
            { resource: "sysctl[net.core.somaxconn]", what: "value" },
        ],
        haproxy: haproxyOf({
            backends: [backendOf("shop", 3, "shop2 MAINT"), backendOf("api", 2, "api1 L4CON")],
            byHand: ["shop/shop2 in maintenance"],
            undo: "set server shop/shop2 state ready",
            certificates: [
                { name: "shop.pem", ends: now + 61 * DAY },
                { name: "api.pem", ends: now + 9 * DAY + 5 },
            ],
        }),
    }),
    away("edge-lb3", "did not answer within 5 s; check the network, and firewalls in between"),
    statusOf("edge-lb4", { haproxy: undefined, drift: [{ resource: "transaction[haproxy]", what: "stopped" }] }),
    { host: "edge-lb5", address: "", expectedToken: "" },
    statusOf("edge-lb6", { converging: "bob@ci", drift: undefined, token: "t0" }),
    statusOf("edge-lb7", { drift: undefined, lastConverge: undefined, token: "t2" }),
    statusOf("edge-lb8", {
        drift: [{ resource: "transaction[haproxy]", what: "outdated" }],
        lastConverge: { ended: now - 40, took: 3, by: "ci", result: "transaction[haproxy] failed: refused" },
    }),
];

describe("status table", () => {
    it("shows each host in a row, and below what to do, the worst first", () => {
        assertTable("mixed", shown(mixed));
    });

    it("says little of a healthy fleet", () => {
        assertTable("healthy", shown([statusOf("edge-lb1"), statusOf("edge-lb2"), statusOf("edge-lb10")]));
    });

    it("shows hosts without HAProxy, and calls them hosts", () => {
        assertTable(
            "hosts",
            shown([statusOf("edge-lb1"), statusOf("db1", { managesHaproxy: false, haproxy: undefined })]),
        );
    });

    const pair = (host: "lb1" | "lb2", changes: Partial<PairAnswer> = {}) =>
        statusOf(`edge-${host}`, { pair: pairAnswer(host, changes) });

    it("shows what the hosts of a pair do, and which of them has the service address", () => {
        assertTable("pair", shown([pair("lb1"), pair("lb2")]));
        assertTable(
            "standby",
            shown([
                pair("lb1", { role: "FAULT", holds: "none", outside: "standby" }),
                pair("lb2", { role: "MASTER", holds: "all" }),
                statusOf("shop-lb1", { owner: "edge/prod/shop-lb1" }),
            ]),
        );
    });

    it("shows a pair with two masters, and one whose elastic IP address leads to the wrong host", () => {
        const addresses = ["192.0.2.100/24", "192.0.2.101/24", "2001:db8::100/64"];
        assertTable(
            "masters",
            shown([pair("lb1", { addresses }), pair("lb2", { addresses, role: "MASTER", holds: "some" })]),
        );
        const elastic = { mode: "elastic", addresses: ["169.254.7.9/32"] };
        const leads = (to: "own" | "peer") => ({ to, text: "" });
        assertTable(
            "elastic",
            shown([
                pair("lb1", { ...elastic, leads: leads("own") }),
                pair("lb2", { ...elastic, leads: leads("peer") }),
            ]),
        );
        assertTable(
            "elsewhere",
            shown([
                pair("lb1", { ...elastic, leads: leads("peer") }),
                statusOf("edge-lb2", { pairProblem: "it did not say; look" }),
            ]),
        );
    });

    it("names the first address only, and then none, if the table is too wide", () => {
        const addresses = ["192.0.2.100/24", "2001:db8:1111:2222:3333:4444:5555:6666/64"];
        const rowOf = (by: string) => {
            const lastConverge = { ended: now - 60, took: 4, by, result: "done" };
            const hosts = [statusOf("edge-lb1", { pair: pairAnswer("lb1", { addresses }), lastConverge })];
            return shown(hosts).split("\n")[3] ?? "";
        };
        assert.match(rowOf("ci"), / MASTER, 192\.0\.2\.100 \+1 {2}none {3}5\/5 in 2 /);
        const certificates = [{ name: "wildcard.shop.example.com.pem", ends: now + 20 * DAY }];
        const backends = ["checkout", "catalogue", "search"].map((name) => backendOf(name, 6, "app1 L4CON"));
        const wide = statusOf("edge-europe-west-balancer-1", {
            pair: pairAnswer("lb1", { addresses: [...addresses].reverse() }),
            haproxy: haproxyOf({ backends, certificates }),
        });
        assert.match(shown([wide]), / as declared {2}MASTER {2}none {3}15\/18 in 3 {2}20 days {7}1,204 of 50,000 /);
    });

    it("shows hosts of which none answers", () => {
        assertTable(
            "unanswered",
            shown([
                away("edge-lb1", "the bastion 192.0.2.9:22 refuses connections; check that sshd is running there"),
                away("edge-lb2", "the bastion 192.0.2.9:22 refuses connections; check that sshd is running there"),
                away("edge-lb3", `is not the pinned host: ${"x".repeat(200)}`),
            ]),
        );
    });

    it("says ten reasons of a host, and how many more there are, so that others are seen", () => {
        const lost = (n: number) =>
            statusOf("edge-lb1", {
                haproxy: haproxyOf({ backends: Array.from({ length: n }, (_, i) => backendOf(`b${i}`, 1, "s L4CON")) }),
            });
        const failing = (n: number) =>
            shown([lost(n), away("edge-lb2", "it is off")])
                .split("\n")
                .filter((line) => line.startsWith("failing"));
        assert.equal(failing(11).length, 12);
        const lines = failing(20_000);
        assert.equal(lines.length, 12);
        assert.equal(lines[10], "failing    edge-lb1: 19,990 more; --json has all of them");
        assert.equal(lines[11], "failing    edge-lb2: it is off");
    });

    it("cuts a reason of megabytes", () => {
        const text = shown([statusOf("edge-lb1", { warnings: ["\u001b[2J ".repeat(500_000)] })]);
        assert.ok(text.length < 6000, `${text.length} characters`);
        assert.match(text, /\\x1b\[2J…?$/m);
        assert.doesNotMatch(text, /\u001b/);
    });

    it("keeps 40 hosts with many backends within 120 columns, and says equal reasons once", () => {
        const backends = (lacking: boolean) =>
            Array.from({ length: 13 }, (_, n) =>
                backendOf(`service-${n}`, 4, ...(lacking && n === 7 ? ["app-2 L4TOUT"] : [])),
            );
        const hosts = Array.from({ length: 40 }, (_, n) =>
            n % 20 === 11
                ? away(`edge-lb${n}`, "cannot be reached (EHOSTUNREACH); check the network, and firewalls in between")
                : statusOf(`edge-lb${n}`, {
                      haproxy: haproxyOf({
                          backends: backends(n % 10 === 4),
                          connections: n * 1_000,
                          maxconn: 1_000_000,
                      }),
                  }),
        );
        const text = shown(hosts);
        assertTable("many", text);
        assert.deepEqual(
            text.split("\n").filter((line) => line.length > 120),
            [],
        );
    });

    it("shortens what is long until it fits", () => {
        const backends = ["checkout", "catalogue", "search", "accounts"].map((name) =>
            backendOf(name, 6, "app1 L4CON", "app2 L4CON"),
        );
        const certificates = [{ name: "wildcard.shop.example.com.pem", ends: now + 20 * DAY }];
        const lastConverge = { ended: now - 3 * DAY, took: 4, by: "deployment@build-agent-17", result: "done" };
        const text = shown([
            statusOf("edge-europe-lb1", { lastConverge, haproxy: haproxyOf({ backends, certificates }) }),
            statusOf("edge-lb2"),
        ]);
        assertTable("shortened", text);
        assert.ok(text.split("\n").every((line) => line.length <= 120));
    });

    it("lets no name move the cursor, hide, break a line or push others away", () => {
        const evil = "\x1b[2J\x1b]0;x\x07a\r\nstack prod: 1 healthy\t\u202e\u200b\u009b31m";
        const hosts = [
            statusOf("edge-lb1", {
                owner: evil,
                drift: [{ resource: evil, what: evil }],
                warnings: [`${evil}; ${evil}`],
                lastConverge: { ended: now, took: 1, by: evil.repeat(9), result: evil },
                pair: pairAnswer("lb1", {
                    name: evil,
                    peer: evil,
                    addresses: [evil],
                    mode: evil,
                    warnings: [{ text: evil }],
                }),
                haproxy: haproxyOf({
                    version: evil,
                    backends: [{ name: evil, up: 0, servers: 1, lacking: [evil] }],
                    byHand: [evil],
                    certificates: [{ name: evil, ends: now + 1 }],
                }),
            }),
            away(evil, evil),
        ];
        const text = shown(hosts, false, evil);
        assertTable("hostile", text);
        assert.doesNotMatch(text, /[^\n\x20-\x7e…]/);
    });

    it("is coloured only where it is asked to be: red what fails, yellow what needs attention", () => {
        const coloured = shown(mixed, true);
        assert.equal(coloured.replaceAll(/\x1b\[\d+m/g, ""), shown(mixed));
        const lines = coloured.split("\n");
        const rowOf = (host: string) => lines.find((line) => /^(\x1b\[\d+m)?edge-/.test(line) && line.includes(host));
        assert.match(rowOf("edge-lb1") ?? "", /^edge-lb1 /);
        assert.match(rowOf("edge-lb2") ?? "", /^\x1b\[33medge-lb2\x1b\[0m /);
        assert.match(rowOf("edge-lb3") ?? "", /^\x1b\[31medge-lb3\x1b\[0m /);
        assert.ok(lines.some((line) => line.startsWith("\x1b[31mfailing\x1b[0m    edge-lb3: ")));
        assert.ok(lines.some((line) => line.startsWith("\x1b[33mattention\x1b[0m  edge-lb2: ")));
        assert.doesNotMatch(shown(mixed), /\x1b/);
    });
});
