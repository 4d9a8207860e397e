import type { Host } from "../host";
import { type HostArgs, Lab } from "../lab";
import type { Release } from "../releases";

const BALANCERS = ["lb1", "lb2"];
const SERVERS = ["web1", "web2"];

/** Two load balancers and two web servers. */
export const pairHosts = (release?: Release["version"]): HostArgs[] => [
    ...BALANCERS.map((name): HostArgs => ({ name, image: "haproxy", release })),
    ...SERVERS.map((name): HostArgs => ({ name, image: "app" })),
];

/** The hosts of a lab with {@link pairHosts}, and an address that none of them has. */
export function partsOf(lab: Lab): { hosts: readonly [Host, Host]; servers: Host[]; address: string } {
    const [first, second] = BALANCERS.map((name) => lab.host(name)) as [Host, Host];
    return { hosts: [first, second], servers: SERVERS.map((name) => lab.host(name)), address: lab.address(100) };
}

/** Boots such a lab for some work. It is taken down however the work ends, also on a signal. */
export async function withPairLab<T>(release: Release["version"], work: (lab: Lab) => Promise<T>): Promise<T> {
    const lab = await Lab.create({ hosts: pairHosts(release) });
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
    const interrupted = () => {
        process.stderr.write("\nInterrupted: taking the lab down\n");
        void lab.down().finally(() => process.exit(130));
    };
    for (const signal of signals) process.once(signal, interrupted);
    try {
        return await work(lab);
    } finally {
        for (const signal of signals) process.removeListener(signal, interrupted);
        await lab.down();
    }
}
