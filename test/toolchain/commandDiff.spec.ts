// How the stand-in for the command plugin checks and compares inputs, over gRPC.
import assert from "node:assert/strict";
import { pulumiInstall } from "../../toolchain/environment.mjs";
import { type Properties, secret, unknown } from "../../toolchain/offline/provider/values";
import { skip } from "../support/skip";
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

    it("drops inputs that are null, and cuts fractions of integers", async () => {
        const given = { host: "h", user: null, dialErrorLimit: 2.7, perDialTimeout: 1.9, proxy: null };
        const { inputs } = await plugin.check({ connection: given, create: null, update: "u" });
        assert.deepEqual(inputs, {
            connection: secret({ host: "h", user: "root", port: 22, dialErrorLimit: 2, perDialTimeout: 1 }),
            update: "u",
        });
    });

    /** What is wrong, the property that fails, and the name in the reason. */
    const faults: [string, Properties, string, string][] = [
        ["no connection", { create: "x" }, "connection", "connection"],
        ["a wrong type", { connection, create: 5 }, "create", "create"],
        ["an unknown property", { connection, crate: "x" }, "crate", "crate"],
        ["no host", { connection: { user: "u", privateKey: "hidden" } }, "connection", "host"],
        ["a host that is null", { connection: { host: null, privateKey: "hidden" } }, "connection", "host"],
        ["a host key of a wrong type", { connection: { host: "h", hostKey: 5 } }, "connection", "hostKey"],
        ["an unknown field", { connection: { host: "h", privatKey: "hidden" } }, "connection", "privatKey"],
        ["a wrong field of the proxy", { connection: { host: "h", proxy: { host: 5 } } }, "connection", "host"],
    ];
    for (const [what, inputs, property, field] of faults) {
        it(`refuses ${what}: ${property} fails`, async () => {
            const { failures } = await plugin.check(inputs);
            assert.deepEqual(
                failures.map(([name]) => name),
                [property],
            );
            assert.match(failures[0]?.[1] ?? "", new RegExp(`'${field}'`));
            assert.doesNotMatch(failures[0]?.[1] ?? "", /hidden/);
        });
    }

    it("refuses every other resource and function by name", async function () {
        if (pulumiInstall().full) return skip(this, "the real command plugin has other resources, too");
        const other = "urn:pulumi:dev::test::command:local:Command::cmd";
        await assert.rejects(plugin.check({}, other), /^Error: command:local:Command: the stand-in /);
        await assert.rejects(plugin.invoke("command:local:run"), /^Error: command:local:run: the stand-in /);
    });

    const checked = async (more: Properties) => (await plugin.check({ connection, create: "c", ...more })).inputs;
    const diff = async (olds: Properties, news: Properties, ignore: string[] = []) =>
        plugin.diff({ ...(await checked(olds)), stdout: "o", stderr: "e" }, await checked(news), ignore);
    const none = { changes: false, diffs: [], details: [], replaces: [] };

    it("sees no change if nothing changed, with secrets too", async () => {
        const same = { stdin: secret("s"), environment: { A: "1" }, triggers: [1, { a: "b" }] };
        assert.deepEqual(await diff(same, same), none);
    });

    /** The change, the property that differs, and the path in the detailed diff if that is another. */
    const changes: [string, Properties, Properties, string, string?][] = [
        ["update set", {}, { update: "u" }, "update"],
        ["update changed", { update: "u" }, { update: "v" }, "update"],
        ["update unset", { update: "u" }, {}, "update"],
        ["create", {}, { create: "d" }, "create"],
        ["delete", {}, { delete: "d" }, "delete"],
        ["a secret stdin", { stdin: secret("a") }, { stdin: secret("b") }, "stdin"],
        ["stdin made secret", { stdin: "a" }, { stdin: secret("a") }, "stdin"],
        ["logging", {}, { logging: "none" }, "logging"],
        ["addPreviousOutputInEnv", {}, { addPreviousOutputInEnv: false }, "addPreviousOutputInEnv"],
        [
            "one environment variable",
            { environment: { A: "1" } },
            { environment: { A: "2" } },
            "environment",
            "environment.A",
        ],
        ["the connection", {}, { connection: { host: "i" } }, "connection"],
        ["changed triggers", { triggers: ["a"] }, { triggers: ["b"] }, "triggers", "triggers[0]"],
        ["more triggers", { triggers: ["a"] }, { triggers: ["a", "b"] }, "triggers", "triggers[1]"],
        ["an input not known yet", { stdin: "a" }, { stdin: unknown }, "stdin"],
    ];
    for (const [what, olds, news, property, path = property] of changes) {
        it(`updates on ${what}`, async () => {
            const expected = { changes: true, diffs: [property], details: [path], replaces: [] };
            assert.deepEqual(await diff(olds, news), expected);
        });
    }

    for (const [what, olds, news] of [
        ["added", {}, { triggers: ["a"] }],
        ["removed", { triggers: ["a"] }, {}],
    ] as [string, Properties, Properties][]) {
        it(`replaces on triggers ${what}`, async () => {
            const only = ["triggers"];
            assert.deepEqual(await diff(olds, news), { changes: true, diffs: only, details: only, replaces: only });
        });
    }

    it("ignores the properties in ignoreChanges, if the state has them", async () => {
        assert.deepEqual(await diff({ update: "u" }, { update: "v" }, ["update"]), none);
        assert.deepEqual(await diff({}, { update: "v" }, ["update"]), {
            changes: true,
            diffs: ["update"],
            details: ["update"],
            replaces: [],
        });
    });
});
