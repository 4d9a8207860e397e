import type { StackData } from "../program/schema";

/** A small copy of prod, by http, so that it needs no certificate; SSH comes from a list of networks, without a bastion. */
const staging: StackData = {
    environment: "staging",
    inventory: { ec2: {} },
    loadBalancers: {
        ec2: {
            vpc: { config: "vpc" },
            hosts: {
                lb1: { subnet: { config: "subnetA" } },
                lb2: { subnet: { config: "subnetB" } },
            },
            image: "debian-12",
            instanceType: "t3.small",
            ssh: { authorizedKeys: { config: "sshPublicKeys" }, from: { config: "sshNetworks" } },
            dns: { zone: { config: "zone" }, names: ["staging.example.com", "docs.staging.example.com"] },
            // A load balancer of staging can be destroyed with its names and its address.
            protect: false,
        },
    },
    pair: { failback: "never" },
    ssh: { user: "deploy", become: "sudo" },
    haproxy: { version: "2.6", maxconn: { config: "maxconn" } },
    services: [
        {
            name: "ecom-platform",
            hosts: ["staging.example.com"],
            port: 8080,
            balance: "leastconn",
            check: { uri: "/healthz" },
        },
        { name: "ecom-docs", hosts: ["docs.staging.example.com"], port: 8080, check: { uri: "/healthz" } },
    ],
    stats: { bind: { address: "127.0.0.1", port: 8404 } },
    papertrail: { host: { config: "papertrailHost" }, port: { config: "papertrailPort" } },
    logrotate: true,
    datadog: { apiKey: { secret: "datadogApiKey" }, repository: { config: "datadogRepository", optional: true } },
    firewall: true,
    tuning: true,
};

export default staging;
