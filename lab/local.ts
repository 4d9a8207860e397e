import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostArgs, Lab } from "./lab";
import { provideDatadogRepository } from "./standIn/datadogRepository";
import { identityOf, type ReceiverIdentity, SyslogReceiver } from "./syslogReceiver";

/** Name of the local lab: its files are in `.lab/local`. */
export const name = "local";

const LOAD_BALANCER = "haproxy::lb";
const RECEIVER = "logs1";

/** The hosts of the local lab. */
export const fleet: HostArgs[] = [
    { name: "lb1", image: "bare", tags: [LOAD_BALANCER] },
    { name: "lb2", image: "bare", tags: [LOAD_BALANCER] },
    { name: "app1", image: "app", tags: ["ecom-platform::app"] },
    { name: "app2", image: "app", tags: ["ecom-platform::app"] },
    { name: "app3", image: "app", tags: ["ecom-docs::app"] },
    { name: "app4", image: "app", tags: ["ecom-docs::app"] },
    { name: RECEIVER, image: "bare", tags: ["syslog::receiver"] },
];

/** The certificate of the receiver's authority, on each load balancer. stacks/local.ts names it. */
const AUTHORITY_FILE = "/etc/ssl/certs/haproxy-fleet-lab.pem";

/** Who gets the load balancers' logs. */
export const receiverOf = (lab: Lab) => new SyslogReceiver(lab.host(RECEIVER));

/** PEM of the root that has signed the receiver's certificate. */
export const authorityOf = async (lab: Lab) => (await receiverIdentity(lab)).authority;

/**
 * Gives the local lab what its stack needs besides hosts: the receiver of logs, and on each load balancer the certificate of its
 * authority and a repository with a stand-in for Datadog's agent. Changes only what is missing or different.
 */
export async function provideServices(lab: Lab): Promise<void> {
    const balancers = lab.hosts.filter(({ state }) => state.tags.includes(LOAD_BALANCER));
    const identity = await receiverIdentity(lab);
    await Promise.all([
        // It may have been removed by hand.
        ...lab.hosts.filter(({ name }) => name === RECEIVER).map(() => receiverOf(lab).install(identity)),
        ...balancers.map((host) => host.place(AUTHORITY_FILE, identity.authority)),
        provideDatadogRepository(balancers),
    ]);
}

/** The receiver's identity. It stays when the host is replaced, as host keys do. */
async function receiverIdentity({ dir }: Lab): Promise<ReceiverIdentity> {
    const file = join(dir, "receiver.json");
    if (!existsSync(file)) writeFileSync(file, JSON.stringify(await identityOf(RECEIVER)), { mode: 0o600 });
    return JSON.parse(readFileSync(file, "utf8")) as ReceiverIdentity;
}
