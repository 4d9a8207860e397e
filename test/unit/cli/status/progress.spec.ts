import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { progressOn, waitingFor } from "../../../../cli/status/progress";

describe("progressOn", () => {
    const terminal = (changes: object = {}) => {
        const written: string[] = [];
        return {
            written,
            stream: { isTTY: true, columns: 20, write: (text: string) => written.push(text), ...changes },
        };
    };
    const CLEAR = "\r\x1b[K";

    it("writes nothing if it does not take long", async () => {
        const { written, stream } = terminal();
        const progress = progressOn(stream, 60_000);
        progress.say("reading");
        progress.end();
        assert.deepEqual(written, []);
    });

    it("shows one line that fits, replaces it, and removes it", async () => {
        const { written, stream } = terminal();
        const progress = progressOn(stream, 1);
        progress.say("reading");
        await sleep(20);
        progress.say("waiting for a host with a long name");
        progress.end();
        progress.end();
        assert.deepEqual(written, [`${CLEAR}reading`, `${CLEAR}waiting for a host…`, CLEAR]);
    });

    it("shows a line on a terminal that does not say how wide it is, as that of a container", async () => {
        const { written, stream } = terminal({ columns: 0 });
        const progress = progressOn(stream, 1);
        progress.say("x".repeat(100));
        await sleep(20);
        progress.end();
        assert.deepEqual(written, [`${CLEAR}${"x".repeat(78)}…`, CLEAR]);
    });

    it("writes nothing where there is no terminal", async () => {
        const { written, stream } = terminal({ isTTY: undefined });
        const progress = progressOn(stream, 1);
        progress.say("reading");
        await sleep(20);
        progress.say("asking");
        progress.end();
        assert.deepEqual(written, []);
    });
});

describe("waitingFor", () => {
    it("counts the hosts, and names those that have not answered", () => {
        assert.equal(waitingFor(["lb1", "lb2"], 5), "3 of 5 hosts asked, waiting for lb1, lb2");
        assert.equal(waitingFor(["\x1b[2J"], 1), "0 of 1 hosts asked, waiting for \\x1b[2J");
    });
});
