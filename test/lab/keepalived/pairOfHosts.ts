import assert from "node:assert/strict";
import type { Resource, Transaction } from "../../../components/convergence/kinds/index";
import { slot } from "../../../components/convergence/slots";
import type { HaproxyConfig } from "../../../components/haproxy/model";
import { withPackageVersions } from "../../../components/hostSetup/packageVersions";
import { type PairSettings, resolvePair, withHealthPage } from "../../../components/keepalived/index";
import { haproxy } from "../../../components/recipes/haproxy/index";
import { keepalived } from "../../../components/recipes/keepalived/index";
import type { Host } from "../../../lab/host";
import type { Lab } from "../../../lab/lab";
import { now, spansOf } from "../../../lab/pair/history";
import { Observer } from "../../../lab/pair/observer";
import { Convergence } from "../../support/converge";
import { sshTargetOf } from "../../support/sshTarget";
import { until } from "../../support/traffic";

/** Seconds without an answer that a busy machine may take. */
const LOST = 0.1;

/** What the tests vary of the pair. */
export interface Variation {
    settings?: Partial<PairSettings>;
    /** @default "planted1" */
    password?: string;
    /** Own addresses by the names of hosts. @default - their first one */
    own?: Record<string, string>;
    /** Of HAProxy: a higher one needs a restart. @default 1000 */
    maxconn?: number;
    /** Version of keepalived's package. @default - any */
    version?: string;
    /** Changes the transaction of keepalived. */
    edit?: (transaction: Transaction) => Transaction;
}

export type Name = "lb1" | "lb2";

/** lb1 and lb2 of a lab as a pair, with ways to examine it without our own runtime. */
export class PairOfHosts {
    constructor(readonly lab: Lab) {}

    host = (name: Name): Host => this.lab.host(name);

    other = (name: Name): Name => (name === "lb1" ? "lb2" : "lb1");

    /** The service address. */
    get address() {
        return this.lab.address(100);
    }

    /** The run list of one host: HAProxy, and keepalived after it. */
    declare(name: Name, variation: Variation = {}) {
        const {
            settings = {},
            password = "planted1",
            own = {},
            maxconn = 1000,
            version,
            edit = (same) => same,
        } = variation;
        const pair = resolvePair(
            "shop",
            { failback: "never", addresses: [`${this.address}/24`], password: slot("pair.password"), ...settings },
            (["lb1", "lb2"] as const).map((one) => ({ name: one, address: own[one] ?? this.host(one).address })),
        );
        const config: HaproxyConfig = {
            version: "2.6",
            global: { maxconn },
            frontends: [
                {
                    name: "web",
                    binds: [{ port: 80 }],
                    raw: ["http-request return status 200 content-type text/plain lf-string %[hostname]"],
                },
            ],
            backends: [],
        };
        const resources = [...haproxy(withHealthPage(config, pair)), ...keepalived(pair, name)].map(
            (resource): Resource =>
                resource.kind === "transaction" && resource.name === "keepalived" ? edit(resource) : resource,
        );
        return new Convergence(
            sshTargetOf(this.lab, this.host(name)),
            withPackageVersions(resources, version === undefined ? {} : { keepalived: version }),
            { "pair.password": password },
        );
    }

    /** Converges one host, and expects success. */
    async converge(name: Name, variation: Variation = {}): Promise<string> {
        const { code, stderr } = await this.declare(name, variation).up();
        assert.equal(code, 0, stderr);
        return stderr;
    }

    /** Converges both hosts at once. */
    both = (variation: Variation = {}) =>
        Promise.all([this.converge("lb1", variation), this.converge("lb2", variation)]);

    /** Runs a shell command on a host. */
    async shell(name: Name, command: string): Promise<string> {
        return (await this.host(name).exec(command, { check: false })).stdout.trim();
    }

    /** The hosts that have the service address. */
    async owners(): Promise<Name[]> {
        const has = async (name: Name) => (await this.shell(name, `ip -o -4 addr show to ${this.address}`)) !== "";
        const names: Name[] = ["lb1", "lb2"];
        const found = await Promise.all(names.map(has));
        return names.filter((_, n) => found[n]);
    }

    /** What the program `pair` says, as role and held addresses. */
    state = (name: Name) => this.shell(name, "/usr/local/libexec/haproxy-fleet/pair state");

    /** Waits until this host has the address, as MASTER, and the other one is BACKUP. */
    async settle(owner?: Name): Promise<Name> {
        let found: Name | undefined;
        await until(`${owner ?? "one host"} is MASTER`, async () => {
            [found] = await this.owners();
            if (found === undefined || (owner !== undefined && found !== owner)) return false;
            return (
                (await this.state(found)) === "MASTER\tall" && (await this.state(this.other(found))) === "BACKUP\tnone"
            );
        });
        return found as Name;
    }

    /** Makes this host MASTER, by handing over if it is not. */
    async make(owner: Name): Promise<void> {
        const now = await this.settle();
        if (now === owner) return;
        const said = await this.shell(now, "/usr/local/libexec/haproxy-fleet/pair yield a test");
        assert.equal(said, `handed over to ${owner}`);
        await this.shell(now, "/usr/local/libexec/haproxy-fleet/pair resume");
        await this.settle(owner);
    }

    /** The process of keepalived that speaks VRRP. */
    process = (name: Name) => this.shell(name, "pgrep -P $(systemctl show -p MainPID --value keepalived)");

    /** How many seconds in a row nobody, or both, answered for the address while the work ran. An answer or two may get lost. */
    async watch(work: () => Promise<unknown>): Promise<{ nobody: number; both: number }> {
        const observer = await Observer.start(this.lab, this.address);
        const began = now();
        try {
            await work();
        } finally {
            await observer.stop();
        }
        const spans = spansOf(observer.since(began));
        const longest = (is: (owners: number) => boolean) =>
            Math.max(0, ...spans.filter(({ owners }) => is(owners.length)).map(({ from, to }) => (to - from) / 1000));
        const nobody = longest((owners) => owners === 0);
        return { nobody: nobody <= LOST ? 0 : nobody, both: longest((owners) => owners > 1) };
    }
}
