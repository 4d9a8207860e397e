import assert from "node:assert/strict";
import { leaks } from "../../support/planted";

const planted = {
    password: 'hunter2 <"&\\ü> planted',
    key: "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQDd\n-----END PRIVATE KEY-----\n",
};
const wrapped = (text: string) => text.replace(/.{1,76}/g, "$&\n");
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("leaks", () => {
    for (const [name, secret] of Object.entries(planted)) {
        const forms: Record<string, string> = {
            literal: `a ${secret} b`,
            "one of its lines": `stderr: ${secret.split("\n").at(-2) ?? secret}`,
            "JSON in JSON": JSON.stringify(JSON.stringify({ stdin: `x${secret}y` })),
            URL: `https://example.test/?q=${encodeURIComponent(secret)}`,
            form: new URLSearchParams({ q: secret }).toString().replace(/[!'()*~]/g, "$&"),
            hex: Buffer.from(`x${secret}`).toString("hex"),
            ...Object.fromEntries(
                ["", "x", "xx"].flatMap((before) => [
                    [`base64 after ${before.length} bytes`, base64(`${before}${secret} and more`)],
                    [
                        `wrapped base64 after ${before.length} bytes, in JSON`,
                        JSON.stringify({ stdin: wrapped(base64(`${before}${"pad ".repeat(30)}${secret} and more`)) }),
                    ],
                ]),
            ),
        };
        for (const [form, text] of Object.entries(forms)) {
            it(`finds the ${name} as ${form}`, () => {
                const found = leaks(text, planted);
                assert.notEqual(found.length, 0);
                assert.ok(found.every((leak) => leak.startsWith(name)));
            });
        }
    }

    it("finds nothing in a text without secrets", () => {
        assert.deepEqual(leaks(`password ‹password› ${base64("hunter")} <key> -----BEGIN`, planted), []);
    });
});
