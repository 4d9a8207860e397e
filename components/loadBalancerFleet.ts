import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Balancing, balancingShape, declare, hostSettings, type WithoutInputs } from "./balancing";
import { makesCertificates } from "./certificates";
import type { HostConnection } from "./convergence/connection";
import { ConvergedHost, leavesHost } from "./convergence/convergedHost";
import { fileTexts } from "./convergence/fileTexts";
import { connectionForm } from "./convergence/form";
import { type Later, laterOutput, then } from "./convergence/outputs";
import { componentName } from "./convergence/resourceError";
import { Roll } from "./convergence/roll";
import { formOf } from "./forms";
import { type HostBalance, type HostOutputs, outputsOf } from "./hostBalance";
import { type Differences, differencesShape } from "./hostDifferences";

/** A host of a fleet, and how it differs from the others. */
export interface FleetHost extends Differences {
    /** How the host is reached. */
    readonly connection: HostConnection;
    /** Former names of the host's component, so that a renamed host keeps its state and its owner. @default [] */
    readonly aliases?: readonly pulumi.Input<pulumi.URN | pulumi.Alias>[];
}

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

/** The SDK never registers a resource that has something else in place of an alias. */
const alias = z.custom<NonNullable<FleetHost["aliases"]>[number]>(
    (value) => typeof value === "string" || (typeof value === "object" && value !== null && !Array.isArray(value)),
    { message: 'expected an alias, as in { name: "edge-lb1" }' },
);
const aliases = z.array(alias, { message: "expected a list of aliases" });
const host = formOf<FleetHost>()(
    z.strictObject({ ...differencesShape, connection: connectionForm, aliases: aliases.optional() }),
);
/** Pulumi allows more, but the name is shown, and part of the owner that hosts record. */
const hostName = z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, "expected a name of letters, digits, dots, hyphens and underscores");
const argsForm = formOf<WithoutInputs<LoadBalancerFleetArgs>>()(
    z.strictObject({
        ...balancingShape,
        hosts: z
            .record(hostName, host)
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
        super(
            "haproxy-fleet:index:LoadBalancerFleet",
            componentName(name),
            { files: shared.output },
            pulumi.mergeOptions(opts, leavesHost),
        );

        try {
            const { hosts, roll = "oneByOne", ...balancing } = args ?? {};
            const ofHosts = { hosts, roll };
            const names = () => Object.keys(hosts) as Host[];
            const { balances, slots, authorities } = declare(
                { component: this, name, args, form: argsForm },
                balancing,
                ofHosts,
                () =>
                    names().map((key) => ({
                        host: `${name}-${key}`,
                        differences: differencesOf(hosts[key]),
                        path: `hosts.${key}`,
                    })),
            );
            // Its inputs must not wait for its children: each host shows its own files then.
            shared.take(makesCertificates(balancing) ? new Map() : balances);
            const children = names().map((key) => `${name}-${key}`);
            const order = roll === "oneByOne" ? new Roll(this, name, children) : undefined;
            const outputs = names().map((key, n) => {
                const child = children[n] as string;
                const { connection, aliases: former = [] } = hosts[key];
                const balance = then(balances, (all) => all.get(child) as HostBalance);
                const resources = then(balance, (own) => own.resources);
                const declared = { connection, resources, slots, ...hostSettings(args) };
                const options = { parent: this, dependsOn: opts?.dependsOn, aliases: [...former] };
                try {
                    const membership = { roll: order, shownElsewhere: shared.paths };
                    const { lastRun } = new ConvergedHost(child, declared, options, membership);
                    return { key, ...outputsOf(connection.address, lastRun, balance) };
                } catch (error) {
                    order?.cancel(child);
                    throw error;
                }
            });
            const byName = <T>(choose: (output: (typeof outputs)[number]) => T) =>
                Object.fromEntries(outputs.map((output) => [output.key, choose(output)])) as Record<Host, T>;
            this.hosts = byName(({ key: _, configuration: __, ...ofHost }) => ofHost);
            this.configurations = byName(({ configuration }) => configuration);
            this.authorities = authorities;
        } finally {
            shared.end();
        }
        this.registerOutputs({ hosts: this.hosts, authorities: this.authorities });
    }
}

function differencesOf({ connection: _, aliases: __, ...differences }: FleetHost): Differences {
    return differences;
}

/** The files that all hosts have alike: inputs of the fleet, so that a preview shows their lines once. */
class SharedFiles {
    private resolve: (files: Later<Record<string, string>>) => void = () => {};
    private readonly files = new Promise<Record<string, string>>((resolve) => {
        this.resolve = resolve;
    });
    /** Their texts by path; unknown if the arguments have errors. */
    readonly output = laterOutput(this.files);
    /** Their paths. */
    readonly paths = this.files.then((files) => new Set(Object.keys(files)));

    constructor() {
        this.paths.catch(() => undefined);
    }

    take(balances: Later<ReadonlyMap<string, HostBalance>>): void {
        this.resolve(then(balances, common));
    }

    /** Without files, if none were taken because of an error: a component whose inputs never come is never registered. */
    end(): void {
        this.resolve({});
    }
}

/** The files that all hosts have with the same text. */
function common(balances: ReadonlyMap<string, HostBalance>): Record<string, string> {
    const texts = new Map<readonly unknown[], Record<string, string>>();
    const [first = {}, ...others] = [...balances.values()].map(({ resources }) => {
        const known = texts.get(resources) ?? fileTexts(resources);
        texts.set(resources, known);
        return known;
    });
    return Object.fromEntries(
        Object.entries(first).filter(([path, text]) => others.every((other) => other[path] === text)),
    );
}
