import assert from "node:assert/strict";
import { describeLab, withLab } from "../support/lab";
import { activations } from "./transaction/activations";
import { BalancerHost } from "./transaction/balancerHost";
import { hostConditions } from "./transaction/hostConditions";
import { lastGood } from "./transaction/lastGood";
import { refusals } from "./transaction/refusals";
import { restores } from "./transaction/restores";

describeLab("a transaction of haproxy", () => {
    const lab = withLab([
        { name: "lb1", image: "bare" },
        { name: "app1", image: "app", tags: ["one::app"] },
        { name: "app2", image: "app", tags: ["two::app"] },
    ]);
    const balancer = () => new BalancerHost(lab());

    it("installs a bare host, and then recognizes its own configuration", async () => {
        const { text } = await balancer().declare().preview();
        assert.match(text, /start: first installation; no daemon has checked these files yet/);
        await balancer().converge();
        assert.equal(await balancer().answer(), "app1");
        assert.equal((await balancer().declare().preview()).text, "");
    });

    describe("refused", () => refusals(balancer));
    describe("restored", () => restores(balancer));
    describe("last good", () => lastGood(balancer));
    describe("activated", () => activations(balancer));
    describe("with other processes, addresses and settings", () => hostConditions(balancer));
});
