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
        assert.equal(
            await pair().shell(
                "lb1",
                "systemctl is-active keepalived; systemctl is-enabled keepalived; ls -A /etc/keepalived /usr/local/libexec /etc/systemd/system/keepalived.service.d 2>/dev/null | grep -v sample",
            ),
            "inactive\ndisabled\n/etc/keepalived:\n\n/usr/local/libexec:",
        );
        assert.equal((await convergence.preview()).text, "");
    });
}
