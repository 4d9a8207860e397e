import assert from "node:assert/strict";
import {
    apiKeySlot,
    type LogsAndMetrics,
    runListWithLogs,
    withLogsAndMetrics,
} from "../../../components/hostSetup/logsAndMetrics";
import { haproxy } from "../../../components/recipes/haproxy/index";
import { Authority } from "../../../lab/certificates";
import type { Host } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { AGENT_STARTS } from "../../../lab/standIn/datadogAgent";
import { SyslogReceiver } from "../../../lab/syslogReceiver";
import { AptRepository } from "../../support/aptRepository";
import { Convergence } from "../../support/converge";
import { fleetProgram } from "../../support/fleetProgram";
import { hostState } from "../../support/hostState";
import { assertHidden } from "../../support/planted";
import { sshTargetOf } from "../../support/sshTarget";
import { ask, until } from "../../support/traffic";
import { Project } from "../../toolchain/project";
import { LoadBalancerHost } from "../transaction/loadBalancerHost";

export const LOG = "/var/log/haproxy.log";
const AUTHORITY = "/etc/ssl/certs/lab.pem";

/** What is converged beside HAProxy. Each service has a main process, or is a timer. */
export const services = ["rsyslog.service", "haproxy-logrotate.timer", "datadog-agent.service"];

/** What logs and metrics are sent to: a receiver of syslog over TLS, and a repository with a stand-in for the agent. */
export class Destinations {
    private constructor(
        readonly receiver: SyslogReceiver,
        readonly repository: AptRepository,
        private readonly authority: string,
    ) {}

    static async create(lab: Lab, receiving: Host): Promise<Destinations> {
        const authority = await Authority.create("logs");
        const { pem, key } = await authority.issue([receiving.name], 365);
        const receiver = new SyslogReceiver(receiving);
        const { trusted, chain } = authority;
        await receiver.install({ authority: trusted, certificate: pem + chain, key });
        return new Destinations(receiver, await AptRepository.start(lab.gateway), trusted);
    }

    /** Logs and metrics as a stack declares them. */
    declared<Secret>(apiKey: Secret): LogsAndMetrics<Secret> {
        const { url, fingerprint, keyUrl } = this.repository;
        return {
            papertrail: { host: this.receiver.host.name, port: this.receiver.port, caFile: AUTHORITY },
            logrotate: true,
            datadog: {
                apiKey,
                environment: "test",
                tags: { stack: "edge" },
                repository: { url, keys: [{ fingerprint, url: keyUrl }] },
            },
        };
    }

    /** Makes a host trust the receiver. */
    async trustedBy(host: Host): Promise<void> {
        await host.place(AUTHORITY, this.authority);
    }

    stop(): void {
        this.repository.stop();
    }
}

/** A load balancer on which logs and metrics are switched on and off. */
export class FullHost extends LoadBalancerHost {
    /** State of the host with HAProxy alone. */
    private before: string[] = [];
    /** Its state with logs and metrics. */
    full: string[] = [];
    /** Who converges it. */
    private owner = "probe/dev/lb1";

    constructor(
        private readonly labOf: Lab,
        name: string,
        readonly release: string,
        private readonly to: Destinations,
        private readonly apiKey: string,
    ) {
        super(labOf, name, release);
    }

    convergence(state: "on" | "off"): Convergence {
        const declared = this.to.declared(this.apiKey);
        const config = withLogsAndMetrics(this.config(), declared);
        const resources = runListWithLogs(config, haproxy(config), declared, []);
        const convergence =
            state === "off"
                ? this.declare()
                : new Convergence(sshTargetOf(this.labOf, this.host), resources, { [apiKeySlot]: this.apiKey });
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

    /** Switches all on, and returns what the up says. The preview and the up show no key. */
    async switchOn(): Promise<string> {
        const { preview, said } = await this.switch("on");
        assertHidden(preview + said, { key: this.apiKey }, "what the converge says");
        return said;
    }

    /** The same by a program and the real CLI, of which no output and no state shows the key. */
    async switchOnByProgram(): Promise<string> {
        const project = new Project();
        const says = async (...args: string[]) => {
            const { code, stdout, stderr } = await project.run([...args, "--color=never"]);
            assertHidden(stdout + stderr, { key: this.apiKey }, args.join(" "));
            assert.equal(code, 0, stdout + stderr);
            return stdout + stderr;
        };
        try {
            await project.succeed("stack", "init", "dev");
            await project.run(["config", "set", "--secret", "apiKey"], { input: this.apiKey });
            const args = { model: this.config(), ...this.to.declared("‹key›"), takeOver: true };
            const program = fleetProgram({ hosts: { lb: sshTargetOf(this.labOf, this.host) }, args });
            project.program(program.replace('"‹key›"', 'new pulumi.Config().requireSecret("apiKey")'));
            const said = await says("up", "--yes", "--skip-preview", "--diff", "--debug");
            assertHidden(await project.succeed("stack", "export"), { key: this.apiKey }, "stack export");
            assertHidden(project.stateText(), { key: this.apiKey }, "state");
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

    /** All that {@link hostState} has, and what else logs and metrics change. */
    async everything(): Promise<string[]> {
        const more = await this.shell(MORE);
        return [...(await hostState(this.host)), ...more.split("\n")].filter((line) => !OUR_RECORDS.test(line));
    }

    /** Everything that another process, or a file that is written again, changes. */
    traces(): Promise<string> {
        return this.shell(`
            systemctl show -p Id -p MainPID -p InvocationID -p NRestarts haproxy ${services.join(" ")}
            cat ${AGENT_STARTS}
            find /etc/haproxy /etc/rsyslog.d /etc/logrotate.d /etc/systemd/system /etc/apt /etc/datadog-agent /usr/local -type f -printf '%p %i %T@\\n' | sort`);
    }

    /** Processes that a why-run starts. Others of the host may start some meanwhile, so the least of some counts. */
    async processesOfWhyRun(): Promise<number> {
        await this.host.writeFile("/root/payload", this.convergence("on").payload());
        const counts = await this.shell(`
            for n in 1 2 3; do
                cp /root/payload /root/payload.run
                before=$(cat /proc/sys/kernel/ns_last_pid)
                sh /root/payload.run why-run >/root/said
                after=$(cat /proc/sys/kernel/ns_last_pid)
                # Without that shell and cat.
                echo $((after - before - 2))
            done
            rm /root/payload`);
        assert.match(
            await this.shell("cat /root/said; rm /root/said"),
            /^host\t.*\n(serving\t.*\n)?secret\t.*\nend\tdone$/,
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

    /** Installs nothing: makes the receiver trusted, converges HAProxy alone, and notes how the host is then. */
    async prepare(): Promise<void> {
        await this.to.trustedBy(this.host);
        await this.converge();
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
const OUR_RECORDS = / \/var\/lib\/haproxy-fleet\/(secret-lines|baseline|forwards)\b/;

/** Shell that prints what {@link hostState} does not look at. */
const MORE = `
find /var/lib/haproxy /usr/share/keyrings /var/spool/rsyslog -xdev -printf '%y %m %u:%g %p %l\\n' 2>/dev/null | sort
find /usr/share/keyrings -type f -print0 | xargs -0 -r sha256sum
ls /var/lib/apt/lists | grep -F dists_stable | sed 's,^,list ,'
systemctl list-units --no-legend --no-pager --plain --all --type=timer,path,socket | awk '$2 == "loaded" { print "timer", $1, $3 }' | sort
# Not those from which HAProxy sends.
ss -Hlun 'sport < :1024' | awk '{ print "listens", $4 }' | sort
`;
