import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { HostConnection } from "../../../components/convergence/connection";
import { ConvergedHost } from "../../../components/convergence/convergedHost";
import { failuresOf, mockEngine, settled } from "../../support/mocks";
import { COMMAND, connection, HOST, otherKey, withProbeReplies } from "../../support/probeReplies";

describe("A host declared twice", () => {
    const hosts = withProbeReplies();
    const bastion = (address: string) => ({ address, hostKey: otherKey });
    const declare = (...connections: HostConnection[]) =>
        connections.map((at, n) => new ConvergedHost(`lb${n + 1}`, { connection: at, resources: [] }));

    it("fails, naming both, and no host is asked or converged", async () => {
        const recording = await mockEngine();
        const other = { ...connection, address: "192.0.2.2" };
        const failures = await failuresOf(() =>
            assert.throws(
                () => declare(other, connection, { ...connection, port: 22 }),
                (error: Error) =>
                    error instanceof pulumi.ResourceError &&
                    /^lb3: 192\.0\.2\.1:22 is already converged by lb2, and the two would undo/.test(error.message),
            ),
        );
        // The same error object for both, which the engine shows once.
        assert.equal(failures.length, 1);
        assert.match(failures[0] ?? "", /^lb3: 192\.0\.2\.1:22 is already converged by lb2/);
        assert.deepEqual(hosts.asked, []);
        assert.deepEqual([...hosts.left], []);
        assert.deepEqual(
            recording.registrations.map(({ type }) => type),
            [HOST, HOST, HOST, COMMAND, COMMAND],
        );
    });

    it("is recognized by name, whatever the case", async () => {
        await mockEngine();
        await failuresOf(() =>
            assert.throws(
                () => declare({ ...connection, address: "LB.example" }, { ...connection, address: "lb.example" }),
                /lb.example:22 is already converged by lb1/,
            ),
        );
    });

    it("is another host on another port, behind another bastion, or in the next program", async () => {
        for (let run = 0; run < 2; run++) {
            await mockEngine();
            declare(
                connection,
                { ...connection, port: 2022 },
                { ...connection, bastion: bastion("192.0.2.8") },
                { ...connection, bastion: bastion("192.0.2.9") },
                { ...connection, address: pulumi.output("192.0.2.1") },
            );
            await settled();
            assert.equal(hosts.asked.length, 5 * (run + 1));
        }
    });
});
