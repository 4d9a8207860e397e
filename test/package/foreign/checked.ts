// A program whose configuration needs values that only an up knows.
import * as pulumi from "@pulumi/pulumi";
import { LoadBalancerFleet } from "haproxy-fleet";

const config = new pulumi.Config();
const address = pulumi.runtime.invokeOutput<{ ip: string }>("cloud:index:getAddress", {}).apply(({ ip }) => ip);
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHo67vp3ibwMLCYtumKO4m5+tObVreAPPcYAoV7DWWBv";
new LoadBalancerFleet("edge", {
    hosts: { lb1: { connection: { address, hostKey } } },
    services: [
        {
            name: "web",
            hosts: ["www.example.com"],
            port: 80,
            servers: [{ name: "web1", address }],
            basicAuth: { users: [{ name: "ops", password: config.requireSecret("ops") }] },
        },
    ],
});
