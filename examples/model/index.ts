// HAProxy's configuration in its own words: tenants by a map, TLS, and what is special on one host by a function.
import * as pulumi from "@pulumi/pulumi";
import { haproxy, LoadBalancerFleet } from "haproxy-fleet";

const config = new pulumi.Config();
const login = { user: "root", privateKey: config.getSecret("sshPrivateKey") };

const tenants = { "red.example.com": "red", "blue.example.com": "blue", "www.blue.example.com": "blue" };
const server = (name: string, address: string): haproxy.Server => ({ name, address, port: 80 });

const model: haproxy.HaproxyConfig = {
    global: { maxconn: 4000, raw: ["tune.bufsize 32768"] },
    maps: [{ name: "tenants", entries: Object.entries(tenants).map(([key, value]) => ({ key, value })) }],
    frontends: [
        {
            name: "http",
            binds: [{ port: 80 }, { port: 443, ssl: { certificates: ["tenants"] } }],
            httpRequestRules: [{ action: "deny", status: 405, if: ["METH_TRACE"] }],
            // A host without an entry gets the default of the lookup.
            useBackends: [{ backend: `%[req.hdr(host),lower,map(${haproxy.mapPath("tenants")},shared)]` }],
        },
    ],
    backends: [
        { name: "red", servers: [server("red1", "192.0.2.21")] },
        { name: "blue", balance: "leastconn", servers: [server("blue1", "192.0.2.22"), server("blue2", "192.0.2.23")] },
        // Raw lines are written as they are; HAProxy's own checker judges them.
        { name: "shared", servers: [server("shared1", "192.0.2.21")], raw: ["fullconn 1000"] },
    ],
};

/** Answers say which load balancer they came through. */
function signed(declared: haproxy.HaproxyConfig, host: string): haproxy.HaproxyConfig {
    const frontends = declared.frontends.map((frontend) => ({
        ...frontend,
        raw: [...(frontend.raw ?? []), `http-response set-header X-Served-By ${host}`],
    }));
    return { ...declared, frontends };
}

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHo67vp3ibwMLCYtumKO4m5+tObVreAPPcYAoV7DWWBv";
const fleet = new LoadBalancerFleet("edge", {
    hosts: {
        lb1: { connection: { ...login, address: "192.0.2.11", hostKey } },
        lb2: { connection: { ...login, address: "192.0.2.12", hostKey } },
    },
    model,
    // PEM of the certificate, its intermediates and its key.
    certificates: { tenants: { pem: config.requireSecret("certificate") } },
    customize: signed,
    bake: "5s",
});

/** haproxy.cfg of the first host. */
export const configuration = fleet.configurations.lb1;
