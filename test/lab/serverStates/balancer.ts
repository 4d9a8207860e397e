import assert from "node:assert/strict";
import type { HaproxyConfig, Server } from "../../../components/haproxy/model";
import { haproxy } from "../../../components/recipes/haproxy/index";
import type { Host } from "../../../lab/host";
import { sleep } from "../../../lab/machine/exec";
import { Convergence } from "../../support/converge";
import type { SwitchedServer } from "../../support/switchedServer";
import { ask } from "../../support/traffic";
import { askSocket } from "../transaction/loadBalancerHost";

export const FILE = "/run/haproxy-fleet/server-states";
export const PROGRAM = "/usr/local/lib/haproxy-fleet/haproxy-reload";
export const ADMIN = askSocket("/run/haproxy/admin.sock");
export const OTHER = "127.0.0.9";
export const DROP_INS = "/etc/systemd/system/haproxy.service.d";

/** Shell that runs its argument, and waits for a new worker. */
const RENEW = `
    pid() { ${ADMIN} 'show info' 2>/dev/null | sed -n 's/^Pid: //p'; }
    renew() {
        before=$(pid)
        "$@" || return
        until now=$(pid) && [ -n "$now" ] && [ "$now" != "$before" ]; do sleep 0.02; done
    }
    signal() { kill -USR2 "$(systemctl show -p MainPID --value haproxy)"; }
`;

/** Checks change nothing during a test, so whatever a new worker believes came from the states. */
const patient: Partial<Server> = { inter: "1s", fall: 200, rise: 200 };

/** A release with servers of its own. */
export class Balancer {
    readonly servers: SwitchedServer[] = [];

    constructor(
        readonly version: string,
        readonly host: Host,
        private readonly target: ConstructorParameters<typeof Convergence>[0],
    ) {}

    server(name: string): SwitchedServer {
        const found = this.servers.find((server) => server.name === name);
        assert.ok(found, name);
        return found;
    }

    /** `hand`: what differs for the servers of backend hand, which gets no requests. `front`: a backend before the others. */
    config({ states = true, hand = {} as Record<string, Partial<Server>>, front = false } = {}): HaproxyConfig {
        const at = (name: string) => ({ address: this.server(name).address, port: this.server(name).port });
        return {
            version: this.version,
            global: { maxconn: 1000, serverStates: states },
            // An answer of the failing server must count as an error.
            defaults: { retries: 0, options: { redispatch: false } },
            frontends: [
                {
                    name: "in",
                    // The other address of servers of backend hand.
                    binds: [{ port: 80 }, { address: OTHER, port: this.server("good").port }],
                    defaultBackend: "web",
                },
            ],
            backends: [
                ...(front ? [{ name: "a-front", servers: [{ name: "m", ...at("good") }] }] : []),
                {
                    name: "web",
                    httpchk: { uri: "/health" },
                    defaultServer: { inter: "500ms", fall: 2, rise: 2 },
                    servers: ["good", "better", "failing"].map((name) => ({ name, ...at(name) })),
                },
                {
                    name: "hand",
                    defaultServer: patient,
                    servers: ["maint", "drained", "weighed", "ready", "down", "unchecked"].map((name) => ({
                        name,
                        ...at("good"),
                        ...(name === "weighed" && { weight: 10 }),
                        ...(name === "ready" && { raw: "disabled" }),
                        ...hand[name],
                    })),
                },
            ],
        };
    }

    converged(declared: Parameters<Balancer["config"]>[0] = {}): Convergence {
        return new Convergence(this.target, haproxy(this.config(declared)));
    }

    async converge(declared: Parameters<Balancer["config"]>[0] = {}): Promise<void> {
        const { code, stderr } = await this.converged(declared).up();
        assert.equal(code, 0, stderr);
    }

    async shell(script: string): Promise<string> {
        return (await this.host.exec(`${RENEW}\n${script}`)).stdout.trim();
    }

    reload = () => this.shell("renew systemctl reload haproxy");

    /** Sets servers of backend hand. */
    set(...commands: string[]): Promise<string> {
        return this.shell(commands.map((command) => `${ADMIN} 'set server hand/${command}'`).join("\n"));
    }

    /** Status, weight and port of servers, as in `MAINT 10 80`. UP without a result of a check is UP. */
    async states(backend = "hand"): Promise<Record<string, string>> {
        const text = await this.shell(`${ADMIN} 'show stat -1 4 -1'; ${ADMIN} 'show servers state'`);
        const rows = text.split("\n");
        const ports = new Map(rows.map((row) => row.split(" ")).map((row) => [`${row[1]}/${row[3]}`, row[18]]));
        const found: Record<string, string> = {};
        for (const row of rows.map((line) => line.split(","))) {
            if (row[0] !== backend || row[1] === undefined) continue;
            const status = (row[17] ?? "").replace(/ \d.*/, "").replace("no check", "UP");
            found[row[1]] = `${status} ${row[18]} ${ports.get(`${backend}/${row[1]}`)}`;
        }
        return found;
    }

    /** The status of a server. */
    async status(server: string, backend = "hand"): Promise<string> {
        return (await this.states(backend))[server]?.split(" ")[0] ?? "none";
    }

    /** Sends requests until `stop`. Returns how many there were, and which were not answered with 200. */
    load() {
        const errors: string[] = [];
        let [requests, over] = [0, false];
        const client = async () => {
            while (!over) {
                await ask(this.host.address).then(
                    ({ status }) => status === 200 || errors.push(`status ${status}`),
                    (error) => errors.push(String(error)),
                );
                requests++;
                await sleep(15);
            }
        };
        const clients = [1, 2, 3, 4].map(client);
        return async () => {
            over = true;
            await Promise.all(clients);
            return { requests, errors };
        };
    }
}
