import assert from "node:assert/strict";
import type { HaproxyConfig, Server } from "../components/haproxy";
import { haproxy } from "../components/recipes/haproxy/index";
import type { Host } from "../lab/host";
import type { Lab } from "../lab/lab";
import { Convergence, redefine } from "../test/support/converge";
import { watchPage } from "../test/support/outage";
import { sshTargetOf } from "../test/support/sshTarget";
import { SwitchedServer } from "../test/support/switchedServer";
import { interleaved, median, s, type Verdict } from "./measure";

const ROUNDS = 7;
const WRONG_PORTS = 3;

/** An edit of a payload that leaves the gate out. */
const ungated = redefine("haproxy_baseline() { :; }\nhaproxy_gate() { :; }");

/** What states and the gate add to a reload, each on a host of its own, and how long a wrong port is felt. */
export async function gate(lab: Lab): Promise<Verdict[]> {
    const [plain, states, both] = lab.hosts as [Host, Host, Host];
    const app = await SwitchedServer.start("app", lab.gateway);
    const none = await SwitchedServer.start("none", lab.gateway);
    await none.become("refused");
    let turn = 0;

    /** A converge that reloads, because a header has another value. */
    async function up(host: Host, servers: Server[], serverStates: boolean, edit?: (body: string) => string) {
        const config: HaproxyConfig = {
            version: "2.6",
            global: { maxconn: 1000, serverStates },
            frontends: [{ name: "web", binds: [{ port: 80 }], defaultBackend: "app" }],
            backends: [
                {
                    name: "app",
                    httpchk: { uri: "/health" },
                    defaultServer: { inter: "1s" },
                    raw: [`http-response set-header X-Turn ${turn++}`],
                    servers,
                },
            ],
        };
        return new Convergence(sshTargetOf(lab, host), haproxy(config)).up(edit);
    }
    const servers = (count: number, { port } = app): Server[] =>
        Array.from({ length: count }, (_, n) => ({ name: `app${n}`, address: app.address, port }));
    async function reload(...args: Parameters<typeof up>): Promise<void> {
        const { code, stderr } = await up(...args);
        assert.equal(code, 0, stderr);
    }

    try {
        const few = servers(4);
        const time = await interleaved(ROUNDS, {
            plain: () => reload(plain, few, false, ungated),
            states: () => reload(states, few, true, ungated),
            both: () => reload(both, few, true),
        });
        const many = servers(500);
        const large = await interleaved(2, {
            plain: () => reload(plain, many, false, ungated),
            both: () => reload(both, many, true),
        });
        await reload(both, few, true);
        const outages: number[] = [];
        for (let round = 0; round < WRONG_PORTS; round++) {
            const watch = watchPage(both.address);
            const { code } = await up(both, servers(4, none), true);
            assert.equal(code, 1, "the gate passed a wrong port");
            outages.push(await watch.stop());
        }
        const added = (what: string, measured: number, against: number, target?: number): Verdict => ({
            what,
            measured: s(measured),
            against: `${s(against)} without`,
            result: measured - against,
            target,
            unit: "s",
        });
        return [
            added("an up that reloads, with server states", time.states, time.plain, 0.5),
            added("the same, with the gate, too (inter 1s)", time.both, time.plain, 1.5),
            added("the same with 500 servers", large.both, large.plain),
            {
                what: "no answer after a wrong port (inter 1s)",
                measured: s(median(outages)),
                against: "",
                result: median(outages),
                unit: "s",
            },
        ];
    } finally {
        app.stop();
        none.stop();
    }
}
