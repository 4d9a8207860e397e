import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostArgs, Lab } from "./lab";
import { identityOf, type ReceiverIdentity, SyslogReceiver } from "./syslogReceiver";

/** Name of the local lab: its files are in `.lab/local`. */
export const name = "local";

const LOAD_BALANCER = "haproxy::lb";
const RECEIVER = "syslog::receiver";

/** The hosts of the local lab. */
export const fleet: HostArgs[] = [
    { name: "lb1", image: "bare", tags: [LOAD_BALANCER] },
    { name: "lb2", image: "bare", tags: [LOAD_BALANCER] },
    { name: "app1", image: "app", tags: ["ecom-platform::app"] },
    { name: "app2", image: "app", tags: ["ecom-platform::app"] },
    { name: "app3", image: "app", tags: ["ecom-docs::app"] },
    { name: "app4", image: "app", tags: ["ecom-docs::app"] },
    { name: "logs1", image: "bare", tags: [RECEIVER] },
];

/** The certificate of the authority that has signed the receiver's, on each load balancer. stacks/local.ts names it. */
const AUTHORITY_FILE = "/etc/ssl/certs/haproxy-fleet-lab.pem";

/**
 * Gives the hosts of the local lab what its stack uses of others' services: a receiver of logs, and on load balancers the
 * certificate of its authority. Changes only what is missing or different.
 */
export async function provideServices(lab: Lab): Promise<void> {
    const having = (tag: string) => lab.hosts.filter(({ state }) => state.tags.includes(tag));
    const work: Promise<void>[] = [];
    for (const host of having(RECEIVER)) {
        const identity = await identityIn(lab.dir, host.name);
        work.push(new SyslogReceiver(host).install(identity));
        for (const balancer of having(LOAD_BALANCER)) work.push(balancer.place(AUTHORITY_FILE, identity.authority));
    }
    await Promise.all(work);
}

/** The receiver's identity. It stays when a host is replaced, as host keys do. */
async function identityIn(dir: string, receiver: string): Promise<ReceiverIdentity> {
    const file = join(dir, `${receiver}.json`);
    if (!existsSync(file)) writeFileSync(file, JSON.stringify(await identityOf(receiver)), { mode: 0o600 });
    return JSON.parse(readFileSync(file, "utf8")) as ReceiverIdentity;
}
