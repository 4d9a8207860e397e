import assert from "node:assert/strict";
import type { Firewall, FirewallRule } from "../../../../components/convergence/kinds/firewall";
import { firewallWarnings } from "../../../../components/convergence/preview/firewallWarnings";
import { recordedRuleset } from "../../../support/rulesets";

const web: FirewallRule[] = [
    { protocol: "tcp", port: 80 },
    { protocol: "tcp", port: 443 },
];
const declared = (rules: FirewallRule[], rest: Partial<Firewall> = {}): Firewall => ({
    kind: "firewall",
    rules,
    ...rest,
});
const seen = (name = "", rest: object = {}) => ({
    manager: "none",
    client: "192.0.2.9",
    port: 22,
    ...(name === "" ? { ruleset: "", text: "" } : recordedRuleset(name)),
    ...rest,
});

describe("warnings about the firewall of a host", () => {
    it("name the chain, what it drops, and the rule that it lacks", () => {
        const rules: FirewallRule[] = [
            ...web,
            { protocol: "tcp", port: "8000-8010", from: ["192.0.2.0/24"] },
            { protocol: "udp", port: 443 },
            { protocol: "vrrp", from: ["192.0.2.12"] },
        ];
        assert.deepEqual(firewallWarnings(declared(rules), seen("workstation-1.0.6")), [
            "firewall: table inet filter, chain input drops tcp 80, 443 and 8000-8010, udp 443 and vrrp, which no other table can let in; " +
                "add to it, before its rules that drop, usually in /etc/nftables.conf: tcp dport { 80, 443 } accept; " +
                "ip saddr 192.0.2.0/24 tcp dport 8000-8010 accept; udp dport 443 accept; ip saddr 192.0.2.12 meta l4proto 112 accept",
        ]);
    });

    it("say how firewalld and iptables let it in", () => {
        assert.deepEqual(
            firewallWarnings(declared([...web, { protocol: "tcp", port: 8080 }]), seen("firewalld-1.1.7")),
            [
                "firewall: table inet firewalld, chain filter_INPUT drops tcp 80 and 443, which no other table can let in; " +
                    "let it in with firewalld: firewall-cmd --permanent --add-port=80/tcp --add-port=443/tcp, then firewall-cmd --reload",
            ],
        );
        assert.deepEqual(firewallWarnings(declared([...web, { protocol: "tcp", port: 81 }]), seen("iptables-0.9.8")), [
            "firewall: table ip filter, chain INPUT drops tcp 80 and 443 over IPv4, which no other table can let in; " +
                "let it in with iptables -I INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT, and wherever these rules are kept",
            "firewall: table ip6 filter, chain INPUT drops tcp 80 and 443 over IPv6, which no other table can let in; " +
                "let it in with ip6tables -I INPUT -p tcp -m multiport --dports 80,443 -j ACCEPT, and wherever these rules are kept",
        ]);
    });

    it("open nothing to others than the declared sources", () => {
        const rules: FirewallRule[] = [
            { protocol: "tcp", port: 80, from: ["198.51.100.7", "192.0.2.0/24", "2001:db8::/32"] },
            { protocol: "tcp", port: 443, from: ["192.0.2.0/24", "198.51.100.7", "2001:DB8::/32"] },
            { protocol: "vrrp", from: ["192.0.2.12"] },
        ];
        const remediesOf = (name: string) =>
            firewallWarnings(declared(rules), seen(name)).map((text) => text.slice(text.indexOf("; ") + 2));
        assert.deepEqual(remediesOf("workstation-1.0.6"), [
            "add to it, before its rules that drop, usually in /etc/nftables.conf: " +
                "ip saddr { 192.0.2.0/24, 198.51.100.7 } tcp dport { 80, 443 } accept; " +
                "ip6 saddr 2001:db8::/32 tcp dport { 80, 443 } accept; ip saddr 192.0.2.12 meta l4proto 112 accept",
        ]);
        const [iptables = ""] = remediesOf("iptables-0.9.8");
        assert.match(
            iptables,
            /iptables -I INPUT -p tcp -s 192\.0\.2\.0\/24,198\.51\.100\.7 -m multiport --dports 80,443 -j ACCEPT/,
        );
        const [firewalld = ""] = remediesOf("firewalld-1.1.7");
        assert.match(
            firewalld,
            / --add-rich-rule='rule family="ipv6" source address="2001:db8::\/32" port port="443" protocol="tcp" accept'/,
        );
        assert.doesNotMatch(firewalld, /--add-port/);
    });

    it("say nothing of what is accepted, or may be", () => {
        const rules: FirewallRule[] = [
            { protocol: "tcp", port: 22 },
            { protocol: "tcp", port: 80 },
            { protocol: "tcp", port: 9200 },
            { protocol: "udp", port: 53 },
            { protocol: "tcp", port: 9001, from: ["10.1.0.0/16"] },
        ];
        assert.deepEqual(firewallWarnings(declared(rules), seen("modern-1.0.6")).length, 1);
        assert.match(
            firewallWarnings(declared(rules), seen("modern-1.0.6"))[0] ?? "",
            /chain input drops tcp 80 over IPv6, /,
        );
        assert.deepEqual(firewallWarnings(declared(rules), seen("terse-1.0.6")), []);
        assert.deepEqual(firewallWarnings(declared(web), seen()), []);
        assert.deepEqual(firewallWarnings(declared(web), seen("", { ruleset: "Error: …" })), []);
        assert.deepEqual(firewallWarnings(declared([]), seen("workstation-1.0.6")), []);
    });

    it("leave out what the converge itself changes", () => {
        const open: FirewallRule[] = [
            { protocol: "tcp", port: 443 },
            { protocol: "vrrp", from: ["192.0.2.12"] },
        ];
        assert.deepEqual(firewallWarnings(declared(open), seen("ufw-1.0.6", { manager: "ufw" })), []);
        assert.equal(firewallWarnings(declared(open), seen("ufw-1.0.6")).length, 2);
        const own = (table: string) => ({
            ruleset: JSON.stringify({
                nftables: [
                    {
                        chain: {
                            family: "inet",
                            table,
                            name: "input",
                            type: "filter",
                            hook: "input",
                            prio: 0,
                            policy: "drop",
                        },
                    },
                ],
            }),
        });
        assert.deepEqual(firewallWarnings(declared(web), seen("", own("haproxy_fleet"))), []);
        assert.equal(firewallWarnings(declared(web), seen("", own("haproxy\u001b"))).length, 1);
        assert.ok(!firewallWarnings(declared(web), seen("", own("haproxy\u001b")))[0]?.includes("\u001b"));
    });

    it("say that a rule of ufw comes first", () => {
        const rules: FirewallRule[] = [...web, { protocol: "tcp", port: 8443, from: ["192.0.2.0/24"] }];
        assert.deepEqual(firewallWarnings(declared(rules), seen("ufw-1.0.6", { manager: "ufw" })), [
            "firewall: a rule of ufw drops tcp 80 over IPv4, before the rules that let it in; " +
                "see ufw status numbered, and delete that rule, or make it match less",
            "firewall: a rule of ufw drops tcp 80 over IPv6, before the rules that let it in; " +
                "see ufw status numbered, and delete that rule, or make it match less",
        ]);
    });

    it("say that the login would be locked out", () => {
        const ssh = { from: ["198.51.100.0/24", "2001:db8::/32"] };
        const found = (client: string, rest: Partial<Firewall> = { default: "drop" }, manager = "nftables") =>
            firewallWarnings(declared([], { ssh, ...rest }), seen("", { client, manager }));
        assert.deepEqual(found("192.0.2.9"), [
            "firewall: the login comes from 192.0.2.9, which is not in ssh, so an up would lock it out and be rolled back; " +
                "add that address, or its network, to ssh",
        ]);
        assert.equal(found("::ffff:192.0.2.9").length, 1);
        assert.equal(found("2001:db9::1", {}, "ufw").length, 1);
        // By a tunnel that ends on the host.
        for (const client of ["198.51.100.7", "::ffff:198.51.100.7", "2001:db8:1::1", "", "127.0.0.1", "::1"]) {
            assert.deepEqual(found(client), []);
        }
        const others = seen("", { client: "192.0.2.9", manager: "ufw" });
        assert.deepEqual(firewallWarnings(declared([], { ssh, default: "drop" }), others, false), []);
        // Nothing is filtered there.
        assert.deepEqual(found("192.0.2.9", {}, "none"), []);
        assert.deepEqual(found("192.0.2.9", { ssh: undefined, default: "drop" }), []);
    });
});
