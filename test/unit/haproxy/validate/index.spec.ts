import assert from "node:assert/strict";
import type { HaproxyConfig } from "../../../../components/haproxy";
import { validate } from "../../../../components/haproxy/validate/index";
import { good, withServer } from "./cases";

describe("validate", () => {
    it("does not show a password, and keeps a message on one line", () => {
        const messages = (config: HaproxyConfig) => validate(config).map(({ message }) => message);
        const stats = { bind: { port: 8404 }, auth: [{ user: "ops", password: "hunter2" }] };
        assert.equal(
            messages({ ...good, stats }).some((message) => message.includes("hunter2")),
            false,
        );
        assert.equal(
            messages(withServer({ name: "a\nb" })).some((message) => message.includes("\n")),
            false,
        );
    });
});
