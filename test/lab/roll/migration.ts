import assert from "node:assert/strict";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "../../../lab/lab";
import { repo } from "../../../toolchain/environment.mjs";
import { Program } from "../../support/program";
import { restartTraces } from "../../support/smallLoadBalancer";

/** index.ts before there were fleets: one component for each host. */
const WITHOUT_FLEETS = `
    import * as pulumi from "@pulumi/pulumi";
    import { LoadBalancer } from "./components";
    import { compose } from "./program/compose";
    import { loadStack } from "./program/load";
    const config = { get: () => undefined, hasSecret: () => true };
    for (const { hosts, args: { roll: _, ...args } } of compose(loadStack(pulumi.getStack(), config), () => true).fleets)
        for (const { name, login, node, privateKey } of hosts)
            new LoadBalancer(name, { ...args, connection: { ...login, ...node, privateKey: pulumi.secret(privateKey) } });`;

/** What becomes of a stack of this repository from before there were fleets. */
export function migration(lab: () => Lab): void {
    it("takes the state and the host of a stack that had no fleet, and changes a record only", async () => {
        const host = lab().host("lb1");
        await host.exec("rm -r /var/lib/haproxy-fleet");
        // Its index.ts is replaced.
        const program = new Program(lab(), "test", true);
        try {
            const [lb1] = program.labNodes().filter(({ name }) => name === "lb1");
            program.nodes([{ ...lb1, runList: ["haproxy::lb"] }]);
            const servers = [{ name: "app1", address: "192.0.2.21" }];
            program.stack({ services: [{ name: "web", default: true, port: 80, servers }], stats: undefined });
            await program.init();
            writeFileSync(join(program.directory, "index.ts"), WITHOUT_FLEETS);
            await program.up("--skip-preview");
            const before = await restartTraces(host);
            copyFileSync(join(repo, "index.ts"), join(program.directory, "index.ts"));
            const text = await program.up();
            assert.match(text, /owner: recorded as haproxy-fleet\/test\/lb1, would be haproxy-fleet\/test\/\w+-lb1/);
            assert.match(text, /would converge it, with no reload/);
            assert.match(text, /lb1-converge updated /);
            assert.doesNotMatch(text, /lb1-converge (creat|delet|replac)/);
            assert.equal(await restartTraces(host), before);
            await program.nothingToDo();
        } finally {
            program.remove();
        }
    });
}
