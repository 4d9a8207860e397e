import assert from "node:assert/strict";
import { fromServices } from "../../components/haproxy/services/compile";
import { haproxy } from "../../components/recipes/haproxy/index";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { targetOf } from "../support/target";
import { until } from "../support/traffic";
import { repair } from "./transaction/faults";
import { Subject, squat } from "./transaction/subject";

describeLab("persistence by address", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy" },
        ...["app1", "app2", "app3"].map((name) => ({ name, image: "app" as const })),
    ]);
    const subject = () => new Subject(lab());

    /** A service that keeps clients on servers by their address, and lets each ask 5 times. */
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
        return new Convergence(targetOf(lab(), subject().host), haproxy(config));
    }

    async function converge(declared: Convergence): Promise<void> {
        const { code, stderr } = await declared.up();
        assert.equal(code, 0, stderr);
        assert.equal((await declared.preview()).text, "");
    }

    /** Who answers clients of these addresses, one after another: the name of a server, or "limited". */
    const ask = async (...clients: readonly number[]) => {
        const asking = clients.map(
            (n) => `curl -sS -m 60 -w '%{http_code}\n' --interface 127.0.0.${n} http://127.0.0.1/ | xargs`,
        );
        const { stdout } = await subject().host.exec(asking.join("\n"));
        return stdout
            .trim()
            .split("\n")
            .map((line) => (line.endsWith("429") ? "limited" : line.split(" ")[0]));
    };

    const oldWorkerEnded = () =>
        until("the old worker has ended", async () => !/# old workers/.test(await subject().master("show proc")));

    it("outlives the reload that a new server takes, as limits do, and the old worker ends", async () => {
        await converge(declare(["app2", "app3"]));
        // A worker gives its tables on once it expects none itself, 5 s after a start.
        await until("the worker expects no tables", async () =>
            /id=fleet .* flags=0x\w*3 /.test(await subject().master("@1 show peers")),
        );
        const before = await ask(11, 12, 13, 14, 20, 20, 20, 20);
        assert.deepEqual([...new Set(before)].sort(), ["app2", "app3"]);
        await converge(declare(["app1", "app2", "app3"]));
        assert.deepEqual(await ask(11, 12, 13, 14, 20, 20, 20), [...before.slice(0, 5), "limited", "limited"]);
        await oldWorkerEnded();
    });

    it("needs a port of its own, which a preview finds taken", async () => {
        await converge(declare(["app2"], false));
        // Until then it has the port itself.
        await oldWorkerEnded();
        await subject().shell(squat("127.0.0.1:8406"));
        try {
            const { refused, text } = await declare(["app2"]).preview();
            assert.ok(refused, text);
            assert.match(text, /port 8406 is taken by systemd-socket-/);
        } finally {
            await subject().shell(repair);
        }
        await converge(declare(["app2"]));
    });
});
