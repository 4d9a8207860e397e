import type { StackData } from "../program/schema";

/**
 * The pair that serves customers, by https, on EC2: two instances that this stack provisions, one of which has the elastic IP address at
 * a time, and app servers that it finds by their tags. What belongs to an account is in the stack's config; Pulumi.yaml describes each key.
 */
const prod: StackData = {
    environment: "prod",
    inventory: { ec2: {} },
    loadBalancers: {
        ec2: {
            vpc: { config: "vpc" },
            hosts: {
                lb1: { subnet: { config: "subnetA" } },
                lb2: { subnet: { config: "subnetB" } },
            },
            ssh: {
                authorizedKeys: { config: "sshPublicKeys" },
                securityGroup: { config: "bastionSecurityGroup" },
            },
            dns: { zone: { config: "zone" }, names: ["www.example.com", "docs.example.com"] },
        },
    },
    pair: { failback: "never" },
    ssh: {
        user: "deploy",
        become: "sudo",
        bastion: { address: { config: "bastionAddress" }, hostKey: { config: "bastionHostKey" } },
    },
    haproxy: { version: "2.6", maxconn: { config: "maxconn" } },
    certificates: { main: { secretsManager: "prod/tls/main" } },
    minimumDays: 14,
    services: [
        {
            name: "ecom-platform",
            hosts: ["www.example.com"],
            port: 8080,
            balance: "leastconn",
            check: { uri: "/healthz" },
            tls: true,
        },
        { name: "ecom-docs", hosts: ["docs.example.com"], port: 8080, check: { uri: "/healthz" }, tls: true },
    ],
    stats: { bind: { address: "127.0.0.1", port: 8404 } },
    papertrail: { host: { config: "papertrailHost" }, port: { config: "papertrailPort" } },
    logrotate: true,
    datadog: { apiKey: { secret: "datadogApiKey" }, repository: { config: "datadogRepository", optional: true } },
    firewall: { default: "drop", ssh: { config: "sshNetworks" } },
    tuning: true,
    alert: { command: { secret: "alertCommand" } },
};

export default prod;
