import assert from "node:assert/strict";
import { type Firewall, firewall, firewallRows } from "../../../components/convergence/kinds/firewall";
import { makePlan, type PlanError } from "../../../components/convergence/payload/plan";
import { changesFirewall } from "../../../components/convergence/preview/confirmLogin";
import { parseWhyRun } from "../../../components/convergence/preview/whyRun";

const declared = (rest: Partial<Firewall>): Firewall => ({ kind: "firewall", rules: [], ...rest });

/** The rules for nftables, without what is in each of them. */
const rulesOf = (resource: Firewall) => {
    const [, , text = ""] = firewall.args(resource, { unit: () => "1" } as never);
    return text
        .slice(text.indexOf("udp dport 546 accept") + 21)
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line.endsWith("accept"));
};

function issuesOf(resource: Firewall): string[] {
    try {
        makePlan([resource]);
        return [];
    } catch (error) {
        return (error as PlanError).issues;
    }
}

describe("a firewall", () => {
    it("has a row for each source, in canonical form and once each; SSH comes first", () => {
        const rows = firewallRows(
            declared({
                ssh: { from: ["192.0.2.9/24", "2001:DB8:0::1/32"] },
                rules: [
                    { protocol: "tcp", port: 80 },
                    { protocol: "tcp", port: "80" },
                    { protocol: "udp", port: "8000-8010", from: ["192.0.2.1/32"] },
                    { protocol: "vrrp", from: ["192.0.2.2"] },
                ],
            }),
        );
        assert.deepEqual(
            rows.map(({ protocol, port, from }) => `${protocol} ${port} ${from}`),
            ["ssh  192.0.2.0/24", "ssh  2001:db8::/32", "tcp 80 ", "udp 8000-8010 192.0.2.1", "vrrp  192.0.2.2"],
        );
    });

    it("lets anyone log in, unless it says who may", () => {
        assert.deepEqual(firewallRows(declared({})), [{ protocol: "ssh", port: "", from: "" }]);
    });

    it("becomes rules for nftables, which leave the port of SSH to the host", () => {
        const resource = declared({
            default: "drop",
            ssh: { from: ["192.0.2.0/24"] },
            rules: [
                { protocol: "tcp", port: 80 },
                { protocol: "udp", port: "8000-8010", from: ["2001:db8::/32"] },
                { protocol: "vrrp", from: ["192.0.2.2"] },
            ],
        });
        assert.deepEqual(rulesOf(resource), [
            "ip saddr 192.0.2.0/24 tcp dport @SSH_PORT@ accept",
            "tcp dport 80 accept",
            "ip6 saddr 2001:db8::/32 udp dport 8000-8010 accept",
            "ip saddr 192.0.2.2 meta l4proto 112 accept",
        ]);
        assert.deepEqual(firewall.args(declared({}), { unit: () => "1" } as never).slice(2), ["", "", ""]);
    });

    it("is declared once on a host", () => {
        assert.throws(
            () => makePlan([declared({}), declared({ default: "drop" })]),
            /the firewall is declared twice, by firewall\[host\] and firewall\[host\]; declare it once/,
        );
    });

    it("names each wrong port and source, and its place", () => {
        const issues = issuesOf(
            declared({
                ssh: { from: [] },
                rules: [
                    ...[0, 65_536, "http", "8010-8000", "80-", "1-2-3", ""].map(
                        (port) => ({ protocol: "tcp", port }) as const,
                    ),
                    { protocol: "vrrp", from: ["10.0.0.0/33", "lb2.example.com", "fe80::1%eth0"] },
                ],
            }),
        );
        assert.deepEqual(
            issues.map((issue) => issue.split(";")[0]),
            [
                "firewall[host]: ssh: from is empty, so no address may reach it",
                ...[0, 65_536, "http", "8010-8000", "80-", "1-2-3", ""].map(
                    (port, n) => `firewall[host]: rules[${n}]: invalid port ${JSON.stringify(port)}`,
                ),
                ...["10.0.0.0/33", "lb2.example.com", "fe80::1%eth0"].map(
                    (source) => `firewall[host]: rules[7]: invalid source "${source}"`,
                ),
            ],
        );
        assert.deepEqual(issuesOf(declared({ rules: [{ protocol: "tcp", port: "8000-8000" }] })), []);
    });

    it("is changed by a converge only if one is declared, or left the run list", () => {
        const nothing = parseWhyRun("host\tb\tt0\nend\tdone\n");
        const undone = parseWhyRun("host\tb\tt0\ndiffers\t-\tunlisted\tfirewall[host]\nend\tdone\n");
        assert.equal(changesFirewall(makePlan([]), nothing), false);
        assert.equal(changesFirewall(makePlan([]), undone), true);
        assert.equal(changesFirewall(makePlan([declared({})]), nothing), true);
    });

    it("is seen with the rules of others", () => {
        const ruleset = '{"nftables": [{"rule": {"comment": "ä"}}]}';
        const encoded = `=${Buffer.from(ruleset).toString("base64")}`;
        assert.deepEqual(parseWhyRun(`firewall\tnone\t192.0.2.1\t22\t${encoded}\t\nend\tdone\n`).firewall, {
            manager: "none",
            client: "192.0.2.1",
            port: 22,
            ruleset,
            text: "",
        });
    });
});
