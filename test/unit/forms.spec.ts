import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { aFunction, flag, formIssues, formOf, text, texts, whole } from "../../components/forms";

const address = z.custom<unknown>((value) => typeof value === "string" || typeof value === "object", "expected text");
const schema = z.strictObject({
    name: text,
    allow: texts.optional(),
    basicAuth: z.strictObject({ realm: text.optional() }).optional(),
    balance: z.enum(["roundrobin", "leastconn", "source"]).optional(),
    timeouts: z.strictObject({ client: text.optional() }).optional(),
    rule: z
        .discriminatedUnion("action", [
            z.strictObject({ action: z.literal("deny"), status: whole(200, 599).optional() }),
            z.strictObject({ action: z.literal("allow") }),
        ])
        .optional(),
    drain: text.optional(),
    customize: aFunction<() => string>().optional(),
    address: address.optional(),
});

/** The issues of `data`, a line each. */
const issuesOf = (data: unknown, of: z.ZodType = schema) =>
    formIssues(of, data).map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));

describe("formIssues", () => {
    it("suggests the key that an unknown one is near to, also if only capitals differ", () => {
        const unknown = (key: string) => issuesOf({ name: "a", [key]: [] });
        for (const [key, meant] of Object.entries({
            alow: "allow",
            Allow: "allow",
            basicauth: "basicAuth",
            basic_auth: "basicAuth",
            drian: "drain",
            customise: "customize",
            timeout: "timeouts",
        })) {
            assert.deepEqual(unknown(key), [`unknown key "${key}"; did you mean ${meant}?`]);
        }
        for (const key of ["x", "", "na", "weights", "constructor", "toString"]) {
            assert.deepEqual(unknown(key), [
                `unknown key "${key}"; remove it, or use name, allow, basicAuth, balance, timeouts, rule, drain, customize or address`,
            ]);
        }
    });

    it("reports a required key that is misspelt once", () => {
        assert.deepEqual(issuesOf({ nmae: "a" }), ['unknown key "nmae"; did you mean name?']);
        assert.deepEqual(issuesOf({ nmae: "a", name: 5 }), [
            "name: expected text, got 5",
            'unknown key "nmae"; did you mean name?',
        ]);
        assert.deepEqual(issuesOf({ name: "a", rule: { acton: "deny" } }), [
            'rule: unknown key "acton"; did you mean action?',
        ]);
    });

    it("suggests keys that are not set yet first", () => {
        const two = z.strictObject({ server: text.optional(), servers: text.optional() });
        assert.deepEqual(issuesOf({ serverss: "a" }, two), ['unknown key "serverss"; did you mean servers?']);
        assert.deepEqual(issuesOf({ servers: "a", serverz: "b" }, two), [
            'unknown key "serverz"; did you mean server?',
        ]);
        assert.deepEqual(issuesOf({ name: "a", allow: [], alow: [] }), ['unknown key "alow"; did you mean allow?']);
    });

    it("suggests the word that another one is near to", () => {
        assert.deepEqual(issuesOf({ name: "a", balance: "leastcon" }), [
            'balance: expected "roundrobin", "leastconn" or "source", got "leastcon"; did you mean "leastconn"?',
        ]);
        assert.deepEqual(issuesOf({ name: "a", rule: { action: "Deny" } }), [
            'rule.action: expected "deny" or "allow", got "Deny"; did you mean "deny"?',
        ]);
        assert.deepEqual(issuesOf({ name: "a", balance: "first" }), [
            'balance: expected "roundrobin", "leastconn" or "source", got "first"',
        ]);
    });

    it("shortens a long list of keys to the nearest ones", () => {
        const keys = Array.from({ length: 30 }, (_, n) => `long-key-of-many-${n}`);
        const many = z.strictObject(Object.fromEntries(keys.map((key) => [key, text.optional()])));
        const [message = ""] = issuesOf({ zz: 1 }, many);
        assert.match(
            message,
            /^unknown key "zz"; remove it, or use (long-key-of-many-\d+, ){12}?or one of 18 others$|/,
        );
        assert.match(message, /, long-key-of-many-\d+ or one of 18 others$/);
        assert.equal(message.match(/long-key/g)?.length, 12);
    });

    it("has one message for arguments that are no object", () => {
        for (const [value, shown] of [
            [undefined, "nothing"],
            [null, "null"],
            ["a", '"a"'],
            [5, "5"],
            [["a"], "a list"],
            [[], "an empty list"],
            [() => undefined, "a function"],
        ]) {
            assert.deepEqual(issuesOf(value), [`expected an object, got ${shown}`]);
        }
        assert.deepEqual(issuesOf(Promise.resolve({ name: "a" })), [
            "a Promise; await it, and use what it resolves to",
        ]);
    });

    it("refuses Promises and Maps where all keys are optional, in which no key would be found", () => {
        const strange = {
            name: "a",
            timeouts: Promise.resolve({ client: "5s" }),
            basicAuth: new Map([["realm", "a"]]),
        };
        assert.deepEqual(issuesOf(strange), [
            "timeouts: a Promise; await it, and use what it resolves to",
            "basicAuth: a Map or Set; use a plain object or list",
        ]);
    });

    it("has one message for an Output, whatever is expected in its place", () => {
        const output = pulumi.output("a") as unknown;
        for (const key of ["name", "allow", "basicAuth", "balance", "timeouts", "rule", "drain"]) {
            const [message = "", ...others] = issuesOf({ name: "a", [key]: output });
            assert.deepEqual(others, []);
            assert.match(message, new RegExp(`^${key}: an Output; only plain data can be here \\(Outputs can be `));
        }
        assert.match(issuesOf({ name: "a", allow: [output, "b"] }).join("\n"), /^allow\[0\]: an Output; [^\n]*$/);
        assert.match(
            issuesOf({ name: "a", rule: { action: "deny", status: output } }).join("\n"),
            /^rule\.status: an /,
        );
        assert.match(issuesOf(output).join("\n"), /^an Output; only plain data can be here [^\n]*$/);
    });

    it("accepts an Output where the schema does, and says nothing of one at an unknown key", () => {
        const output = pulumi.output("192.0.2.1");
        assert.deepEqual(issuesOf({ name: "a", address: output }), []);
        assert.deepEqual(issuesOf({ name: "a", adress: output }), ['unknown key "adress"; did you mean address?']);
    });

    it("refuses text that an Output was put into", () => {
        const output = pulumi.output("a");
        assert.match(
            issuesOf({ name: `${output}.example.com` }).join("\n"),
            /^name: text built from an Output by \+ or \$\{\}; use pulumi\.interpolate, which returns an Output/,
        );
    });

    it("ends on data that holds itself", () => {
        const data: Record<string, unknown> = { name: "a" };
        data.basicAuth = data;
        assert.deepEqual(issuesOf(data), [
            'basicAuth: unknown key "name"; remove it, or use realm',
            'basicAuth: unknown key "basicAuth"; remove it, or use realm',
        ]);
    });
});

describe("formOf", () => {
    it("compiles only if type and schema are equal, both ways", () => {
        interface Thing {
            name: string;
            enabled?: boolean;
        }
        formOf<Thing>()(z.strictObject({ name: text, enabled: flag.optional() }));
        // @ts-expect-error: an optional key is missing.
        formOf<Thing>()(z.strictObject({ name: text }));
        // @ts-expect-error: a key that the type lacks.
        formOf<Thing>()(z.strictObject({ name: text, enabled: flag.optional(), more: flag.optional() }));
        // @ts-expect-error: required, but optional in the type.
        formOf<Thing>()(z.strictObject({ name: text, enabled: flag }));
        // @ts-expect-error: optional, but required in the type.
        formOf<Thing>()(z.strictObject({ name: text.optional(), enabled: flag.optional() }));
        // @ts-expect-error: another type.
        formOf<Thing>()(z.strictObject({ name: text, enabled: text.optional() }));
    });
});
