import assert from "node:assert/strict";
import type { Host } from "../../lab/host";
import { balancer, pulse } from "../support/balancer";
import { Convergence } from "../support/converge";
import { echod, heard } from "../support/echod";
import { describeLab, withLab } from "../support/lab";
import { targetOf } from "../support/target";
import { until } from "../support/traffic";
import { ASK_MASTER } from "./transaction/subject";

describeLab("idempotence", () => {
    const lab = withLab([{ name: "lb1", image: "haproxy" }]);
    let host: Host;
    let convergence: Convergence;

    before("a converged host", async () => {
        host = lab().host("lb1");
        convergence = new Convergence(targetOf(lab(), host), [...balancer(), ...echod("one\n")]);
        const { code, stderr } = await convergence.up();
        assert.equal(code, 0, stderr);
    });

    /** Neither a preview nor a run that is forced on the host finds anything to do, and nothing on it so much as twitches. */
    async function nothingToDo() {
        // systemd calls a start or a reload done when the master is ready.
        const digest = async () => (await host.exec(`${ASK_MASTER} '@1 get var proc.cfg'`)).stdout;
        await until("the new worker answers", async () => (await digest()).includes("value=<"));
        const before = [await pulse(host), await heard(host)];
        assert.equal((await convergence.preview()).text, "");
        // The very same payload would only be answered with the result of before.
        const { code, stdout, stderr } = await convergence.up((body) => `${body}# again\n`);
        assert.equal(code, 0, stderr);
        assert.match(stdout, /nothing to do/);
        assert.doesNotMatch(stderr, /haproxy|echod/);
        assert.equal((await convergence.preview()).text, "");
        assert.deepEqual([await pulse(host), await heard(host)], before);
    }

    it("the second run changes nothing and reloads nothing, and the third preview is empty", nothingToDo);

    it("nor after a restart of the daemons by hand", async () => {
        const before = await pulse(host);
        // Within the second of the files' own time nobody could tell what the process has read.
        await host.exec("sleep 1.1; systemctl restart haproxy echod; systemctl is-active --wait haproxy echod");
        assert.notEqual(await pulse(host), before);
        await nothingToDo();
    });

    it("nor after a package upgrade that reloads", async () => {
        const before = await pulse(host);
        await host.exec("DEBIAN_FRONTEND=noninteractive apt-get -qq install --reinstall -y haproxy");
        await until("the package's script has reloaded", async () => (await pulse(host)) !== before);
        await nothingToDo();
    });

    it("nor after a reboot", async () => {
        await host.reboot();
        await host.exec("systemctl is-system-running --wait");
        await nothingToDo();
    });
});
