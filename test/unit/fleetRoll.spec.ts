import assert from "node:assert/strict";
import { launchCommand } from "../../components/convergence/payload/commands";
import { SshError } from "../../components/convergence/ssh/ssh";
import { LoadBalancerFleet, type LoadBalancerFleetArgs } from "../../components/loadBalancerFleet";
import { failuresOf, mockEngine, registered, settled } from "../support/mocks";
import { COMMAND, connection, probeReply, withProbeReplies } from "../support/probeReplies";
import { until } from "../support/traffic";

const at = (address: string) => ({ connection: { ...connection, address } });
const hosts = { lb1: at("192.0.2.1"), lb2: at("192.0.2.2"), lb3: at("192.0.2.3") };
const services = [{ name: "web", default: true, port: 80, servers: [{ name: "web1", address: "192.0.2.21" }] }];
const commands = Object.keys(hosts).map((host) => `edge-${host}-converge`);

describe("LoadBalancerFleet, with hosts that serve,", () => {
    const asked = withProbeReplies();
    /** A host that lacks something that is declared anew. */
    const due = probeReply({ differences: [{ id: "r0", aspect: "content", have: "" }] });

    /** Begins an up in which the command of lb1 lasts until `end`. The commands that have begun are in `begun`. */
    async function up(args: Partial<LoadBalancerFleetArgs<string>> = {}) {
        asked.give(due);
        const begun: string[] = [];
        let end = (_error?: Error): void => {};
        const lasting = new Promise<void>((resolve, reject) => {
            end = (error) => (error ? reject(error) : resolve());
        });
        const creation = async (name: string) => {
            if (!name.endsWith("-converge")) return;
            begun.push(name);
            if (name === "edge-lb1-converge") await lasting;
        };
        const recording = await mockEngine({ creation });
        new LoadBalancerFleet("edge", { hosts, services, ...args });
        await until("a command has begun", () => begun.length > 0);
        for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
        return { ...recording, recording, begun, end };
    }

    it("changes one after the other", async () => {
        const { begun, end } = await up();
        assert.deepEqual(begun, ["edge-lb1-converge"]);
        assert.equal(asked.left.size, 3);
        end();
        await until("all have begun", () => begun.length === 3);
        assert.deepEqual(begun, commands);
        await settled();
    });

    it("changes all at once if that is declared", async () => {
        const { begun, end } = await up({ roll: "allAtOnce" });
        assert.deepEqual(begun.sort(), commands);
        end();
        await settled();
    });

    it("leaves the commands of those after a host that fails as they are, and closes all connections", async () => {
        const { recording, begun, end, messages } = await up();
        await failuresOf(() => end(new Error("Process exited with status 1")));
        await until("all are registered", () => begun.length === 3);
        for (const name of commands.slice(1))
            assert.equal(registered(recording, COMMAND, name).inputs.update, launchCommand("t0"));
        const errors = messages.filter(({ severity }) => severity === "error").map(({ text }) => text);
        assert.deepEqual(errors, [
            "edge-lb1: file[/etc/x] failed: the disk is full",
            "edge: edge-lb1 failed, so edge-lb2, edge-lb3 were not changed; correct the cause, then run up again",
        ]);
        assert.equal(asked.open(), 0);
    });

    describe("of which one has the service address,", () => {
        const due = { differences: [{ id: "r0", aspect: "content", have: "" }] };
        const master = probeReply({ ...due, role: { role: "MASTER", holds: "all" } });
        const together = "the password of the pair changes";

        it("changes that one last", async () => {
            asked.giveEach(async ({ target }) => (target.address === "192.0.2.1" ? master : probeReply(due)));
            const begun: string[] = [];
            await mockEngine({
                creation: async (name: string) => {
                    if (name.endsWith("-converge")) begun.push(name);
                },
            });
            new LoadBalancerFleet("edge", { hosts, services });
            await until("all have begun", () => begun.length === 3);
            assert.deepEqual(begun, [...commands.slice(1), "edge-lb1-converge"]);
            await settled();
        });

        const why =
            "edge-lb1: nothing changes here, because the password of the pair changes, which all hosts must get in one up, " +
            "and edge-lb2 cannot be asked; make sure that it answers, then run up again";
        const oneIsAway = () =>
            asked.giveEach(async ({ target }) =>
                target.address === "192.0.2.2"
                    ? new SshError("192.0.2.2:22 refuses connections")
                    : target.address === "192.0.2.1"
                      ? { ...master, together }
                      : probeReply(),
            );

        it("leaves it as it is if its change needs a host that is away", async () => {
            oneIsAway();
            await mockEngine();
            const failures = await failuresOf(() => new LoadBalancerFleet("edge", { hosts, services }));
            assert.deepEqual(
                failures.filter((text) => text.startsWith("edge-lb1")),
                [why],
            );
            assert.equal(asked.open(), 0);
        });

        it("only warns of that in a preview", async () => {
            oneIsAway();
            const { messages } = await mockEngine({ preview: true });
            new LoadBalancerFleet("edge", { hosts, services });
            await settled();
            assert.deepEqual(
                messages.filter(({ text }) => text.includes("nothing changes here")),
                [{ severity: "warn", text: why }],
            );
        });
    });

    it("says in a preview how far a roll has come", async () => {
        asked.giveEach(async ({ target }) => (target.address === "192.0.2.1" ? probeReply() : due));
        const { messages } = await mockEngine({ preview: true });
        new LoadBalancerFleet("edge", { hosts, services });
        await settled();
        const words =
            "1 of 3 hosts has the new configuration; an up changes edge-lb2, then edge-lb3, and stops if one fails";
        assert.ok(messages.some(({ text }) => text === `edge: ${words}`));
    });
});
