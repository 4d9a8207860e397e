// An up asks a host only when what the host depends on exists, because that may create the host.
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { ConvergedHost } from "../../../components/convergence/convergedHost";
import { mockEngine, settled } from "../../support/mocks";
import { connection, withProbeReplies } from "../../support/probeReplies";
import { until } from "../../support/traffic";

class Machine extends pulumi.CustomResource {
    constructor(name: string, opts?: pulumi.CustomResourceOptions) {
        super("test:index:Machine", name, {}, opts);
    }
}

/** A component that holds a machine, or converges a host. */
class Group extends pulumi.ComponentResource {
    constructor(name: string, fill: (parent: Group) => unknown, opts?: pulumi.ComponentResourceOptions) {
        super("test:index:Group", name, {}, opts);
        fill(this);
        this.registerOutputs();
    }
}

describe("a host that depends on resources", () => {
    const hosts = withProbeReplies();
    const host = (opts?: pulumi.ComponentResourceOptions) =>
        new ConvergedHost("lb1", { connection, resources: [] }, opts);

    for (const [what, program] of Object.entries({
        "a resource": () => host({ dependsOn: new Machine("machine") }),
        "a list": () => host({ dependsOn: [new Machine("other"), new Machine("machine")] }),
        "an output of a resource": () => host({ dependsOn: pulumi.output(new Machine("machine")) }),
        "a promise of a list": () => host({ dependsOn: Promise.resolve([new Machine("machine")]) }),
        "a component": () => host({ dependsOn: new Group("group", (parent) => new Machine("machine", { parent })) }),
        "what the component around it depends on": () =>
            new Group("group", (parent) => host({ parent }), { dependsOn: new Machine("machine") }),
    })) {
        it(`is asked only when they exist: ${what}`, async () => {
            let created = () => {};
            const creation = new Promise<void>((resolve) => {
                created = resolve;
            });
            const { registrations } = await mockEngine({
                creation: (name) => (name === "machine" ? creation : undefined),
            });
            program();
            await new Promise((resolve) => setTimeout(resolve, 50));
            assert.deepEqual(hosts.asked, []);
            created();
            await until("the command is registered", async () =>
                registrations.some(({ name }) => name === "lb1-converge"),
            );
            assert.equal(hosts.asked.length, 1);
        });
    }

    it("is asked by a preview without waiting, because a preview creates nothing", async () => {
        await mockEngine({
            preview: true,
            creation: (name) => (name === "machine" ? new Promise((resolve) => setTimeout(resolve, 500)) : undefined),
        });
        host({ dependsOn: new Machine("machine") });
        await new Promise((resolve) => setTimeout(resolve, 50));
        assert.equal(hosts.asked.length, 1);
        await settled();
    });
});
