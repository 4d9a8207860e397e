import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import local from "../../../stacks/local";
import { BALANCER, COMMAND, HOST, hostKey, otherKey, withAnswers } from "../../support/answers";
import { assertSecret, mockEngine, promiseOf, registered, settled, unsecret } from "../../support/mocks";

describe("index.ts", () => {
    const hosts = withAnswers();
    const directory = mkdtempSync(join(tmpdir(), "program-"));
    const cwd = process.cwd();
    const node = (name: string, address: string, ...runList: string[]) => ({
        name,
        address,
        environment: "local",
        runList,
    });

    before(() => {
        process.chdir(directory);
    });

    after(() => {
        process.chdir(cwd);
        rmSync(directory, { recursive: true });
    });

    function writeLab(nodes: object[]): void {
        const lab = join(directory, ".lab", "local");
        rmSync(lab, { recursive: true, force: true });
        mkdirSync(lab, { recursive: true });
        writeFileSync(join(lab, "inventory.json"), JSON.stringify({ nodes }));
        writeFileSync(join(lab, "id_ed25519"), "a private key");
    }

    /** The program as the engine's runner loads it: anew each time. */
    async function program(): Promise<{ addresses: Record<string, pulumi.Output<string>> }> {
        const file = require.resolve("../../../index");
        delete require.cache[file];
        return require(file);
    }

    const servers = [node("app1", "192.0.2.21", "ecom-platform::app"), node("app2", "192.0.2.22", "ecom-docs::app")];

    it("makes a load balancer of every node with the tag, serving what the search has found", async () => {
        writeLab([
            { ...node("lb2", "192.0.2.12", "haproxy::lb"), ssh: { user: "root", hostKey } },
            { ...node("lb1", "192.0.2.11", "haproxy::lb"), ssh: { user: "root", hostKey: otherKey } },
            ...servers,
        ]);
        const recording = await mockEngine({ stack: "local", config: { "haproxy-fleet:probe": "true" } });
        const { addresses } = await program();
        await settled();
        assert.deepEqual(
            recording.registrations.filter(({ type }) => type === BALANCER).map(({ name }) => name),
            ["lb1", "lb2"],
        );
        assert.deepEqual(Object.keys(addresses), ["lb1", "lb2"]);
        assert.equal(await promiseOf(addresses.lb2 as pulumi.Output<string>), "192.0.2.12");
        const { inputs } = registered(recording, COMMAND, "lb1-converge");
        const connectionInputs = unsecret(inputs.connection) as Record<string, unknown>;
        assert.equal(connectionInputs.hostKey, otherKey);
        assert.equal(connectionInputs.privateKey, "a private key");
        assertSecret(inputs.connection);
        const { files } = registered(recording, HOST, "lb1").inputs as { files: Record<string, string> };
        assert.match(files["/etc/haproxy/haproxy.cfg"] ?? "", /backend ecom-docs\n.*server app2 192\.0\.2\.22:80/s);
        assert.equal(hosts.asked.length, 2);
    });

    it("takes hosts over with config takeOver", async () => {
        writeLab([{ ...node("lb1", "192.0.2.11", "haproxy::lb"), ssh: { user: "root", hostKey } }, ...servers]);
        await mockEngine({ stack: "local", config: { "haproxy-fleet:takeOver": "true" } });
        await program();
        await settled();
        assert.match(hosts.asked[0]?.payload ?? "", /^take_over='yes'$/m);
    });

    it("warns of config that nothing reads", async () => {
        writeLab([{ ...node("lb1", "192.0.2.11", "haproxy::lb"), ssh: { user: "root", hostKey } }, ...servers]);
        const config = { "haproxy-fleet:takeover": "true", "haproxy-fleet:probe": "true", "aws:region": "x" };
        const { messages } = await mockEngine({ stack: "local", config });
        await program();
        await settled();
        const warnings = messages.filter(({ text }) => text.startsWith("nothing reads"));
        assert.deepEqual(
            warnings.map(({ text }) => text.replace(/ \(.*\)/, "")),
            ["nothing reads takeover of the config: correct it, or take it out with pulumi config rm takeover"],
        );
    });

    it("guards servers that are found by search, unless config allowShrink says not to", async () => {
        for (const allowShrink of ["false", "true"]) {
            writeLab([{ ...node("lb1", "192.0.2.11", "haproxy::lb"), ssh: { user: "root", hostKey } }, ...servers]);
            await mockEngine({ stack: "local", config: { "haproxy-fleet:allowShrink": allowShrink } });
            await program();
            await settled();
        }
        const rules = hosts.asked.map(({ payload }) => /^haproxy_servers='([^']*)'/m.exec(payload)?.[1]);
        assert.deepEqual(rules, ["ecom-platform - 50 -\necom-docs - 50 -", ""]);
    });

    it("tells the host how many old workers the stack lets be", async () => {
        writeLab([{ ...node("lb1", "192.0.2.11", "haproxy::lb"), ssh: { user: "root", hostKey } }, ...servers]);
        const { haproxy } = local;
        Object.assign(local, { haproxy: { ...haproxy, oldWorkers: 9 } });
        try {
            await mockEngine({ stack: "local" });
            await program();
            await settled();
        } finally {
            Object.assign(local, { haproxy });
        }
        assert.match(hosts.asked[0]?.payload ?? "", /^haproxy_old_workers='9'$/m);
    });

    it("asks no host with config probe off", async () => {
        writeLab([{ ...node("lb1", "192.0.2.11", "haproxy::lb"), ssh: { user: "root", hostKey } }, ...servers]);
        await mockEngine({ stack: "local", preview: true, config: { "haproxy-fleet:probe": "false" } });
        await program();
        await settled();
        assert.deepEqual(hosts.asked, []);
    });

    it("fails if the config lacks a secret that the stack names, and says how to set it", async () => {
        writeLab([{ ...node("lb1", "192.0.2.11", "haproxy::lb"), ssh: { user: "root", hostKey } }, ...servers]);
        const { stats } = local;
        const auth = { user: "ops", passwordSecret: "stats-password" };
        Object.assign(local, { stats: { ...stats, auth } });
        try {
            const recording = await mockEngine({ stack: "local" });
            await assert.rejects(program(), (error: Error) => {
                assert.ok(pulumi.RunError.isInstance(error));
                assert.match(error.message, /^stacks\/local\.ts names .* --secret stats-password --stack local$/);
                return true;
            });
            assert.deepEqual(recording.registrations, []);
        } finally {
            Object.assign(local, { stats });
        }
    });

    it("fails with every fault of inventory, hosts, services, model and secrets in one error", async () => {
        writeLab([node("lb1", "192.0.2.11", "haproxy::lb"), servers[0] as object]);
        const { services, stats } = local;
        const basicAuth = { users: [{ name: "ops", passwordSecret: "ops-password" }] };
        Object.assign(local, {
            services: services.map((service) => ({ ...service, basicAuth, raw: ["fullconn '"] })),
            stats: { ...stats, bind: { port: 80 } },
        });
        try {
            const recording = await mockEngine({ stack: "local" });
            await assert.rejects(program(), ({ message }: Error) => {
                const faults = [
                    /^stacks\/local\.ts: the node lb1 .* has no ssh\.hostKey/,
                    /^stacks\/local\.ts: services\[1\]: no node for tag ecom-docs::app/,
                    /^stacks\/local\.ts: services\[0\]\.raw\[0\]: unclosed quote/,
                    /^stacks\/local\.ts: services\[1\]\.raw\[0\]: unclosed quote/,
                    /^stacks\/local\.ts: stats\.bind: duplicate bind \*:80/,
                    /^stacks\/local\.ts names the secret ops-password/,
                ];
                const lines = message.split("\n");
                assert.equal(lines.length, faults.length, message);
                faults.forEach((fault, i) => {
                    assert.match(lines[i] ?? "", fault);
                });
                return true;
            });
            assert.deepEqual(recording.registrations, []);
        } finally {
            Object.assign(local, { services, stats });
        }
    });

    it("warns of what is probably a mistake in the services, once, and goes on", async () => {
        writeLab([{ ...node("lb1", "192.0.2.11", "haproxy::lb"), ssh: { user: "root", hostKey } }, ...servers]);
        const { services } = local;
        const [one = "", other = ""] = services.flatMap(({ hosts = [] }) => hosts);
        const redirects = [other, one].map((host) => [{ to: { scheme: "https" as const, host } }]);
        Object.assign(local, { services: services.map((service, i) => ({ ...service, redirects: redirects[i] })) });
        try {
            const recording = await mockEngine({ stack: "local" });
            await program();
            await settled();
            const told = recording.messages.filter(({ text }) => /without end/.test(text));
            assert.deepEqual(
                told.map(({ severity, text }) => [severity, text.split(": ", 2).join(": ")]),
                [["warn", "stacks/local.ts: services[0].redirects[0]"]],
            );
            assert.ok(recording.registrations.length > 0);
        } finally {
            Object.assign(local, { services });
        }
    });

    it("fails for an inventory that is not there, beside what is wrong with the services", async () => {
        const { inventory, services } = local;
        const absent = { inventory: { file: "absent.json" }, services: [{ ...services[0], balance: "fair" }] };
        Object.assign(local, absent);
        try {
            await mockEngine({ stack: "local" });
            await assert.rejects(program(), ({ message }: Error) => {
                assert.match(
                    message,
                    /^stacks\/local\.ts: inventory\.file: absent\.json does not exist.*\nstacks\/local\.ts: services\[0\]\.balance: .*$/,
                );
                return true;
            });
        } finally {
            Object.assign(local, { inventory, services });
        }
    });

    it("fails without a stack trace on data that cannot be, and registers nothing", async () => {
        const lb = { ...node("lb1", "192.0.2.11", "haproxy::lb"), ssh: { user: "root", hostKey } };
        const cases: [string, object[], RegExp][] = [
            ["local", [lb, servers[0] as object], /no node for tag ecom-docs::app in environment local/],
            ["local", [node("lb1", "192.0.2.11", "haproxy::lb"), ...servers], /lb1 .*no ssh\.hostKey: add the key/],
            ["nowhere", [lb, ...servers], /no data for the stack nowhere: write stacks\/nowhere.ts/],
        ];
        for (const [stack, nodes, message] of cases) {
            writeLab(nodes);
            const recording = await mockEngine({ stack });
            await assert.rejects(program(), (error: Error) => {
                assert.ok(pulumi.RunError.isInstance(error));
                assert.match(error.message, message);
                return true;
            });
            assert.deepEqual(recording.registrations, []);
        }
    });
});
