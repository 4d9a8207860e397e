import assert from "node:assert/strict";
import { fromServices } from "../../components/haproxy/services/compile";
import { haproxy } from "../../components/recipes/haproxy/index";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { repair } from "./transaction/faults";
import { LoadBalancerHost, squat } from "./transaction/loadBalancerHost";

const network = "fd00:f1ee:7";
const loadBalancerAddress = `${network}::1`;
const literal = `[${loadBalancerAddress}]`;
/** Two addresses of one /64, two of others. */
const clients = [":a::1", ":a::2", ":b::1", ":c::1"].map((rest) => `${network}${rest}`);
const add = (address: string) => `ip addr add ${address}/48 dev eth0 nodad`;

describeLab("services on IPv6", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy" },
        { name: "app1", image: "app" },
        { name: "app2", image: "app" },
    ]);
    const loadBalancer = () => new LoadBalancerHost(lab());

    before(async () => {
        await loadBalancer().shell(add(loadBalancerAddress));
        await lab().host("app1").exec(clients.map(add).join("\n"));
    });

    function declare(count = 4): Convergence {
        const config = fromServices(
            { version: "2.6", maxconn: 1000, ipv6: true },
            [
                {
                    name: "web",
                    port: 80,
                    default: true,
                    allow: ["0.0.0.0/0", `${network}:a::/64`, `${network}:b::/64`],
                    persistence: { by: "address" },
                    rateLimit: { count, seconds: 600 },
                    servers: ["app1", "app2"].map((name) => ({ name, address: lab().host(name).address })),
                },
                {
                    name: "raw",
                    protocol: "tcp",
                    listen: 81,
                    port: 80,
                    servers: [{ name: "app2", address: lab().host("app2").address }],
                },
            ],
            undefined,
            { bind: { port: 8404 } },
        );
        return new Convergence(sshTargetOf(lab(), loadBalancer().host), haproxy(config));
    }

    async function converge(declared: Convergence): Promise<void> {
        const { code, stderr } = await declared.up();
        assert.equal(code, 0, stderr);
        assert.equal((await declared.preview()).text, "");
    }

    /** The answers to clients at these addresses, in order: name of the server, and status. */
    async function ask(url: string, ...clients: readonly string[]): Promise<string[]> {
        const one = (client: string) =>
            `curl -s -m 10 -o /dev/null -w '%header{x-app} %{http_code}\\n' --interface ${client} ${url} || :`;
        const { stdout } = await lab().host("app1").exec(clients.map(one).join("\n"));
        return stdout
            .trimEnd()
            .split("\n")
            .map((line) => line.trim());
    }

    it("serve IPv6 clients, and apply lists, limits and persistence by address and /64", async () => {
        await converge(declare());
        const [one = "", two = "", other = "", stranger = ""] = clients;
        const url = `http://${literal}/`;
        const [first = "", ...rest] = await ask(url, one, two, one, two, one, two);
        assert.match(first, /^app[12] 200$/);
        assert.deepEqual(rest, [first, first, first, "429", "429"]);
        assert.match((await ask(url, other)).join(), /^app[12] 200$/);
        assert.deepEqual(await ask(url, stranger), ["403"]);
        assert.deepEqual(await ask(`http://${literal}:81/`, stranger), ["app2 200"]);
        assert.deepEqual(await ask(`http://${literal}:8404/stats`, stranger), ["200"]);
        // With IPv4, each address is a client.
        const app1 = lab().host("app1").address;
        assert.match((await ask(loadBalancer().url, app1)).join(), /^app[12] 200$/);
        assert.match(
            await loadBalancer().master("@1 show table web"),
            new RegExp(`key=::ffff:${app1} .*server_key=app`),
        );
    });

    it("converge on a host whose interfaces all have IPv6 off, and are refused by a kernel without IPv6", async () => {
        await loadBalancer().shell("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
        try {
            await converge(declare(5));
        } finally {
            await loadBalancer().shell(`sysctl -qw net.ipv6.conf.all.disable_ipv6=0; ${add(loadBalancerAddress)}`);
        }
        const { code, stderr } = await declare(6).up((body) => body.replace("/proc/net/if_inet6", "/proc/net/none"));
        assert.equal(code, 1);
        assert.match(stderr, /the kernel of this host has no IPv6 \(bind \[::\]:80\); enable it/);
        await converge(declare());
    });

    it("leave IPv4 to other processes if a bind is only for IPv6", async () => {
        const declared = (port: number) => loadBalancer().declare({ binds: [{ address: "::", port, v6only: true }] });
        await loadBalancer().shell(squat("127.0.0.1:8085", "[::1]:8086"));
        try {
            await converge(declared(8085));
            assert.deepEqual(await ask(`http://${literal}:8085/`, clients[3] ?? ""), ["app1 200"]);
            const { refused, text } = await declared(8086).preview();
            assert.ok(refused, text);
            assert.match(text, /port 8086 is taken by systemd-socket-/);
        } finally {
            await loadBalancer().shell(repair);
        }
    });
});
