// A mocha reporter for toolchain/testRunner.mjs: one JSON line per event on file descriptor 3, nothing on the terminal.
const { writeSync } = require("node:fs");

module.exports = class MochaEvents {
    /** @param {import("mocha").Runner} runner */
    constructor(runner) {
        for (const event of ["pass", "fail", "pending", "test end", "hook end", "end"]) {
            runner.on(event, (/** @type {import("mocha").Test | undefined} */ test, /** @type {Error} */ error) => {
                const message = error && (error.stack || error.message || String(error));
                const line = { event, file: test?.file, title: test?.fullTitle(), ms: test?.duration, message };
                writeSync(3, `${JSON.stringify(line)}\n`);
            });
        }
    }
};
