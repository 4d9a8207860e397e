import assert from "node:assert/strict";
import type { Fleet } from "./fleet";

/** What a fleet's hosts keep when they are renamed. */
export function renames(fleet: () => Fleet): void {
    const COMMANDS = /^ *[+-]+ .*-converge .*$/m;
    const OWNER = "/var/lib/haproxy-fleet/owner";

    it("keeps hosts and their state if fleet and hosts are renamed with aliases, and changes a record only", async () => {
        const [first, second, third] = fleet().targets;
        const before = await fleet().traces();
        fleet().declare(
            { mark: "planned" },
            {
                name: "front",
                opts: '{ aliases: [{ name: "edge" }] }',
                hosts: { lb9: first, lb2: second, lb3: third },
                differences: { lb9: { aliases: [{ name: "edge-lb1" }] } },
            },
        );
        const { text } = await fleet().succeed("up", "--yes");
        assert.match(text, /owner: recorded as probe\/dev\/edge-lb1, would be probe\/dev\/front-lb9/);
        assert.match(text, /front-lb9 differs in 1 resource: declared anew; an up would converge it, with no reload/);
        assert.doesNotMatch(text, COMMANDS);
        assert.match(text, /\n {4}~ 3 updated/);
        assert.deepEqual(await fleet().traces(), before);
        const owners = await Promise.all(fleet().hosts.map((host) => host.exec(`head -n 1 ${OWNER}`)));
        assert.deepEqual(
            owners.map(({ stdout }) => stdout.trim()),
            ["probe/dev/front-lb9", "probe/dev/front-lb2", "probe/dev/front-lb3"],
        );
        await fleet().succeed("preview", "--expect-no-changes");
    });
}
