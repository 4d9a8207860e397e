import assert from "node:assert/strict";
import { fromServices } from "../../components/haproxy/services/compile";
import { haproxy } from "../../components/recipes/haproxy/index";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";
import { BalancerHost, squat } from "./transaction/balancerHost";
import { repair } from "./transaction/faults";

describeLab("persistence by address", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy" },
        ...["app1", "app2", "app3"].map((name) => ({ name, image: "app" as const })),
    ]);
    const balancer = () => new BalancerHost(lab());

    /** A service that keeps clients on servers by their addresses and limits each to 5 requests. */
    function declare(servers: readonly string[], peersPort?: false): Convergence {
        const settings = { version: "2.6", maxconn: 1000, ...(peersPort === false && { peersPort }) };
        const config = fromServices(settings, [
            {
                name: "web",
                port: 80,
                default: true,
                persistence: { by: "address" },
                rateLimit: { count: 5, seconds: 600 },
                servers: servers.map((name) => ({ name, address: lab().host(name).address })),
            },
        ]);
        return new Convergence(sshTargetOf(lab(), balancer().host), haproxy(config));
    }

    async function converge(declared: Convergence): Promise<void> {
        const { code, stderr } = await declared.up();
        assert.equal(code, 0, stderr);
        assert.equal((await declared.preview()).text, "");
    }

    /** The answers to clients at these addresses, in order: the name of a server, or "limited". */
    const ask = async (...clients: readonly number[]) => {
        const asking = clients.map(
            (n) => `curl -sS -m 60 -w '%{http_code}\n' --interface 127.0.0.${n} http://127.0.0.1/ | xargs`,
        );
        const { stdout } = await balancer().host.exec(asking.join("\n"));
        return stdout
            .trim()
            .split("\n")
            .map((line) => (line.endsWith("429") ? "limited" : line.split(" ")[0]));
    };

    const oldWorkerEnded = () =>
        until("the old worker has ended", async () => !/# old workers/.test(await balancer().master("show proc")));

    it("outlives the reload for a new server, as limits do, and the old worker ends", async () => {
        await converge(declare(["app2", "app3"]));
        // A worker hands its tables over only after waiting 5 s for others at its start.
        await until("the worker expects no tables", async () =>
            /id=fleet .* flags=0x\w*3 /.test(await balancer().master("@1 show peers")),
        );
        const before = await ask(11, 12, 13, 14, 20, 20, 20, 20);
        assert.deepEqual([...new Set(before)].sort(), ["app2", "app3"]);
        await converge(declare(["app1", "app2", "app3"]));
        assert.deepEqual(await ask(11, 12, 13, 14, 20, 20, 20), [...before.slice(0, 5), "limited", "limited"]);
        await oldWorkerEnded();
    });

    it("needs its own port, and a preview reports if it is taken", async () => {
        await converge(declare(["app2"], false));
        // HAProxy itself has the port until then.
        await oldWorkerEnded();
        await balancer().shell(squat("127.0.0.1:8406"));
        try {
            const { refused, text } = await declare(["app2"]).preview();
            assert.ok(refused, text);
            assert.match(text, /port 8406 is taken by systemd-socket-/);
        } finally {
            await balancer().shell(repair);
        }
        await converge(declare(["app2"]));
    });
});
