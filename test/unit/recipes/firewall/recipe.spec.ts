import assert from "node:assert/strict";
import type { Resource } from "../../../../components/convergence/kinds/index";
import { type FirewallArgs, firewall } from "../../../../components/recipes/firewall/index";

const ports = {
    clients: [
        { protocol: "tcp" as const, port: 443 },
        { protocol: "tcp" as const, port: 80 },
        { protocol: "udp" as const, port: 443 },
    ],
    peers: [{ protocol: "tcp" as const, port: 10_000, from: ["192.0.2.12"] }],
    stats: [{ protocol: "tcp" as const, port: 8404 }],
    metrics: [{ protocol: "tcp" as const, port: 8405 }],
};

function declared(args?: FirewallArgs): Extract<Resource, { kind: "firewall" }> {
    const found = firewall(args).at(-1);
    return found?.kind === "firewall" ? found : assert.fail();
}

/** The rules, as words. */
const rulesOf = (args?: FirewallArgs) =>
    declared(args).rules.map((rule) =>
        [rule.protocol, "port" in rule ? rule.port : [], rule.from ? `from ${rule.from}` : []].flat().join(" "),
    );

describe("the recipe of the firewall", () => {
    it("changes nothing but rules, and installs nothing, unless the rest is dropped", () => {
        assert.deepEqual(firewall(), [{ kind: "firewall", rules: [] }]);
        assert.deepEqual(firewall({ default: "drop" }), [
            { kind: "packages", names: ["nftables"] },
            { kind: "firewall", rules: [], default: "drop" },
        ]);
    });

    it("opens the ports of clients and peers, but not those of the statistics page and the metrics", () => {
        assert.deepEqual(rulesOf({ ports }), ["tcp 80", "tcp 443", "tcp 10000 from 192.0.2.12", "udp 443"]);
    });

    it("lets those in that are declared", () => {
        const found = rulesOf({
            ports,
            stats: ["198.51.100.0/24"],
            metrics: ["2001:db8::7", "198.51.100.9"],
            vrrp: ["192.0.2.12"],
            allow: [
                { protocol: "tcp", port: "9100-9110", from: ["198.51.100.9"] },
                { protocol: "udp", port: 123 },
            ],
        });
        assert.deepEqual(found, [
            "tcp 80",
            "tcp 443",
            "tcp 8404 from 198.51.100.0/24",
            "tcp 8405 from 198.51.100.9,2001:db8::7",
            "tcp 9100-9110 from 198.51.100.9",
            "tcp 10000 from 192.0.2.12",
            "udp 123",
            "udp 443",
            "vrrp from 192.0.2.12",
        ]);
        assert.deepEqual(declared({ ssh: ["198.51.100.9", "198.51.100.1/24"] }).ssh, { from: ["198.51.100.0/24"] });
    });

    it("joins what is declared twice: the widest wins", () => {
        const found = rulesOf({
            ports,
            stats: ["198.51.100.0/24"],
            vrrp: ["192.0.2.12"],
            allow: [
                { protocol: "tcp", port: 80, from: ["192.0.2.0/24"] },
                { protocol: "tcp", port: 8404, from: ["198.51.100.7", "192.0.2.0/24"] },
                { protocol: "tcp", port: 10_000 },
                { protocol: "vrrp", from: ["192.0.2.13"] },
            ],
        });
        assert.deepEqual(found, [
            "tcp 80",
            "tcp 443",
            "tcp 8404 from 192.0.2.0/24,198.51.100.0/24",
            "tcp 10000",
            "udp 443",
            "vrrp from 192.0.2.12,192.0.2.13",
        ]);
    });

    it("refuses bad values with their place and what is allowed", () => {
        const cases: [unknown, RegExp][] = [
            [
                { ssh: ["example.com"] },
                /^Error: firewall: ssh\[0\]: expected an IP address, or a network like .*, got "example.com"/,
            ],
            [{ ssh: [] }, /ssh: expected at least one network, got an empty list/],
            [{ ssh: "192.0.2.1" }, /ssh: expected a list of networks/],
            [{ stats: ["10.0.0.0/33"] }, /stats\[0\].*"10.0.0.0\/33"/],
            [{ metrics: ["fe80::1%eth0"] }, /metrics\[0\]/],
            [{ default: "accept" }, /default: expected "drop", got "accept"/],
            [{ allow: [{ protocol: "tcp", port: 0 }] }, /allow\[0\]\.port: expected a .*1 to 65535.*got 0/],
            [{ allow: [{ protocol: "tcp", port: "90-80" }] }, /allow\[0\]\.port: expected .*"8000-8010".*got "90-80"/],
            [{ allow: [{ protocol: "tcp", port: "80-65536" }] }, /allow\[0\]\.port/],
            [{ allow: [{ protocol: "tcp", port: "80" }] }, /allow\[0\]\.port/],
            [{ allow: [{ protocol: "tcp", port: 80, from: [] }] }, /allow\[0\]\.from: expected at least one network/],
            [{ allow: [{ protocol: "icmp" }] }, /allow\[0\]\.protocol: expected .*"tcp".*"udp".*"vrrp".*got "icmp"/],
            [{ allow: [{ protocol: "vrrp" }] }, /allow\[0\]\.from/],
            [{ alow: [] }, /unknown key "alow"; did you mean "?allow/],
        ];
        for (const [args, words] of cases) {
            assert.throws(() => firewall(args as FirewallArgs), words);
        }
    });
});
