import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { firewallWarnings } from "../../../components/convergence/preview/firewallWarnings";
import { type HostSetup, runListWithSetup, setupSlots, withSetup } from "../../../components/hostSetup/index";
import { haproxy } from "../../../components/recipes/haproxy/index";
import type { Host } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { AGENT_STARTS } from "../../../lab/standIn/datadogAgent";
import { SyslogReceiver } from "../../../lab/syslogReceiver";
import { Convergence } from "../../support/converge";
import { fleetProgram } from "../../support/fleetProgram";
import { hostState } from "../../support/hostState";
import { assertHidden } from "../../support/planted";
import { type Connection, connectionTo } from "../../support/reachable";
import type { Release } from "../../support/releases";
import { sshTargetOf } from "../../support/sshTarget";
import { ask, until } from "../../support/traffic";
import { Project } from "../../toolchain/project";
import { LoadBalancerHost } from "../transaction/loadBalancerHost";
import type { Destinations } from "./destinations";

export const LOG = "/var/log/haproxy.log";

/** Where the words of alerts are. */
const WORDS = "/srv/words";

/** Ports of another daemon on each host: only app1 may reach the second one. */
const OTHER_PORT = 8081;
const PORT_FOR_APP1 = 8082;

/** Secrets of the setup; the command appends each word of an alert to a file. */
interface Secrets<Secret> {
    readonly apiKey: Secret;
    readonly command: Secret;
}

/** What no output may show. */
export const planted = { key: "planted0api0key0of0releases", token: "planted0token0of0releases" };

const secrets: Secrets<string> = {
    apiKey: planted.key,
    command: `printf '%s of %s: %s\\n' "$ALERT_EVENT" "$ALERT_UNIT" "$ALERT_TEXT" >>${WORDS} # ${planted.token}`,
};

/** In a program's text, what stands for them. */
const marks: Secrets<string> = { apiKey: "‹apiKey›", command: "‹command›" };

/** What is converged beside HAProxy. Each service has a main process, or is a timer. */
export const services = ["rsyslog.service", "haproxy-logrotate.timer", "datadog-agent.service"];

/** A load balancer on which everything else that a stack may declare for its host is switched on and off. */
export class FullHost extends LoadBalancerHost {
    /** State of the host with HAProxy alone. */
    private before: string[] = [];
    /** Its state with everything. */
    full: string[] = [];
    /** Who converges it. */
    private owner = "probe/dev/lb1";
    /** The version of HAProxy's package. */
    private installed = "";

    constructor(
        private readonly labOf: Lab,
        name: string,
        readonly release: Release["version"],
        private readonly to: Destinations,
    ) {
        super(labOf, name, release);
    }

    /** Whether ufw manages its firewall. */
    private get hasUfw(): boolean {
        return this.release === "2.8";
    }

    /** Everything that a stack may declare. */
    private setup<Secret>({ apiKey, command }: Secrets<Secret>): HostSetup<Secret> {
        return {
            ...this.to.declared(apiKey),
            firewall: {
                default: "drop",
                ssh: [`${this.labOf.gateway}/24`],
                allow: [{ protocol: "tcp", port: PORT_FOR_APP1, from: [this.labOf.host("app1").address] }],
            },
            tuning: { reservedPorts: [OTHER_PORT] },
            packages: { haproxy: { version: this.installed, hold: true }, rsyslog: "hold" },
            alert: { command },
        };
    }

    convergence(state: "on" | "off"): Convergence {
        const setup = this.setup(secrets);
        const config = withSetup(this.config(), setup);
        const { resources, issues } = runListWithSetup(config, haproxy(config), setup, []);
        assert.deepEqual(issues, []);
        const convergence =
            state === "off"
                ? this.declare()
                : new Convergence(sshTargetOf(this.labOf, this.host), resources, setupSlots(setup));
        convergence.owner = this.owner;
        return convergence;
    }

    /** What a preview says, and what an up says after it. Nothing differs then. */
    async switch(state: "on" | "off"): Promise<{ preview: string; said: string }> {
        const convergence = this.convergence(state);
        const { text, refused } = await convergence.preview();
        assert.ok(!refused, text);
        const { code, stdout, stderr } = await convergence.up();
        assert.equal(code, 0, stderr);
        await this.isConverged(state);
        return { preview: text, said: stdout + stderr };
    }

    /** Switches all on, and returns what the up says. The preview and the up show no secret. */
    async switchOn(): Promise<string> {
        const { preview, said } = await this.switch("on");
        assertHidden(preview + said, planted, "what the converge says");
        return said;
    }

    /** The same by a program and the real CLI, of which no output and no state shows a secret. */
    async switchOnByProgram(): Promise<string> {
        const project = new Project();
        const says = async (...args: string[]) => {
            const { code, stdout, stderr } = await project.run([...args, "--color=never"]);
            assertHidden(stdout + stderr, planted, args.join(" "));
            assert.equal(code, 0, stdout + stderr);
            return stdout + stderr;
        };
        try {
            await project.succeed("stack", "init", "dev");
            const args = { model: this.config(), ...this.setup(marks), takeOver: true };
            let program = fleetProgram({ hosts: { lb: sshTargetOf(this.labOf, this.host) }, args });
            for (const [key, input] of Object.entries(secrets)) {
                await project.run(["config", "set", "--secret", key], { input });
                program = program.replace(`"‹${key}›"`, `new pulumi.Config().requireSecret("${key}")`);
            }
            project.program(program);
            const said = await says("up", "--yes", "--skip-preview", "--diff", "--debug");
            assertHidden(await project.succeed("stack", "export"), planted, "stack export");
            assertHidden(project.stateText(), planted, "state");
            // What the component has converged is what the other tests converge.
            this.owner = "probe/dev/edge-lb";
            await this.isConverged("on");
            return said;
        } finally {
            project.remove();
        }
    }

    async isConverged(state: "on" | "off"): Promise<void> {
        assert.equal((await this.convergence(state).preview()).text, "");
    }

    /** What a preview says of the host although nothing differs; but that the machine tracks few connections, which no host can change. */
    async warnings(): Promise<string[]> {
        const { resources } = this.convergence("on");
        const { warnings, shortages, firewall: seen } = await this.convergence("on").whyRun();
        assert.equal(seen?.manager, this.hasUfw ? "ufw" : "nftables");
        return [
            ...warnings,
            ...shortages.flatMap(({ what }) => (what === "net.netfilter.nf_conntrack_max" ? [] : [what])),
            ...resources.flatMap((resource) => (resource.kind === "firewall" ? firewallWarnings(resource, seen) : [])),
        ];
    }

    /** All that {@link hostState} has, and what else the setup changes. */
    async everything(): Promise<string[]> {
        const more = await this.shell(MORE);
        return [...(await hostState(this.host)), ...more.split("\n")].filter((line) => !OUR_RECORDS.test(line));
    }

    /** Everything that another process changes, or a file that is written or a rule that is loaded again. */
    traces(): Promise<string> {
        return this.shell(`
            systemctl show -p Id -p MainPID -p InvocationID -p NRestarts haproxy ${services.join(" ")}
            cat ${AGENT_STARTS}
            nft -s -a list ruleset
            find /etc /usr/local -type f -printf '%p %i %T@\\n' | sort`);
    }

    /** Processes that a why-run starts. Others of the host may start some meanwhile, so the least of some counts. */
    async processesOfWhyRun(): Promise<number> {
        await this.host.writeFile("/root/payload", this.convergence("on").payload());
        const counts = await this.shell(`
            for n in 1 2 3; do
                cp /root/payload /root/payload.run
                before=$(cat /proc/sys/kernel/ns_last_pid)
                SSH_CONNECTION="${this.labOf.gateway} 40000 ${this.host.address} 22" sh /root/payload.run why-run >/root/said
                after=$(cat /proc/sys/kernel/ns_last_pid)
                # Without that shell and cat.
                echo $((after - before - 2))
            done
            rm /root/payload`);
        assert.match(
            await this.shell("cat /root/said; rm /root/said"),
            /^host\t.*\n((firewall|short|serving|secret)\t.*\n)*end\tdone$/,
        );
        return Math.min(...counts.split("\n").map(Number));
    }

    /** Asks HAProxy for a path, and waits for its line in the file; and at the receiver, or there is none. */
    async logs(path: string, where: "file and receiver" | "file"): Promise<void> {
        assert.equal((await ask(this.host.address, path)).status, 200);
        const arrives = (host: Host, file: string, line: string) =>
            until(`${path} of ${this.host.name} in ${file}`, async () => {
                return (await host.exec(`grep -q '${line}' ${file}`, { check: false })).code === 0;
            });
        await arrives(this.host, LOG, `GET ${path} `);
        if (where === "file and receiver") {
            // All hosts are asked for the same paths.
            await arrives(this.to.receiver.host, SyslogReceiver.file, `^${this.host.address} .*GET ${path} `);
        } else {
            assert.deepEqual(await this.to.receiver.lines(path), []);
        }
    }

    /** What the host's own agents see: metrics, groups of the agent's process, the receiver's connections. */
    async sees(): Promise<{ metrics: boolean; groups: string; connections: number; states: string }> {
        const answer = await this.shell(`
            curl -s http://127.0.0.1:8405/metrics | grep -c '^haproxy_frontend_http_requests_total{proxy="web"}' || :
            pid=$(systemctl show -P MainPID datadog-agent.service 2>/dev/null || echo 0)
            if [ "\${pid:-0}" -gt 0 ]; then
                sed -n 's/^Groups:[[:space:]]*//p' /proc/$pid/status | tr ' ' '\\n' | sed '/^$/d' | xargs -r getent group | cut -d: -f1 | sort | xargs
            else echo none; fi
            ss -Htn state established 'dport = :${this.to.receiver.port}' | wc -l
            systemctl is-active ${services.join(" ")} | xargs`);
        const [metrics, groups = "", connections, states = ""] = answer.split("\n");
        return { metrics: metrics === "1", groups, connections: Number(connections), states };
    }

    /**
     * What becomes of connections: from the machine to HAProxy and to another daemon, and to a port of the latter that only app1 may reach.
     */
    private async reached(): Promise<Record<string, Connection>> {
        const { address } = this.host;
        const [web, other, forApp1, ofApp1] = await Promise.all([
            connectionTo(address, 80, SILENCE),
            connectionTo(address, OTHER_PORT, SILENCE),
            connectionTo(address, PORT_FOR_APP1, SILENCE),
            connectionFrom(this.labOf.host("app1"), address, PORT_FOR_APP1),
        ]);
        return { web, other, forApp1, ofApp1 };
    }

    /** Expects these of {@link reached}. Looks again, because on a busy machine an accepted connection may seem dropped. */
    async reaches(expected: Record<string, Connection>): Promise<void> {
        let found = await this.reached();
        for (let n = 0; n < 3 && !isDeepStrictEqual(found, expected); n++) found = await this.reached();
        assert.deepEqual(found, expected);
    }

    /** The packages on hold. */
    held(): Promise<string> {
        return this.shell(`dpkg-query -W -f '\${db:Status-Want} \${Package}\\n' | sed -n 's/^hold //p' | xargs`);
    }

    /** The words of alerts, a line each. */
    words(): Promise<string> {
        return this.shell(`cat ${WORDS}`);
    }

    /**
     * Makes the receiver trusted, starts another daemon, switches ufw on if the host has it, converges HAProxy alone, and notes how the host
     * is then.
     */
    async prepare(): Promise<void> {
        await this.to.trustedBy(this.host);
        await this.host.place("/etc/systemd/system/other.service", OTHER_DAEMON);
        await this.shell(`systemctl enable --quiet --now other.service; : >${WORDS}`);
        if (this.hasUfw) await this.shell(UFW);
        await this.converge();
        this.installed = await this.shell("dpkg-query -W -f '${Version}' haproxy");
        this.before = await this.everything();
    }

    /**
     * How the host differs from what it was with HAProxy alone. What packages have brought stays, and is left out: their files, links to
     * these, units, and accounts.
     */
    async left(): Promise<string[]> {
        const after = await this.everything();
        const packages = (lines: string[]) => lines.flatMap((line) => /^package (\S+) /.exec(line)?.[1] ?? []);
        const had = packages(this.before);
        const added = packages(after).filter((name) => !had.includes(name));
        // Some suites name /lib what is in /usr/lib.
        const merged = (path: string) => path.replace(/^\.\.\//, "/etc/").replace(/^\/usr\/lib\//, "/lib/");
        const brought = new Set((await this.shell(`dpkg -L ${added.join(" ")}`)).split("\n").map(merged));
        const units = new Set([...brought].flatMap((path) => /\/systemd\/system\/([^/]+)$/.exec(path)?.[1] ?? []));
        const isBrought = (line: string) =>
            BY_PACKAGES.test(line) ||
            added.some((name) => line.startsWith(`package ${name} `)) ||
            line.split(" ").some((word) => brought.has(merged(word)) || units.has(word));
        return differences(this.before, after).filter((line) => !isBrought(line.slice(2)));
    }
}

/** What becomes of a connection from a host of the lab. */
async function connectionFrom(host: Host, address: string, port: number): Promise<Connection> {
    const script = `timeout ${SILENCE / 1000} bash -c ': <>/dev/tcp/${address}/${port}' 2>/dev/null`;
    const { code } = await host.exec(script, { check: false });
    return code === 0 ? "accepted" : code === 124 ? "dropped" : "refused";
}

/** Milliseconds after which a connection counts as dropped. */
const SILENCE = 1000;

/** The unit of a daemon that listens on the ports of {@link FullHost.reached}. The kernel accepts for it. */
const OTHER_DAEMON = `[Service]
ExecStart=/usr/bin/perl -MIO::Socket::INET -e '@all = map { IO::Socket::INET->new(LocalPort => $$_, Listen => 999, ReuseAddr => 1) or die } @ARGV; sleep' ${OTHER_PORT} ${PORT_FOR_APP1}
[Install]
WantedBy=multi-user.target
`;

/** Shell that switches ufw on, with a rule of somebody else. It lets everything in. */
const UFW = `
apt-get -qq -o Dpkg::Use-Pty=0 install ufw >/dev/null
ufw default allow incoming >/dev/null
ufw allow 22/tcp comment admin >/dev/null
ufw --force enable >/dev/null
systemctl enable --quiet --now ufw.service`;

/** Lines that only one of two states has, as in a diff. */
export function differences(before: string[], after: string[]): string[] {
    return [
        ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
        ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
    ];
}

/**
 * What packages make while they are installed: accounts; and the socket of rsyslog, also in HAProxy's chroot. And a unit that only the
 * first boot starts.
 */
const BY_PACKAGES =
    /^unit ldconfig.service |\/etc\/(passwd|shadow|group|gshadow|subuid|subgid)$|^(user|group) dd-agent:| \/var\/lib\/haproxy\/dev\/log |^timer syslog\.socket /;

/** What we remember of a host for messages. */
const OUR_RECORDS = / \/var\/lib\/haproxy-fleet\/(secret-lines|baseline|forwards|alert\.open)\b/;

/** Shell that prints what {@link hostState} does not look at. */
const MORE = `
find /var/lib/haproxy /usr/share/keyrings /var/spool/rsyslog -xdev -printf '%y %m %u:%g %p %l\\n' 2>/dev/null | sort
find /usr/share/keyrings -type f -print0 | xargs -0 -r sha256sum
ls /var/lib/apt/lists | grep -F dists_stable | sed 's,^,list ,'
systemctl list-units --no-legend --no-pager --plain --all --type=timer,path,socket | awk '$2 == "loaded" { print "timer", $1, $3 }' | sort
# Not those from which HAProxy sends.
ss -Hlun 'sport < :1024' | awk '{ print "listens", $4 }' | sort
`;
