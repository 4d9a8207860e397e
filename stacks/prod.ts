import type { Stack } from "../program/schema";

/**
 * The fleet that serves customers, by https; docs/certificates.md has other sources than AWS Secrets Manager. Addresses are those of
 * RFC 5737: put your own hosts and their host keys here.
 */
const prod: Stack = {
    environment: "prod",
    inventory: {
        nodes: [
            {
                name: "lb1",
                address: "198.51.100.11",
                environment: "prod",
                runList: ["haproxy::lb"],
                ssh: { hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINzu7HylZOLXgfkkUro40XzP/Vm+8gHrDfUsrVMuC6Ee" },
            },
            {
                name: "lb2",
                address: "198.51.100.12",
                environment: "prod",
                runList: ["haproxy::lb"],
                ssh: { hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0EjefQp2z7hBHJowKYEV0yDhy977DrR3OdyyqQ+2/D" },
            },
            { name: "platform1", address: "198.51.100.21", environment: "prod", runList: ["ecom-platform::app"] },
            { name: "platform2", address: "198.51.100.22", environment: "prod", runList: ["ecom-platform::app"] },
            { name: "platform3", address: "198.51.100.23", environment: "prod", runList: ["ecom-platform::app"] },
            { name: "platform4", address: "198.51.100.24", environment: "prod", runList: ["ecom-platform::app"] },
            { name: "docs1", address: "198.51.100.41", environment: "prod", runList: ["ecom-docs::app"] },
            { name: "docs2", address: "198.51.100.42", environment: "prod", runList: ["ecom-docs::app"] },
        ],
    },
    loadBalancers: { tag: "haproxy::lb" },
    ssh: {
        user: "deploy",
        become: "sudo",
        bastion: {
            address: "198.51.100.10",
            hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEupmc6gpknKjsO5AZ1V4w6Ue51jQF2nfjiEgdNl5D1b",
        },
    },
    haproxy: { version: "2.6" },
    certificates: { main: { secretsManager: "prod/tls/main", region: "eu-central-1" } },
    minimumDays: 14,
    services: [
        {
            name: "ecom-platform",
            hosts: ["platform.example.com", "www.platform.example.com"],
            port: 8080,
            balance: "leastconn",
            check: { uri: "/healthz" },
            tls: true,
        },
        { name: "ecom-docs", hosts: ["docs.example.com"], port: 8080, check: { uri: "/healthz" }, tls: true },
    ],
    stats: { bind: { address: "127.0.0.1", port: 8404 } },
    papertrail: { host: "logs2.papertrailapp.com", port: 23456 },
    logrotate: true,
    datadog: { apiKey: { secret: "datadogApiKey" } },
    firewall: { default: "drop", ssh: ["192.0.2.10"] },
    tuning: true,
    alert: { command: { secret: "alertCommand" } },
};

export default prod;
