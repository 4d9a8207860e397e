// The command on small programs of users, in processes of their own, with a script in the place of HAProxy.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate } from "../../support/certificates";
import { UserProject } from "../../support/userProject";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** Accepts every configuration, and keeps the last one. */
const checker = `#!/bin/sh
[ "$1" = -v ] && { echo "HAProxy version 2.6.12 2024/01/01"; exit; }
cp "$3" "$(dirname "$0")/seen.cfg"
`;

const fleet = `import * as pulumi from "@pulumi/pulumi";
import { remote } from "@pulumi/command";
import { LoadBalancerFleet } from "haproxy-fleet";

const config = new pulumi.Config();
interface Size { count: number }
const { count } = config.requireObject<Size>("size");
console.log("a line of the program");
const app = new remote.Command("app", { connection: { host: "192.0.2.9" }, create: "hostname -I" });
const connection = { hostKey: "${hostKey}", privateKey: config.requireSecret("key") };
new LoadBalancerFleet("edge", {
    hosts: Object.fromEntries(Array.from({ length: count }, (_, n) => [
        "lb" + (n + 1), { connection: { ...connection, address: n === 0 ? app.stdout : "192.0.2.1" + n } },
    ])),
    services: [{
        name: process.env.SERVICE ?? "shop", hosts: ["shop.test"], port: 80,
        servers: [{ name: "a", address: app.stdout, port: config.requireSecretNumber("port") }],
        basicAuth: { users: [{ name: "ops", password: config.requireSecret("ops") }] },
    }],
});
void config.requireSecretNumber("port").apply((port) => { throw new Error("known: " + port); });
export const name = app.stdout;
`;

const module = `import { LoadBalancer, ConvergedHost } from "haproxy-fleet";
const { address } = await Promise.resolve({ address: "192.0.2.1" });
export default async () => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    new ConvergedHost("db1", { connection: { address: "192.0.2.2", hostKey: "${hostKey}" }, resources: [] });
    new LoadBalancer("lb1", {
        connection: { address, hostKey: "${hostKey}" },
        model: {
            version: "2.6",
            frontends: [{ name: "http", mode: "http", binds: [{ port: 80 }], defaultBackend: "app" }],
            backends: [{ name: "app", mode: "http", servers: [{ name: "a", address: "192.0.2.7", port: 80 }] }],
        },
    });
    return { address };
};
`;

describe("haproxy-fleet check", function () {
    this.timeout(120_000);
    let project: UserProject;
    const seen = () => readFileSync(join(project.directory, "seen.cfg"), "utf8");
    const start = (files: Record<string, string>, manifest?: object) => {
        project = new UserProject(manifest);
        project.write({ haproxy: checker, ...files });
    };
    const check = (...args: string[]) => project.command("check", "--haproxy", "./haproxy", ...args);
    afterEach(() => project.remove());

    it("renders what a program declares: unknown addresses and secrets are no obstacle", async () => {
        const secret = "{ secure: v1:abc }";
        start({
            "index.ts": fleet,
            "Pulumi.prod.yaml": `config:\n  size: { count: 2 }\n  key: ${secret}\n  ops: ${secret}\n  port: ${secret}\n`,
        });
        project.environment.SERVICE = "from-environment";
        const { code, stdout, stderr } = await check();
        assert.equal(stdout, "prod  edge-lb1, edge-lb2  accepted  HAProxy 2.6.12 at ./haproxy\n", stderr);
        assert.equal(stderr, "a line of the program\n");
        assert.equal(code, 0);
        assert.match(seen(), /^backend from-environment$/m);
        assert.match(seen(), /server a '?192\.0\.2\.1'?:'?1'? /);
        assert.match(seen(), /user ops insecure-password 'placeholder'/);
    });

    it("runs ES modules, with functions as their default export, and hosts without HAProxy", async () => {
        start({ "index.ts": module }, { type: "module" });
        const { code, stdout, stderr } = await check("dev");
        assert.equal(
            stdout,
            "dev  db1  no HAProxy  nothing to check in its run list\ndev  lb1  accepted    HAProxy 2.6.12 at ./haproxy\n",
            stderr,
        );
        assert.equal(code, 0);
    });

    it("shows errors of a program as its own, and goes on with the next stack", async () => {
        start({
            "index.js": `const pulumi = require("@pulumi/pulumi");
                const { LoadBalancer } = require("haproxy-fleet");
                const stack = pulumi.getStack();
                if (stack === "a") throw new Error("broken in a");
                if (stack === "c") new LoadBalancer("lb1", {
                    connection: { address: "192.0.2.1", hostKey: "${hostKey}" },
                    services: [{ name: "shop", prot: 80 }],
                });
                if (stack === "d") process.exit(0);
                if (stack === "e") module.exports = async () => { await new Promise(() => {}); };
                if (stack === "f") pulumi.output(1).apply(() => { throw new pulumi.RunError("late"); });`,
        });
        const { code, stdout, stderr } = await check("a", "c", "d", "e", "f");
        assert.equal(code, 1);
        assert.match(stdout, /^a {2}errors {4}the program fails\n {4}Error: broken in a\n {8}at .*index\.js/m);
        assert.match(stdout, /^c {2}errors.*\n {4}lb1: .*in what is declared\n( {6}.*\n)*.*"prot"/m);
        assert.match(stderr, /check: the program ends the process/);
        assert.match(stdout, /^e {2}errors.*\n {4}the program waits for something that never comes/m);
        assert.match(stdout, /^f {2}errors {4}the program fails\n {4}late\n/m);
        assert.doesNotMatch(stdout, /node_modules/);
    });

    it("gives results of providers' functions as unknown, and names those that a failing program has called", async () => {
        start({
            "index.ts": `import * as pulumi from "@pulumi/pulumi";
                pulumi.runtime.invokeOutput("aws:ec2/getAmi:getAmi", {}).apply(() => { throw new Error("known"); });
                const plain: Promise<{ names: string[] }> = pulumi.runtime.invoke("aws:index/getZones:getZones", {});
                export = async () => (await plain).names[0];`,
        });
        const { code, stdout } = await check("dev");
        assert.equal(code, 1);
        assert.match(stdout, /Cannot read properties of undefined/);
        assert.match(
            stdout,
            /functions of providers were not run: aws:ec2\/getAmi:getAmi, aws:index\/getZones:getZones/,
        );
        assert.doesNotMatch(stdout, /Error: known/);
    });

    it("loads a program with Node's arguments if the project says so", async () => {
        start({
            "Pulumi.yaml":
                'name: edge\nmain: main.ts\nruntime: { name: nodejs, options: { typescript: false, nodeargs: "--require ./first.cjs --require tsx/cjs" } }\n',
            "first.cjs": "globalThis.first = '192.0.2.1';",
            "main.ts": `import { LoadBalancer } from "haproxy-fleet";
                enum Port { Http = 80 }
                const address = (globalThis as unknown as { first: string }).first;
                new LoadBalancer("lb1", {
                    connection: { address, hostKey: "${hostKey}" },
                    services: [{ name: "shop", port: Port.Http, default: true, servers: [{ name: "a", address: "192.0.2.7" }] }],
                });`,
        });
        const { stdout, stderr } = await check("dev");
        assert.equal(stdout, "dev  lb1  accepted  HAProxy 2.6.12 at ./haproxy\n", stderr);
    });

    it("records when certificates end, and nothing of hosts, which are not asked", async () => {
        const { pem, key } = await makeCertificate("shop.test", {
            names: ["shop.test"],
            to: "2126-01-01T00:00:00.000Z",
        });
        start({
            "index.ts": `import * as pulumi from "@pulumi/pulumi";
                import { LoadBalancerFleet } from "haproxy-fleet";
                const connection = (address: string) => ({ connection: { address, hostKey: "${hostKey}" } });
                new LoadBalancerFleet("edge", {
                    hosts: { lb1: connection("192.0.2.1"), lb2: connection("192.0.2.2") },
                    certificates: {
                        shop: { pem: ${JSON.stringify(pem)}, key: pulumi.secret(${JSON.stringify(key)}) },
                        api: { pem: new pulumi.Config().requireSecret("api") },
                    },
                    services: [{ name: "shop", port: 80, hosts: ["shop.test"], tls: true, servers: [{ name: "a", address: "192.0.2.7" }] }],
                });`,
            "Pulumi.dev.yaml": "config:\n  api: { secure: v1:abc }\n",
        });
        const file = join(project.directory, "findings");
        project.environment.HAPROXY_FLEET_FINDINGS = file;
        const { code, stdout, stderr } = await check("dev");
        assert.equal(code, 0, stdout + stderr);
        const ends = { api: null, shop: "2126-01-01T00:00:00Z" };
        const shop = createHash("sha256").update(new X509Certificate(pem).raw).digest("hex");
        assert.equal(
            readFileSync(file, "utf8"),
            `${JSON.stringify({ kind: "certificates", component: "edge", ends, fingerprints: { api: null, shop } })}\n`,
        );
    });

    it("says what is missing: the package in a project, the project, a HAProxy", async () => {
        start({ "index.js": "" });
        assert.match((await project.command("chekc")).stderr, /unknown command chekc; did you mean check\?/);
        project.write({ "sub/package.json": "{}", "Pulumi.yaml": "name: edge\nruntime: nodejs\nmain: sub\n" });
        assert.match((await check("dev")).stderr, /check: .*\/sub: no program, such as index\.ts; write it/);
        rmSync(join(project.directory, "node_modules/haproxy-fleet/package.json"));
        const alone = await check("dev");
        assert.match(alone.stderr, /check: haproxy-fleet is not installed in .*; run npm install haproxy-fleet there/);
        assert.equal(alone.code, 1);
    });
});
