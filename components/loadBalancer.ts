import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { HostConnection } from "./convergence/connection";
import { ConvergedHost, leavesHost } from "./convergence/convergedHost";
import type { Resource } from "./convergence/kinds/index";
import { resourceError } from "./convergence/resourceError";
import { warn } from "./convergence/sharedMessages";
import { showSlots } from "./convergence/slots";
import { aFunction, flag, formIssues, texts } from "./forms";
import {
    acceptDownIssues,
    balancedServicesFormIssues,
    type CompiledServices,
    compileServices,
    type HaproxyConfig,
    type HaproxySettings,
    type Issue,
    isError,
    remembering,
    type Service,
    type StatsSettings,
    seconds,
    validate,
    withoutIgnored,
} from "./haproxy";
import { type HaproxyOptions, haproxy, optionsShape } from "./recipes/haproxy/index";

/** Arguments of LoadBalancer. */
export interface LoadBalancerArgs {
    /** How the host is reached. */
    connection: HostConnection;
    /** The configuration, or services to compile. Errors are reported before the host is touched. */
    haproxy: HaproxyConfig | BalancedServices;
    /**
     * Returns a changed copy of the configuration that `haproxy` declares or compiles to. That configuration is frozen; the copy is
     * validated.
     * @default - no change
     */
    customize?: (config: HaproxyConfig) => HaproxyConfig;
    /** Ids of warnings to leave out, such as `unused-backend`. Errors cannot be ignored. @default [] */
    ignoreIssues?: string[];
    /** Substrings of `haproxy -c` warnings to accept; any other warning refuses the configuration. @default [] */
    allowWarnings?: string[];
    /** Whether a host may lose more servers than `minServers` and `maxShrinkPercent` allow; for one up. @default false */
    allowShrink?: boolean;
    /** Old workers that may still have connections when the next reload is due; if there are more, the reload waits. @default 5 */
    oldWorkers?: number;
    /**
     * How long the gate goes on to watch the servers after an activation, a duration of at most `"10m"`. If a backend loses its servers
     * meanwhile, the last good files come back. @default "0"
     */
    bake?: string;
    /**
     * Backends, and sections `listen`, that may have fewer servers up after a change than `minUp`, or none; for one up. @default []
     */
    acceptDown?: string[];
    /** Values of the slots in the configuration, such as the password of the statistics page. @default {} */
    slots?: Record<string, pulumi.Input<string>>;
    /** Whether a preview asks the host what differs. @default true */
    probe?: boolean;
    /** Whether a preview fails if the host cannot be asked; otherwise it warns. @default false */
    requireAnswer?: boolean;
    /** Whether to converge a host that another component, stack or project has converged before. @default false */
    takeOver?: boolean;
}

/** Services with their servers, and settings of HAProxy. */
export interface BalancedServices extends HaproxySettings {
    /** At least one. */
    services: readonly Service[];
    /** @default - no statistics page */
    stats?: StatsSettings;
}

const anObject = z.custom<never>((value) => typeof value === "object" && value !== null, {
    message: "expected an object",
});

/** The form of the arguments; `haproxy` and `connection` are judged by their own. */
const argsForm = z.strictObject({
    ...optionsShape,
    connection: anObject,
    haproxy: anObject,
    customize: aFunction<never>().optional(),
    ignoreIssues: texts.optional(),
    slots: anObject.optional(),
    probe: flag.optional(),
    requireAnswer: flag.optional(),
    takeOver: flag.optional(),
} satisfies Record<keyof LoadBalancerArgs, z.ZodType>);

/**
 * One HAProxy load balancer on its own host: a ConvergedHost with the recipe `haproxy`. Deleting it leaves it serving.
 *
 * @example
 * ```typescript
 * import { LoadBalancer } from "haproxy-fleet";
 *
 * const balancer = new LoadBalancer("lb1", {
 *     connection: { address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" },
 *     haproxy: {
 *         version: "2.6",
 *         services: [
 *             {
 *                 name: "shop",
 *                 hosts: ["shop.example.com"],
 *                 port: 8080,
 *                 servers: [{ name: "shop1", address: "192.0.2.21" }],
 *             },
 *         ],
 *     },
 * });
 * export const configuration = balancer.configuration;
 * ```
 */
export class LoadBalancer extends pulumi.ComponentResource {
    /** Address of the host. */
    public readonly address: pulumi.Output<string>;
    /** Its haproxy.cfg, with secrets by name. */
    public readonly configuration: pulumi.Output<string>;
    /** What the last converge did, as text. */
    public readonly lastRun: pulumi.Output<string>;

    /**
     * @param name names the host in messages, and its children
     * @throws ResourceError with every issue of form, else with every error in the services and the configuration; then as ConvergedHost
     */
    constructor(name: string, args: LoadBalancerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("haproxy-fleet:index:LoadBalancer", name, {}, pulumi.mergeOptions(opts, leavesHost));

        this.report(name, formIssuesIn(args));
        const {
            customize = (compiled) => compiled,
            ignoreIssues,
            connection,
            slots,
            probe,
            requireAnswer,
            takeOver,
        } = args;
        const compiled = compile(args.haproxy);
        const config = this.customized(name, compiled, customize);
        if (typeof config !== "object" || config === null) {
            const remedy = "return the configuration that it is called with, or a changed copy";
            throw resourceError(`${name}: customize: returned ${String(config)}; ${remedy}`, this);
        }
        this.report(name, withoutIgnored(compiled.validate(config), ignoreIssues));
        const { allowWarnings, allowShrink, oldWorkers, bake, acceptDown } = args;
        this.report(name, acceptDownIssues(config, acceptDown));
        this.warnOfAcceptDown(name, acceptDown);
        const options = { allowWarnings, allowShrink, oldWorkers, bake, acceptDown };
        const resources = resourcesFor({ declared: args.haproxy, config, options });
        const { dependsOn } = opts ?? {};
        const host = new ConvergedHost(
            name,
            { connection, resources, slots, probe, requireAnswer, takeOver, deadline: 900 + seconds(bake ?? "0") },
            { parent: this, dependsOn },
        );

        this.address = pulumi.output(connection.address);
        this.configuration = pulumi.output(shownConfiguration(resources));
        this.lastRun = host.lastRun;
        this.registerOutputs({
            address: this.address,
            configuration: this.configuration,
            lastRun: this.lastRun,
        });
    }

    /** If services have errors, `config` lacks parts that `customize` may expect; if it throws then, those errors are reported instead. */
    private customized(
        name: string,
        { config, issues }: CompiledServices,
        customize: (config: HaproxyConfig) => HaproxyConfig,
    ): HaproxyConfig {
        try {
            return customize(config);
        } catch (error) {
            this.report(name, issues);
            if (
                error instanceof TypeError &&
                /read only|not extensible|cannot (assign|add|define|delete)/i.test(error.message)
            ) {
                const remedy = "return a changed copy, because all hosts share the configuration";
                throw resourceError(`${name}: customize: ${error.message}; ${remedy}`, this);
            }
            throw error;
        }
    }

    private warnOfAcceptDown(name: string, names: readonly string[] = []): void {
        const verb = names.length === 1 ? "has" : "have";
        if (names.length > 0) {
            const problem = `an up keeps a configuration with which ${names.join(", ")} ${verb} no server up`;
            const remedy = "npm run pulumi -- config rm acceptDown (in a program of your own, the argument acceptDown)";
            warn(name, `acceptDown: ${problem}; remove it after the up: ${remedy}`, this);
        }
    }

    /** All errors in one; warnings are shown and stop nothing. */
    private report(name: string, issues: readonly Issue[]): void {
        const words = ({ path, message }: Issue) => `  ${path === "" ? "" : `${path}: `}${message}`;
        const errors = issues.filter(isError);
        if (errors.length > 0) {
            const title = `${name}: ${errors.length} error${errors.length === 1 ? "" : "s"} in what is declared`;
            throw resourceError([title, ...errors.map(words)].join("\n"), this);
        }
        for (const warning of issues) {
            warn(name, words(warning).trim(), this);
        }
    }
}

/** The run list; lines of its files have their sources in what is declared. */
const resourcesFor = remembering(
    ({
        declared,
        config,
        options,
    }: {
        readonly declared: LoadBalancerArgs["haproxy"];
        readonly config: HaproxyConfig;
        readonly options: HaproxyOptions;
    }): Resource[] => {
        const { sourceOf } = compile(declared);
        return haproxy(config, { ...options, sourceOf: (path) => sourceOf(config, path) });
    },
);

/** The text of haproxy.cfg, the first file of its transaction, with slots by name. */
function shownConfiguration(resources: readonly Resource[]): string {
    const [file] = resources.flatMap((resource) => (resource.kind === "transaction" ? resource.files : []));
    return showSlots(String(file?.content));
}

/** Issues of form of the arguments and of the services in them; a model is judged by `validate`. */
function formIssuesIn(args: LoadBalancerArgs): Issue[] {
    const own = formIssues(argsForm, args);
    const services = own.length === 0 && "services" in args.haproxy ? balancedServicesFormIssues(args.haproxy) : [];
    return [...own, ...services].map((issue) => ({ rule: "form", ...issue, severity: "error" }));
}

/** A hand-written configuration is wrapped like a compiled one. */
const compile = remembering((declared: HaproxyConfig | BalancedServices): CompiledServices => {
    if (!("services" in declared)) {
        return {
            config: declared,
            issues: [],
            validate: (config) => [...validate(config)],
            sourceOf: (_, path) => path,
        };
    }
    const { services, stats, ...settings } = declared;
    return compileServices(settings, services, undefined, stats);
});
