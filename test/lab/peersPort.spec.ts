import assert from "node:assert/strict";
import { fromServices } from "../../components/haproxy/services/compile";
import { haproxy } from "../../components/recipes/haproxy/index";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";
import { repair } from "./transaction/faults";
import { LoadBalancerHost, squat } from "./transaction/loadBalancerHost";

// What the tables do in a reload is tested on all releases in test/golden/tables.spec.ts.
describeLab("the local port over which a reload hands tables over", () => {
    const lab = withLab([{ name: "lb1", image: "haproxy" }]);
    const loadBalancer = () => new LoadBalancerHost(lab());

    /** A service with a table of its clients. */
    function declare(peersPort?: false): Convergence {
        const settings = { version: "2.6", maxconn: 1000, ...(peersPort === false && { peersPort }) };
        const servers = [{ name: "app1", address: "192.0.2.1", check: false as const }];
        const config = fromServices(settings, [
            { name: "web", port: 80, default: true, persistence: { by: "address" }, servers },
        ]);
        return new Convergence(sshTargetOf(lab(), loadBalancer().host), haproxy(config));
    }

    async function converge(declared: Convergence): Promise<void> {
        const { code, stderr } = await declared.up();
        assert.equal(code, 0, stderr);
        assert.equal((await declared.preview()).text, "");
    }

    it("may be off; a preview reports if another process has it", async () => {
        await converge(declare(false));
        await until(
            "old workers have ended",
            async () => !/# old workers/.test(await loadBalancer().master("show proc")),
        );
        await loadBalancer().shell(squat("127.0.0.1:8406"));
        try {
            const { refused, text } = await declare().preview();
            assert.ok(refused, text);
            assert.match(text, /port 8406 is taken by systemd-socket-/);
        } finally {
            await loadBalancer().shell(repair);
        }
        await converge(declare());
    });
});
