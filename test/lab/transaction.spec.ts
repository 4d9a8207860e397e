import assert from "node:assert/strict";
import { describeLab, withLab } from "../support/lab";
import { activations } from "./transaction/activations";
import { lastGood } from "./transaction/lastGood";
import { refusals } from "./transaction/refusals";
import { restores } from "./transaction/restores";
import { Subject } from "./transaction/subject";
import { surroundings } from "./transaction/surroundings";

describeLab("a transaction of haproxy", () => {
    const lab = withLab([
        { name: "lb1", image: "bare" },
        { name: "app1", image: "app", tags: ["one::app"] },
        { name: "app2", image: "app", tags: ["two::app"] },
    ]);
    const subject = () => new Subject(lab());

    it("installs a bare host, and then recognizes its own configuration", async () => {
        const { text } = await subject().declare().preview();
        assert.match(text, /start: first installation/);
        await subject().converge();
        assert.equal(await subject().answer(), "app1");
        assert.equal((await subject().declare().preview()).text, "");
    });

    describe("refused", () => refusals(subject));
    describe("restored", () => restores(subject));
    describe("last good", () => lastGood(subject));
    describe("activated", () => activations(subject));
    describe("with other processes, addresses and settings", () => surroundings(subject));
});
