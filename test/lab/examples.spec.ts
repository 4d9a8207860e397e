// The programs in examples/, in projects outside of this repository, with the real CLI on real hosts.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect as tlsConnect } from "node:tls";
import { quote } from "../../lab/machine/exec";
import { generateKey } from "../../lab/machine/system";
import { runPulumi } from "../../toolchain/pulumi";
import { makeCertificate } from "../support/certificates";
import { exampleProject } from "../support/exampleProject";
import { describeLab, withLab } from "../support/lab";
import { ask, shares } from "../support/traffic";
import type { UserProject } from "../support/userProject";

describeLab("examples", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy" },
        { name: "lb2", image: "haproxy" },
        { name: "app1", image: "app" },
        { name: "app2", image: "app" },
        { name: "app3", image: "app" },
        { name: "cache1", image: "data" },
    ]);
    const projects: UserProject[] = [];
    after(() => {
        for (const project of projects) project.remove();
    });
    const place = (name: string) => ({ address: lab().host(name).address, hostKey: lab().host(name).hostKey });

    /** A project with the config that its stack gets. Its hosts are forgotten first, as another example may have had them. */
    async function started(name: string, config: Record<string, unknown>, secrets: Record<string, string>) {
        const project = exampleProject(name);
        projects.push(project);
        await Promise.all(
            ["lb1", "lb2"].map((each) => lab().host(each).exec("rm -rf /var/lib/haproxy-fleet /run/haproxy-fleet")),
        );
        const keyed = Object.fromEntries(Object.entries(config).map(([key, value]) => [`${name}:${key}`, value]));
        project.write({ "Pulumi.dev.yaml": JSON.stringify({ config: keyed }) });
        const env = {
            PULUMI_BACKEND_URL: `file://${project.directory}`,
            PULUMI_CONFIG_PASSPHRASE: "test",
            PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
            SSH_AUTH_SOCK: undefined,
            CI: undefined,
        };
        const pulumi = async (...args: string[]) => {
            const { code, stdout, stderr } = await runPulumi(args, { cwd: project.directory, env: { ...env } });
            assert.equal(code, 0, `pulumi ${args.join(" ")}\n${stdout}${stderr}`);
            return stdout + stderr;
        };
        await pulumi("stack", "init", "dev");
        const all = { sshPrivateKey: readFileSync(lab().privateKeyPath, "utf8"), ...secrets };
        for (const [key, value] of Object.entries(all)) await pulumi("config", "set", "--secret", key, "--", value);
        /** Goes on with an empty state. */
        const loseState = () => {
            env.PULUMI_BACKEND_URL = `file://${join(project.directory, "emergency")}`;
            project.write({ "emergency/.keep": "" });
            return pulumi("stack", "init", "dev");
        };
        return { project, pulumi, loseState };
    }

    it("model: routes by a map, serves a certificate, and signs answers on each host", async () => {
        const day = 24 * 60 * 60 * 1000;
        const [from, to] = [-1, 90].map((days) => new Date(Date.now() + days * day).toISOString());
        const { pem, key, sha1 } = await makeCertificate("red.example.com", { names: ["red.example.com"], from, to });
        const { project, pulumi } = await started("model", {}, { certificate: pem + key });
        const file = join(project.directory, "index.ts");
        const source = readFileSync(file, "utf8");
        const hosts = { 11: "lb1", 12: "lb2", 21: "app1", 22: "app2", 23: "app3" };
        const moved = Object.entries(hosts).reduce(
            (all, [octet, name]) => all.replaceAll(`192.0.2.${octet}`, place(name).address),
            source.replace(/(?<=lb2: .*address: "192.0.2.12", )hostKey/, `hostKey: "${place("lb2").hostKey}"`),
        );
        writeFileSync(file, moved.replace(/(?<=const hostKey = )".*"/, JSON.stringify(place("lb1").hostKey)));
        await pulumi("up", "--yes", "--skip-preview");
        for (const name of ["lb1", "lb2"]) {
            const red = await ask(place(name).address, "/", { host: "red.example.com" });
            assert.deepEqual([red.app, red.headers["x-served-by"]], ["app1", `edge-${name}`]);
        }
        const { address } = place("lb1");
        const blue = await shares(4, address, "/", { host: "www.blue.example.com" });
        assert.deepEqual(Object.keys(blue).sort(), ["app2", "app3"]);
        assert.equal((await ask(address, "/", { host: "other.example.com" })).app, "app1");
        assert.equal((await ask(address, "/", { method: "TRACE" })).status, 405);
        const client = tlsConnect({
            host: address,
            port: 443,
            servername: "red.example.com",
            rejectUnauthorized: false,
        });
        await once(client, "secureConnect");
        assert.equal(client.getPeerX509Certificate()?.fingerprint.replaceAll(":", "").toLowerCase(), sha1);
        client.destroy();
        assert.match(await pulumi("stack", "output", "configuration"), /^ {4}fullconn 1000$/m);
        await pulumi("preview", "--expect-no-changes");
    });

    it("other-software: converges a cache by a recipe, and what is needed beside HAProxy", async () => {
        const config = { hosts: { lb1: place("lb1"), cache1: place("cache1") } };
        const { pulumi } = await started("other-software", config, { redisPassword: "planted-2" });
        await pulumi("up", "--yes", "--skip-preview");
        const socket = connect(6379, place("lb1").address);
        socket.end("AUTH planted-2\r\nPING\r\n");
        assert.equal(await text(socket), "+OK\r\n+PONG\r\n");
        const csv = await lab()
            .host("lb1")
            .exec("for _ in $(seq 100); do cat /run/haproxy-statistics.csv && exit; sleep 0.1; done 2>/dev/null");
        assert.match(csv.stdout, /^cache,cache1,/m);
        const preview = await pulumi("preview", "--expect-no-changes");
        assert.doesNotMatch(preview, /planted-2/);
    });

    it("services: takes an address that only the up knows, a secret password, and what differs on a host", async () => {
        const config = {
            hosts: { lb1: place("lb1"), lb2: place("lb2"), docs1: place("app3") },
            web: [place("app1").address, place("app2").address],
        };
        const { project, pulumi, loseState } = await started("services", config, { opsPassword: "planted-1" });
        const preview = await pulumi("preview");
        assert.match(preview, /server docs1 '‹docs1\.address, known after up›':80/);
        assert.doesNotMatch(preview, /planted-1/);
        await pulumi("up", "--yes", "--skip-preview");
        const [first, second] = [place("lb1").address, place("lb2").address];
        const web = { host: "www.example.com" };
        assert.deepEqual(Object.keys(await shares(4, first, "/", web)).sort(), ["app1", "app2"]);
        assert.deepEqual(Object.keys(await shares(4, second, "/", web)), ["app1"]);
        const docs = { host: "docs.example.com" };
        assert.equal((await ask(first, "/", docs)).status, 401);
        const authorization = `Basic ${Buffer.from("ops:planted-1").toString("base64")}`;
        assert.equal((await ask(first, "/", { ...docs, headers: { authorization } })).app, "app3");
        const outputs = JSON.parse(await pulumi("stack", "output", "lb1", "--json"));
        assert.deepEqual(outputs.urls, [`http://${first}`]);
        await pulumi("preview", "--expect-no-changes");

        // The same hosts with an empty state, as docs/teams.md says: they stay as they are.
        const written = "stat -c '%n %y' /etc/haproxy/* /var/lib/haproxy-fleet/*; pgrep -x haproxy";
        const traces = async () => (await lab().host("lb1").exec(written)).stdout;
        const before = await traces();
        await lab().host("lb1").exec("rm -rf /run/haproxy-fleet");
        await loseState();
        await pulumi("up", "--yes", "--skip-preview");
        assert.equal(await traces(), before);
        await pulumi("preview", "--expect-no-changes");

        // Another key of the login updates commands, and nothing on the hosts.
        const key = join(project.directory, "id_ed25519");
        await generateKey(key, "another");
        const line = quote(readFileSync(`${key}.pub`, "utf8").trim());
        for (const name of ["lb1", "lb2", "app3"])
            await lab().host(name).exec(`echo ${line} >/root/.ssh/authorized_keys`);
        await pulumi("config", "set", "--secret", "sshPrivateKey", "--", readFileSync(key, "utf8"));
        const rotated = await pulumi("preview");
        assert.match(rotated, /edge-lb1-converge update \[diff: ~connection/);
        await pulumi("up", "--yes", "--skip-preview");
        assert.equal(await traces(), before);
        await pulumi("preview", "--expect-no-changes");
    });
});
