// The packet filter of a host, by real packets; and the guard that takes a change back which locks the login out.
import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { Firewall, FirewallRule, Resource } from "../../components/convergence/kinds/index";
import { planRetirement } from "../../components/convergence/retirement";
import type { SshTarget } from "../../components/convergence/ssh/ssh";
import type { Host } from "../../lab/host";
import { run } from "../../lab/machine/exec";
import { atNaps, Convergence } from "../support/converge";
import { hostState } from "../support/hostState";
import { hostsProgram } from "../support/hostsProgram";
import { killAt } from "../support/killAt";
import { describeLab, withLab } from "../support/lab";
import { reachable } from "../support/reachable";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";
import { Project } from "../toolchain/project";

const packages: Resource = { kind: "packages", names: ["nftables"] };

/** A network in which no client is. */
const ELSEWHERE = ["203.0.113.0/24", "2001:db8::/32"];

/** The working directory of a process of this machine. */
function cwdOf(pid: string): string {
    try {
        return readlinkSync(`/proc/${pid}/cwd`);
    } catch {
        return "";
    }
}

/** A timer that tests need not wait for. */
const soon = (body: string) => body.replace("\nguard_seconds=30\n", "\nguard_seconds=1\n");

/** Listens on TCP ports, and notes which VRRP and UDP packets arrive. Needs only what perl-base has. */
const LISTENER = `
use Socket qw(:all); use IO::Select;
my %of;
for my $port (80, 81, 8005, 9000) {
    socket(my $s, AF_INET6, SOCK_STREAM, 0) or die; setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
    bind($s, pack_sockaddr_in6($port, IN6ADDR_ANY)) or die; listen($s, 50); $of{$s} = $s; push @kept, $s;
}
my $all = IO::Select->new;
for ([SOCK_DGRAM, 0, 53], [SOCK_DGRAM, 0, 54], [SOCK_RAW, 112, 0]) {
    my ($type, $protocol, $port) = @$_;
    socket(my $s, AF_INET, $type, $protocol) or die; bind($s, pack_sockaddr_in($port, INADDR_ANY)) or die;
    $all->add($s); $name{$s} = $port || "vrrp";
}
open my $log, ">", "/root/arrived"; $log->autoflush(1);
while (1) { for my $s ($all->can_read) { recv($s, my $b, 100, 0); print $log "$name{$s}\\n" } }
`;

/** Sends one packet to each UDP port and one of VRRP. */
const SENDER = `
use Socket qw(:all);
my $to = shift;
for ([SOCK_DGRAM, 0, 53], [SOCK_DGRAM, 0, 54], [SOCK_RAW, 112, 0]) {
    my ($type, $protocol, $port) = @$_;
    socket(my $s, AF_INET, $type, $protocol) or die; send($s, "x" x 20, 0, pack_sockaddr_in($port, inet_aton($to))) or die;
}
`;

describeLab("a firewall", () => {
    const lab = withLab([{ name: "lb1", image: "bare" }]);
    let host: Host;
    let target: SshTarget;
    let bare: string[];
    const out = async (command: string) => (await host.exec(command, { check: false })).stdout.trim();

    const firewall = (rules: FirewallRule[] = [], rest: Partial<Firewall> = {}): Firewall => ({
        kind: "firewall",
        default: "drop",
        ssh: { from: [lab().gateway, "fe80::/10"] },
        rules: [
            { protocol: "tcp", port: 80 },
            { protocol: "tcp", port: "8000-8010", from: [lab().gateway, "fe80::/10"] },
            { protocol: "tcp", port: 9000, from: ELSEWHERE },
            { protocol: "udp", port: 53, from: ["0.0.0.0/0"] },
            { protocol: "vrrp", from: [lab().gateway] },
            ...rules,
        ],
        ...rest,
    });
    const converge = (resource?: Firewall, at = target) =>
        new Convergence(at, resource === undefined ? [packages] : [packages, resource]);
    const previewOf = async (resource?: Firewall) => (await converge(resource).preview()).text;
    const up = async (resource?: Firewall) => {
        const { code, stderr } = await converge(resource).up();
        assert.equal(code, 0, stderr);
        assert.equal(await previewOf(resource), "");
    };
    const table = () => out("nft list table inet haproxy_fleet 2>&1");
    const warnings = async (resource: Firewall) => (await converge(resource).whyRun()).warnings;

    const open = async (ports: number[]) => (await reachable(host, ports)).sort();

    before("a host with listeners", async () => {
        host = lab().host("lb1");
        target = { ...sshTargetOf(lab(), host), loginTimeout: 2_000 };
        await host.writeFile("/root/listen.pl", LISTENER);
        await host.exec("systemd-run --quiet --unit=listener perl /root/listen.pl");
        await up();
        bare = await hostState(host);
    });

    describe("with default drop", () => {
        let server: Server;
        after(() => server?.close());

        it("opens what is declared and SSH, drops the rest, for IPv4 and IPv6, and keeps connections", async () => {
            let older: Socket | undefined;
            server = createServer((socket) => {
                older = socket;
            }).listen(0, lab().gateway);
            await until("the server listens", async () => server.listening);
            const { port } = server.address() as { port: number };
            await host.exec(
                `systemd-run --quiet --unit=older bash -c 'exec 3<>/dev/tcp/${lab().gateway}/${port}; read -r line <&3; echo "$line" >/root/heard'`,
            );
            await until("the host is connected", async () => older !== undefined);
            assert.equal((await open([81])).length, 2);

            await up(firewall());
            assert.deepEqual(await open([22, 80, 81, 8005, 9000]), [
                "4:22",
                "4:80",
                "4:8005",
                "6:22",
                "6:80",
                "6:8005",
            ]);
            await run("perl", ["-e", SENDER, host.address]);
            await until("packets arrive", async () => (await out("sort -u /root/arrived")) === "53\nvrrp");
            older?.write("late\n");
            await until("the older connection works", async () => (await out("cat /root/heard")) === "late");
            assert.match((await converge(firewall()).up()).stdout, /nothing to do/);
        });

        it("lets in answers to connections that are exempt from tracking", async () => {
            const { port } = server.address() as { port: number };
            const chain = (name: string, hook: string, match: string) =>
                `chain ${name} { type filter hook ${hook} priority -300; tcp ${match} ${port} notrack; };`;
            await host.exec(`
                nft 'table ip exempt { ${chain("answers", "prerouting", "sport")} ${chain("asked", "output", "dport")} }'
                timeout 5 bash -c 'exec 3<>/dev/tcp/${lab().gateway}/${port}'
                connected=$?
                nft delete table ip exempt
                exit $connected`);
        });

        it("follows the port of the login", async () => {
            await host.exec("/usr/sbin/sshd -p 2222 && nft add rule inet haproxy_fleet input tcp dport 2222 accept");
            const { text } = await converge(firewall(), { ...target, port: 2222 }).preview();
            await host.exec("kill $(pgrep -f 'sshd -p 2222' | head -n 1)", { check: false });
            assert.match(text, new RegExp(`lacks: ip saddr ${lab().gateway} tcp dport 2222 accept`));
            assert.match(text, new RegExp(`has also: ip saddr ${lab().gateway} tcp dport 22 accept`));
        });

        it("shows each drift, and repairs it", async () => {
            await host.exec(`
                nft delete rule inet haproxy_fleet input handle "$(nft -a list table inet haproxy_fleet | sed -n 's/.*tcp dport 80 accept # handle //p')"
                echo '# edited' >>/etc/haproxy-fleet-firewall.nft`);
            const edited = await previewOf(firewall());
            assert.match(edited, /drift: lacks: tcp dport 80 accept\n/);
            assert.match(edited, /drift: has also: tcp dport 2222 accept; would go/);
            await up(firewall());
            assert.deepEqual(await open([22, 80]), ["4:22", "4:80", "6:22", "6:80"]);

            await host.exec("nft delete table inet haproxy_fleet");
            assert.match(await previewOf(firewall()), /drift: has none of its rules/);
            await up(firewall());

            await host.exec(`
                echo '# edited' >>/etc/haproxy-fleet-firewall.nft
                systemctl --quiet disable haproxy-fleet-firewall
                systemctl stop haproxy-fleet-firewall`);
            const { text } = await converge(firewall()).preview();
            assert.match(text, /drift: \/etc\/haproxy-fleet-firewall.nft is not as declared/);
            // The rules of the kernel are right, so nothing needs a new login.
            const { code, stderr } = await converge(firewall()).up((body) => body, undefined, false);
            assert.equal(code, 0, stderr);
            assert.equal(await out("systemctl is-enabled haproxy-fleet-firewall"), "enabled");
            assert.equal(await previewOf(firewall()), "");
        });

        it("outlives those who flush all rules, and a boot", async () => {
            await host.exec("systemctl --quiet enable --now nftables");
            for (const verb of ["reload", "restart"]) {
                await host.exec(`systemctl ${verb} nftables`);
                await until(`rules after a ${verb}`, async () => /policy drop/.test(await table()));
            }
            await host.reboot();
            assert.equal(await previewOf(firewall()), "");
            assert.deepEqual(await open([22, 81]), ["4:22", "6:22"]);
            await host.exec("systemd-run --quiet --unit=listener perl /root/listen.pl");
        });
    });

    describe("that would lock the login out", () => {
        const shut = () => firewall([], { ssh: { from: ELSEWHERE } });
        let before: string;
        beforeEach(async () => {
            await up(firewall());
            before = await table();
        });

        it("is rolled back as soon as no new login works, and the next preview says so", async () => {
            const { code, stderr } = await converge(shut()).up();
            assert.equal(code, 1);
            assert.match(
                stderr,
                /failed: no new login works: \S+:22 did not answer within 2 s; the rules from before are back; correct/,
            );
            assert.equal(await table(), before);
            assert.match(
                String(await warnings(shut())),
                /the change of \S+ \S+Z was rolled back: no new login works: \S+:22 did not/,
            );
        });

        it("is rolled back if the program has died, and the next preview says so", async () => {
            const { code, stderr } = await converge(shut()).up(soon, undefined, false);
            assert.equal(code, 1);
            assert.match(stderr, /no new login has confirmed the change within 1 s; the rules from before are back/);
            assert.equal(await table(), before);
            assert.match(
                String(await warnings(firewall())),
                /rolled back: no new login has confirmed the change within 1 s/,
            );
            assert.match(await previewOf(firewall()), /not confirmed by a new login/);
            await up(firewall());
            assert.deepEqual(await warnings(firewall()), []);
        });

        it("is rolled back if the real program was killed after the change", async () => {
            const project = new Project();
            try {
                project.program(hostsProgram([{ name: "lb1", target, resources: [packages, shut()] }]));
                await project.succeed("stack", "init", "dev");
                const ended = project.run(["up", "--yes", "--skip-preview"]);
                await until("the rules have changed", async () => (await table()) !== before, 60_000);
                // The program is busy with its second login, which the rules drop.
                const processes = readdirSync("/proc").filter((pid) => cwdOf(pid) === project.directory);
                assert.ok(processes.length > 1);
                for (const pid of processes) process.kill(Number(pid), "SIGKILL");
                assert.notEqual((await ended).code, 0);
                // The end of the 30 s comes now.
                await host.exec("systemctl start haproxy-fleet-guard.service");
                await until("the rules are back", async () => (await table()) === before);
                assert.match(
                    String(await warnings(shut())),
                    /rolled back: no new login has confirmed the change within 30 s/,
                );
                await until(
                    "the converge has ended",
                    async () => (await out("systemctl is-active haproxy-fleet-converge")) !== "active",
                );
            } finally {
                project.remove();
            }
        });

        it("is rolled back if the converge was killed", async () => {
            for (const edit of [
                killAt(3, "before", "firewall["),
                killAt(4, "before", "firewall["),
                atNaps("kill -KILL $$"),
            ]) {
                const { stderr } = await converge(shut()).up((body) => soon(edit(body)), undefined, false);
                assert.match(stderr, /ended by SIGKILL/);
                await until("the old rules are back", async () => (await table()) === before);
                await until("a preview says so", async () => /rolled back/.test(String(await warnings(shut()))));
            }
        });

        it("is not even tried without a timer", async () => {
            const fake = "/usr/local/sbin/systemd-run";
            await host.writeFile(
                fake,
                '#!/bin/sh\ncase $* in *-guard*) echo "no timers here"; exit 1 ;; esac\nexec /usr/bin/systemd-run "$@"\n',
                0o755,
            );
            const { code, stderr } = await converge(shut()).up();
            await host.exec(`rm ${fake}`);
            assert.equal(code, 1);
            assert.match(stderr, /no timers here\n[\s\S]*the step was: arm the timer/);
            assert.equal(await table(), before);
        });
    });

    it("is confirmed although the same converge has failed before", async () => {
        const first: Resource = {
            kind: "execute",
            name: "first",
            command: "test -e /root/may && touch /root/done",
            creates: "/root/done",
        };
        const declared = new Convergence(target, [packages, first, firewall([{ protocol: "tcp", port: 82 }])]);
        // After the first one, the host has records that it had not before.
        for (let tries = 0; tries < 2; tries++) assert.equal((await declared.up()).code, 1);
        // As after one whose change was rolled back.
        await host.exec(`
            cd /run/haproxy-fleet && mkdir -p guard
            for result in result.*; do touch "guard/ready.\${result#result.}"; done
            touch /root/may`);
        const { code, stderr } = await declared.up();
        assert.equal(code, 0, stderr);
    });

    it("is completed by the next converge after one that was killed anywhere", async () => {
        const one = firewall([{ protocol: "tcp", port: 81 }]);
        await up(one);
        // What a converge has declared that was killed is remembered until the next one, which may have nothing to do.
        const stateOf = async () => (await hostState(host)).filter((line) => !line.startsWith("declared "));
        const state = await stateOf();
        for (const [n, when] of [
            [2, "before"],
            [4, "after"],
            [5, "after"],
        ] as const) {
            await up(firewall());
            const { stderr } = await converge(one).up((body) => soon(killAt(n, when, "firewall[")(body)));
            assert.match(stderr, /ended by SIGKILL/);
            await up(one);
            assert.deepEqual(await stateOf(), state, `${when} step ${n}`);
        }
    });

    it("is refused without nft, if no package brings it", async () => {
        await host.exec("mv /usr/sbin/nft /root");
        const { text, refused } = await new Convergence(target, [firewall()]).preview();
        await host.exec("mv /root/nft /usr/sbin");
        assert.equal(refused, true);
        assert.match(text, /nft is missing; declare the package nftables/);
    });

    describe("that is switched off", () => {
        it("leaves the host as it was, without default drop as without the resource", async () => {
            await host.exec("systemctl --quiet disable --now nftables");
            for (const less of [firewall([], { default: undefined }), undefined]) {
                await up(firewall());
                const failed = await converge(less).up(soon, undefined, false);
                assert.equal(failed.code, 1);
                assert.match(await table(), /policy drop/);
                await up(less);
                assert.equal(await out("nft list ruleset"), "");
            }
            assert.deepEqual(await hostState(host), bare);
        });

        it("goes when its host is retired, by a new login, too", async () => {
            const resources = [packages, firewall()];
            const convergence = new Convergence(target, resources);
            assert.equal((await convergence.up()).code, 0);
            const { address, port, user, hostKey, privateKey } = target;
            const retirement = await planRetirement({
                connection: { address, port, user, hostKey, privateKey },
                resources,
                owner: convergence.owner,
                formerOwners: [],
                deadline: 300,
            });
            assert.deepEqual(retirement.undone, ["firewall[host]"]);
            await retirement.run(() => {});
            assert.equal(
                await out("nft list ruleset; ls /etc/haproxy-fleet-firewall.nft /var/lib/haproxy-fleet 2>/dev/null"),
                "",
            );
        });
    });
});
