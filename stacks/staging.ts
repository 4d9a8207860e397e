import type { Stack } from "../program/schema";

/**
 * A small copy of prod, by http, so that it needs no certificate. Addresses are those of RFC 5737: put your own hosts and their host
 * keys here.
 */
const staging: Stack = {
    environment: "staging",
    inventory: {
        nodes: [
            {
                name: "lb1",
                address: "192.0.2.11",
                environment: "staging",
                runList: ["haproxy::lb"],
                ssh: { hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHo67vp3ibwMLCYtumKO4m5+tObVreAPPcYAoV7DWWBv" },
            },
            {
                name: "lb2",
                address: "192.0.2.12",
                environment: "staging",
                runList: ["haproxy::lb"],
                ssh: { hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOcm/2ftU/rz2yrRzhRnNWa9/pVLE7YImJoGk3BM1kXb" },
            },
            { name: "platform1", address: "192.0.2.21", environment: "staging", runList: ["ecom-platform::app"] },
            { name: "platform2", address: "192.0.2.22", environment: "staging", runList: ["ecom-platform::app"] },
            { name: "docs1", address: "192.0.2.41", environment: "staging", runList: ["ecom-docs::app"] },
            { name: "docs2", address: "192.0.2.42", environment: "staging", runList: ["ecom-docs::app"] },
        ],
    },
    loadBalancers: { tag: "haproxy::lb" },
    ssh: {
        user: "deploy",
        become: "sudo",
        bastion: {
            address: "192.0.2.10",
            hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILyBjSNiF+AFaeCIkfAQLjwkdf+hGq+yUm4CUcaPL/Kg",
        },
    },
    haproxy: { version: "2.6", maxconn: 10000 },
    services: [
        {
            name: "ecom-platform",
            hosts: ["platform.staging.example.com"],
            port: 8080,
            balance: "leastconn",
            check: { uri: "/healthz" },
        },
        { name: "ecom-docs", hosts: ["docs.staging.example.com"], port: 8080, check: { uri: "/healthz" } },
    ],
    stats: { bind: { address: "127.0.0.1", port: 8404 } },
    papertrail: { host: "logs2.papertrailapp.com", port: 34567 },
    logrotate: true,
    datadog: { apiKey: { secret: "datadogApiKey" } },
    firewall: true,
    tuning: true,
};

export default staging;
