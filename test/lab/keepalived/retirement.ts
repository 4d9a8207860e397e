import assert from "node:assert/strict";
import type { PairOfHosts } from "./pairOfHosts";

/** A host that leaves the pair. */
export function retirement(pair: () => PairOfHosts): void {
    it("of keepalived on the MASTER lets the peer have the address, and leaves nothing", async () => {
        await pair().make("lb1");
        const convergence = pair().declare("lb1");
        const isKeepalived = (resource: (typeof convergence.resources)[number]) =>
            !JSON.stringify(resource).includes("keepalived") && !JSON.stringify(resource).includes("libexec");
        convergence.resources = convergence.resources.filter(isKeepalived);
        const { code, stderr } = await convergence.up();
        assert.equal(code, 0, stderr);
        assert.deepEqual(await pair().owners(), ["lb2"]);
        const left =
            "find /etc/keepalived /usr/local/libexec /etc/systemd/system/keepalived.service.d -type f 2>/dev/null";
        assert.equal(
            await pair().shell(
                "lb1",
                `systemctl is-active keepalived; systemctl is-enabled keepalived; ${left} | grep -v sample`,
            ),
            "inactive\ndisabled",
        );
        assert.equal((await convergence.preview()).text, "");
    });
}
