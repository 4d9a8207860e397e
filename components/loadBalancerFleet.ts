import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Balancing, balancingShape, declare, type WithoutInputs } from "./balancing";
import { childNames, componentTypes, convergeHosts, declaredHostsOf, optionsOfHosts } from "./convergeHosts";
import { componentName } from "./convergence/resourceError";
import { Roll } from "./convergence/roll";
import { type FleetHost, fleetHostForm, hostKeyForm } from "./fleetHost";
import { formOf } from "./forms";
import type { HostOutputs } from "./hostBalance";
import { SharedFiles } from "./sharedFiles";

export type { FleetHost } from "./fleetHost";

/** Arguments of LoadBalancerFleet: either `services`, with their settings, or a `model`. */
export interface LoadBalancerFleetArgs<Host extends string = string> extends Balancing {
    /** The load balancers by name, in the order in which they change. */
    hosts: Readonly<Record<Host, FleetHost>>;
    /**
     * How serving hosts get what is declared anew. `oneByOne`: all hosts are asked first; then one changes after the other, and if one
     * fails, those after it are not changed. A host that has no proven configuration yet, or only drift to repair, does not wait.
     * `allAtOnce`: each host on its own.
     * @default "oneByOne"
     */
    roll?: "oneByOne" | "allAtOnce";
}

const argsForm = formOf<WithoutInputs<LoadBalancerFleetArgs>>()(
    z.strictObject({
        ...balancingShape,
        hosts: z
            .record(hostKeyForm, fleetHostForm)
            .refine((hosts) => Object.keys(hosts).length > 0, { message: "expected at least one host" }),
        roll: z.enum(["oneByOne", "allAtOnce"]).optional(),
    }),
);

/**
 * Load balancers with one configuration. It is compiled, checked and rendered once for all hosts, apart from what differs. Deleting it
 * leaves the hosts serving.
 *
 * @example
 * ```typescript
 * import * as pulumi from "@pulumi/pulumi";
 * import { LoadBalancerFleet } from "haproxy-fleet";
 *
 * const config = new pulumi.Config();
 * const login = { user: "deploy", become: "sudo", privateKey: config.requireSecret("sshPrivateKey") } as const;
 * const fleet = new LoadBalancerFleet("edge", {
 *     hosts: {
 *         lb1: { connection: { ...login, address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" } },
 *         lb2: { connection: { ...login, address: "192.0.2.12", hostKey: "ssh-ed25519 AAAA…" }, maxconn: 20_000 },
 *     },
 *     services: [
 *         {
 *             name: "shop",
 *             hosts: ["shop.example.com"],
 *             port: 8080,
 *             servers: [{ name: "shop1", address: "192.0.2.21" }],
 *             basicAuth: { users: [{ name: "ops", password: config.requireSecret("opsPassword") }] },
 *         },
 *     ],
 * });
 * export const { urls } = fleet.hosts.lb1;
 * ```
 */
export class LoadBalancerFleet<Host extends string = string> extends pulumi.ComponentResource {
    /** Outputs of each host, by name. Without its configuration, so that they can be exported and stored. */
    readonly hosts: Readonly<Record<Host, HostOutputs>>;
    /** The haproxy.cfg of each host, by its name, with secrets by name. */
    readonly configurations: Readonly<Record<Host, pulumi.Output<string>>>;
    /** PEM of the authorities that are declared, by name, for clients that trust a private one. */
    readonly authorities: Readonly<Record<string, pulumi.Output<string>>>;

    /**
     * @param name of the fleet; its hosts are named `<name>-<host>` in messages
     * @throws ResourceError with every issue of form, else with every error in the services and the configuration; then as ConvergedHost
     */
    constructor(name: string, args: LoadBalancerFleetArgs<Host>, opts?: pulumi.ComponentResourceOptions) {
        const shared = new SharedFiles();
        const options = optionsOfHosts(opts, componentTypes.pair);
        super(componentTypes.fleet, componentName(name), { files: shared.output }, options);

        const { hosts, roll = "oneByOne", ...balancing } = args ?? {};
        const { outputs, authorities } = shared.during(() => {
            const declaring = { component: this, name, args, form: argsForm };
            const declared = declare(declaring, balancing, { hosts, roll }, () => declaredHostsOf(name, hosts));
            const order = roll === "oneByOne" ? new Roll(this, name, childNames(name, hosts)) : undefined;
            const ofHosts = { component: this, name, args, opts, shared, roll: order };
            return { outputs: convergeHosts<Host>(ofHosts, declared), authorities: declared.authorities };
        });
        this.hosts = outputs.hosts;
        this.configurations = outputs.configurations;
        this.authorities = authorities;
        this.registerOutputs({ hosts: this.hosts, authorities: this.authorities });
    }
}
