import assert from "node:assert/strict";
import { type Fleet, UP } from "./fleet";

const COMMAND = "urn:pulumi:dev::probe::**::edge-lb2-converge";

/** What a host that cannot be asked means for the others. */
export function away(fleet: () => Fleet): void {
    const lb1 = () => fleet().hosts[0];
    const markOfOthers = async () => (await fleet().marks()).slice(1);

    it("rolls over the others if a host is dead, which fails alone", async () => {
        fleet().declare({ mark: "away1" });
        await lb1().cutCable();
        const text = await fleet()
            .fail(...UP)
            .finally(() => lb1().plugCable());
        assert.deepEqual(await markOfOthers(), ["away1", "away1"]);
        assert.match(text, /error: edge-lb1: \S+:22 (cannot be reached|did not answer)/);
        assert.match(text, /nothing was changed; see the error of edge-lb1/);
        assert.doesNotMatch(text, /were not changed/);
    });

    it("changes only the target of an up, even if another host cannot be asked, and the next up changes the others", async () => {
        const [first, second, third] = fleet().targets;
        const hosts = { lb1: { ...first, hostKey: second.hostKey }, lb2: second, lb3: third };
        fleet().declare({ mark: "away2" }, { hosts });
        const { text } = await fleet().succeed(...UP, "--target", COMMAND);
        assert.deepEqual(await markOfOthers(), ["away2", "away1"]);
        assert.match(text, /warning: edge-lb1: \S+:22 is not the pinned host/);
        assert.match(text, /\n {4}~ 1 updated/);
        fleet().declare({ mark: "away2" });
        await fleet().succeed(...UP);
        assert.deepEqual(await fleet().marks(), ["away2", "away2", "away2"]);
    });
}
