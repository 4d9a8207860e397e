// Three load balancers, and programs that declare them as one fleet.
import assert from "node:assert/strict";
import type { SshTarget } from "../../../components/convergence/ssh/ssh";
import type { LoadBalancerFleetArgs } from "../../../components/loadBalancerFleet";
import type { Host } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { type FleetProgram, fleetProgram } from "../../support/fleetProgram";
import { restartTraces } from "../../support/smallLoadBalancer";
import { sshTargetOf } from "../../support/sshTarget";
import { until } from "../../support/traffic";
import { Project } from "../../toolchain/project";

/** Names of the hosts, in the order in which they change. */
export const NAMES = ["lb1", "lb2", "lb3"] as const;

/** Where the servers listen: sshd answers their checks. */
const SSHD = 22;
/** Nothing listens there. */
export const NOTHING = 9;

/** What a test declares. */
export interface Declared extends Partial<Omit<LoadBalancerFleetArgs, "hosts" | "model">> {
    /** In the header of each answer. */
    mark: string;
    /** Port of the only server, on the host itself. @default - one that answers */
    port?: number;
}

/** An up without a preview. */
export const UP = ["up", "--yes", "--skip-preview"];

/** When a host was asked, changed, and done, in seconds. */
export interface Times {
    asked: number;
    changed: number;
    ended: number;
}

/** How a run of the CLI has ended. */
export interface Ended {
    code: number;
    text: string;
    /** Milliseconds since the epoch at which it began. */
    began: number;
}

export class Fleet {
    readonly project = new Project();

    constructor(private readonly lab: Lab) {}

    get hosts(): [Host, Host, Host] {
        return [this.lab.host("lb1"), this.lab.host("lb2"), this.lab.host("lb3")];
    }

    /** How they are reached. */
    get targets(): [SshTarget, SshTarget, SshTarget] {
        const [first, second, third] = this.hosts;
        return [sshTargetOf(this.lab, first), sshTargetOf(this.lab, second), sshTargetOf(this.lab, third)];
    }

    /** Writes the program. What else it declares, such as other hosts, may be given. */
    declare({ mark, port = SSHD, ...args }: Declared, program: Partial<FleetProgram> = {}): void {
        const model = {
            version: "2.6",
            // A lab host cannot have more than 20000 file descriptors.
            global: { maxconn: 1000 },
            frontends: [
                {
                    name: "web",
                    binds: [{ port: 80 }],
                    raw: [`http-request return status 200 hdr X-Mark ${mark}`],
                    defaultBackend: "app",
                },
            ],
            backends: [
                {
                    name: "app",
                    servers: [{ name: "app1", address: "127.0.0.1", port, inter: "300ms", fall: 2, rise: 1 }],
                },
            ],
        } as const;
        const [lb1, lb2, lb3] = this.targets;
        this.project.program(fleetProgram({ hosts: { lb1, lb2, lb3 }, args: { model, ...args }, ...program }));
    }

    /** Runs the CLI. */
    async run(args: string[], options: Parameters<Project["run"]>[1] = {}): Promise<Ended> {
        const began = Date.now();
        const { code, stdout, stderr } = await this.project.run([...args, "--color=never"], options);
        return { code, text: stdout + stderr, began };
    }

    /** Runs a command that must succeed. */
    async succeed(...args: string[]): Promise<Ended> {
        const ended = await this.run(args);
        assert.equal(ended.code, 0, ended.text);
        return ended;
    }

    /** Runs a command that must fail. */
    async fail(...args: string[]): Promise<string> {
        const { code, text } = await this.run(args);
        assert.notEqual(code, 0, text);
        return text;
    }

    /** What a change, a reload or a restart leaves behind on each host. */
    traces = () => Promise.all(this.hosts.map(restartTraces));

    /** The mark that each host answers with. */
    marks(): Promise<string[]> {
        return Promise.all(this.hosts.map(markOf));
    }

    /** When each host was asked in an up, and changed, and done, as the hosts themselves have noted it. */
    times({ began }: Ended): Promise<Times[]> {
        return Promise.all(
            this.hosts.map(async (host) => {
                const { stdout } = await host.exec(`
                    journalctl --sync
                    journalctl -q -o short-unix -t sshd --since @${Math.floor(began / 1000)} | grep -m 1 'Accepted' | cut -d ' ' -f 1
                    stat -c %.Y /etc/haproxy/haproxy.cfg /var/lib/haproxy-fleet/token`);
                const [asked = 0, changed = 0, ended = 0] = stdout.trim().split("\n").map(Number);
                return { asked, changed, ended };
            }),
        );
    }

    /** Runs an up in which the converge of a host waits until `seen` has resolved. */
    async upWhileHeld(
        host: Host,
        seen: (output: () => string) => Promise<unknown>,
        options: Parameters<Project["run"]>[1] = {},
    ): Promise<Ended> {
        await host.exec("systemd-run --quiet --collect --unit=haproxy-fleet-converge sleep 600");
        let output = "";
        const onOutput = (text: string) => {
            output += text;
        };
        const up = this.run(UP, { ...options, onOutput });
        const early = up.then(({ text }) => Promise.reject(new Error(`the up has ended:\n${text}`)));
        await Promise.race([seen(() => output), early]).finally(() =>
            host.exec("systemctl stop haproxy-fleet-converge"),
        );
        return up;
    }

    /** Makes reloads of the host fail until the returned function is called. */
    async breakReloads(host: Host): Promise<() => Promise<unknown>> {
        const dropIn = "/run/systemd/system/haproxy.service.d/50-test.conf";
        await host.writeFile(dropIn, "[Service]\nExecReload=\nExecReload=/bin/false\n");
        await host.exec("systemctl daemon-reload");
        return () => host.exec(`rm ${dropIn}; systemctl daemon-reload`);
    }

    remove(): void {
        this.project.remove();
    }
}

/** The mark that a host answers with. */
export async function markOf(host: Host): Promise<string> {
    const answer = await fetch(`http://${host.address}/`, { headers: { connection: "close" } }).catch(() => undefined);
    return answer?.headers.get("x-mark") ?? "none";
}

/** Waits until a host answers with a mark. */
export const answersWith = (host: Host, mark: string) =>
    until(`${host.name} answers with ${mark}`, async () => (await markOf(host)) === mark);

/** What the CLI says at the end of a run. */
export const diagnostics = (text: string) => text.slice(text.lastIndexOf("Diagnostics:"));
