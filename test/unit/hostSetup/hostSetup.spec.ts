import assert from "node:assert/strict";
import { label, type Resource } from "../../../components/convergence/kinds/index";
import type { HaproxyConfig } from "../../../components/haproxy";
import {
    type HostSetup,
    runListWithSetup,
    setupIssues,
    setupSecrets,
    setupSlots,
    splitSetup,
    withSetup,
    withSetupSecrets,
} from "../../../components/hostSetup";
import { haproxy } from "../../../components/recipes/haproxy/index";

const config: HaproxyConfig = {
    version: "2.6",
    global: { maxconn: 70_000 },
    frontends: [{ name: "http", binds: [{ port: 80 }, { port: 8443 }], defaultBackend: "app" }],
    backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.21", port: 80 }] }],
    stats: { bind: { address: "192.0.2.11", port: 8404 } },
};
const logs = {
    papertrail: { host: "logs.example.com", port: 6514 },
    logrotate: true as const,
    datadog: { apiKey: "key" },
};
const all: HostSetup<string> = { ...logs, firewall: { default: "drop" }, tuning: true, alert: { command: "page" } };

function runListOf(setup: HostSetup<string>): { resources: Resource[]; labels: string[] } {
    const complete = withSetup(config, setup);
    const { resources, issues } = runListWithSetup(complete, haproxy(complete), setup, ["shop"]);
    assert.deepEqual(issues, []);
    return { resources, labels: resources.map(label) };
}

const found = <K extends Resource["kind"]>(resources: Resource[], kind: K) =>
    resources.filter((each): each is Extract<Resource, { kind: K }> => each.kind === kind);

describe("the setup of a host", () => {
    it("changes nothing if nothing is declared", () => {
        assert.equal(withSetup(config, {}), config);
        assert.deepEqual(runListOf({}).labels, haproxy(config).map(label));
    });

    it("installs HAProxy after its limits, with all packages at once but those of a repository of their own", () => {
        const { resources, labels } = runListOf(all);
        const [first, ...others] = found(resources, "packages");
        assert.deepEqual(
            ["haproxy", "nftables", "rsyslog", "logrotate"].filter((name) => !first?.names.includes(name)),
            [],
        );
        assert.deepEqual(
            others.map(({ names }) => names),
            [["datadog-agent"]],
        );
        const limits = labels.indexOf("systemdUnit[haproxy.service.d/10-limits.conf]");
        assert.ok(limits >= 0 && limits < labels.indexOf(label(first as Resource)));
    });

    it("opens ports and raises limits before HAProxy starts, and proves the receiver of logs last", () => {
        const { labels } = runListOf(all);
        const order = [
            "firewall[host]",
            "sysctl[60-haproxy-fleet]",
            "transaction[haproxy]",
            "service[haproxy.service]",
            "systemdUnit[haproxy.service.d/20-alert.conf]",
            "transaction[rsyslog]",
            "service[datadog-agent.service]",
            "execute[prove the connection to logs.example.com:6514]",
        ];
        assert.deepEqual(
            labels.filter((each) => order.includes(each)),
            order,
        );
        assert.equal(labels.at(-1), order.at(-1));
    });

    it("opens the ports of clients, and that of the statistics page to those who may see it", () => {
        const rulesOf = (setup: HostSetup<string>) => found(runListOf(setup).resources, "firewall")[0]?.rules;
        const clients = [
            { protocol: "tcp", port: 80 },
            { protocol: "tcp", port: 8443 },
        ];
        assert.deepEqual(rulesOf({ firewall: true }), clients);
        assert.deepEqual(rulesOf({ firewall: { stats: ["198.51.100.0/24"] } }), [
            clients[0],
            { protocol: "tcp", port: 8404, from: ["198.51.100.0/24"] },
            clients[1],
        ]);
        assert.equal(rulesOf({ tuning: true }), undefined);
    });

    it("computes the kernel's limits from the connections of the configuration", () => {
        const [sysctl] = found(runListOf({ tuning: { sysctls: { "vm.swappiness": 1 } } }).resources, "sysctl");
        assert.equal(sysctl?.values["net.netfilter.nf_conntrack_max"]?.value, 280_000);
        assert.equal(sysctl?.values["net.ipv4.ip_local_reserved_ports"]?.value, "8404,8443");
        assert.equal(sysctl?.values["vm.swappiness"]?.value, 1);
    });

    it("gives versions to the packages that it installs, and to HAProxy's transaction", () => {
        const { resources } = runListOf({ ...logs, packages: { haproxy: "2.6.12-1", logrotate: "hold" } });
        const [packages] = found(resources, "packages");
        assert.deepEqual([packages?.versions, packages?.initial], [{ logrotate: "hold" }, { haproxy: "2.6.12-1" }]);
        const transaction = found(resources, "transaction").find(({ name }) => name === "haproxy");
        assert.deepEqual(transaction?.package, { name: "haproxy", version: "2.6.12-1" });
    });

    it("reports a package that nothing installs, with what is meant", () => {
        const { issues } = runListWithSetup(config, haproxy(config), { packages: { haprox: "newest" } }, []);
        assert.equal(issues.length, 1);
        assert.equal(issues[0]?.path, "packages.haprox");
        assert.match(issues[0]?.message ?? "", /nothing installs the package "haprox"; use .*"?haproxy"?/);
    });

    it("warns of peers that a firewall lets in by no rule", () => {
        const peers = [
            { name: "pair", peers: [{ name: "lb1", address: "lb1.example.com", port: 1024 }] },
        ] as HaproxyConfig["peers"];
        const rulesOf = (setup: HostSetup<string>) => setupIssues({ ...config, peers }, setup).map(({ rule }) => rule);
        assert.deepEqual(rulesOf({ firewall: true }), ["peer-address"]);
        assert.deepEqual(rulesOf({}), []);
    });

    it("is taken out of other arguments, and its secrets out of it", () => {
        const { setup, others } = splitSetup({ ...all, services: [] });
        assert.deepEqual([setup, others], [all, { services: [] }]);
        assert.deepEqual(setupSecrets(all), ["key", "page"]);
        assert.deepEqual(setupSlots(all), { "datadog.api-key": "key", "alert.command": "page" });
        const named = withSetupSecrets(all, (secret) => ({ secret }));
        assert.deepEqual(setupSecrets(named), [{ secret: "key" }, { secret: "page" }]);
        assert.deepEqual(withSetupSecrets({ tuning: true }, String), { tuning: true });
    });
});
