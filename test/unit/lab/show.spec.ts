import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { repo } from "../../../toolchain/environment.mjs";

/** Runs a demo with a story in a process of its own. It is interrupted when it says "now". */
async function shown(story: string): Promise<{ code: number | null; said: string }> {
    const program = `
        const { chapter } = require("${repo}/lab/demo/chapter.ts");
        const { show } = require("${repo}/lab/demo/show.ts");
        const tick = setInterval(() => {}, 1000);
        void show({
            title: "Title", real: "All",
            story: () => chapter("First", "Why.", async () => { ${story} }),
            end: (failed) => { clearInterval(tick); console.log("ended", failed); },
            interrupted: async () => { await new Promise((done) => setTimeout(done, 100)); return "All is gone."; },
        });`;
    const child = spawn(process.execPath, ["--require", "tsx/cjs", "-e", program], {
        cwd: join(repo),
        stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.on("data", (data) => String(data).includes("now") && child.kill("SIGTERM"));
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
    return { code, said };
}

describe("a demo", () => {
    it("ends with a summary", async () => {
        const { code, said } = await shown('return "as it should be";');
        assert.equal(code, 0);
        assert.match(
            said,
            /✓ as it should be\n\nSummary\n[^✓]* 1 +First +\d\.\d s +as it should be\n[^✓]*ended false\n$/,
        );
    });

    it("says what has failed, and ends what must not stay", async () => {
        const { code, said } = await shown('throw new Error("the world is flat");');
        assert.equal(code, 1);
        assert.match(
            said,
            /Summary\n[^✓]* First +\d\.\d s +failed\n[^✓]*The demo failed: Error: the world is flat\n[^✓]*ended true\n$/,
        );
    });

    it("ends without a summary once it is interrupted, also if that lets its story fail", async () => {
        const { code, said } = await shown(
            'console.log("now"); await new Promise((_, fail) => process.once("SIGTERM", () => fail(new Error("broken"))));',
        );
        assert.equal(code, 130);
        assert.match(said, /now\n\nInterrupted\. All is gone\.\n$/);
    });
});
