import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Balancing, balancingShape, declare, hostSettings, type WithoutInputs } from "./balancing";
import type { HostConnection } from "./convergence/connection";
import { ConvergedHost, leavesHost } from "./convergence/convergedHost";
import { connectionForm } from "./convergence/form";
import { then } from "./convergence/outputs";
import { componentName } from "./convergence/resourceError";
import { formOf } from "./forms";
import { type HostBalance, type LoadBalancerOutputs, outputsOf } from "./hostBalance";

/** Arguments of LoadBalancer: either `services`, with their settings, or a `model`. */
export interface LoadBalancerArgs extends Balancing {
    /** How the host is reached. */
    connection: HostConnection;
}

const argsForm = formOf<WithoutInputs<LoadBalancerArgs>>()(
    z.strictObject({ ...balancingShape, connection: connectionForm }),
);

/**
 * One HAProxy load balancer on its own host: a ConvergedHost with the recipe `haproxy`. Deleting it leaves it serving.
 *
 * @example
 * ```typescript
 * import * as pulumi from "@pulumi/pulumi";
 * import { LoadBalancer } from "haproxy-fleet";
 *
 * const config = new pulumi.Config();
 * const balancer = new LoadBalancer("lb1", {
 *     connection: { address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…", privateKey: config.requireSecret("key") },
 *     services: [
 *         {
 *             name: "shop",
 *             hosts: ["shop.example.com"],
 *             port: 8080,
 *             servers: [{ name: "shop1", address: "192.0.2.21" }],
 *             basicAuth: { users: [{ name: "ops", password: config.requireSecret("ops") }] },
 *         },
 *     ],
 * });
 * export const urls = balancer.urls;
 * ```
 */
export class LoadBalancer extends pulumi.ComponentResource implements LoadBalancerOutputs {
    readonly address: pulumi.Output<string>;
    readonly configuration: pulumi.Output<string>;
    readonly digest: pulumi.Output<string>;
    readonly ports: pulumi.Output<number[]>;
    readonly urls: pulumi.Output<string[]>;
    readonly lastRun: pulumi.Output<string>;
    /** PEM of the authorities that are declared, by name, for clients that trust a private one. */
    readonly authorities: Readonly<Record<string, pulumi.Output<string>>>;

    /**
     * @param name names the host in messages, and its children
     * @throws ResourceError with every issue of form, else with every error in the services and the configuration; then as ConvergedHost
     */
    constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("haproxy-fleet:index:LoadBalancer", componentName(name), {}, pulumi.mergeOptions(opts, leavesHost));

        const { connection, ...balancing } = args ?? {};
        const declaring = { component: this, name, args, form: argsForm };
        const hosts = () => [{ host: name, key: name, differences: {}, path: "" }];
        const { balances, slots, authorities } = declare(declaring, balancing, { connection }, hosts);
        const balance = then(balances, (all) => all.get(name) as HostBalance);
        const resources = then(balance, (own) => own.resources);
        const host = new ConvergedHost(
            name,
            { connection, resources, slots, ...hostSettings(args) },
            { parent: this, dependsOn: opts?.dependsOn },
        );

        const outputs = outputsOf(connection.address, host.lastRun, balance);
        ({
            address: this.address,
            configuration: this.configuration,
            digest: this.digest,
            ports: this.ports,
            urls: this.urls,
            lastRun: this.lastRun,
        } = outputs);
        this.authorities = authorities;
        this.registerOutputs({ ...outputs, authorities });
    }
}
