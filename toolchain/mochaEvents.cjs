// A mocha reporter for toolchain/testRunner.mjs: one JSON line per event on file descriptor 3, nothing on the terminal.
const { writeSync } = require("node:fs");

/** @param {object} event */
function send(event) {
    writeSync(3, `${JSON.stringify(event)}\n`);
}

/**
 * Tests and hooks say why they skip with `this.test.skipReason = "…"` (or on their suite) before `this.skip()`.
 * @param {any} runnable
 */
function skipReason(runnable) {
    for (let at = runnable; at; at = at.parent) {
        if (at.skipReason) return String(at.skipReason);
        for (const hook of [...(at._beforeAll ?? []), ...(at._beforeEach ?? [])]) {
            if (hook.skipReason) return String(hook.skipReason);
        }
    }
    return "";
}

module.exports = class MochaEvents {
    /** @param {import("mocha").Runner} runner */
    constructor(runner) {
        runner.once("start", () => send({ event: "start", total: runner.total }));
        runner.on("test", (test) => send({ event: "test", title: test.fullTitle() }));
        runner.on("pass", (test) => send({ event: "pass", title: test.fullTitle(), ms: test.duration }));
        runner.on("pending", (test) => send({ event: "pending", title: test.fullTitle(), reason: skipReason(test) }));
        runner.on("fail", (test, error) =>
            send({ event: "fail", title: test.fullTitle(), message: error.stack || error.message || String(error) }),
        );
        runner.once("end", () => send({ event: "end" }));
    }
};
