import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { renderedHost } from "../../../../cli/review/renderJob";
import type { Rendering } from "../../../../cli/review/types";
import { slot } from "../../../../components";
import type { Resource } from "../../../../components/convergence/kinds/index";
import { makeCertificate } from "../../../support/certificates";
import { assertHidden } from "../../../support/planted";
import { UserProject } from "../../../support/userProject";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const connection = { address: "192.0.2.1", hostKey };
const rendered = (...resources: Resource[]) => renderedHost({ name: "edge-lb1", connection, resources });
const digestOf = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
const settingsOf = (...resources: Resource[]) => {
    const { connection: _, ...others } = rendered(...resources).resources;
    return others;
};

describe("renderedHost", () => {
    it("shows files with secrets by name, summaries, and digests of programs and of what is no text", () => {
        const { files } = rendered(
            { kind: "file", path: "/etc/a", content: `key=${slot("api-key")}\n` },
            { kind: "file", path: "/etc/b.pem", content: "PRIVATE", summary: () => ["subject  shop"] },
            { kind: "file", path: "/etc/c.pem", content: slot("pem"), summary: () => ["unused"] },
            { kind: "file", path: "/bin/d", content: "#!/bin/sh\n", program: true },
            { kind: "file", path: "/bin/e", content: new Uint8Array([0, 1]) },
            { kind: "file", path: "/etc/f", content: "x\n".repeat(100_000) },
            { kind: "systemdUnit", name: "g.service", content: "[Unit]\n" },
        );
        assert.deepEqual(files, {
            "/etc/a": "key=‹api-key›\n",
            "/etc/b.pem": "subject  shop\n",
            "/etc/c.pem": "‹pem›\n",
            "/bin/d": `10 bytes, sha256 ${digestOf("#!/bin/sh\n")}\n`,
            "/bin/e": `2 bytes, sha256 ${digestOf(Buffer.from([0, 1]))}\n`,
            "/etc/f": "x\n".repeat(100_000),
            "/etc/systemd/system/g.service": "[Unit]\n",
        });
    });

    it("shows all packages together, with their versions", () => {
        const settings = settingsOf(
            { kind: "packages", names: ["socat", "haproxy=2.6.1"], versions: { socat: "hold" } },
            { kind: "packages", names: ["curl", "agent"], versions: { agent: { version: "7.1", hold: true } } },
            { kind: "packages", names: ["curl", "openssl"], versions: { openssl: "newest" }, initial: { curl: "1" } },
        );
        assert.deepEqual(settings, {
            packages: "agent 7.1, on hold\ncurl\nhaproxy 2.6.1\nopenssl newest\nsocat on hold\n",
        });
    });

    it("shows settings of every other kind, sorted", () => {
        const settings = settingsOf(
            { kind: "absent", path: "/etc/old" },
            { kind: "directory", path: "/etc/fleet", owned: true, mode: "0750" },
            { kind: "directory", path: "/etc/plain" },
            { kind: "execute", name: "prove", command: "a\nb\n", creates: "/var/done" },
            {
                kind: "firewall",
                rules: [
                    { protocol: "tcp", port: 443 },
                    { protocol: "tcp", port: 8404, from: ["10.0.0.0/8", "192.0.2.1"] },
                    { protocol: "vrrp", from: ["192.0.2.2"] },
                ],
                default: "drop",
            },
            { kind: "group", name: "haproxy", gid: 99 },
            {
                kind: "packageRepository",
                name: "vendor",
                url: "https://apt.example.com/",
                suite: "stable",
                components: ["main", "extra"],
                keys: [{ fingerprint: "A".repeat(40), url: "https://apt.example.com/key" }],
            },
            { kind: "service", name: "agent.service", restartOn: ["/etc/b", "/etc/a"], removed: "stop" },
            {
                kind: "sysctl",
                name: "60-tuning",
                values: {
                    "net.core.somaxconn": { value: 1024, atLeast: true, reason: "of no interest" },
                    "fs.file-max": { value: "1", optional: true },
                },
                modules: ["nf_conntrack"],
            },
            {
                kind: "transaction",
                name: "daemon",
                directory: "/etc/daemon",
                files: [{ path: "/etc/daemon/a", content: slot("digest"), owner: "daemon", mode: "0640" }],
                owned: ["/etc/daemon/parts"],
                allowWarnings: ["missing timeouts"],
                package: { name: "daemon", version: "newest" },
                adapter: { name: "daemon", script: "activation=reload", parameters: { password: "unseen" } },
            },
            { kind: "user", name: "deploy", groups: ["adm", "sudo"] },
        );
        assert.deepEqual(settings, {
            "absent[/etc/old]": "absent\n",
            "directory[/etc/fleet]": "mode: 0750\nowned: true\n",
            "directory[/etc/plain]": "present\n",
            "execute[prove]": "command: a\n    b\ncreates: /var/done\n",
            "firewall[host]": [
                "accept ssh from anyone",
                "accept tcp 443 from anyone",
                "accept tcp 8404 from 10.0.0.0/8",
                "accept tcp 8404 from 192.0.2.1",
                "accept vrrp from 192.0.2.2",
                "drop everything else\n",
            ].join("\n"),
            "group[haproxy]": "gid: 99\n",
            "packageRepository[vendor]": [
                "components: extra",
                "components: main",
                `key: ${"A".repeat(40)} https://apt.example.com/key`,
                "suite: stable",
                "url: https://apt.example.com/\n",
            ].join("\n"),
            "service[agent.service]":
                "enabled: true\nremoved: stop\nrestartOn: /etc/a\nrestartOn: /etc/b\nrunning: true\n",
            "sysctl[60-tuning]":
                "fs.file-max: 1, if the host has it\nmodule: nf_conntrack\nnet.core.somaxconn: 1024, at least\n",
            "transaction[daemon]":
                "adapter: daemon\nallowed warning: missing timeouts\ndirectory: /etc/daemon\nowned: /etc/daemon/parts\npackage: daemon newest\n",
            "file[/etc/daemon/a]": "mode: 0640\nowner: daemon\n",
            "user[deploy]": "groups: adm\ngroups: sudo\n",
        });
    });

    it("shows how a host is reached, but no keys and nothing that is secret", () => {
        const { resources } = renderedHost({
            name: "lb1",
            connection: {
                ...connection,
                user: Promise.resolve("deploy"),
                port: 2222,
                privateKey: "a key",
                privateKeyPassword: "a password",
                bastion: { address: "192.0.2.9", hostKey, privateKey: "another key" },
            },
            resources: [],
        });
        assert.deepEqual(resources, {
            connection: `address: 192.0.2.1\nbastion's host key: ${hostKey}\nbastion: 192.0.2.9\nhost key: ${hostKey}\nport: 2222\n`,
        });
    });

    it("says what a change of a file means, as far as that is certain", () => {
        const transaction = (name: string, script: string): Resource => ({
            kind: "transaction",
            name,
            directory: "/etc",
            files: [{ path: `/etc/${name}`, content: "" }],
            adapter: { name, script, parameters: {} },
        });
        const { effects } = rendered(
            transaction("reloads", "f() {\n    activation=restart\n    activation=reload\n}\n"),
            transaction("restarts", "    activation=start\n    activation=restart\n"),
            transaction("rests", "    activation=none\n"),
            { kind: "service", name: "a.service", restartOn: ["/etc/x", "/etc/reloads"], reloadOn: ["/etc/y"] },
            { kind: "service", name: "b.service", restartOn: ["/etc/x"] },
            { kind: "service", name: "off.service", restartOn: ["/etc/x"], running: false },
        );
        assert.deepEqual(effects, {
            "/etc/reloads": "reload reloads, restart a.service",
            "/etc/restarts": "restart restarts",
            "/etc/x": "restart a.service, restart b.service",
            "/etc/y": "reload a.service",
        });
    });
});

const checker = `#!/bin/sh
[ "$1" = -v ] && { echo "HAProxy version 2.6.12 2024/01/01"; exit; }
exit 0
`;

const fleet = `import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { LoadBalancerFleet } from "haproxy-fleet";

const config = new pulumi.Config();
console.log("a line of the program");
void pulumi.log.warn("mind the gap");
const nested = config.requireSecretObject<{ token: string }>("nested");
new LoadBalancerFleet("edge", {
    hosts: {
        lb1: { connection: { address: "192.0.2.1", hostKey: "${hostKey}", privateKey: config.requireSecret("sshKey") } },
        lb2: { connection: { address: "192.0.2.2", hostKey: "${hostKey}", privateKeyPassword: "planted-plain-passphrase" } },
    },
    certificates: {
        shop: { pem: readFileSync("shop.pem", "utf8") },
        api: { pem: readFileSync("api.pem", "utf8"), key: config.requireSecret("apiKey") },
    },
    services: [
        {
            name: "shop", hosts: ["shop.test", "api.test"], port: 443, tls: { certificates: ["shop", "api"] },
            servers: [{ name: "a", address: "192.0.2.7", port: 8080 }],
            basicAuth: { users: [
                { name: "ops", password: config.requireSecret("encrypted") },
                { name: "dev", password: config.requireSecret("clear") },
                { name: "bot", password: nested.token },
                { name: "own", password: pulumi.secret("planted-in-program") },
            ] },
        },
    ],
});
`;

describe("haproxy-fleet render", function () {
    this.timeout(120_000);
    let project: UserProject;
    const start = (files: Record<string, string>) => {
        project = new UserProject();
        project.write({ haproxy: checker, ...files });
    };
    const render = (...args: string[]) =>
        project.command("render", "dev", "--output", "rendering.json", "--haproxy", "./haproxy", ...args);
    const rendering = () => JSON.parse(project.read("rendering.json")) as Rendering;
    afterEach(() => project.remove());

    const digestOf = (pem: string) => createHash("sha256").update(new X509Certificate(pem).raw).digest("hex");

    it("writes what a program declares, with none of its secrets, and leaves nothing else", async () => {
        const shop = await makeCertificate("shop.test", { names: ["shop.test"] });
        const api = await makeCertificate("api.test", { names: ["api.test"] });
        const planted = {
            ciphertext: "v1:cGxhbnRlZC1jaXBoZXI6dGV4dA==",
            clear: "planted-clear-password",
            token: "planted-clear-token",
            program: "planted-in-program",
            passphrase: "planted-plain-passphrase",
            "ssh key": "planted-ssh-private-key",
            "key of shop": shop.key,
            "key of api": api.key,
        };
        start({
            "index.ts": fleet,
            "shop.pem": shop.pem + shop.key,
            "api.pem": api.pem,
            "Pulumi.dev.yaml": `config:
  encrypted: { secure: "${planted.ciphertext}" }
  clear: ${planted.clear}
  nested: { token: ${planted.token} }
  sshKey: ${planted["ssh key"]}
  apiKey: ${JSON.stringify(api.key)}
environment: [ours]
`,
        });
        const { code, stdout, stderr } = await render();
        assert.equal(code, 0, stderr);
        assert.deepEqual([stdout, stderr], ["", "a line of the program\n"]);
        assertHidden(project.read("rendering.json"), planted, "the rendering");
        assert.equal(statSync(join(project.directory, "rendering.json")).mode & 0o777, 0o600);
        assert.deepEqual(
            readdirSync(project.directory).filter((name) => name.includes("findings")),
            [],
        );
        const { hosts, errors, warnings, checks, findings } = rendering();
        assert.deepEqual(errors, []);
        assert.deepEqual(warnings, ["note: values of its environments are not read", "mind the gap"]);
        assert.deepEqual(checks, [
            { hosts: ["edge-lb1", "edge-lb2"], result: "accepted", remark: "HAProxy 2.6.12 at ./haproxy", details: [] },
        ]);
        assert.deepEqual(findings, [
            {
                kind: "certificates",
                component: "edge",
                ends: { api: "2027-01-01T00:00:00Z", shop: "2027-01-01T00:00:00Z" },
                fingerprints: { api: digestOf(api.pem), shop: digestOf(shop.pem) },
            },
        ]);
        const [lb1 = assert.fail(), lb2] = hosts;
        assert.deepEqual([lb1.name, lb2?.name], ["edge-lb1", "edge-lb2"]);
        const config = lb1.files["/etc/haproxy/haproxy.cfg"] ?? "";
        assert.match(config, /user ops insecure-password '?‹.*›/);
        assert.match(config, /set-var proc\.cfg .*‹digest›/);
        assert.equal(lb1.files["/etc/haproxy/fleet/shop.pem"], "‹certificate.shop›\n");
        assert.equal(lb1.effects["/etc/haproxy/haproxy.cfg"], "reload haproxy");
        // Its file shows no more than the name of a secret, so that only this says that it was replaced.
        const label = "certificate[shop]";
        assert.equal(lb1.resources[label], `fingerprint ${digestOf(shop.pem)}\nvalid to 2027-01-01T00:00:00Z\n`);
        assert.equal(lb1.effects[label], "reload haproxy");
        assert.match(lb1.resources.packages ?? "", /^haproxy$/m);
    });

    it("writes errors of a program, by paths in the project, and is no failure", async () => {
        start({ "index.ts": 'throw new Error("broken");\n' });
        const { code } = await render();
        assert.equal(code, 0);
        const { hosts, errors, checks } = rendering();
        assert.deepEqual(hosts, []);
        assert.match(errors.join(), /^Error: broken\n\s+at .*index\.ts/);
        assert.equal(errors.join().includes(project.directory), false);
        assert.equal(checks[0]?.result, "errors");
    });

    it("asks no HAProxy without checks", async () => {
        start({ "index.ts": 'require("haproxy-fleet");\n', haproxy: "#!/bin/sh\ntouch asked\n" });
        assert.equal((await render("--no-checks")).code, 0);
        assert.deepEqual(rendering(), { hosts: [], errors: [], warnings: [], checks: [], findings: [] });
        assert.equal(existsSync(join(project.directory, "asked")), false);
    });

    it("fails without a file if the program ends the process", async () => {
        start({ "index.ts": "process.exit(0);\n" });
        const { code, stderr } = await render();
        assert.equal(code, 1);
        assert.match(stderr, /render: the program ends the process, .*; correct it\n$/);
        assert.equal(existsSync(join(project.directory, "rendering.json")), false);
    });

    it("is not among the commands that people are told of", async () => {
        start({});
        const { stderr } = await project.command("rendr");
        assert.match(stderr, /unknown command rendr; use /);
        assert.equal(/render\b/.test(stderr), false);
        const { stderr: usage } = await project.command("render", "dev");
        assert.match(usage, /render: expected a stack and --output FILE\n/);
    });
});
