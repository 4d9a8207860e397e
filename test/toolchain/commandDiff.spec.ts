// How the stand-in for the command plugin checks and compares inputs, over gRPC.
import assert from "node:assert/strict";
import { pulumiInstall } from "../../toolchain/environment.mjs";
import { type Properties, secret, unknown } from "../../toolchain/offline/commandPlugin/properties";
import { Plugin } from "./plugin";

describe("remote.Command checks and diffs", () => {
    const plugin = new Plugin();
    const connection = { host: "h" };
    before(() => plugin.start());
    after(() => plugin.stop());

    it("fills in the defaults; the connection is secret, and so are the keys and passwords in it", async () => {
        const given = { host: "h", privateKey: "k", proxy: { host: "p", port: 2222, password: "w" } };
        const { inputs } = await plugin.check({ connection: given });
        const defaults = { dialErrorLimit: 10, perDialTimeout: 15, port: 22, user: "root" };
        const tag = "4dabf18193072939515e22adb298388d";
        assert.deepEqual(inputs, {
            connection: {
                [tag]: "1b47061264138c4ac30d75fd1eb44270",
                value: {
                    ...defaults,
                    host: "h",
                    privateKey: secret("k"),
                    proxy: { ...defaults, host: "p", port: 2222, password: secret("w") },
                },
            },
        });
    });

    const faults: [string, Properties, string][] = [
        ["no connection", { create: "x" }, "connection"],
        ["no host", { connection: { user: "u" } }, "connection.host"],
        ["a wrong type", { connection, create: 5 }, "create"],
        ["an unknown property", { connection, crate: "x" }, "crate"],
        ["an unknown connection field", { connection: { host: "h", privatKey: "hidden" } }, "connection.privatKey"],
    ];
    for (const [what, inputs, property] of faults) {
        it(`refuses ${what}, naming the property and no value`, async function () {
            if (pulumiInstall().full) return this.skip(); // The real plugin shows values (pulumi-command issue 773).
            const { failures } = await plugin.check(inputs);
            assert.deepEqual(
                failures.map(([name]) => name),
                [property],
            );
            assert.doesNotMatch(failures[0]?.[1] ?? "", /hidden/);
        });
    }

    it("refuses every other resource and function by name", async function () {
        if (pulumiInstall().full) return this.skip();
        const other = "urn:pulumi:dev::test::command:local:Command::cmd";
        await assert.rejects(plugin.check({}, other), /^Error: command:local:Command: the stand-in /);
        await assert.rejects(plugin.invoke("command:local:run"), /^Error: command:local:run: the stand-in /);
    });

    const checked = async (more: Properties) => (await plugin.check({ connection, create: "c", ...more })).inputs;
    const diff = async (olds: Properties, news: Properties, ignore: string[] = []) =>
        plugin.diff({ ...(await checked(olds)), stdout: "o", stderr: "e" }, await checked(news), ignore);
    const none = { changes: false, diffs: [], replaces: [] };

    it("sees no change if nothing changed, with secrets too", async () => {
        const same = { stdin: secret("s"), environment: { A: "1" }, triggers: [1, { a: "b" }] };
        assert.deepEqual(await diff(same, same), none);
    });

    const changes: [string, Properties, Properties, string][] = [
        ["update set", {}, { update: "u" }, "update"],
        ["update changed", { update: "u" }, { update: "v" }, "update"],
        ["update unset", { update: "u" }, {}, "update"],
        ["create", {}, { create: "d" }, "create"],
        ["delete", {}, { delete: "d" }, "delete"],
        ["a secret stdin", { stdin: secret("a") }, { stdin: secret("b") }, "stdin"],
        ["stdin made secret", { stdin: "a" }, { stdin: secret("a") }, "stdin"],
        ["logging", {}, { logging: "none" }, "logging"],
        ["addPreviousOutputInEnv", {}, { addPreviousOutputInEnv: false }, "addPreviousOutputInEnv"],
        ["one environment variable", { environment: { A: "1" } }, { environment: { A: "2" } }, "environment"],
        ["the connection", {}, { connection: { host: "i" } }, "connection"],
        ["changed triggers", { triggers: ["a"] }, { triggers: ["b"] }, "triggers"],
        ["more triggers", { triggers: ["a"] }, { triggers: ["a", "b"] }, "triggers"],
        ["an input not known yet", { stdin: "a" }, { stdin: unknown }, "stdin"],
    ];
    for (const [what, olds, news, property] of changes) {
        it(`updates on ${what}`, async () => {
            assert.deepEqual(await diff(olds, news), { changes: true, diffs: [property], replaces: [] });
        });
    }

    for (const [what, olds, news] of [
        ["added", {}, { triggers: ["a"] }],
        ["removed", { triggers: ["a"] }, {}],
    ] as [string, Properties, Properties][]) {
        it(`replaces on triggers ${what}`, async () => {
            assert.deepEqual(await diff(olds, news), { changes: true, diffs: ["triggers"], replaces: ["triggers"] });
        });
    }

    it("ignores the properties in ignoreChanges, if the state has them", async () => {
        assert.deepEqual(await diff({ update: "u" }, { update: "v" }, ["update"]), none);
        assert.deepEqual(await diff({}, { update: "v" }, ["update"]), {
            changes: true,
            diffs: ["update"],
            replaces: [],
        });
    });
});
