// Two load balancers with one service address, which one of them has: the other one takes it over if that fails.
import * as pulumi from "@pulumi/pulumi";
import { LoadBalancerPair } from "haproxy-fleet";

/** A host that is there already. */
interface Place {
    address: string;
    /** Its public key, `ssh-ed25519 AAAA…`. */
    hostKey: string;
}

const config = new pulumi.Config();
const hosts = config.requireObject<Record<"lb1" | "lb2", Place>>("hosts");
// Without a key, the ssh agent is asked.
const login = { user: "root", privateKey: config.getSecret("sshPrivateKey") };

const edge = new LoadBalancerPair("edge", {
    // The first one is preferred.
    hosts: {
        lb1: { connection: { ...login, ...hosts.lb1 } },
        lb2: { connection: { ...login, ...hosts.lb2 } },
    },
    pair: {
        // lb1 takes the address over again as soon as it serves. With "never", lb2 keeps it, and clients are interrupted only once.
        failback: "immediate",
        addresses: [config.require("serviceAddress")],
        // Against mistakes, not against attackers: it is in clear on the wire.
        password: config.requireSecret("vrrpPassword"),
        // A host without a way to its servers hands over.
        check: { needs: ["web"] },
        // pulumi config set standby lb1, then pulumi up: lb1 hands over and stays out.
        standby: config.get("standby"),
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
    ],
    stats: { bind: { port: 8404 } },
    ignoreIssues: ["open-stats"],
});

/** What names point at: the service address, never a host. */
export const { addresses, urls } = edge;
