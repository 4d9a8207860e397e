import * as pulumi from "@pulumi/pulumi";
import { ConvergedHost, type HostConnection } from "./convergence/convergedHost";
import { resourceError } from "./convergence/resourceError";
import type { Resource } from "./convergence/resources";
import { showSlots } from "./convergence/slots";
import type { HaproxyConfig } from "./haproxy/model";
import { render } from "./haproxy/render/index";
import {
    type CompiledServices,
    compileServices,
    type HaproxySettings,
    isError,
    type Service,
    type StatsSettings,
} from "./haproxy/services/compile";
import { type Issue, validate } from "./haproxy/validate/index";
import { haproxy } from "./recipes/haproxy/index";

/** Arguments of LoadBalancer. */
export interface LoadBalancerArgs {
    /** How the host is reached. */
    connection: HostConnection;
    /** What HAProxy shall do there; every fault that `check` finds in it is told before the host is touched. */
    haproxy: HaproxyConfig | BalancedServices;
    /** Changes the configuration that comes of `haproxy`; what it returns is checked as well. @default - as it is */
    customize?: (config: HaproxyConfig) => HaproxyConfig;
    /** Parts of lines in which HAProxy's own check warns, and may; any other warning refuses the configuration. @default [] */
    allowWarnings?: string[];
    /** Whether servers may become fewer than their guards say, `minServers` and `maxShrinkPercent`; for one up. @default false */
    allowShrink?: boolean;
    /** Workers of earlier reloads that may still have connections when the next one comes: more make it wait. @default 5 */
    oldWorkers?: number;
    /** Values of the slots in the configuration, such as the statistics page's password. @default {} */
    slots?: Record<string, pulumi.Input<string>>;
    /** Whether a preview asks the host what differs. @default true */
    probe?: boolean;
    /** Whether to converge a host that another component, stack or project has converged before. @default false */
    takeOver?: boolean;
}

/** Services that each tell their servers, for those who do not want to write sections. */
export interface BalancedServices extends HaproxySettings {
    services: readonly Service[];
    /** @default - no statistics page */
    stats?: StatsSettings;
}

/** One HAProxy load balancer on a host of its own: a ConvergedHost with the recipe `haproxy`. Deleting it leaves it serving. */
export class LoadBalancer extends pulumi.ComponentResource {
    /** Where it is reached. */
    public readonly address: pulumi.Output<string>;
    /** Its haproxy.cfg, secrets by name. */
    public readonly configuration: pulumi.Output<string>;
    /** What the last converge did, for people. */
    public readonly lastRun: pulumi.Output<string>;

    /**
     * @param name names the host in messages, and its children
     * @throws ResourceError with every error in the services and in the model, each once; then as ConvergedHost
     */
    constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("haproxy-fleet:index:LoadBalancer", name, {}, opts);

        const { customize = (compiled) => compiled } = args;
        const compiled = asCompiled(args.haproxy);
        const config = this.customized(name, compiled, customize);
        this.report(name, compiled.issuesIn(config));
        const host = new ConvergedHost(
            name,
            {
                connection: args.connection,
                resources: this.recipe(name, config, args),
                slots: args.slots,
                probe: args.probe,
                takeOver: args.takeOver,
            },
            { parent: this },
        );

        this.address = pulumi.output(args.connection.address);
        this.configuration = pulumi.output(showSlots(render(config, { digest: "‹digest›" })));
        this.lastRun = host.lastRun;
        this.registerOutputs({
            address: this.address,
            configuration: this.configuration,
            lastRun: this.lastRun,
        });
    }

    /** Where services are faulty, not all of them is there to be changed: their faults are what to tell then. */
    private customized(
        name: string,
        { config, issues }: CompiledServices,
        customize: (config: HaproxyConfig) => HaproxyConfig,
    ): HaproxyConfig {
        try {
            return customize(config);
        } catch (error) {
            this.report(name, issues);
            throw error;
        }
    }

    private recipe(name: string, config: HaproxyConfig, args: LoadBalancerArgs): Resource[] {
        const { allowWarnings, allowShrink, oldWorkers } = args;
        try {
            return haproxy(config, { allowWarnings, allowShrink, oldWorkers });
        } catch (error) {
            throw resourceError(`${name}: ${(error as Error).message}`, this);
        }
    }

    /** All errors in one; warnings are shown and do not stop anything. */
    private report(name: string, issues: readonly Issue[]): void {
        const words = ({ path, message }: Issue) => `  ${path}: ${message}`;
        const errors = issues.filter(isError);
        if (errors.length > 0) {
            const title = `${name}: ${errors.length} fault${errors.length === 1 ? "" : "s"} in the HAProxy configuration`;
            throw resourceError([title, ...errors.map(words)].join("\n"), this);
        }
        for (const warning of issues) {
            void pulumi.log.warn(words(warning).trim(), this);
        }
    }
}

/** A configuration as the services of others come to it. */
function asCompiled(declared: HaproxyConfig | BalancedServices): CompiledServices {
    if (!("services" in declared)) {
        return { config: declared, issues: [], issuesIn: validate };
    }
    const { services, stats, ...settings } = declared;
    return compileServices(settings, services, undefined, stats);
}
