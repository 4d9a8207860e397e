import assert from "node:assert/strict";
import { join } from "node:path";
import { sleep } from "../../../lab/machine/exec";
import { until } from "../../support/traffic";
import { type Fleet, UP } from "./fleet";

/** Rolls that end before all hosts have changed, and plans of rolls. */
export function interrupted(fleet: () => Fleet): void {
    it("ends after the host that changes on ^C, and the next up goes on from there", async () => {
        fleet().declare({ mark: "interrupted" });
        const before = await fleet().traces();
        let interrupt = () => {};
        const { code, text } = await fleet().upWhileHeld(
            fleet().hosts[0],
            async (output) => {
                await until("the first host waits", () =>
                    output().includes("waiting: another converge holds this host"),
                );
                interrupt();
                await sleep(1500);
            },
            {
                onStart: (stop) => {
                    interrupt = stop;
                },
            },
        );
        assert.notEqual(code, 0, text);
        const [mark, ...others] = await fleet().marks();
        assert.equal(mark, "interrupted", text);
        assert.ok(!others.includes("interrupted"));
        const [changed, ...left] = await fleet().traces();
        assert.deepEqual(left, before.slice(1));
        await fleet().succeed(...UP);
        assert.equal((await fleet().traces())[0], changed);
        assert.deepEqual(await fleet().marks(), ["interrupted", "interrupted", "interrupted"]);
    });

    it("follows a saved plan", async () => {
        const plan = join(fleet().project.directory, "plan.json");
        fleet().declare({ mark: "planned" });
        await fleet().succeed("preview", "--save-plan", plan);
        await fleet().succeed(...UP, "--plan", plan);
        assert.deepEqual(await fleet().marks(), ["planned", "planned", "planned"]);
    });
}
