// Two load balancers, and programs that declare them as a pair.
import assert from "node:assert/strict";
import type { PairSettings } from "../../../components/keepalived/index";
import type { Host } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { Clients } from "../../../lab/pair/clients";
import { longestGap, now, type Sample, spansOf } from "../../../lab/pair/history";
import { Observer } from "../../../lab/pair/observer";
import { testLibrary } from "../../../toolchain/package.mjs";
import { sshTargetOf } from "../../support/sshTarget";
import { until } from "../../support/traffic";
import { Project } from "../../toolchain/project";

export const NAMES = ["lb1", "lb2"] as const;
/** Where the server listens: sshd answers its checks. */
const SSHD = 22;

/** What a test declares. */
export interface Declared extends Partial<PairSettings> {
    /** In the header of each answer. */
    mark: string;
    maxconn?: number;
    /** Permits a restart. */
    restart?: "now";
    /** Name of a host that cannot be reached. */
    away?: string;
}

/** How an up under load has gone. */
export interface Watched {
    code: number;
    text: string;
    /** Requests on new connections that got no complete answer, as `result` of lab/pair. */
    failed: string[];
    requests: number;
    /** Owners of the service address, one after the other; a gap is an empty text, two owners are joined by a comma. */
    owners: string[];
    /** Longest time without an owner, in milliseconds. */
    gap: number;
}

export class RolledPair {
    readonly project = new Project();
    private declared: Declared = { mark: "none" };

    constructor(private readonly lab: Lab) {}

    get address(): string {
        return this.lab.address(100);
    }

    get hosts(): [Host, Host] {
        return [this.lab.host("lb1"), this.lab.host("lb2")];
    }

    /** Writes the program. What is not given stays as it was. */
    declare(change: Partial<Declared>): void {
        this.declared = { ...this.declared, ...change };
        const { mark, maxconn = 1000, restart, away, ...settings } = this.declared;
        const model = {
            version: "2.6",
            // A lab host cannot have more than 20000 file descriptors.
            global: { maxconn },
            frontends: [
                {
                    name: "web",
                    binds: [{ port: 80 }],
                    raw: [`http-request return status 200 hdr X-Balancer %[hostname] hdr X-Mark ${mark}`],
                    defaultBackend: "app",
                },
            ],
            backends: [
                {
                    name: "app",
                    servers: [{ name: "app1", address: "127.0.0.1", port: SSHD, inter: "300ms", fall: 2, rise: 1 }],
                },
            ],
        };
        const connections = Object.fromEntries(
            this.hosts.map((host) => {
                const target = sshTargetOf(this.lab, host);
                return [host.name, host.name === away ? { ...target, port: 9 } : target];
            }),
        );
        const pair = { failback: "never", addresses: [`${this.address}/24`], ...settings };
        this.project.program(`
            import { LoadBalancerPair } from ${JSON.stringify(testLibrary())};
            const connections: any = ${JSON.stringify(connections)};
            const hosts = Object.fromEntries(
                Object.entries<any>(connections).map(([name, { privateKey, ...rest }]) => [
                    name,
                    { connection: { ...rest, privateKey: pulumi.secret(privateKey) } },
                ]),
            );
            const pair: any = ${JSON.stringify(pair)};
            if (pair.password) pair.password = pulumi.secret(pair.password);
            const args: any = ${JSON.stringify({ model, restart })};
            new LoadBalancerPair("edge", { hosts, pair, ...args });`);
    }

    /** Runs the CLI. */
    async run(...args: string[]): Promise<{ code: number; text: string }> {
        const { code, stdout, stderr } = await this.project.run([...args, "--color=never"]);
        return { code, text: stdout + stderr };
    }

    /** An up that must succeed. */
    async up(): Promise<string> {
        const { code, text } = await this.run("up", "--yes", "--skip-preview");
        assert.equal(code, 0, text);
        return text;
    }

    /** Runs the CLI while clients make requests to the service address, and an observer outside of both hosts sees who answers for it. */
    async watched(...args: string[]): Promise<Watched> {
        const observer = await Observer.start(this.lab, this.address);
        // While the address is handed over, a host drops first packets, which clients send again after a second.
        const clients = new Clients({ address: this.address, timeout: 5000 });
        const began = now();
        let samples: Sample[];
        let ended: { code: number; text: string };
        try {
            ended = await this.run(...args);
        } finally {
            samples = (await observer.stop()).filter(({ time }) => time >= began);
            await clients.stop();
        }
        const made = clients.requests.filter(({ connection }) => connection === "new");
        return {
            ...ended,
            failed: made.filter(({ result }) => result !== "ok").map(({ result }) => result),
            requests: made.length,
            owners: spansOf(samples).map(({ owners }) => owners.join()),
            gap: longestGap(samples),
        };
    }

    /** What each host says that it is, and how many of the addresses it has. */
    states(): Promise<string[]> {
        return Promise.all(
            this.hosts.map(async (host) =>
                (await host.exec("/usr/local/libexec/haproxy-fleet/pair state", { check: false })).stdout
                    .trim()
                    .replace("\t", " "),
            ),
        );
    }

    /** Waits until one is MASTER with all addresses and the other one BACKUP. Returns them in this order. */
    async settled(): Promise<[master: Host, backup: Host]> {
        let states: string[] = [];
        await until("one is MASTER and one is BACKUP", async () => {
            states = await this.states();
            return [...states].sort().join() === "BACKUP none,MASTER all";
        });
        const [first, second] = this.hosts;
        return states[0] === "MASTER all" ? [first, second] : [second, first];
    }

    /** When the files of HAProxy were written on a host, and its converge ended, in seconds. */
    async times(host: Host): Promise<{ written: number; ended: number }> {
        const { stdout } = await host.exec("stat -c %.Y /etc/haproxy/haproxy.cfg /var/lib/haproxy-fleet/token");
        const [written = 0, ended = 0] = stdout.trim().split("\n").map(Number);
        return { written, ended };
    }

    remove(): void {
        this.project.remove();
    }
}

/** The mark that a host answers with on its own address. */
export async function markOf({ address }: Host): Promise<string | null> {
    const answer = await fetch(`http://${address}/`, { headers: { connection: "close" } });
    return answer.headers.get("x-mark");
}

/** The main process of a unit. */
export async function mainProcess(host: Host, unit: string): Promise<string> {
    return (await host.exec(`systemctl show -p MainPID --value ${unit}`)).stdout.trim();
}
