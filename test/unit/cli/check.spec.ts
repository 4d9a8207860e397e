import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkRun, exitStatus, type Outcome } from "../../../cli/check/check";
import { configurationIn, withAccount } from "../../../cli/check/configuration";
import { type Daemon, findDaemon } from "../../../cli/check/daemon";
import { rows } from "../../../cli/check/table";
import type { Host, Run } from "../../../cli/program";
import { slot } from "../../../components";
import type { HaproxyConfig, Service } from "../../../components/haproxy";
import { authorityPath, compileServices, revocationsPath } from "../../../components/haproxy";
import { haproxy } from "../../../components/recipes/haproxy";

const service: Service = {
    name: "shop",
    hosts: ["shop.test"],
    port: 80,
    servers: [
        { name: "app1", address: "app1.internal" },
        { name: "app2", address: "ipv4@app2.internal." },
        { name: "app3", address: "192.0.2.7" },
    ],
    serverTls: { caFile: "/etc/ssl/host-only.pem", verifyhost: "shop.internal" },
    basicAuth: { users: [{ name: "ops", passwordSecret: "ops-password" }] },
    raw: ["fullconn 5", "errorfile 503 '/etc/haproxy/a b.http'"],
};
const { config, sourceOf } = compileServices({ version: "2.6", hostMap: true }, [service], undefined, {
    bind: { port: 8404 },
});
const host = (name: string, model: HaproxyConfig = config, allowWarnings: string[] = []): Host => ({
    name,
    parent: "edge",
    owner: `edge/dev/${name}`,
    formerOwners: Promise.resolve([]),
    connection: { address: "192.0.2.1", hostKey: "" },
    resources: haproxy(model, { allowWarnings, sourceOf: (path) => sourceOf(model, path) }),
});
const run = (...hosts: Host[]): Run => ({ hosts, errors: [], warnings: [], functions: [] });

/** A daemon that gives this answer, and the files that it was given. */
function daemon(answer: (text: string, options: readonly string[]) => string) {
    const asked: ReadonlyMap<string, string>[] = [];
    const fake: Daemon = {
        name: "HAProxy 2.6.1 somewhere",
        account: async () => ({ user: "me", group: "us" }),
        async check(files, options) {
            asked.push(files);
            const [text = ""] = files.values();
            const output = answer(text, options);
            return { accepted: output === "", output };
        },
    };
    return { asked, find: async () => fake };
}

describe("checkRun", () => {
    it("gives the daemon haproxy.cfg and the files in it, without secrets, accounts and names of the hosts", async () => {
        const { asked, find } = daemon(() => "");
        const outcomes = await checkRun(run(host("edge-lb1")), find);
        assert.deepEqual(outcomes, [
            { hosts: ["edge-lb1"], result: "accepted", remark: "HAProxy 2.6.1 somewhere", details: [] },
        ]);
        const [files = assert.fail()] = asked;
        const [text = ""] = files.values();
        assert.deepEqual(
            [...files.keys()].map((path) => path.replace(/[^/]*\.map$/, "*.map")),
            [
                "/etc/haproxy/haproxy.cfg",
                "/etc/haproxy/fleet/*.map",
                "/etc/haproxy/a b.http",
                "/etc/ssl/host-only.pem",
                "/run/haproxy-fleet/server-states",
            ],
        );
        assert.match(text, /^ {4}user me\n {4}group us$/m);
        assert.match(text, /server app1 app1\.internal:80 init-addr none/);
        assert.match(text, /server app2 ipv4@app2\.internal\.:80 init-addr none/);
        assert.match(text, /server app3 192\.0\.2\.7:80 (?!init-addr)/);
        assert.match(text, /user ops insecure-password 'placeholder'/);
        assert.doesNotMatch(text, /\0/);
        assert.match(files.get("/etc/ssl/host-only.pem") ?? "", /BEGIN CERTIFICATE/);
        assert.match(files.get("/etc/haproxy/a b.http") ?? "", /^HTTP\/1\.1 503/);
    });

    it("changes the account of the process, and no user of a list", () => {
        const configuration = configurationIn(host("lb1").resources) ?? assert.fail();
        assert.deepEqual(configuration.account, { user: "haproxy", group: "haproxy" });
        const [text = ""] = withAccount(configuration, { user: "me", group: "us" }).values();
        assert.match(text, /^ {4}user me$/m);
        assert.match(text, /^ {4}user ops insecure-password/m);
    });

    it("shows the lines that the daemon refuses, and where the program declares them", async () => {
        const { find } = daemon((text) => {
            const line = text.split("\n").findIndex((one) => one.includes("fullconn 5")) + 1;
            const summary = "[ALERT] (1) : config : Fatal errors found in configuration.";
            return `[NOTICE] x\n[ALERT] (1) : parsing [/etc/haproxy/haproxy.cfg:${line}] : no\n${summary}\n`;
        });
        const [{ result, details } = assert.fail()] = await checkRun(run(host("lb1")), find);
        assert.equal(result, "refused");
        assert.match(details[0] ?? "", /^\[ALERT\] .*haproxy\.cfg:\d+\] : no$/);
        assert.match(details[1] ?? "", /line \d+: fullconn 5$/);
        assert.match(details[2] ?? "", /from services\[0\]\.raw\[0\]$/);
        assert.equal(details.length, 3);
    });

    it("checks equal configurations once, and others by themselves", async () => {
        const { asked, find } = daemon(() => "");
        const other = { ...config, global: { ...config.global, maxconn: 4 } };
        const outcomes = await checkRun(run(host("lb1"), host("lb2", other), host("lb3")), find);
        assert.deepEqual(
            outcomes.map(({ hosts }) => hosts),
            [["lb1", "lb3"], ["lb2"]],
        );
        assert.equal(asked.length, 2);
    });

    it("accepts warnings that are allowed, and no others", async () => {
        const warns = daemon((_, options) => (options.includes("-dW") ? "[WARNING] a\n[ALERT] b\n" : ""));
        const lenient: Daemon = {
            ...(await warns.find()),
            async check(_, options) {
                const output = "[WARNING] old keyword x\n[WARNING] slow y\n";
                return { accepted: !options.includes("-dW"), output };
            },
        };
        const check = async (...allowWarnings: string[]) =>
            (await checkRun(run(host("lb1", config, allowWarnings)), async () => lenient))[0];
        assert.equal((await check("keyword x", "slow"))?.result, "accepted");
        assert.deepEqual((await check("slow"))?.details, ["[WARNING] old keyword x"]);
        assert.equal((await check())?.result, "refused");
    });

    it("says that a configuration was not checked without a daemon", async () => {
        const [none] = await checkRun(run(host("lb1")), async () => "no haproxy is on PATH");
        assert.deepEqual(none, { hosts: ["lb1"], result: "not checked", remark: "no haproxy is on PATH", details: [] });
    });

    it("gives the daemon PEM in place of secret certificates, authorities and revocation lists", async () => {
        const { asked, find } = daemon(() => "");
        const clients = (name: string) => ({ caFile: authorityPath(name), verify: "required" as const });
        const partners = "-----BEGIN CERTIFICATE-----\nMIIpartners\n-----END CERTIFICATE-----\n";
        const model: HaproxyConfig = {
            ...config,
            certificates: [{ name: "shop", pem: slot("certificate.shop") }],
            authorities: [
                { name: "own", pem: slot("authority.own"), revocations: slot("revocations.own") },
                { name: "partners", pem: partners },
            ],
            frontends: [
                {
                    name: "https",
                    binds: [
                        {
                            port: 443,
                            ssl: { certificates: ["shop"], ...clients("own"), crlFile: revocationsPath("own") },
                        },
                        { port: 444, ssl: { certificates: ["shop"], ...clients("partners") } },
                    ],
                    raw: ["bind :445 ssl crt /etc/ssl/own.pem ca-file /etc/ssl/ca.pem crl-file /etc/ssl/own.crl"],
                    defaultBackend: config.backends?.[0]?.name,
                },
            ],
        };
        await checkRun(run(host("lb1", model)), find);
        const labels = (path: string) => {
            const text = asked[0]?.get(path) ?? assert.fail(path);
            return [...text.matchAll(/BEGIN ([A-Z0-9 ]+)/g)].map(([, label]) => label);
        };
        const bundle = ["CERTIFICATE", "PRIVATE KEY"];
        assert.deepEqual(labels("/etc/haproxy/fleet/shop.pem"), bundle);
        assert.deepEqual(labels("/etc/haproxy/fleet/own.ca.pem"), bundle);
        assert.deepEqual(labels("/etc/haproxy/fleet/own.crl.pem"), ["X509 CRL"]);
        assert.deepEqual(labels("/etc/ssl/own.pem"), bundle);
        assert.deepEqual(labels("/etc/ssl/own.crl"), ["X509 CRL"]);
        assert.equal(asked[0]?.get("/etc/haproxy/fleet/partners.ca.pem"), partners);
        assert.equal([...(asked[0]?.keys() ?? [])][0], "/etc/haproxy/haproxy.cfg");
    });

    it("reports errors of the program, and what it called, without asking a daemon", async () => {
        const { asked, find } = daemon(() => "");
        const failed = {
            ...run(host("lb1")),
            errors: ["edge: 1 error\n  services: no"],
            functions: ["aws:index/getZone:getZone"],
        };
        const [outcome] = await checkRun(failed, find);
        assert.equal(outcome?.result, "errors");
        assert.deepEqual(outcome?.details.slice(0, 2), ["edge: 1 error", "  services: no"]);
        assert.match(outcome?.details[2] ?? "", /aws:index\/getZone:getZone/);
        assert.deepEqual(asked, []);
    });

    it("has nothing to check on hosts without HAProxy", async () => {
        const bare = { ...host("db1"), resources: [] };
        const outcomes = await checkRun(run(bare), daemon(() => "").find);
        assert.equal(outcomes[0]?.result, "no HAProxy");
        assert.equal(exitStatus(outcomes), 0);
        assert.equal((await checkRun(run(), daemon(() => "").find))[0]?.result, "no HAProxy");
    });

    it("puts placeholders where slots stand, each valid at its place", () => {
        const own = {
            ...config,
            backends: [
                { name: "own", servers: [{ name: "w", address: slot("w.address"), port: slot("w.port") as never }] },
            ],
        } as HaproxyConfig;
        const [text = ""] = configurationIn(host("lb1", own).resources)?.texts.values() ?? [];
        assert.match(text, /server w '?192\.0\.2\.1'?:'?1'? /);
    });

    it("exits 0 if all are accepted, 1 for a refusal or errors, 2 if one was not checked", () => {
        const status = (...results: Outcome["result"][]) =>
            exitStatus(results.map((result) => ({ hosts: [], result, remark: "", details: [] })));
        assert.equal(status("accepted", "no HAProxy"), 0);
        assert.equal(status("accepted", "refused"), 1);
        assert.equal(status("errors", "not checked"), 1);
        assert.equal(status("accepted", "not checked"), 2);
    });

    it("aligns stacks, hosts and results", () => {
        const outcome = (hosts: string[], result: Outcome["result"], ...details: string[]): Outcome => ({
            hosts,
            result,
            remark: "why",
            details,
        });
        const many = Array.from({ length: 40 }, (_, n) => `lb${n + 1}`);
        assert.deepEqual(rows("dev", [outcome(many, "accepted"), outcome(["x"], "refused", "words")], 7), [
            "dev      lb1 and 39 others  accepted  why",
            "dev      x                  refused   why",
            "    words",
        ]);
        assert.deepEqual(rows("dev", [outcome([], "errors")], 3), ["dev  errors    why"]);
    });
});

describe("findDaemon", () => {
    const directory = mkdtempSync(join(tmpdir(), "haproxy-"));
    const { PATH } = process.env;
    afterEach(() => {
        process.env.PATH = PATH;
    });
    after(() => rmSync(directory, { recursive: true }));

    /** A program that has this version, and is this shell script otherwise. */
    function install(version: string, script: string): string {
        const file = join(directory, "haproxy");
        const text = `#!/bin/sh\n[ "$1" = -v ] && { echo "HAProxy version ${version} 2024/01/01"; exit; }\n${script}\n`;
        writeFileSync(file, text);
        chmodSync(file, 0o755);
        process.env.PATH = `${directory}:${PATH}`;
        return file;
    }

    it("uses the one on PATH, or the one that is named, for its own release and for older ones", async () => {
        const file = install("2.8.5-1~bpo", "exit 0");
        const name = async (release: string, wanted?: string) => {
            const found = await findDaemon(release, wanted);
            return typeof found === "string" ? found : found.name;
        };
        assert.equal(await name("2.8"), "HAProxy 2.8.5-1~bpo on PATH");
        assert.equal(await name("2.6"), "HAProxy 2.8.5-1~bpo on PATH, newer than the declared 2.6");
        assert.equal(await name("2.8", file), `HAProxy 2.8.5-1~bpo at ${file}`);
        assert.equal(await name("3.0"), "haproxy on PATH is 2.8.5-1~bpo, older than 3.0");
        assert.equal(await name("2.8", "/bin/true"), "/bin/true is no HAProxy");
        process.env.PATH = join(directory, "nowhere");
        assert.equal(await name("2.8"), "no haproxy is on PATH");
    });

    it("gives the daemon no variable that a configuration could show", async () => {
        install("2.6.12", "env; exit 1");
        process.env.PULUMI_PLANTED = "pl4nted";
        try {
            const found = await findDaemon("2.6");
            assert(typeof found !== "string");
            const { output } = await found.check(new Map([["/etc/haproxy/haproxy.cfg", ""]]), []);
            assert.match(output, /^PATH=/m);
            assert.doesNotMatch(output, /pl4nted/);
        } finally {
            delete process.env.PULUMI_PLANTED;
        }
    });

    it("moves every path of the configuration to a directory of its own, and shows the paths of the hosts", async () => {
        // Succeeds only if the map and the certificate are where the configuration says; shows where its own file is.
        install(
            "2.6.12",
            `for last; do case $last in */haproxy.cfg) config=$last ;; esac; done
            map=$(grep -o '/[^ (,]*\\.map' "$config" | head -n 1)
            ca=$(grep -o '/[^ ]*host-only.pem' "$config" | head -n 1)
            [ -s "$map" ] && [ -s "$ca" ] && case $map$ca in *" "*) false ;; esac || { echo "missing $map or $ca"; exit 1; }
            echo "[ALERT] parsing [$config:2] : $map $ca" >&2
            exit 1`,
        );
        const [{ remark, details } = assert.fail()] = await checkRun(run(host("lb1")), findDaemon);
        assert.equal(remark, "HAProxy 2.6.12 on PATH");
        assert.match(
            details[0] ?? "",
            /^\[ALERT\] parsing \[\/etc\/haproxy\/haproxy\.cfg:2\] : \/etc\/haproxy\/fleet\/\S+\.map \/etc\/ssl\/host-only\.pem$/,
        );
    });
});
