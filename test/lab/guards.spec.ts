import assert from "node:assert/strict";
import type { Backend, HaproxyConfig, Server } from "../../components/haproxy/model";
import { haproxy } from "../../components/recipes/haproxy/index";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { LoadBalancerHost } from "./transaction/loadBalancerHost";

/** Servers that never get a request, since the frontend answers itself. */
const servers = (...names: string[]): Server[] =>
    names.map((name) => ({ name, address: "192.0.2.21", port: 80, check: false }));
const backups = (...names: string[]): Server[] => servers(...names).map((server) => ({ ...server, backup: true }));

describeLab("guards on search results", () => {
    const lab = withLab([{ name: "lb1", image: "bare" }]);
    const loadBalancer = () => new LoadBalancerHost(lab());

    function declare(backends: Backend[], allowShrink = false): Convergence {
        const config: HaproxyConfig = {
            version: "2.6",
            global: { maxconn: 1000 },
            frontends: [
                {
                    name: "web",
                    binds: [{ port: 80 }],
                    raw: ["http-request return status 200"],
                    useBackends: backends.map(({ name }) => ({ backend: name, if: [`{ path /${name} }`] })),
                },
            ],
            backends,
        };
        return new Convergence(sshTargetOf(lab(), loadBalancer().host), haproxy(config, { allowShrink }));
    }

    async function accept(backends: Backend[], allowShrink = false): Promise<void> {
        const { text, refused } = await declare(backends, allowShrink).preview();
        assert.equal(refused, false, text);
        const { code, stderr } = await declare(backends, allowShrink).up();
        assert.equal(code, 0, stderr);
    }

    /** Expects a preview and an up to refuse in the same words and to change nothing. */
    async function refuse(backends: Backend[], ...words: string[]): Promise<void> {
        const before = await loadBalancer().state();
        const { text, refused } = await declare(backends).preview();
        assert.ok(refused, text);
        const { code, stderr } = await declare(backends).up();
        assert.equal(code, 1, stderr);
        for (const said of [text, stderr]) {
            for (const word of words) assert.ok(said.includes(word), `${word} in:\n${said}`);
        }
        assert.equal(await loadBalancer().state(), before);
    }

    const guarded = (list: Server[]): Backend => ({
        name: "app",
        servers: list,
        minServers: 2,
        maxShrinkPercent: 50,
    });
    const five = ["a1", "a2", "a3", "a4", "a5"];

    it("refuse fewer servers than minServers on a bare host, in a preview", async () => {
        const { text, refused } = await declare([guarded(servers("a1"))]).preview();
        assert.ok(refused, text);
        assert.match(
            text,
            /backend app would have 1 server, now it has 0: minServers is 2\n.*now: none\n.*declared: a1\n/,
        );
    });

    it("accept any number in a first installation", () => accept([guarded(servers(...five))]));

    it("refuse a shrink, with both lists", () =>
        refuse(
            [guarded(servers("a1", "a4"))],
            "backend app would have 2 servers, now it has 5: a shrink by 60 %, maxShrinkPercent is 50",
            "now: a1 a2 a3 a4 a5",
            "declared: a1 a4",
            "allow it once: npm run pulumi -- up --config allowShrink=true (in a program of your own: allowShrink: true)",
        ));

    it("compare with the running process, not with its file", async () => {
        await loadBalancer().shell("sed -i '/server a[2-5]/d' /etc/haproxy/haproxy.cfg");
        await refuse([guarded(servers("a1", "a4"))], "now: a1 a2 a3 a4 a5");
    });

    it("compare with the file if nothing runs", async () => {
        await accept([guarded(servers(...five))]);
        await loadBalancer().shell("systemctl stop haproxy");
        await refuse([guarded(servers("a1", "a4"))], "now: a1 a2 a3 a4 a5", "declared: a1 a4");
        await accept([guarded(servers(...five))]);
    });

    it("accept a replacement of servers", () => accept([guarded(servers("b1", "b2", "b3", "b4", "b5"))]));

    it("accept a shrink within the limit", () => accept([guarded(servers("b1", "b2", "b3"))]));

    it("count backup servers separately", async () => {
        await accept([guarded([...servers("b1", "b2", "b3"), ...backups("c1", "c2", "c3")])]);
        await refuse(
            [guarded([...servers("b1", "b2", "b3"), ...backups("c1")])],
            "backend app would have 1 backup server, now it has 3: a shrink by 66 %",
            "now: c1 c2 c3",
        );
        await refuse(
            [guarded([...servers("b1"), ...backups("c1", "c2", "c3")])],
            "backend app would have 1 server, now it has 3: minServers is 2",
        );
    });

    it("accept that backups become servers, and that a service has no backups any more", async () => {
        const app = guarded([...servers("b1", "b2", "b3"), ...backups("c1", "c2", "c3")]);
        await accept([app]);
        await accept([guarded(servers("b1", "b2", "b3", "c1", "c2", "c3"))]);
        await accept([app], true);
        await refuse([guarded(servers("b1", "b2", "b3"))], "would have 0 backup servers, now it has 3");
        await accept([{ ...guarded(servers("b1", "b2", "b3")), backups: false }]);
        await accept([app], true);
    });

    it("judge each backend, except new and removed ones", async () => {
        const other: Backend = { name: "other", servers: servers("o1", "o2", "o3"), maxShrinkPercent: 0 };
        const app = guarded([...servers("b1", "b2", "b3"), ...backups("c1", "c2", "c3")]);
        await accept([app, other]);
        await refuse([app, { ...other, servers: servers("o1", "o2") }], "backend other would have 2 servers");
        await accept([app]);
        await accept([{ ...app, name: "renamed" }]);
    });

    it("are off with allowShrink, of which the host says whether it needs it", async () => {
        const one = { ...guarded(servers("b1")), name: "renamed" };
        const needed = async (allowShrink: boolean) =>
            (await declare([one], allowShrink).whyRun()).settings.filter(({ name }) => name === "allowShrink");
        await refuse([one], "minServers is 2");
        assert.deepEqual(await needed(false), []);
        assert.deepEqual(await needed(true), [{ name: "allowShrink", needed: true }]);
        await accept([one], true);
        assert.deepEqual(await needed(true), [{ name: "allowShrink", needed: false }]);
        assert.equal((await declare([one]).preview()).text, "");
        const { code, stderr } = await declare([one]).up();
        assert.equal(code, 0, stderr);
        // A change that no guard is about.
        const more = { ...one, servers: servers("b1", "b2") };
        assert.deepEqual((await declare([more], true).whyRun()).settings, [{ name: "allowShrink", needed: false }]);
    });
});
