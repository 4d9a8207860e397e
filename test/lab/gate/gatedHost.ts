import assert from "node:assert/strict";
import type { Backend, HaproxyConfig, Server } from "../../../components/haproxy/model";
import { type HaproxyOptions, haproxy } from "../../../components/recipes/haproxy/index";
import type { Lab } from "../../../lab/lab";
import { Convergence, type Launched } from "../../support/converge";
import { sshTargetOf } from "../../support/sshTarget";
import { type Health, SwitchedServer } from "../../support/switchedServer";
import { ask, until } from "../../support/traffic";
import { atStart } from "../transaction/edit";
import { LoadBalancerHost } from "../transaction/loadBalancerHost";

/** What a test declares: backends, of which the first gets all requests, and options of the recipe. */
export interface Declared extends Pick<HaproxyOptions, "bake" | "acceptDown"> {
    backends: Backend[];
    /** Other sections and settings. */
    more?: Partial<HaproxyConfig>;
}

/** Checks that decide soon. A busy machine may pause, so a late answer alone takes no server down. */
export const QUICK = { inter: "300ms", fall: 2, rise: 1 } as const;

/** A server as the running process reports it. */
export interface Reported {
    status: string;
    check: string;
    weight: string;
}

/** The next port of an app server that ends: below those that the kernel gives to others, who would answer there later. */
let deadPort = 20_000;

/** A host for the tests of the gate, with app servers on the machine. */
export class GatedHost extends LoadBalancerHost {
    private apps: SwitchedServer[] = [];

    constructor(
        lab: Lab,
        name: string,
        readonly release: string,
    ) {
        super(lab, name, release);
    }

    /** Starts app servers of these names. */
    async serve(...names: string[]): Promise<SwitchedServer[]> {
        const started = await Promise.all(names.map((name) => SwitchedServer.start(name, this.lab.gateway)));
        this.apps.push(...started);
        return started;
    }

    /** An app server that has ended: its port refuses connections. */
    async dead(name: string): Promise<SwitchedServer> {
        const app = await SwitchedServer.start(name, this.lab.gateway, deadPort++);
        this.apps.push(app);
        await app.become("refused");
        return app;
    }

    /** Ends the app servers, and makes the host one that was never converged. */
    async clear(): Promise<void> {
        for (const app of this.apps) app.stop();
        this.apps = [];
        await this.shell(`
            systemctl stop haproxy
            systemctl reset-failed haproxy 2>/dev/null
            rm -rf /var/lib/haproxy-fleet /etc/haproxy/* /run/haproxy-fleet/server-* /run/gate /run/go`);
    }

    declared({ backends, bake, acceptDown, more }: Declared): Convergence {
        const [first] = backends;
        const config: HaproxyConfig = {
            version: this.release,
            // A lab host cannot have more than 20000 file descriptors.
            global: { maxconn: 1000 },
            frontends: [{ name: "web", binds: [{ port: 80 }], defaultBackend: first?.name }],
            backends,
            ...more,
        };
        return new Convergence(sshTargetOf(this.lab, this.host), haproxy(config, { bake, acceptDown }));
    }

    /** Converges, and expects success. */
    async good(declared: Declared): Promise<Launched> {
        const launched = await this.declared(declared).up();
        assert.equal(launched.code, 0, launched.stderr);
        return launched;
    }

    /** Converges, and expects that the gate refuses it for this reason and that the last good files are active. */
    async refused(declared: Declared, reason: RegExp, edit?: (body: string) => string): Promise<string> {
        const files = await this.files();
        const { code, stderr } = await this.declared(declared).up(edit);
        assert.equal(code, 1, `no refusal:\n${stderr}`);
        assert.match(stderr, reason);
        assert.match(stderr, /last good files are back and active/);
        assert.equal(await this.files(), files);
        return stderr;
    }

    /** The servers of the running process, by `backend/server`. */
    async servers(): Promise<Map<string, Reported>> {
        const [head = "", ...rows] = (await this.master("@1 show stat -1 4 -1")).split("\n");
        const columns = head.replace("# ", "").split(",");
        const value = (fields: string[], name: string) => fields[columns.indexOf(name)] ?? "";
        return new Map(
            rows.map((row) => {
                // The columns that are read come before those that may have commas.
                const fields = row.split(",");
                const [status, check, weight] = ["status", "check_status", "weight"].map((name) => value(fields, name));
                return [
                    `${value(fields, "pxname")}/${value(fields, "svname")}`,
                    { status: status ?? "", check: (check ?? "").replace("* ", ""), weight: weight ?? "" },
                ];
            }),
        );
    }

    /** Waits until a server has this status. */
    async reports(server: string, status: RegExp): Promise<void> {
        let found: Reported | undefined;
        await until(`${server} is ${status}, not ${found?.status}`, async () => {
            found = (await this.servers()).get(server);
            return status.test(found?.status ?? "");
        });
    }

    /** Converges a good configuration, and waits until each server that is not a backup has been checked. */
    async begin(declared: Declared): Promise<void> {
        await this.good(declared);
        await until("all servers are checked", async () =>
            [...(await this.servers()).values()].every(
                ({ status, check }) => /^UP$|no check/.test(status) && check !== "INI",
            ),
        );
    }

    /** Waits until a file exists. */
    reaches = (path: string) =>
        until(`${path} exists`, async () => (await this.host.exec(`[ -e ${path} ]`, { check: false })).code === 0);

    /** The status of an answer, and the app server that gave it. */
    async site(): Promise<string> {
        const { status, app } = await ask(this.host.address);
        return [status, app].join(" ").trim();
    }
}

/** Server lines to these app servers; `options` for each. */
export function to(apps: SwitchedServer[], options: Partial<Server> = {}): Server[] {
    return apps.map(({ name, address, port }) => ({ name, address, port, ...options }));
}

/** A backend with HTTP checks that decide soon. */
export function checked(name: string, servers: readonly Server[], more: Partial<Backend> = {}): Backend {
    return { name, httpchk: { uri: "/health" }, defaultServer: QUICK, servers, ...more };
}

/** Switches several app servers. */
export const all = (apps: SwitchedServer[], health: Health) => Promise.all(apps.map((app) => app.become(health)));

/** An edit of a payload: the gate runs this shell first, also the one after a restore. */
export const atGate = (shell: string) => atStart("haproxy_gate", shell);

/** Shell that says that a gate has been reached, and waits there for /run/go. */
export const HOLD = "touch /run/gate; until [ -e /run/go ]; do sleep 0.1; done";
