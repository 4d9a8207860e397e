import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import type { Resource } from "../../../components/convergence/kinds/index";
import { showSlots } from "../../../components/convergence/slots";
import type { HaproxyConfig } from "../../../components/haproxy";
import {
    datadogTagIssues,
    type LogsAndMetrics,
    logTargetIssues,
    runListWithLogs,
    withLogsAndMetrics,
} from "../../../components/hostSetup/logsAndMetrics";
import { LoadBalancer } from "../../../components/loadBalancer";
import { mockEngine, promiseOf, settled } from "../../support/mocks";
import { connection, withProbeReplies } from "../../support/probeReplies";

const config: HaproxyConfig = {
    version: "2.6",
    frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "app" }],
    backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.21", port: 80 }] }],
};
const target = { address: "127.0.0.1:514", length: 8192, format: "rfc5424", facility: "local0", level: "info" };
const papertrail = { host: "logs2.papertrailapp.com", port: 23456 };
const datadog = { apiKey: "a key" };

/** In place of what HAProxy needs. */
const balanced: Resource[] = [{ kind: "group", name: "haproxy" }];

const configOf = (declared: LogsAndMetrics<string>, own = config) => withLogsAndMetrics(own, declared);

/** What is converged after HAProxy, each resource by kind and name. */
function runListOf(declared: LogsAndMetrics<string>, own = config): string[] {
    return runListWithLogs(configOf(declared, own), balanced, declared, ["shop", "docs"]).map((resource) =>
        "name" in resource
            ? `${resource.kind} ${resource.name}`
            : "path" in resource
              ? `${resource.kind} ${resource.path}`
              : `${resource.kind} ${"names" in resource ? resource.names.join(" ") : ""}`,
    );
}

/** The instance of Datadog's check. */
function instanceOf(own: HaproxyConfig, declared: LogsAndMetrics<string> = { datadog }) {
    const resources = runListWithLogs(withLogsAndMetrics(own, declared), balanced, declared, ["shop", "docs"]);
    const file = resources.find((each) => each.kind === "file" && each.path.endsWith("/haproxy.d/conf.yaml"));
    return parse(String(file && "content" in file ? file.content : "")).instances[0];
}

describe("logs and metrics", () => {
    it("change nothing if none are declared", () => {
        assert.equal(configOf({}), config);
        assert.deepEqual(runListOf({}), ["group haproxy"]);
    });

    it("make HAProxy log to rsyslog, beside the targets that are declared", () => {
        for (const declared of [{ papertrail }, { logrotate: true as const }, { datadog }]) {
            assert.deepEqual(configOf(declared).global?.log, [target]);
        }
        const own = { address: "192.0.2.5" };
        const both = configOf({ papertrail }, { ...config, global: { maxconn: 9, log: [own] } });
        assert.deepEqual(both.global, { maxconn: 9, log: [own, target] });
        assert.equal(configOf({ datadog: { ...datadog, logs: false } }).global?.log, undefined);
    });

    it("warn of declared targets by which rsyslog would get each line twice", () => {
        const issuesOf = (log: NonNullable<HaproxyConfig["global"]>["log"], declared: LogsAndMetrics<string>) =>
            logTargetIssues(configOf(declared, { ...config, global: { log } }), declared).map(({ path }) => path);
        const log = [{ address: "192.0.2.5" }, { address: "/dev/log" }, { address: "127.0.0.1" }];
        assert.deepEqual(issuesOf(log, { papertrail }), ["global.log[1]", "global.log[2]"]);
        assert.deepEqual(issuesOf(log, {}), []);
        assert.deepEqual(issuesOf([{ address: "127.0.0.1:5140" }], { papertrail }), []);
        assert.deepEqual(issuesOf(undefined, { papertrail }), []);
        const own = { ...config, global: { log: [{ ...target, length: 65_535 } as const] } };
        assert.deepEqual(logTargetIssues(own as HaproxyConfig, { papertrail }), []);
        assert.match(logTargetIssues(config, { papertrail })[0]?.message ?? "", /^rsyslog gets no line of HAProxy/);
    });

    it("give Datadog metrics on loopback, unless the configuration has its own", () => {
        assert.deepEqual(configOf({ datadog }).metrics, { bind: { address: "127.0.0.1", port: 8405 } });
        const metrics = { bind: { address: "192.0.2.1", port: 9100 }, uri: "/m" };
        assert.equal(configOf({ datadog }, { ...config, metrics }).metrics, metrics);
        assert.equal(configOf({ papertrail }).metrics, undefined);
    });

    it("point Datadog's check at an address by which the host reaches its own metrics", () => {
        const at = (bind: NonNullable<HaproxyConfig["metrics"]>["bind"], uri?: string) =>
            instanceOf({ ...config, metrics: { bind, uri } }).openmetrics_endpoint;
        assert.equal(instanceOf(config).openmetrics_endpoint, "http://127.0.0.1:8405/metrics");
        assert.equal(at({ port: 9100 }, "/m"), "http://127.0.0.1:9100/m");
        assert.equal(at({ address: "::", port: 9100 }), "http://127.0.0.1:9100/metrics");
        assert.equal(at({ address: "::", v6only: true, port: 9100 }), "http://[::1]:9100/metrics");
        assert.equal(at({ address: ["192.0.2.1", "127.0.0.1"], port: 9100 }), "http://127.0.0.1:9100/metrics");
        assert.equal(at({ address: "2001:db8::1", port: 9100 }), "http://[2001:db8::1]:9100/metrics");
        assert.equal(
            at({ address: "192.0.2.1", port: 9100, ssl: { crt: ["/x.pem"] } }),
            "https://192.0.2.1:9100/metrics",
        );
    });

    it("tag what Datadog gets with the services, unless tags say otherwise", () => {
        assert.deepEqual(instanceOf(config).tags, ["service:shop", "service:docs"]);
        const tagged = { datadog: { ...datadog, tags: { service: "edge", team: "web" } } };
        assert.deepEqual(instanceOf(config, tagged).tags, ["service:edge", "team:web"]);
    });

    it("are converged in an order in which a receiver that does not answer keeps nothing else from being converged", () => {
        const list = runListOf({ papertrail, logrotate: true, datadog });
        const places = [
            "packages rsyslog iproute2 perl-base rsyslog-gnutls ca-certificates",
            "group haproxy",
            "transaction rsyslog",
            "transaction logrotate",
            "service datadog-agent.service",
            "execute prove the connection to logs2.papertrailapp.com:23456",
        ].map((name) => list.indexOf(name));
        assert.deepEqual(
            places.map((place, n) => place > (places[n - 1] ?? -1)),
            [true, true, true, true, true, true],
            list.join("\n"),
        );
        assert.equal(places.at(-1), list.length - 1);
        assert.ok(runListOf({ logrotate: true }).includes("transaction rsyslog"));
        assert.ok(!runListOf({ datadog: { ...datadog, logs: false } }).includes("transaction rsyslog"));
    });

    it("report tags that Datadog would cut, and warn of those that it shows otherwise", () => {
        const of = (tags: Record<string, string>) => datadogTagIssues({ datadog: { ...datadog, tags } });
        assert.deepEqual(of({ team: "edge" }), []);
        assert.deepEqual(
            of({ team: "Edge" }).map(({ rule, path, severity }) => ({ rule, path, severity })),
            [{ rule: "rewritten-tag", path: "datadog.tags.team", severity: "warning" }],
        );
        assert.deepEqual(
            of({ team: "e".repeat(300) }).map(({ rule, path, severity }) => ({ rule, path, severity })),
            [{ rule: "tag", path: "datadog.tags.team", severity: "error" }],
        );
    });
});

describe("a load balancer with logs and metrics", () => {
    const hosts = withProbeReplies();

    it("shows the key of Datadog by name, and sends it to the host", async () => {
        const recording = await mockEngine();
        const key = "0123456789abcdef0123456789abcdef";
        const balancer = new LoadBalancer("lb1", {
            connection,
            model: config,
            papertrail,
            logrotate: { keep: 3 },
            datadog: { apiKey: pulumi.secret(key), tags: { team: "edge" } },
        });
        await settled();
        assert.match(
            await promiseOf(balancer.configuration),
            /^ {4}log 127\.0\.0\.1:514 len 8192 format rfc5424 local0 info$/m,
        );
        assert.deepEqual(
            hosts.asked.map(({ payload }) => payload.includes(key)),
            [true],
        );
        const shown = JSON.stringify(recording.registrations.map(({ inputs }) => inputs));
        assert.ok(!shown.includes(key));
        assert.ok(shown.includes("‹datadog.api-key›"));
        assert.equal(showSlots(shown), shown);
        assert.deepEqual(recording.messages, []);
    });

    it("has every error of their form at its place", async () => {
        await mockEngine();
        const args = {
            connection,
            model: config,
            papertrail: { host: "logs2.papertrailapp.com:23456", port: 0 },
            logrotate: { keep: 0 },
            datadog: { apiKey: 5, site: "app.datadoghq.eu", tags: { "": "x" } },
        };
        assert.throws(
            () => new LoadBalancer("lb1", args as never),
            (error: Error) => {
                for (const path of [
                    "papertrail.host",
                    "papertrail.port",
                    "logrotate",
                    "datadog.apiKey",
                    "datadog.site",
                ]) {
                    assert.match(error.message, new RegExp(`^ {2}${path.replace(".", "\\.")}`, "m"));
                }
                return true;
            },
        );
        await settled();
    });
});
