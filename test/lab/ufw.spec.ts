// A firewall that ufw manages, by real packets; and the judge of rulesets, whose verdicts real packets confirm.
import assert from "node:assert/strict";
import type { Firewall, FirewallRule } from "../../components/convergence/kinds/index";
import { judge } from "../../components/convergence/preview/nftables/judge";
import { parseRuleset } from "../../components/convergence/preview/nftables/ruleset";
import { translation } from "../../components/convergence/preview/nftables/translation";
import { rangeOf } from "../../components/networks";
import type { Host } from "../../lab/host";
import { Convergence } from "../support/converge";
import { killAt } from "../support/killAt";
import { describeLab, withLab } from "../support/lab";
import { listenOn, reachable } from "../support/reachable";
import { rulesetFile } from "../support/rulesets";
import { sshTargetOf } from "../support/sshTarget";

/** Networks in which no client is. */
const ELSEWHERE = ["203.0.113.0/24", "2001:db8::/32"];

/** Ports about which the rulesets differ. */
const judged = [
    80, 81, 82, 95, 100, 443, 3306, 4444, 4445, 5555, 6666, 8080, 9001, 9002, 9100, 9200, 9305, 9400, 10_000,
];

describeLab("a firewall that ufw manages", () => {
    const lab = withLab([
        { name: "lb22", image: "bare", release: "2.2" },
        { name: "lb32", image: "bare", release: "3.2" },
    ]);
    const everywhere = (work: (host: Host) => Promise<void>) => Promise.all(lab().hosts.map(work));
    const out = async (host: Host, command: string) => (await host.exec(command, { check: false })).stdout.trim();
    const originals = new Map<Host, string>();

    /** Everything that ufw has, in files and in the kernel. */
    const stateOf = (host: Host) =>
        out(
            host,
            "iptables -S; ip6tables -S; cat /etc/default/ufw; cd /etc/ufw; find . -type f | sort | xargs tail -v -n +1; stat -c '%a %n' *",
        );
    const clients = () => [lab().gateway, "fe80::/10"];
    const firewall = (rest: Partial<Firewall> = {}, rules: FirewallRule[] = []): Firewall => ({
        kind: "firewall",
        default: "drop",
        ssh: { from: clients() },
        rules: [
            { protocol: "tcp", port: 80 },
            { protocol: "tcp", port: 443 },
            { protocol: "tcp", port: "8080-8090", from: clients() },
            { protocol: "tcp", port: 9001, from: ELSEWHERE },
            { protocol: "vrrp", from: [lab().gateway, "2001:db8::12"] },
            ...rules,
        ],
        ...rest,
    });
    const converge = (host: Host, resource?: Firewall) =>
        new Convergence(sshTargetOf(lab(), host), resource === undefined ? [] : [resource]);
    const previewOf = async (host: Host, resource?: Firewall) => (await converge(host, resource).preview()).text;
    const up = async (host: Host, resource?: Firewall) => {
        const { code, stderr } = await converge(host, resource).up();
        assert.equal(code, 0, stderr);
        assert.equal(await previewOf(host, resource), "");
    };

    before("hosts with ufw, and a rule of somebody else", () =>
        everywhere(async (host) => {
            await host.exec(`
                export DEBIAN_FRONTEND=noninteractive
                apt-get -qq update && apt-get -qq install --yes --no-install-recommends ufw nftables >/dev/null 2>&1
                ufw default allow incoming && ufw allow 443/tcp && ufw --force enable`);
            await listenOn(host, judged);
            originals.set(host, await stateOf(host));
        }),
    );

    it("opens what is declared, drops the rest, leaves rules of others alone, and has nothing to do the second time", () =>
        everywhere(async (host) => {
            assert.match(await previewOf(host, firewall()), /lacks: allow tcp 80 0\.0\.0\.0\/0 any 0\.0\.0\.0\/0 in\n/);
            await up(host, firewall());
            assert.deepEqual(await reachable(host, [22, 80, 81, 443, 8080, 9001]), [
                "4:22",
                "6:22",
                "4:80",
                "6:80",
                "4:443",
                "6:443",
                "4:8080",
                "6:8080",
            ]);
            const status = await out(host, "ufw status verbose");
            assert.match(status, /Default: deny \(incoming\)/);
            assert.match(status, /^80\/tcp +ALLOW IN +Anywhere +# haproxy-fleet$/m);
            assert.match(status, /^443\/tcp +ALLOW IN +Anywhere *$/m);
            assert.match((await converge(host, firewall()).up()).stdout, /nothing to do/);
        }));

    it("writes what ufw itself would, so that ufw can go on", () =>
        everywhere(async (host) => {
            const files = "cat /etc/ufw/user.rules /etc/ufw/user6.rules";
            const written = await out(host, files);
            await host.exec("ufw allow 9/tcp && ufw delete allow 9/tcp && ufw reload");
            assert.equal(await out(host, files), written);
            assert.equal(await previewOf(host, firewall()), "");
            assert.match(await out(host, "iptables -S"), new RegExp(`-s ${lab().gateway}/32 -p (112|vrrp) -j ACCEPT`));
        }));

    it("shows each drift, and repairs it", () =>
        everywhere(async (host) => {
            // The last two only in the kernel, which ufw would load again.
            await host.exec(`
                ufw default allow incoming
                ufw delete allow 80/tcp
                ufw allow proto tcp to any port 82 comment haproxy-fleet
                iptables -D ufw-user-input -s ${lab().gateway} -p tcp -m multiport --dports 8080:8090 -j ACCEPT
                ip6tables -D ufw6-user-input -p tcp --dport 443 -j ACCEPT`);
            const text = await previewOf(host, firewall());
            for (const words of [
                "ufw's default for what comes in is ACCEPT, not DROP",
                "lacks: allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in",
                "lacks: allow tcp 80 ::/0 any ::/0 in",
                "has also: allow tcp 82 0.0.0.0/0 any 0.0.0.0/0 in; would go",
                "has also: allow tcp 82 ::/0 any ::/0 in; would go",
                `lacks: allow tcp 8080:8090 0.0.0.0/0 any ${lab().gateway} in, in the kernel`,
                "lacks: allow tcp 443 ::/0 any ::/0 in, in the kernel",
            ]) {
                assert.ok(text.split("\n").includes(`    drift: ${words}`), `${words}\n${text}`);
            }
            assert.equal(text.split("\n").length, 9, text);
            await up(host, firewall());
            assert.deepEqual(await reachable(host, [80, 82, 443, 8080]), [
                "4:80",
                "6:80",
                "4:443",
                "6:443",
                "4:8080",
                "6:8080",
            ]);
        }));

    it("takes a change back that locks the login out", () =>
        everywhere(async (host) => {
            const kept = await stateOf(host);
            const target = { ...sshTargetOf(lab(), host), loginTimeout: 2_000 };
            const shut = firewall({ ssh: { from: ELSEWHERE } });
            const { code, stderr } = await new Convergence(target, [shut]).up();
            assert.equal(code, 1);
            assert.match(stderr, /no new login works: .*; the rules from before are back/);
            assert.equal(await stateOf(host), kept);
        }));

    it("starts a ufw that was stopped, and leaves it as it was", () =>
        everywhere(async (host) => {
            // Stopped, it is started again, because a boot would do so.
            await host.exec("/lib/ufw/ufw-init stop");
            const { text } = await converge(host, firewall()).preview();
            assert.match(
                text,
                /drift: ufw is enabled, but filters no IPv4\n.*drift: ufw is enabled, but filters no IPv6\n/,
            );
            await up(host, firewall({ default: undefined }));
            assert.match(await out(host, "ufw status verbose"), /Default: allow \(incoming\)/);
            // Killed between the kernel and the files.
            const { stderr } = await converge(host).up(killAt(4, "after", "firewall["));
            assert.match(stderr, /ended by SIGKILL/);
            await up(host);
            assert.equal(await stateOf(host), originals.get(host));
        }));

    it("has packets of which rulesets say what becomes of them", async () => {
        const host = lab().host("lb32");
        await host.exec("ufw --force disable");
        const load = {
            workstation: "nft -f /usr/share/doc/nftables/examples/workstation.nft",
            modern: "nft -f /root/modern.nft",
            iptables: "iptables-nft-restore /root/iptables.rules && ip6tables-nft-restore /root/ip6tables.rules",
        };
        for (const file of ["modern.nft", "iptables.rules", "ip6tables.rules"]) {
            await host.writeFile(`/root/${file}`, rulesetFile(file));
        }
        for (const [name, command] of Object.entries(load)) {
            await host.exec(`nft flush ruleset; ${command}`);
            const text = await out(host, "nft -a list ruleset");
            const ruleset = parseRuleset(await out(host, "nft -j list ruleset"), translation(text)) ?? assert.fail();
            const open = await reachable(host, judged);
            const verdicts = judged.flatMap((port) =>
                clients().map((from) => {
                    const range = rangeOf(from);
                    const packet = { family: range.family, protocol: "tcp", ports: [port, port], from: range } as const;
                    return { name: `${range.family}:${port}`, verdict: judge(ruleset, packet).verdict };
                }),
            );
            const of = (wanted: string) =>
                verdicts.filter(({ verdict }) => verdict === wanted).map((each) => each.name);
            assert.deepEqual(
                of("accepted").filter((each) => !open.includes(each)),
                [],
                `${name}: accepted, but closed`,
            );
            assert.deepEqual(
                of("dropped").filter((each) => open.includes(each)),
                [],
                `${name}: dropped, but open`,
            );
            // Few are not known.
            assert.ok(of("unknown").length <= 3, `${name}: ${of("unknown")}`);
        }
    });
});
