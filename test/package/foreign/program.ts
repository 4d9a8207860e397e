// A program of somebody who has installed the packages. It prints what the engine would have been sent.
import * as pulumi from "@pulumi/pulumi";
import { banner } from "fleet-recipe-banner";
import { ConvergedHost, type haproxy, LoadBalancerFleet } from "haproxy-fleet";

const sent: Record<string, unknown>[] = [];
pulumi.runtime.setMocks(
    {
        newResource: ({ type, name, inputs }) => {
            sent.push({ type, name, inputs });
            return { id: `${name}-id`, state: inputs };
        },
        call: ({ token }) => {
            throw new Error(`unexpected call of ${token}`);
        },
    },
    "foreign",
    "dev",
    true,
);

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHo67vp3ibwMLCYtumKO4m5+tObVreAPPcYAoV7DWWBv";
const check: haproxy.ServiceCheck = { uri: "/healthz" };
const fleet = new LoadBalancerFleet("edge", {
    hosts: {
        lb1: { connection: { address: "192.0.2.11", hostKey } },
        lb2: { connection: { address: pulumi.output("192.0.2.12"), hostKey } },
    },
    services: [
        {
            name: "web",
            hosts: ["www.example.com"],
            port: 8080,
            check,
            servers: [{ name: "web1", address: pulumi.output("192.0.2.21") }],
            basicAuth: { users: [{ name: "ops", password: pulumi.secret("planted") }] },
        },
    ],
    after: banner({ text: "hello" }),
    probe: false,
});
new ConvergedHost("app1", {
    connection: { address: "192.0.2.21", hostKey },
    resources: banner({ text: "hello" }),
    probe: false,
});

let configuration = "";
fleet.configurations.lb2.apply((text) => {
    configuration = text;
});
process.on("exit", () => console.log(JSON.stringify({ node: process.versions.node, configuration, sent })));
