// Two load balancers for two services. The hosts of each stack are in its config.
import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { LoadBalancerFleet } from "haproxy-fleet";

/** A host that is there already. */
interface Place {
    address: string;
    /** Its public key, `ssh-ed25519 AAAA…`. */
    hostKey: string;
}

const config = new pulumi.Config();
const hosts = config.requireObject<Record<"lb1" | "lb2" | "docs1", Place>>("hosts");
// Without a key, the ssh agent is asked.
const login = { user: "root", privateKey: config.getSecret("sshPrivateKey") };

// Stands for any resource that knows an address, such as a virtual machine with its `privateIp`. At the first preview,
// its output is not known: the preview shows a name in its place, and asks the load balancers everything else.
const docs1 = new remote.Command("docs1", {
    connection: { ...login, host: hosts.docs1.address, hostKey: hosts.docs1.hostKey },
    create: "hostname -I | cut -d ' ' -f 1",
});

const fleet = new LoadBalancerFleet("edge", {
    hosts: {
        lb1: { connection: { ...login, ...hosts.lb1 } },
        // A smaller machine, which lets the old server rest.
        lb2: { connection: { ...login, ...hosts.lb2 }, maxconn: 2000, weights: { web: { web2: 0 } } },
    },
    maxconn: 4000,
    services: [
        {
            name: "web",
            hosts: ["www.example.com"],
            port: 80,
            servers: config.requireObject<string[]>("web").map((address, n) => ({ name: `web${n + 1}`, address })),
            check: { uri: "/" },
        },
        {
            name: "docs",
            hosts: ["docs.example.com"],
            port: 80,
            servers: [{ name: "docs1", address: docs1.stdout.apply((text) => text.trim()) }],
            check: { uri: "/" },
            basicAuth: { users: [{ name: "ops", password: config.requireSecret("opsPassword") }] },
        },
    ],
    // Off for tests: a preview then asks no host.
    probe: config.getBoolean("probe") ?? true,
});

/** Addresses, ports and URLs of the load balancers, and what the last up did there. */
export const { lb1, lb2 } = fleet.hosts;
/** What they run, with secrets by name. */
export const { configurations } = fleet;
