import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Balancing, balancingShape, declare, type WithoutInputs } from "./balancing";
import { childNames, componentTypes, convergeHosts, declaredHostsOf, optionsOfHosts } from "./convergeHosts";
import { componentName } from "./convergence/resourceError";
import { Roll, type RollAnswers } from "./convergence/roll";
import { hostKeyForm } from "./fleetHost";
import { formOf } from "./forms";
import { type HostOutputs, urlsOfPair } from "./hostBalance";
import { type PairSettings, withoutPrefix } from "./keepalived/index";
import { type PairHost, pairHostForm, pairInputsForm } from "./pairArgs";
import { pairWarnings } from "./pairing";
import { SharedFiles } from "./sharedFiles";

export type { PairHost } from "./pairArgs";

/** Arguments of LoadBalancerPair: either `services`, with their settings, or a `model`. */
export interface LoadBalancerPairArgs<Host extends string = string> extends Balancing {
    /** The two load balancers by name, which is no number. The first that is written is preferred: it has the higher priority. */
    hosts: Readonly<Record<Host, PairHost>>;
    /** What they share: the service addresses or an elastic IP address, and when it moves. */
    pair: PairSettings<pulumi.Input<string>, pulumi.Input<string>>;
}

const argsForm = formOf<WithoutInputs<LoadBalancerPairArgs>>()(
    z.strictObject({ ...balancingShape, hosts: z.record(hostKeyForm, pairHostForm), pair: pairInputsForm }),
);

/**
 * Two load balancers with one configuration and one service address, which keepalived gives to one of them: the MASTER. The other one, the
 * BACKUP, takes it over if the MASTER or its HAProxy fails. An up changes the BACKUP first. Deleting the pair leaves both hosts serving.
 *
 * A LoadBalancerFleet of the same name becomes a pair with its hosts, and a pair a fleet.
 *
 * @example
 * ```typescript
 * import * as pulumi from "@pulumi/pulumi";
 * import { LoadBalancerPair } from "haproxy-fleet";
 *
 * const config = new pulumi.Config();
 * const login = { user: "deploy", become: "sudo", privateKey: config.requireSecret("sshPrivateKey") } as const;
 * const edge = new LoadBalancerPair("edge", {
 *     hosts: {
 *         lb1: { connection: { ...login, address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" } },
 *         lb2: { connection: { ...login, address: "192.0.2.12", hostKey: "ssh-ed25519 AAAA…" } },
 *     },
 *     pair: { failback: "never", addresses: ["192.0.2.100/24"], password: config.requireSecret("vrrpPassword") },
 *     services: [
 *         { name: "shop", hosts: ["shop.example.com"], port: 8080, servers: [{ name: "shop1", address: "192.0.2.21" }] },
 *     ],
 * });
 * export const { addresses, urls } = edge;
 * ```
 */
export class LoadBalancerPair<Host extends string = string> extends pulumi.ComponentResource {
    /** Outputs of each host, by name. Without its configuration, so that they can be exported and stored. */
    readonly hosts: Readonly<Record<Host, HostOutputs>>;
    /** The haproxy.cfg of each host, by its name, with secrets by name. */
    readonly configurations: Readonly<Record<Host, pulumi.Output<string>>>;
    /** PEM of the authorities that are declared, by name, for clients that trust a private one. */
    readonly authorities: Readonly<Record<string, pulumi.Output<string>>>;
    /** The service addresses, without the lengths of their prefixes; none with an elastic IP address, which the program has itself. */
    readonly addresses: readonly string[];
    /** URLs of the ports that speak HTTP, by the service addresses, as in `http://192.0.2.100:8080`. */
    readonly urls: pulumi.Output<string[]>;

    /**
     * @param name of the pair; its hosts are named `<name>-<host>` in messages
     * @throws ResourceError with every issue of form, else with every error in the services, the configuration and the pair; then as
     * ConvergedHost
     */
    constructor(name: string, args: LoadBalancerPairArgs<Host>, opts?: pulumi.ComponentResourceOptions) {
        const shared = new SharedFiles();
        const options = optionsOfHosts(opts, componentTypes.fleet);
        super(componentTypes.pair, componentName(name), { files: shared.output }, options);

        const { hosts, pair, ...balancing } = args ?? {};
        const { outputs, balances, authorities } = shared.during(() => {
            const declaring = { component: this, name, args, form: argsForm };
            const paired = { hosts, pair };
            const declared = declare(declaring, balancing, paired, () => declaredHostsOf(name, hosts), paired);
            const judge = (answers: RollAnswers) => pairWarnings(answers, pair.addresses);
            const roll = new Roll(this, name, childNames(name, hosts), { judge });
            return {
                ...declared,
                outputs: convergeHosts<Host>({ component: this, name, args, opts, shared, roll }, declared),
            };
        });
        this.hosts = outputs.hosts;
        this.configurations = outputs.configurations;
        this.authorities = authorities;
        this.addresses = (pair.addresses ?? []).map(withoutPrefix);
        this.urls = urlsOfPair(this.addresses, balances);
        this.registerOutputs({ hosts: this.hosts, authorities, addresses: this.addresses, urls: this.urls });
    }
}
