import type { Stack } from "../program/schema";

/** A failing server is out within 2 s, and an up sees that soon, too. */
const check = { uri: "/healthz", inter: "1s", fall: 2 };

/** The lab on this machine: `npm run lab -- up` starts its hosts and writes the inventory. */
const local: Stack = {
    environment: "local",
    inventory: { file: ".lab/local/inventory.json" },
    loadBalancers: { tag: "haproxy::lb" },
    ssh: { user: "root", privateKeyFile: ".lab/local/id_ed25519" },
    // A lab host cannot have more than 20000 file descriptors.
    haproxy: { version: "2.6", maxconn: 4000 },
    services: [
        { name: "ecom-platform", hosts: ["platform.example.test"], port: 80, check },
        { name: "ecom-docs", hosts: ["docs.example.test"], port: 80, check },
    ],
    stats: { bind: { address: "127.0.0.1", port: 8404 } },
    // The lab has what stands in for the services of others: see docs/testing.md.
    papertrail: { host: "logs1", port: 6514, caFile: "/etc/ssl/certs/haproxy-fleet-lab.pem" },
    logrotate: true,
    datadog: {
        apiKey: { secret: "datadogApiKey" },
        repository: {
            url: "file:/srv/datadog",
            // Only the lab's hosts trust this key. Its secret part is public.
            keys: [{ fingerprint: "7D47E7F731AC20E6B1202361F21D10549B1C988C", url: "file:/srv/datadog/key.asc" }],
        },
    },
    firewall: { default: "drop" },
    tuning: true,
    packages: { haproxy: "hold" },
    alert: { command: { secret: "alertCommand" } },
};

export default local;
