// The installed package in a project of somebody else: the real CLI, and real hosts.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import manifest from "../../package.json";
import { runPulumi } from "../../toolchain/pulumi";
import { Consumer, pack, packRecipe } from "../support/consumer";
import { describeLab, withLab } from "../support/lab";
import { ask } from "../support/traffic";

/** Plain JavaScript, so that nothing but the packages is loaded. */
const program = `
const { readFileSync } = require("node:fs");
const pulumi = require("@pulumi/pulumi");
const { LoadBalancerFleet } = require("haproxy-fleet");
const { banner } = require("fleet-recipe-banner");
const { hosts, app, key } = JSON.parse(readFileSync("lab.json", "utf8"));
const privateKey = pulumi.secret(readFileSync(key, "utf8"));
const connections = hosts.map(({ name, address, hostKey }) => [name, { connection: { address, hostKey, privateKey } }]);
const fleet = new LoadBalancerFleet("edge", {
    hosts: Object.fromEntries(connections),
    services: [{ name: "web", hosts: ["www.example.test"], port: 80, servers: [{ name: "app1", address: app }] }],
    maxconn: 1000,
    after: banner({ text: new pulumi.Config().require("text") }),
});
exports.urls = fleet.hosts.lb1.urls;
`;

describeLab("the installed package", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy" },
        { name: "app1", image: "app" },
    ]);
    const folder = mkdtempSync(join(tmpdir(), "packed-"));
    const consumer = new Consumer();

    async function pulumi(...args: string[]): Promise<string> {
        const env = {
            PULUMI_BACKEND_URL: `file://${consumer.directory}`,
            PULUMI_CONFIG_PASSPHRASE: "test",
            PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
            SSH_AUTH_SOCK: undefined,
            CI: undefined,
        };
        const { code, stdout, stderr } = await runPulumi(args, { cwd: consumer.directory, env });
        assert.equal(code, 0, `pulumi ${args.join(" ")}\n${stdout}${stderr}`);
        return stdout;
    }

    before("install", async () => {
        const { "@pulumi/command": command, "@pulumi/pulumi": sdk } = manifest.devDependencies;
        const tarballs = [(await pack(folder)).tarball, await packRecipe(folder)];
        await consumer.install(...tarballs, `@pulumi/command@${command}`, `@pulumi/pulumi@${sdk}`);
        const options = { typescript: false };
        consumer.write(
            "Pulumi.yaml",
            JSON.stringify({ name: "foreign", main: "index.js", runtime: { name: "nodejs", options } }),
        );
        consumer.write("index.js", program);
        const { address, hostKey } = lab().host("lb1");
        const hosts = [{ name: "lb1", address, hostKey }];
        consumer.write(
            "lab.json",
            JSON.stringify({ hosts, app: lab().host("app1").address, key: lab().privateKeyPath }),
        );
        await pulumi("stack", "init", "dev");
        await pulumi("config", "set", "text", "hello");
    });
    after(() => {
        rmSync(folder, { recursive: true, force: true });
        consumer.remove();
    });

    const banner = () => text(connect(7000, lab().host("lb1").address));

    it("previews and converges a host, and a recipe from a package of its own on it", async () => {
        assert.match(await pulumi("preview"), /edge-lb1-converge/);
        await pulumi("up", "--yes", "--skip-preview");
        const { address } = lab().host("lb1");
        assert.deepEqual(JSON.parse(await pulumi("stack", "output", "urls", "--json")), [`http://${address}`]);
        assert.equal((await ask(address, "/", { host: "www.example.test" })).app, "app1");
        assert.equal(await banner(), "hello\n");
        await pulumi("preview", "--expect-no-changes");
    });

    it("shows and repairs what the recipe declares anew", async () => {
        await pulumi("config", "set", "text", "goodbye");
        assert.match(await pulumi("preview"), /^ +\+ *goodbye$/m);
        await pulumi("up", "--yes", "--skip-preview");
        assert.equal(await banner(), "goodbye\n");
    });
});
