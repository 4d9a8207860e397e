import assert from "node:assert/strict";
import { fromServices } from "../../components/haproxy/services/compile";
import { haproxy } from "../../components/recipes/haproxy/index";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { targetOf } from "../support/target";
import { repair } from "./transaction/faults";
import { Subject, squat } from "./transaction/subject";

const network = "fd00:f1ee:7";
const balancerAddress = `${network}::1`;
const balancer = `[${balancerAddress}]`;
/** Two of one /64, two of others. */
const clients = [":a::1", ":a::2", ":b::1", ":c::1"].map((rest) => `${network}${rest}`);
const add = (address: string) => `ip addr add ${address}/48 dev eth0 nodad`;

describeLab("services on IPv6", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy" },
        { name: "app1", image: "app" },
        { name: "app2", image: "app" },
    ]);
    const subject = () => new Subject(lab());

    before(async () => {
        await subject().shell(add(balancerAddress));
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
        return new Convergence(targetOf(lab(), subject().host), haproxy(config));
    }

    async function converge(declared: Convergence): Promise<void> {
        const { code, stderr } = await declared.up();
        assert.equal(code, 0, stderr);
        assert.equal((await declared.preview()).text, "");
    }

    /** What clients at these addresses get, one after another: the name of a server, and the status. */
    async function ask(url: string, ...clients: readonly string[]): Promise<string[]> {
        const one = (client: string) =>
            `curl -s -m 10 -o /dev/null -w '%header{x-app} %{http_code}\\n' --interface ${client} ${url} || :`;
        const { stdout } = await lab().host("app1").exec(clients.map(one).join("\n"));
        return stdout
            .trimEnd()
            .split("\n")
            .map((line) => line.trim());
    }

    it("are served to its clients, whose lists, limits and servers go by address and /64", async () => {
        await converge(declare());
        const [one = "", two = "", other = "", stranger = ""] = clients;
        const url = `http://${balancer}/`;
        const [first = "", ...rest] = await ask(url, one, two, one, two, one, two);
        assert.match(first, /^app[12] 200$/);
        assert.deepEqual(rest, [first, first, first, "429", "429"]);
        assert.match((await ask(url, other)).join(), /^app[12] 200$/);
        assert.deepEqual(await ask(url, stranger), ["403"]);
        assert.deepEqual(await ask(`http://${balancer}:81/`, stranger), ["app2 200"]);
        assert.deepEqual(await ask(`http://${balancer}:8404/stats`, stranger), ["200"]);
        // Of IPv4, each address is a client.
        const app1 = lab().host("app1").address;
        assert.match((await ask(subject().url, app1)).join(), /^app[12] 200$/);
        assert.match(await subject().master("@1 show table web"), new RegExp(`key=::ffff:${app1} .*server_key=app`));
    });

    it("are converged by a host where IPv6 is off for all interfaces, and refused by one whose kernel has none", async () => {
        await subject().shell("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
        try {
            await converge(declare(5));
        } finally {
            await subject().shell(`sysctl -qw net.ipv6.conf.all.disable_ipv6=0; ${add(balancerAddress)}`);
        }
        const { code, stderr } = await declare(6).up((body) => body.replace("/proc/net/if_inet6", "/proc/net/none"));
        assert.equal(code, 1);
        assert.match(stderr, /the kernel of this host has no IPv6 \(bind \[::\]:80\): enable it/);
        await converge(declare());
    });

    it("leave IPv4 to others where a bind is for IPv6 alone, and take nothing of theirs", async () => {
        const declared = (port: number) => subject().declare({ binds: [{ address: "::", port, v6only: true }] });
        await subject().shell(squat("127.0.0.1:8085", "[::1]:8086"));
        try {
            await converge(declared(8085));
            assert.deepEqual(await ask(`http://${balancer}:8085/`, clients[3] ?? ""), ["app1 200"]);
            const { refused, text } = await declared(8086).preview();
            assert.ok(refused, text);
            assert.match(text, /port 8086 is taken by systemd-socket-/);
        } finally {
            await subject().shell(repair);
        }
    });
});
