import assert from "node:assert/strict";
import type { Host } from "../../lab/host";
import { Convergence } from "../support/converge";
import { echod, heard } from "../support/echod";
import { describeLab, withLab } from "../support/lab";
import { restartTraces, smallLoadBalancer } from "../support/smallLoadBalancer";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";
import { ASK_MASTER } from "./transaction/loadBalancerHost";

describeLab("idempotence", () => {
    const lab = withLab([{ name: "lb1", image: "haproxy" }]);
    let host: Host;
    let convergence: Convergence;

    before("a converged host", async () => {
        host = lab().host("lb1");
        convergence = new Convergence(sshTargetOf(lab(), host), [...smallLoadBalancer(), ...echod("one\n")]);
        const { code, stderr } = await convergence.up();
        assert.equal(code, 0, stderr);
    });

    /** Neither a preview nor a forced run finds anything to do, and nothing on the host changes. */
    async function nothingToDo() {
        // For systemd a start or reload is done when the master is ready.
        const digest = async () => (await host.exec(`${ASK_MASTER} '@1 get var proc.cfg'`)).stdout;
        await until("the new worker answers", async () => (await digest()).includes("value=<"));
        const before = [await restartTraces(host), await heard(host)];
        assert.equal((await convergence.preview()).text, "");
        const { code, stdout, stderr } = await convergence.again();
        assert.equal(code, 0, stderr);
        assert.match(stdout, /nothing to do/);
        assert.doesNotMatch(stderr, /haproxy|echod/);
        assert.equal((await convergence.preview()).text, "");
        assert.deepEqual([await restartTraces(host), await heard(host)], before);
    }

    it("the second run changes nothing and reloads nothing, and the third preview is empty", nothingToDo);

    it("there is nothing to do after a manual restart of the daemons", async () => {
        const before = await restartTraces(host);
        // Within one second of the files' time, it is unknown what the process has read.
        await host.exec("sleep 1.1; systemctl restart haproxy echod; systemctl is-active --wait haproxy echod");
        assert.notEqual(await restartTraces(host), before);
        await nothingToDo();
    });

    it("there is nothing to do after a package upgrade that reloads", async () => {
        const before = await restartTraces(host);
        await host.exec("DEBIAN_FRONTEND=noninteractive apt-get -qq install --reinstall -y haproxy");
        await until("the package's script has reloaded", async () => (await restartTraces(host)) !== before);
        await nothingToDo();
    });

    it("there is nothing to do after a reboot", async () => {
        await host.reboot();
        await host.exec("systemctl is-system-running --wait");
        await nothingToDo();
    });
});
