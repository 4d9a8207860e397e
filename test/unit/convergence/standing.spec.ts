import assert from "node:assert/strict";
import { ConvergedHost, type ConvergedHostArgs } from "../../../components/convergence/convergedHost";
import type { Resource } from "../../../components/convergence/kinds/index";
import { failuresOf, mockEngine, promiseOf, settled } from "../../support/mocks";
import { connection, probeReply, withProbeReplies } from "../../support/probeReplies";
import { until } from "../../support/traffic";

const resources: Resource[] = [{ kind: "file", path: "/etc/x", content: "x\n" }];
const drifted = probeReply({ differences: [{ id: "r0", aspect: "mode", have: "81ff" }] });

function converge(args: Partial<ConvergedHostArgs> = {}, name = "lb1"): ConvergedHost {
    return new ConvergedHost(name, { connection, resources, ...args });
}

describe("what hosts say of their servers", () => {
    const hosts = withProbeReplies();
    const other = { connection: { ...connection, address: "192.0.2.2" } };
    const third = { connection: { ...connection, address: "192.0.2.3" } };

    it("says of hosts with nothing to do which services are not all up, equal ones once", async () => {
        hosts.giveEach(async ({ target }) => {
            // The last one decides when the others speak.
            if (target.address === "192.0.2.2") await new Promise((resolve) => setTimeout(resolve, 50));
            const text = target.address === "192.0.2.3" ? "all 4 backends are up" : "web 1 of 2; 3 others are up";
            return probeReply({ serving: [text] });
        });
        const { messages, registrations } = await mockEngine();
        const shown = [converge(), converge(third, "lb3"), converge(other, "lb2")];
        await until("the round has ended", () => messages.length > 0);
        await settled();
        assert.deepEqual(messages, [
            { severity: "info", text: "lb1, lb2: web 1 of 2; 3 others are up" },
            { severity: "info", text: "lb3: all 4 backends are up" },
        ]);
        const stored = await Promise.all(shown.map(({ lastRun }) => promiseOf(lastRun)));
        assert.doesNotMatch(JSON.stringify([stored, registrations]), /web 1 of 2|backends are up/);
    });

    it("says of hosts that had a converge what they say at its end, equal ones once", async () => {
        hosts.giveEach(async ({ target }) => ({
            ...(target.address === "192.0.2.2" ? probeReply() : drifted),
            serving: ["web 1 of 2"],
        }));
        const said = (text: string) => `file[/etc/x]: write it\nnow: ${text}\nchanged: file[/etc/x] (mode)\n`;
        const { messages, registrations } = await mockEngine({ stderr: () => said("all 4 backends are up") });
        const shown = [converge(), converge(other, "lb2"), converge(third, "lb3")];
        await until("all have spoken", () => messages.length > 2);
        await settled();
        assert.deepEqual(messages, [
            { severity: "info", text: "lb2: web 1 of 2" },
            { severity: "info", text: "lb1, lb3: changed: nothing" },
            { severity: "info", text: "lb1, lb3: all 4 backends are up" },
        ]);
        const stored = await Promise.all(shown.map(({ lastRun }) => promiseOf(lastRun)));
        assert.doesNotMatch(JSON.stringify([stored, registrations]), /web 1 of 2|backends are up/);
    });

    it("says nothing in a preview, nor of a host that refuses what is declared", async () => {
        hosts.give(probeReply({ serving: ["web 1 of 2"] }));
        const preview = await mockEngine({ preview: true });
        converge();
        await settled();
        assert.deepEqual(preview.messages, []);
        hosts.give(probeReply({ serving: ["web 1 of 2"], refused: [{ id: "-", stage: "host", words: "too old" }] }));
        const { messages } = await mockEngine();
        assert.ok((await failuresOf(() => void converge())).length > 0);
        assert.deepEqual(messages, []);
    });

    it("shows no control character of a host", async () => {
        hosts.give(probeReply({ serving: ["web \x1b[2J1 of 2"], warnings: ["set by hand:\rweb/web1"] }));
        const { messages } = await mockEngine();
        converge();
        await settled();
        await until("both are shown", () => messages.length > 1);
        assert.deepEqual(messages.map(({ text }) => text).sort(), [
            "lb1: set by hand:\\x0dweb/web1",
            "lb1: web \\x1b[2J1 of 2",
        ]);
    });

    it("shows warnings of hosts with different ones apart, in the order of their names", async () => {
        const byHand = (names: string) => probeReply({ warnings: [`set by hand: ${names} in maintenance`] });
        hosts.giveEach(async ({ target }) => byHand(target.address === "192.0.2.2" ? "web/web1" : "web/web2"));
        const { messages } = await mockEngine({ preview: true });
        converge({ connection: { ...connection, address: "192.0.2.3" } }, "lb10");
        converge({ connection: { ...connection, address: "192.0.2.2" } }, "lb3");
        converge({}, "lb2");
        await until("the round has ended", () => messages.length > 1);
        await settled();
        assert.deepEqual(messages, [
            { severity: "warn", text: "lb2, lb10: set by hand: web/web2 in maintenance" },
            { severity: "warn", text: "lb3: set by hand: web/web1 in maintenance" },
        ]);
    });
});
