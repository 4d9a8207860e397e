// Other software on hosts: a cache on a host of its own, and what is needed beside HAProxy on a load balancer.
import * as pulumi from "@pulumi/pulumi";
import { ConvergedHost, LoadBalancer } from "haproxy-fleet";
import { passwordSlot, redis } from "./redis";
import { statistics } from "./statistics";

const config = new pulumi.Config();
const hosts = config.requireObject<Record<"cache1" | "lb1", { address: string; hostKey: string }>>("hosts");
const login = { user: "root", privateKey: config.getSecret("sshPrivateKey") };

const cache = new ConvergedHost("cache1", {
    connection: { ...login, ...hosts.cache1 },
    resources: redis({ listen: ["127.0.0.1", hosts.cache1.address], memory: "128mb" }),
    slots: { [passwordSlot]: config.requireSecret("redisPassword") },
});

const balancer = new LoadBalancer(
    "lb1",
    {
        connection: { ...login, ...hosts.lb1 },
        services: [
            {
                name: "cache",
                protocol: "tcp",
                port: 6379,
                servers: [{ name: "cache1", address: hosts.cache1.address }],
            },
        ],
        maxconn: 1000,
        // On the same host: first what the others need, then HAProxy, then what needs HAProxy.
        before: [{ kind: "packages", names: ["socat"] }],
        after: statistics(),
    },
    // The cache serves before its load balancer is converged.
    { dependsOn: cache },
);

export const lastRuns = { cache1: cache.lastRun, lb1: balancer.lastRun };
