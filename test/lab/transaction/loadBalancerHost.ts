import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Resource, Transaction } from "../../../components/convergence/kinds/index";
import type { Bind, Global, HaproxyConfig } from "../../../components/haproxy/model";
import { type HaproxyOptions, haproxy } from "../../../components/recipes/haproxy/index";
import type { Host } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { quote } from "../../../lab/machine/exec";
import { Convergence } from "../../support/converge";
import { sshTargetOf } from "../../support/sshTarget";
import { PATIENCE, until } from "../../support/traffic";

/** What the tests vary of the declared configuration. */
export interface Variation {
    version?: string;
    global?: Global;
    /** Binds beside `*:80`. */
    binds?: Bind[];
    /** Raw lines of the frontend. */
    raw?: string[];
    /** The app server that answers. @default "app1" */
    app?: "app1" | "app2";
    /** Address of the app server. @default - that of `app` */
    server?: string;
    /** Text in a header, which makes configurations differ. */
    mark?: string;
}

/** Shell that starts a process listening on addresses such as `127.0.0.1:8081`. `repair` ends it. */
export function squat(...places: string[]): string {
    const listen = places.map((place) => `-l ${place}`).join(" ");
    const waits = places.map((place) => `until ss -Hltn | grep -q -F ${quote(`${place} `)}; do sleep 0.02; done`);
    return ["", `systemd-run -q --unit=squatter systemd-socket-activate ${listen} /bin/cat`, ...waits].join("\n");
}

/** Shell that sends its argument to a socket of HAProxy and prints the answer. */
export const askSocket = (path: string) => `perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0);
    connect(S, sockaddr_un("${path}")) or die "no answer"; syswrite(S, "$ARGV[0]\\n"); shutdown(S, 1);
    print <S>'`;

/** The same for the socket of the master. */
export const ASK_MASTER = askSocket("/run/haproxy-master.sock");

/** Lines of a frontend that waits for the rest of a request longer than any test takes. */
export const patient = ["timeout http-request 30m", "timeout client 30m"];

/** Shell that prints the pid of the serving worker. Old workers may exist and end at any moment. */
const WORKER = `for pid in $(pgrep -P "$(systemctl show -p MainPID --value haproxy)"); do
        ! ss -Hltnp | grep -q "pid=$pid," || echo "$pid"
    done`;

/** The load balancer of these tests, with ways to examine it without our own runtime. */
export class LoadBalancerHost {
    readonly host: Host;

    /** `version`: what its stack declares. */
    constructor(
        readonly lab: Lab,
        name = "lb1",
        private readonly version = "2.6",
    ) {
        this.host = lab.host(name);
    }

    get url() {
        return `http://${this.host.address}/`;
    }

    /** A free address of the lab's network. */
    get spareAddress() {
        return this.lab.address(200);
    }

    config({ version = this.version, global = {}, binds = [], raw = [], app = "app1", server, mark }: Variation = {}) {
        const address = server ?? this.lab.host(app).address;
        const config: HaproxyConfig = {
            version,
            // A lab host cannot have more than 20000 file descriptors.
            global: { maxconn: 1000, ...global },
            frontends: [{ name: "web", binds: [{ port: 80 }, ...binds], raw, defaultBackend: "app" }],
            backends: [
                {
                    name: "app",
                    raw: mark ? [`http-response set-header X-Mark ${mark}`] : [],
                    servers: [{ name: app, address, port: 80 }],
                },
            ],
        };
        return config;
    }

    /** The recipe with this variation; `edit` may change its transaction. */
    declare(
        variation: Variation = {},
        edit = (transaction: Transaction) => transaction,
        options: HaproxyOptions = {},
    ): Convergence {
        const resources = haproxy(this.config(variation), options).map(
            (resource): Resource => (resource.kind === "transaction" ? edit(resource) : resource),
        );
        return new Convergence(sshTargetOf(this.lab, this.host), resources);
    }

    /** Converges, and expects success. */
    async converge(variation: Variation = {}): Promise<string> {
        const { code, stdout, stderr } = await this.declare(variation).up();
        assert.equal(code, 0, stderr);
        return stdout;
    }

    /** The app server that answers a request, and its mark. */
    async answer(): Promise<string> {
        const response = await fetch(this.url, {
            headers: { connection: "close" },
            signal: AbortSignal.timeout(PATIENCE),
        });
        const text = (await response.text()).split(" ")[0] ?? "";
        return [text, response.headers.get("x-mark") ?? ""].join(" ").trim();
    }

    async shell(script: string): Promise<string> {
        return (await this.host.exec(script)).stdout.trim();
    }

    /** Pids of the serving processes: master, worker. */
    async processes(): Promise<string> {
        return this.shell(`echo "$(systemctl show -p MainPID --value haproxy) $(${WORKER})"`);
    }

    /** The configuration, file by file. */
    async files(): Promise<string> {
        return this.shell(`
            find /etc/haproxy -type f -printf '%p %m %u:%g\\n' | sort
            find /etc/haproxy -type f -print0 | sort -z | xargs -0 sha256sum`);
    }

    /** The answer of the master. */
    async master(command: string): Promise<string> {
        return this.shell(`${ASK_MASTER} '${command}'`);
    }

    /** Opens a connection with half of a request, which keeps the current worker alive if the frontend is patient. */
    async hold(): Promise<Socket> {
        const client = connect(80, this.host.address).on("error", () => undefined);
        await once(client, "connect");
        client.write("GET / HTTP/1.1\r\n");
        const { localPort } = client;
        const read = /^ESTAB +0 .* users:.* bytes_received:16 /s;
        await until("a worker has read it", async () => read.test(await this.shell(`ss -Htnpi dport = :${localPort}`)));
        return client;
    }

    /** Edits the configuration by hand so that app2 gets all requests, and reloads without changing the digest. */
    async handEdit(): Promise<void> {
        await this.shell(`sed -i 's/server app1 [^:]*/server app1 ${this.lab.host("app2").address}/' /etc/haproxy/haproxy.cfg
            worker=$(${WORKER})
            systemctl reload haproxy
            while ss -Hltnp | grep -q "pid=$worker,"; do sleep 0.05; done
            # Files that are written within the second of a worker's start seem older than it.
            second=$(date +%s)
            until [ "$(date +%s)" -gt "$second" ]; do sleep 0.05; done`);
    }

    /** Everything that a refused configuration must not change: files with times, processes, mounts. */
    async state(): Promise<string> {
        return this.shell(`
            # A refused converge notes what it has tried to declare, and how it has ended.
            files() { find /etc/haproxy /var/lib/haproxy-fleet ! -path /var/lib/haproxy-fleet ! -name declared ! -name last-converge "$@"; }
            files -printf '%p %y %m %u:%g %i %T@\\n' | sort
            files -type f -print0 | sort -z | xargs -0 sha256sum
            systemctl show -p MainPID -p InvocationID -p NRestarts haproxy
            ${WORKER}
            cat /proc/[0-9]*/mountinfo 2>/dev/null | grep haproxy | cut -d" " -f 4- | sort -u`);
    }

    /** Names in our directory on tmpfs, without digests. */
    async leftovers(): Promise<string> {
        return this.shell("ls -A /run/haproxy-fleet | sed 's/[.].*//' | sort -u | xargs");
    }
}
