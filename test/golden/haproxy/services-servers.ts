import { fromServices } from "../../../components/haproxy/services/compile";
import { serversFor } from "../../../components/search/inventory";

const runList = ["shop::app"];
const node = (name: string, last: number, facility: string) => ({
    name,
    address: `192.0.2.${last}`,
    environment: "prod",
    runList,
    facility,
});
/** Servers of a service in two facilities: all servers of the second one are backups. */
const inventory = {
    nodes: [node("fra1", 21, "fra"), node("fra2", 22, "fra"), node("ams1", 31, "ams"), node("ams2", 32, "ams")],
    source: "nodes.json",
};

/** How a service uses its servers. */
export default fromServices(
    {
        version: "2.2",
        port: 8080,
        defaults: { balance: "leastconn", timeouts: { client: "20s", httpKeepAlive: "4s" } },
    },
    [
        {
            name: "shop",
            default: true,
            port: 30808,
            backupFacility: "ams",
            balance: "roundrobin",
            weights: { fra1: 3, ams2: 0 },
            slowStart: "30s",
            serverMaxconn: 200,
            persistence: { by: "cookie", name: "STAY", secure: true },
            check: { uri: "/clickCount", inter: "3s", fall: 2, rise: 4, port: 30809, expect: "status 200" },
            timeouts: { connect: "2s", server: "5m", queue: "10s", check: "3s", tunnel: "2h" },
            forwardFor: true,
        },
        {
            name: "stay",
            listen: 8081,
            default: true,
            port: 80,
            servers: [
                { name: "first", address: "192.0.2.51" },
                { name: "idle", address: "192.0.2.52", weight: 0 },
                { name: "spare", address: "192.0.2.53", backup: true },
            ],
            check: { protocol: "tcp" },
            persistence: { by: "address" },
        },
        {
            name: "secure",
            hosts: ["secure.example.com"],
            port: 443,
            servers: [
                { name: "secure1", address: "192.0.2.41" },
                { name: "secure2", address: "192.0.2.42", port: 8443, backup: true },
            ],
            serverTls: { verify: "none", sni: "str(secure.example.com)" },
            check: { uri: "/", method: "HEAD", host: "check.example.com" },
            persistence: { by: "cookie" },
            raw: ["errorfile 503 /dev/null"],
        },
    ],
    ({ name, port, backupFacility }) =>
        serversFor(inventory, { service: name, environment: "prod", port, backupFacility }),
);
