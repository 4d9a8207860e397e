import assert from "node:assert/strict";
import { diagnostics, type Fleet, NOTHING, UP } from "./fleet";

/** What stops a roll, and what an up after that does. Each test begins and ends with three hosts that are as declared. */
export function failures(fleet: () => Fleet): void {
    const lb1 = () => fleet().hosts[0];
    const lb2 = () => fleet().hosts[1];
    let marks = 0;
    /** Declares something that all hosts lack. */
    const declareMore = (changes: object = {}): string => {
        const mark = `failing${++marks}`;
        fleet().declare({ mark, ...changes });
        return mark;
    };
    const LEFT = "edge: edge-lb1 failed, so edge-lb2, edge-lb3 were not changed; correct the cause, then run up again";

    it("leaves the other hosts alone if the converge of the first one fails", async () => {
        const before = await fleet().traces();
        const repair = await fleet().breakReloads(lb1());
        declareMore();
        const text = await fleet().fail(...UP);
        await repair();
        assert.equal(diagnostics(text).split(`error: ${LEFT}`).length, 2, text);
        assert.match(text, /error: edge-lb1: transaction\[haproxy\] failed: the daemon refused/);
        assert.deepEqual((await fleet().traces()).slice(1), before.slice(1));
    });

    it("leaves them alone if its gate fails, even if the engine goes on after errors", async () => {
        const before = await fleet().traces();
        declareMore({ port: NOTHING });
        const { code, text } = await fleet().run(UP, { env: { PULUMI_CONTINUE_ON_ERROR: "true" } });
        assert.notEqual(code, 0, text);
        assert.equal(diagnostics(text).split(`error: ${LEFT}`).length, 2, text);
        assert.match(text, /error: edge-lb1: .*backend app has no server up/);
        assert.deepEqual((await fleet().traces()).slice(1), before.slice(1));
    });

    it("says in a preview how far a roll has come that has stopped, and the next up finishes it", async () => {
        const mark = declareMore();
        const repair = await fleet().breakReloads(lb2());
        const text = await fleet().fail(...UP);
        await repair();
        assert.match(text, /edge: edge-lb2 failed, so edge-lb3 was not changed; correct the cause/);
        const [first, ...others] = await fleet().marks();
        assert.equal(first, mark);
        assert.ok(!others.includes(mark));
        const preview = await fleet().succeed("preview");
        assert.match(
            preview.text,
            /edge: 1 of 3 hosts has the new configuration; an up changes edge-lb2, then edge-lb3, and stops if one fails/,
        );
        assert.doesNotMatch(preview.text, /edge-lb1-converge update/);
        const before = await fleet().traces();
        await fleet().succeed(...UP);
        assert.equal((await fleet().traces())[0], before[0]);
        assert.deepEqual(await fleet().marks(), [mark, mark, mark]);
    });

    describe("if a host refuses what is declared", () => {
        let before: string[];
        const owner = "/var/lib/haproxy-fleet/owner";
        const more = `new remote.Command("after", {
            connection: { host: "127.0.0.1", user: "nobody", password: "none" }, create: "true",
        }, { dependsOn: fleet });`;
        beforeEach(async () => {
            before = await fleet().traces();
            await lb1().exec(`cp ${owner} /run/owner; sed -i 1s,.*,other/dev/lb1, ${owner}`);
            fleet().declare({ mark: `refused${++marks}` }, { more });
        });
        afterEach(() => lb1().exec(`mv /run/owner ${owner}`));

        it("shows the others in a preview that fails", async () => {
            const text = await fleet().fail("preview");
            assert.match(text, /error: edge-lb1 is converged by other\/dev\/lb1, not by probe\/dev\/edge-lb1/);
            assert.match(text, /edge-lb2, edge-lb3 differ in 1 resource: declared anew; an up would converge them/);
            assert.match(text, /edge-lb2-converge update/);
            assert.match(text, /\+ +.*after create/);
            assert.doesNotMatch(text, /an up changes/);
        });

        it("changes nothing anywhere in an up, and ends", async () => {
            const text = await fleet().fail(...UP);
            assert.match(
                text,
                /edge-lb2, edge-lb3: nothing was changed, because edge-lb1 refuses what is declared; correct that, then run up again/,
            );
            assert.deepEqual(await fleet().traces(), before);
            assert.match(text, /status *: \{/, "the outputs of the stack");
        });
    });
}
