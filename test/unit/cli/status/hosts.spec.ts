import assert from "node:assert/strict";
import { resourcesIn } from "../../../../cli/state";
import { hostsIn, namedHosts } from "../../../../cli/status/hosts";
import { launchCommand } from "../../../../components/convergence/payload/commands";
import type { SshTarget } from "../../../../components/convergence/ssh/ssh";
import { hostKey, otherKey } from "../../../support/probeReplies";
import { commandOf, hostOf, secret, stateOf } from "../../../support/states";

const target: SshTarget = { address: "192.0.2.1", port: 22, user: "root", hostKey };
const only = (...resources: object[]) => {
    const { hosts } = hostsIn(resourcesIn(stateOf(...resources)));
    assert.equal(hosts.length, 1);
    return hosts[0];
};
const converged = (command: object) => only(hostOf("edge-lb1", "edge"), command)?.converged;

describe("hostsIn", () => {
    it("finds each host with the login of its last up, and orders them by name", () => {
        const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n";
        const login = { ...target, privateKey: key, privateKeyPassword: 'p"ass' };
        const bastion = {
            ...target,
            address: "192.0.2.9",
            port: 2222,
            hostKey: otherKey,
            user: "jump",
            privateKey: key,
        };
        const found = hostsIn(
            resourcesIn(
                stateOf(
                    hostOf("edge-lb10", "edge"),
                    commandOf("edge-lb10", "edge", { ...login, bastion }, "t10", "sudo"),
                    hostOf("edge-lb2", "edge"),
                    commandOf("edge-lb2", "edge", login, "t2"),
                    hostOf("metrics"),
                ),
            ),
        );
        // Without the fields that have no value.
        assert.deepEqual(JSON.parse(JSON.stringify(found)), {
            stack: "prod",
            project: "edge",
            hosts: [
                { host: "edge-lb2", fleet: "edge", converged: { target: login, token: "t2" } },
                {
                    host: "edge-lb10",
                    fleet: "edge",
                    converged: { target: { ...login, bastion }, token: "t10", become: "sudo" },
                },
                { host: "metrics", fleet: "" },
            ],
        });
    });

    it("logs in with the agent where the state has no private key, on the bastion too", () => {
        const bastion = { ...target, address: "192.0.2.9" };
        const found = converged(commandOf("edge-lb1", "edge", { ...target, bastion }, "t"));
        assert(found && "target" in found);
        assert.equal(found.target.privateKey, undefined);
        assert.equal(found.target.bastion?.privateKey, undefined);
        const key = { ...bastion, privateKey: "own key" };
        const other = converged(commandOf("edge-lb1", "edge", { ...target, bastion: key }, "t"));
        assert(other && "target" in other);
        assert.equal(other.target.privateKey, undefined);
        assert.equal(other.target.bastion?.privateKey, "own key");
    });

    it("does not count what is pending deletion, or already deleted to be replaced", () => {
        const old = commandOf("edge-lb1", "edge", { ...target, address: "192.0.2.7" }, "old");
        const current = commandOf("edge-lb1", "edge", target, "t");
        const gone = { ...hostOf("edge-lb9", "edge"), delete: true };
        for (const commands of [
            [{ ...old, delete: true }, current],
            [current, { ...old, delete: true }],
        ]) {
            const found = only(hostOf("edge-lb1", "edge"), gone, ...commands)?.converged;
            assert(found && "target" in found);
            assert.equal(found.token, "t");
            assert.equal(found.target.address, "192.0.2.1");
        }
        assert.equal(converged({ ...current, delete: true }), undefined);
        assert.equal(converged({ ...current, pendingReplacement: true }), undefined);
    });

    it("takes no other command for that of a host", () => {
        const other = { ...commandOf("edge-lb1", "edge", target, "t"), parent: hostOf("edge-lb2", "edge").urn };
        assert.equal(converged(other), undefined);
        const renamed = commandOf("edge-lb1", "edge", target, "t");
        assert.equal(converged({ ...renamed, urn: `${renamed.urn}-too` }), undefined);
    });

    it("says of a command that it does not know, without a word of it", () => {
        const { outputs, ...command } = commandOf("edge-lb1", "edge", target, "t");
        const unknown = /^its command in the state is not one of this release; use the release of the last up$/;
        for (const strange of [
            { ...outputs, update: "echo s3cret" },
            { ...outputs, connection: secret("s3cret") },
            { ...outputs, connection: { ...secret(0), plaintext: undefined, ciphertext: "s3cret" } },
            {},
        ]) {
            const found = converged({ ...command, outputs: strange });
            assert(found && "unknown" in found);
            assert.match(found.unknown, unknown);
        }
    });

    it("takes the last command: that of an update, unless there was none", () => {
        const { outputs, ...command } = commandOf("edge-lb1", "edge", target, "t1");
        const token = (changes: object) => {
            const found = converged({ ...command, outputs: { ...outputs, ...changes } });
            return found && "token" in found ? found.token : found;
        };
        assert.equal(token({ update: launchCommand("t2") }), "t2");
        assert.equal(token({ update: undefined }), "t1");
        assert.equal(token({ update: null }), "t1");
    });

    it("finds none in a state without resources", () => {
        assert.deepEqual(hostsIn(resourcesIn("{}")), { stack: "", project: "", hosts: [] });
        assert.deepEqual(hostsIn(resourcesIn(stateOf())).hosts, []);
    });
});

describe("namedHosts", () => {
    const hosts = hostsIn(
        resourcesIn(
            stateOf(hostOf("edge-lb1", "edge"), hostOf("edge-lb2", "edge"), hostOf("docs-lb2", "docs"), hostOf("lb3")),
        ),
    );
    const named = (...names: string[]) => namedHosts(hosts, names).map(({ host }) => host);

    it("takes names of components, and names in their fleets", () => {
        assert.deepEqual(named(), ["docs-lb2", "edge-lb1", "edge-lb2", "lb3"]);
        assert.deepEqual(named("lb3", "edge-lb1"), ["edge-lb1", "lb3"]);
        assert.deepEqual(named("lb2"), ["docs-lb2", "edge-lb2"]);
    });

    it("refuses a name that no host has", () => {
        assert.throws(() => named("lb1", "lb9"), {
            message: "stack prod has no host lb9 (it has: docs-lb2, edge-lb1, edge-lb2, lb3); name one of them",
        });
    });
});
