import assert from "node:assert/strict";
import { watchPage } from "../../support/outage";
import { until } from "../../support/traffic";
import { bothLoads } from "../transaction/load";
import { answersWith, type Fleet, markOf, NAMES } from "./fleet";

/** In which order the hosts of a fleet change. */
export function order(fleet: () => Fleet): void {
    const first = () => fleet().hosts[0];
    const others = () => fleet().hosts.slice(1);

    it("converges hosts that were never converged at once", async () => {
        const opts = `{
            protect: true,
            transforms: [
                ({ type, props, opts: own }) =>
                    type === "command:remote:Command" ? { props, opts: { ...own, customTimeouts: { update: "59m" } } } : undefined,
            ],
        }`;
        fleet().declare({ mark: "first" }, { opts });
        const { code, text } = await fleet().upWhileHeld(first(), async () => {
            await Promise.all(others().map((host) => answersWith(host, "first")));
            assert.equal(await markOf(first()), "none");
        });
        assert.equal(code, 0, text);
        assert.deepEqual(await fleet().marks(), ["first", "first", "first"]);
        assert.doesNotMatch(text, /then edge-/);
    });

    it("passes protect and transforms on to the commands of its hosts", async () => {
        const { deployment } = JSON.parse(await fleet().project.succeed("stack", "export")) as {
            deployment: { resources: { type: string; protect?: boolean; customTimeouts?: { update: number } }[] };
        };
        const commands = deployment.resources.filter(({ type }) => type === "command:remote:Command");
        assert.deepEqual(
            commands.map(({ protect, customTimeouts }) => [protect, customTimeouts?.update]),
            NAMES.map(() => [true, 3540]),
        );
    });

    it("asks all hosts, then changes one after the other, each for as long as it bakes, and loses no request", async () => {
        fleet().declare({ mark: "second", bake: "3s" });
        const load = await bothLoads(`http://${first().address}/`);
        const watches = others().map(({ address }) => watchPage(address));
        const up = await fleet().run(["up", "--yes"]);
        const { refused, socketErrors } = await load.stop();
        await Promise.all(watches.map((watch) => watch.stop()));
        assert.equal(up.code, 0, up.text);
        assert.deepEqual(await fleet().marks(), ["second", "second", "second"]);
        assert.deepEqual([refused, socketErrors, ...watches.map(({ failed }) => failed)], [0, 0, 0, 0]);
        const order = "edge: an up changes edge-lb1, then edge-lb2, then edge-lb3, and stops if one fails";
        assert.ok(up.text.includes(order), up.text);
        const times = await fleet().times(up);
        const shown = JSON.stringify(times);
        for (const [n, { asked, changed, ended }] of times.entries()) {
            assert.ok(asked > 0 && asked < (times[0]?.changed ?? 0), shown);
            // The host counts whole seconds.
            assert.ok(ended - changed >= 2, shown);
            assert.ok(changed >= (times[n - 1]?.ended ?? 0), shown);
        }
    });

    it("repairs drift on all hosts at once", async () => {
        await Promise.all(fleet().hosts.map((host) => host.exec("echo '# edited' >>/etc/haproxy/haproxy.cfg")));
        const edited = async (host = first()) =>
            (await host.exec("grep -c edited /etc/haproxy/haproxy.cfg || :")).stdout.trim() === "1";
        const { code, text } = await fleet().upWhileHeld(first(), async () => {
            for (const host of others()) await until("the file is repaired", async () => !(await edited(host)));
            assert.equal(await edited(), true);
        });
        assert.equal(code, 0, text);
        assert.equal(await edited(), false);
        const left = await fleet().succeed("preview", "--expect-no-changes");
        assert.doesNotMatch(left.text, /an up changes/);
    });

    it("changes all hosts at once if that is declared", async () => {
        fleet().declare({ mark: "third", roll: "allAtOnce" });
        const { code, text } = await fleet().upWhileHeld(first(), async () => {
            await Promise.all(others().map((host) => answersWith(host, "third")));
            assert.equal(await markOf(first()), "second");
        });
        assert.equal(code, 0, text);
    });
}
