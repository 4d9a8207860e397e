import assert from "node:assert/strict";
import type { HaproxyConfig } from "../../components/haproxy/model";
import { haproxy } from "../../components/recipes/haproxy/index";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { ask } from "../support/traffic";

describeLab("a configuration of 500 backends with 10 servers each", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy" },
        { name: "app1", image: "app" },
        { name: "app2", image: "app" },
    ]);

    /** Every backend has this app server ten times. `/N` leads to backend N. */
    function config(app: "app1" | "app2"): HaproxyConfig {
        const { address } = lab().host(app);
        // 2500 checks per second would test nginx.
        const servers = Array.from({ length: 10 }, (_, n) => ({ name: `s${n}`, address, port: 80, check: false }));
        return {
            version: "2.6",
            // A lab host cannot have more than 20000 file descriptors.
            global: { maxconn: 1000 },
            frontends: [
                {
                    name: "http",
                    binds: [{ port: 80 }],
                    useBackends: Array.from({ length: 500 }, (_, n) => ({ backend: `b${n}`, if: [`{ path /${n} }`] })),
                },
            ],
            backends: Array.from({ length: 500 }, (_, n) => ({ name: `b${n}`, servers })),
        };
    }
    const declare = (app: "app1" | "app2") =>
        new Convergence(sshTargetOf(lab(), lab().host("lb1")), haproxy(config(app)));
    const answers = async () =>
        Promise.all([0, 250, 499].map(async (n) => (await ask(lab().host("lb1").address, `/${n}`)).app));

    it("is converged, previewed and proven like a small one", async () => {
        const first = await declare("app1").up();
        assert.equal(first.code, 0, first.stderr);
        assert.deepEqual(await answers(), ["app1", "app1", "app1"]);
        assert.equal((await declare("app1").preview()).text, "");

        const { text } = await declare("app2").preview();
        assert.match(text, /an up would converge it and reload/);
        assert.match(text, /more than 2000 lines differ/);
        const second = await declare("app2").up();
        assert.equal(second.code, 0, second.stderr);
        assert.match(second.stderr, /reload \(no connection is lost\)/);
        assert.deepEqual(await answers(), ["app2", "app2", "app2"]);
    });
});
