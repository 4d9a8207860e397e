import assert from "node:assert/strict";
import type { StatusReport } from "../../../cli/status/json";
import type { Lab } from "../../../lab/lab";
import type { Program } from "../../support/program";
import { until } from "../../support/traffic";
import { askSocket } from "../transaction/loadBalancerHost";
import { runStatus } from "./command";

/** lb1 and lb2 become a pair, with what a stack has declared before. */
export function pairs(lab: () => Lab, program: () => Program, declared: () => Parameters<Program["stack"]>[0]): void {
    const ADDRESS = 100;
    const status = (...args: string[]) => runStatus(program(), args);

    /** What each host does, the reasons of all, and the exit status. */
    async function found() {
        const { code, stdout } = await status("--json");
        const { hosts } = JSON.parse(stdout) as StatusReport;
        return {
            code,
            roles: hosts.map(({ pair }) => `${pair?.role} ${pair?.holds}`),
            kinds: hosts.flatMap(({ host, reasons }) => reasons.map(({ level, kind }) => `${host} ${level} ${kind}`)),
        };
    }
    const NAMES = ["lb1", "lb2"];
    /** The hosts that say themselves that they are MASTER: asking them is quicker than a status. */
    async function masters(): Promise<string[]> {
        const state = "/usr/local/libexec/haproxy-fleet/pair state";
        const states = await Promise.all(NAMES.map((name) => lab().host(name).exec(state)));
        return NAMES.filter((_, n) => states[n]?.stdout.startsWith("MASTER\tall"));
    }
    const isHealthy = () => until("the pair is healthy", async () => (await status()).code === 0);

    before(async () => {
        program().nodes(
            program()
                .labNodes()
                .filter(({ name }) => name !== "lb3"),
        );
        program().stack({
            ...declared(),
            pair: { failback: "never", addresses: [`${lab().address(ADDRESS)}/24`], routerId: 16 },
        });
        await program().up("--skip-preview");
        // What the tests before have left.
        await lab()
            .host("lb2")
            .exec(`${askSocket("/run/haproxy/admin.sock")} 'set server shop/app2 state ready'`);
        await isHealthy();
    });

    it("says which host of a healthy pair is MASTER and has the service address", async () => {
        const { code, stdout } = await status();
        assert.equal(code, 0);
        const [headline, , titles, ...rows] = stdout.trimEnd().split("\n");
        assert.equal(headline, "stack test: 2 load balancers, 2 healthy");
        assert.match(titles ?? "", /^HOST +HAPROXY +ROLE +DRIFT /);
        const cells = rows.map((row) => row.split(/ {2,}/)[2]);
        assert.deepEqual(cells.sort(), ["BACKUP", `MASTER, ${lab().address(ADDRESS)}`]);
    });

    it("fails both hosts while VRRP is blocked in both directions, because both are MASTER, and neither afterwards", async () => {
        const both = NAMES.map((name) => lab().host(name));
        const cut =
            "add table inet cut; add chain inet cut in { type filter hook input priority 0; }; add rule inet cut in ip protocol 112 drop";
        await Promise.all(both.map((host) => host.exec(`nft '${cut}'`)));
        await until("both are MASTER", async () => (await masters()).length === 2);
        const { code, roles, kinds } = await found();
        assert.equal(code, 1);
        assert.deepEqual(roles, ["MASTER all", "MASTER all"]);
        assert.deepEqual(kinds, ["edge-lb1 failing both-master", "edge-lb2 failing both-master"]);
        await Promise.all(both.map((host) => host.exec("nft delete table inet cut")));
        await until("one is MASTER", async () => (await masters()).length === 1);
        await isHealthy();
    });

    it("says that a host could not take over whose keepalived was stopped, and that the other one has the address", async () => {
        const [stopped = ""] = await masters();
        const [other] = NAMES.filter((name) => name !== stopped);
        await lab().host(stopped).exec("systemctl stop keepalived");
        await until("the other one has the address", async () => (await masters()).join() === other);
        const { code, roles, kinds } = await found();
        assert.equal(code, 2);
        assert.deepEqual(roles.sort(), ["MASTER all", "STOPPED none"]);
        assert.deepEqual(kinds, [`edge-${stopped} attention no-backup`, `edge-${stopped} attention drift`]);
        await lab().host(stopped).exec("systemctl start keepalived");
        await isHealthy();
    });
}
