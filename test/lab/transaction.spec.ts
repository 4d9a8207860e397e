import assert from "node:assert/strict";
import { describeLab, withLab } from "../support/lab";
import { activations } from "./transaction/activations";
import { hostConditions } from "./transaction/hostConditions";
import { lastGood } from "./transaction/lastGood";
import { LoadBalancerHost } from "./transaction/loadBalancerHost";
import { refusals } from "./transaction/refusals";
import { restores } from "./transaction/restores";

describeLab("a transaction of haproxy", () => {
    const lab = withLab([
        { name: "lb1", image: "bare" },
        { name: "app1", image: "app", tags: ["one::app"] },
        { name: "app2", image: "app", tags: ["two::app"] },
    ]);
    const loadBalancer = () => new LoadBalancerHost(lab());

    it("installs a bare host, and then recognizes its own configuration", async () => {
        const { text } = await loadBalancer().declare().preview();
        assert.match(text, /start: first installation; no daemon has checked these files yet/);
        await loadBalancer().converge();
        assert.equal(await loadBalancer().answer(), "app1");
        assert.equal((await loadBalancer().declare().preview()).text, "");
    });

    describe("refused", () => refusals(loadBalancer));
    describe("restored", () => restores(loadBalancer));
    describe("last good", () => lastGood(loadBalancer));
    describe("activated", () => activations(loadBalancer));
    describe("with other processes, addresses and settings", () => hostConditions(loadBalancer));
});
