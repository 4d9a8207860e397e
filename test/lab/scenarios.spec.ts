// Common uses of load balancers: each is a stack's data, converged by the real CLI, with real traffic.
import assert from "node:assert/strict";
import type { Host } from "../../lab/host";
import { describeLab, withLab } from "../support/lab";
import { Program } from "../support/program";
import { ask, shares, until } from "../support/traffic";
import { askSocket } from "./transaction/loadBalancerHost";

/** A lab host cannot have more than 20000 file descriptors. */
const haproxy = { version: "2.6", maxconn: 1000 };
const quick = { inter: "500ms", fall: 3, rise: 2 };

describeLab("scenarios", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy", tags: ["haproxy::lb"] },
        { name: "lb2", image: "haproxy", tags: ["haproxy::lb"] },
        { name: "app1", image: "app", tags: ["shop::app", "clicks::app"] },
        { name: "app2", image: "app", tags: ["shop::app", "clicks::app"] },
        { name: "app3", image: "app", tags: ["docs::app"] },
    ]);
    let program: Program;
    let hosts: Host[];

    /** Converges a stack, then checks that nothing is left to do. */
    async function converge(stack: Parameters<Program["stack"]>[0]): Promise<void> {
        program.stack({ haproxy, stats: undefined, ...stack });
        await program.up("--skip-preview");
        await program.nothingToDo();
    }

    before(async () => {
        hosts = [lab().host("lb1"), lab().host("lb2")];
        program = new Program(lab(), "test", true); // Others run a bundle.
        await program.init();
        for (const name of ["app1", "app2"])
            await lab()
                .host(name)
                .exec(`cat >>/etc/nginx/lab-service.conf <<'END'
server {
    listen 30808;
    add_header X-App $hostname always;
    location = /clickCount { return 200 "clicked\\n"; }
    location / { return 404; }
}
END
nginx -s reload`);
    });
    after(() => program?.remove());

    it("two services found by search, by the Host header, with statistics", async () => {
        await converge({
            services: [
                { name: "shop", hosts: ["shop.example.test"], port: 80, check: { uri: "/healthz" } },
                { name: "docs", hosts: ["docs.example.test"], port: 80, check: { uri: "/healthz" } },
            ],
            stats: { bind: { port: 8404 } },
        });
        for (const { address } of hosts) {
            assert.deepEqual(await shares(4, address, "/", { host: "shop.example.test" }), { app1: 2, app2: 2 });
            assert.deepEqual(await shares(2, address, "/", { host: "DOCS.example.test:80" }), { app3: 2 });
            assert.equal((await ask(address, "/", { host: "nobody.example.test" })).status, 503);
            const { status, body } = await ask(address, "/stats", { port: 8404 });
            assert.equal(status, 200);
            for (const name of ["shop", "docs"]) assert.match(body, new RegExp(`name="${name}/Backend"`));
        }
    });

    it("an application under a path on a port of its own, balanced at layer 7 and at layer 4", async () => {
        const check = { uri: "/clickCount", ...quick };
        const rename = (from: string, to: string) =>
            lab()
                .host("app1")
                .exec(`sed -i 's#location = ${from} #location = ${to} #' /etc/nginx/lab-service.conf; nginx -s reload`);
        await converge({
            services: [
                { name: "clicks", port: 30808, listen: 8080, default: true, check },
                { name: "clicks-l4", protocol: "tcp", tag: "clicks::app", port: 30808, listen: 8081, check },
            ],
            stats: { bind: { port: 8404 } },
        });
        for (const { address } of hosts)
            for (const port of [8080, 8081]) {
                assert.deepEqual(await shares(4, address, "/clickCount", { port }), { app1: 2, app2: 2 });
                assert.equal((await ask(address, "/elsewhere", { port })).status, 404);
            }
        await rename("/clickCount", "/gone");
        for (const { address } of hosts)
            for (const port of [8080, 8081]) {
                const onlyApp2 = async () => (await shares(2, address, "/clickCount", { port })).app2 === 2;
                await until(`port ${port} of ${address} leaves out the server that fails its check`, onlyApp2);
            }
        await rename("/gone", "/clickCount");
    });

    it("round robin over two servers, statistics on each load balancer, bytes counted on its socket", async () => {
        await converge({
            services: [{ name: "shop", port: 80, default: true }],
            stats: { bind: { port: 8404 }, uri: "/stats" },
        });
        for (const { address } of hosts) {
            const order = [];
            for (let n = 0; n < 6; n++) order.push((await ask(address)).app);
            const [first, second] = order;
            assert.notEqual(first, second);
            assert.deepEqual(order, [first, second, first, second, first, second]);
            assert.equal((await ask(address, "/stats", { port: 8404 })).status, 200);
        }
        for (const host of hosts) {
            const before = await bytesOut(host, "shop");
            await shares(3, host.address);
            assert.ok((await bytesOut(host, "shop")) > before);
        }
    });

    it("two facilities: the second one's servers only while all of the first are down", async () => {
        const facilities: Record<string, string> = { app1: "fra", app2: "fra", app3: "ams" };
        const found = program.labNodes().map((node) => {
            const facility = facilities[node.name];
            return facility === undefined ? node : { ...node, runList: ["web::app"], facility };
        });
        program.nodes(found);
        const check = { uri: "/healthz", ...quick };
        await converge({ services: [{ name: "web", port: 80, default: true, backupFacility: "ams", check }] });
        const [app1, app2] = [lab().host("app1"), lab().host("app2")];
        const served = (address: string) => shares(4, address);
        for (const { address } of hosts) assert.deepEqual(await served(address), { app1: 2, app2: 2 });

        await app1.exec("systemctl stop nginx");
        for (const { address } of hosts)
            await until("one of the primary's is left", async () => (await served(address)).app2 === 4);
        await app2.exec("systemctl stop nginx");
        for (const { address } of hosts)
            await until("the secondary takes over", async () => (await served(address)).app3 === 4);
        await app2.exec("systemctl start nginx");
        for (const { address } of hosts)
            await until("the primary has it back", async () => (await served(address)).app2 === 4);
        await app1.exec("systemctl start nginx");
        for (const { address } of hosts)
            await until("both of the primary's serve", async () => {
                const { app1: one, app2: other } = await served(address);
                return one === 2 && other === 2;
            });
    });

    it("a pair: the fleet becomes one, its service address moves when HAProxy stops and comes back, and it is a fleet again", async () => {
        program.nodes(program.labNodes());
        const address = lab().address(100);
        const services = [{ name: "docs", port: 80, default: true }];
        const [lb1, lb2] = hosts as [Host, Host];
        const holders = async () => {
            const found = await Promise.all(hosts.map((host) => host.exec("ip -o -4 address show dev eth0")));
            return hosts.filter((_, n) => found[n]?.stdout.includes(` ${address}/24 `)).map(({ name }) => name);
        };
        const isHeldBy = async (...names: string[]) => (await holders()).join() === names.join();
        await converge({ services, pair: { failback: "immediate", addresses: [`${address}/24`] } });
        const outputs = JSON.parse(await program.succeed("stack", "output", "--json"));
        assert.deepEqual(outputs.services, { edge: { addresses: [address], urls: [`http://${address}`] } });
        await until("the preferred host has the address", () => isHeldBy("lb1"));
        assert.equal((await ask(address)).app, "app3");
        await lb1.exec("systemctl stop haproxy");
        await until("the other host has the address", () => isHeldBy("lb2"));
        assert.equal((await ask(address)).app, "app3");
        // Repairs the host that is down, while the other one serves.
        await program.up("--skip-preview");
        await until("the preferred host has it again", () => isHeldBy("lb1"));
        await converge({ services });
        assert.deepEqual(await holders(), []);
        for (const host of [lb1, lb2]) {
            const { stdout } = await host.exec(
                "systemctl is-active keepalived || :; ls -A /etc/keepalived | grep -v sample || :",
            );
            assert.equal(stdout, "inactive\n");
            assert.equal((await ask(host.address)).app, "app3");
        }
    });
});

/** A backend's counters on the admin socket. */
async function bytesOut(host: Host, backend: string): Promise<number> {
    const { stdout } = await host.exec(`${askSocket("/run/haproxy/admin.sock")} 'show stat'`);
    const [head = "", ...rows] = stdout.trim().split("\n");
    const column = head.split(",").indexOf("bout");
    const row = rows.map((line) => line.split(",")).find(([proxy, name]) => proxy === backend && name === "BACKEND");
    return Number(row?.[column]);
}
