import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { SshError } from "../../../components/convergence/ssh/ssh";
import { stackMocks } from "../../support/awsMocks";
import {
    failuresOf,
    type MockOptions,
    mockEngine,
    promiseOf,
    type Recording,
    registered,
    settled,
} from "../../support/mocks";
import { HOST, PAIR, withProbeReplies } from "../../support/probeReplies";
import { exampleConfig } from "../../support/stackConfig";

describe("index.ts", () => {
    const hosts = withProbeReplies();

    /** Runs the program as the engine does: it is loaded anew each time. */
    async function run(
        options: MockOptions = {},
    ): Promise<Recording & { addresses: Record<string, pulumi.Output<string>>; outputs: string[] }> {
        const { bastionAddress: _, bastionHostKey: __, bastionSecurityGroup: ___, ...used } = exampleConfig;
        const example = Object.entries(used).map(([key, value]) => [`haproxy-fleet:${key}`, value]);
        const datadogApiKey = "0123456789abcdef0123456789abcdef";
        const config = {
            ...Object.fromEntries(example),
            "haproxy-fleet:datadogApiKey": datadogApiKey,
            ...options.config,
        };
        const secretConfig = ["haproxy-fleet:datadogApiKey", ...(options.secretConfig ?? [])];
        const recording = await mockEngine({ stack: "staging", ...stackMocks, ...options, config, secretConfig });
        const file = require.resolve("../../../index");
        delete require.cache[file];
        const exported = await require(file)();
        await settled();
        return { ...recording, addresses: exported.addresses, outputs: Object.keys(exported) };
    }

    /** What every payload assigns to a variable. */
    const assigned = (variable: string) =>
        hosts.asked.map(({ payload }) => new RegExp(`^${variable}='([^']*)'`, "m").exec(payload)?.[1]);

    it("creates each load balancer, with the servers that the search has found", async () => {
        const recording = await run();
        const loadBalancers = recording.registrations.filter(({ type }) => type === HOST);
        assert.deepEqual(
            loadBalancers.map(({ name }) => name),
            ["edge-lb1", "edge-lb2"],
        );
        assert.equal(await promiseOf(recording.addresses.lb2 as pulumi.Output<string>), "10.0.2.11");
        assert.deepEqual(recording.outputs, ["addresses", "services"], "Pulumi warns of outputs without a value");
        const { files } = registered(recording, PAIR, "edge").inputs as { files: Record<string, string> };
        assert.match(
            files["/etc/haproxy/haproxy.cfg"] ?? "",
            /backend ecom-docs\n.*server ip-10-0-1-41 10\.0\.1\.41:8080/s,
        );
        assert.equal(hosts.asked.length, 2);
        const [{ target, become } = assert.fail()] = hosts.asked;
        assert.equal(target.user, "deploy");
        assert.equal(target.bastion, undefined);
        assert.equal(become, "sudo");
    });

    it("takes hosts over if config takeOver is true", async () => {
        await run({ config: { "haproxy-fleet:takeOver": "true" } });
        assert.deepEqual(assigned("take_over"), ["yes", "yes"]);
    });

    it("guards servers that are found by search, unless config allowShrink is true", async () => {
        await run();
        const rules = "ecom-platform - 50 - no -\necom-docs - 50 - no -";
        assert.deepEqual(new Set(assigned("haproxy_servers")), new Set([rules]));
        assert.deepEqual(new Set(assigned("haproxy_allow_shrink")), new Set(["no"]));
        hosts.asked.length = 0;
        await run({ config: { "haproxy-fleet:allowShrink": "true" } });
        assert.deepEqual(new Set(assigned("haproxy_servers")), new Set([rules]));
        assert.deepEqual(new Set(assigned("haproxy_allow_shrink")), new Set(["yes"]));
    });

    it("accepts the backends of config acceptDown without servers", async () => {
        await run({ config: { "haproxy-fleet:acceptDown": "ecom-docs,ecom-platform" } });
        assert.deepEqual(new Set(assigned("haproxy_accept_down")), new Set(["ecom-docs ecom-platform"]));
        hosts.asked.length = 0;
        await run();
        assert.deepEqual(new Set(assigned("haproxy_accept_down")), new Set([""]));
        await assert.rejects(
            run({ config: { "haproxy-fleet:acceptDown": "docs" } }),
            /acceptDown: "docs": no such backend; declared are ecom-docs, ecom-platform$/,
        );
        await settled();
    });

    it("asks no host if config probe is false", async () => {
        await run({ preview: true, config: { "haproxy-fleet:probe": "false" } });
        assert.deepEqual(hosts.asked, []);
    });

    it("warns in a preview of hosts that cannot be asked, and fails in CI or if config requireAnswer is true", async () => {
        hosts.give(new SshError("refuses connections"));
        const before = process.env.CI;
        const preview = async (ci: string | undefined, requireAnswer?: string) => {
            if (ci === undefined) delete process.env.CI;
            else process.env.CI = ci;
            const config: Record<string, string> = requireAnswer
                ? { "haproxy-fleet:requireAnswer": requireAnswer }
                : {};
            let warnings: string[] = [];
            const failures = await failuresOf(() => {
                void run({ preview: true, existing: true, config }).then(({ messages }) => {
                    warnings = messages.map(({ text }) => text).filter((text) => text.includes("could not be asked"));
                });
            }, 500);
            return [failures.length > 0, warnings.length > 0];
        };
        try {
            assert.deepEqual(await preview(undefined), [false, true]);
            assert.deepEqual(await preview("false"), [false, true]);
            assert.deepEqual(await preview("true"), [true, false]);
            assert.deepEqual(await preview("true", "false"), [false, true]);
            assert.deepEqual(await preview(undefined, "true"), [true, false]);
        } finally {
            if (before === undefined) delete process.env.CI;
            else process.env.CI = before;
        }
    });

    it("warns of unknown config keys", async () => {
        const config = { "haproxy-fleet:takeover": "true", "haproxy-fleet:probe": "true", "aws:region": "x" };
        const warnings = async (more: Record<string, string> = {}) =>
            (await run({ config: { ...config, ...more } })).messages
                .map(({ text }) => text)
                .filter((text) => text.includes("config key"));
        assert.deepEqual(await warnings({ "haproxy-fleet:old-password": "x" }), [
            'unknown config keys "takeover", "old-password" (known: probe, requireAnswer, takeOver, allowShrink, restart, acceptDown, vpc, subnetA, subnetB, sshPublicKeys, sshNetworks, zone, maxconn, papertrailHost, papertrailPort, datadogRepository, sshPrivateKey, sshPrivateKeyPassword, datadogApiKey); correct them, or remove them with npm run pulumi -- config rm KEY --stack staging',
        ]);
        assert.deepEqual(await warnings(), [
            'unknown config key "takeover" (known: probe, requireAnswer, takeOver, allowShrink, restart, acceptDown, vpc, subnetA, subnetB, sshPublicKeys, sshNetworks, zone, maxconn, papertrailHost, papertrailPort, datadogRepository, sshPrivateKey, sshPrivateKeyPassword, datadogApiKey); correct it, or remove it with npm run pulumi -- config rm takeover --stack staging',
        ]);
    });

    it("warns of a secret that is plain text in the config, without its value", async () => {
        const config = { "haproxy-fleet:sshPrivateKey": "planted", "haproxy-fleet:sshPrivateKeyPassword": "planted" };
        const about = async (secretConfig: string[]) =>
            (await run({ config, secretConfig })).messages
                .map(({ text }) => text)
                .filter((text) => /plain text/.test(text));
        const warning = (key: string) =>
            `config key ${key}: its value is plain text in the stack's config; others may have read it, so set a new one: npm run pulumi -- config set --secret ${key} --stack staging`;
        assert.deepEqual(await about(Object.keys(config)), []);
        assert.deepEqual(await about(["haproxy-fleet:sshPrivateKeyPassword"]), [warning("sshPrivateKey")]);
        assert.deepEqual(await about([]), [warning("sshPrivateKey"), warning("sshPrivateKeyPassword")]);
    });

    it("warns of a secret that the stack takes for plain data", async () => {
        const about = async (...secretConfig: string[]) =>
            (await run({ secretConfig })).messages.map(({ text }) => text).filter((text) => /plain data/.test(text));
        assert.deepEqual(await about(), []);
        assert.deepEqual(await about("haproxy-fleet:papertrailHost"), [
            "config key papertrailHost: it is a secret, but the stack takes it for plain data, which previews and the state show; set it without --secret if anybody may see it; a field for secrets takes { secret } in place of { config }",
        ]);
    });

    it("fails without a stack trace on invalid data, and registers nothing", async () => {
        const recording = await mockEngine({ stack: "nowhere" });
        await assert.rejects(run({ stack: "nowhere" }), (error: Error) => {
            assert.ok(pulumi.RunError.isInstance(error));
            assert.match(error.message, /^stack nowhere: stacks\/nowhere\.ts does not exist; write it/);
            return true;
        });
        assert.deepEqual(recording.registrations, []);
    });
});
