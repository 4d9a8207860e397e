import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { formIssues, formOf } from "../forms";
import {
    commandConnection,
    connectionIssues,
    type HostConnection,
    type JudgedConnection,
    judgedConnection,
    rangeIssues,
} from "./connection";
import { declareHost, onlyDeclared } from "./declaredHosts";
import { afterDependencies } from "./dependencies";
import { fileTexts } from "./fileTexts";
import { argsShape } from "./form";
import { beforeChange, hasHooks } from "./hooks";
import { claimHost } from "./hostClaims";
import { HostConversation } from "./hostConversation";
import type { Resource } from "./kinds/index";
import { type Later, laterOutput, orInUp, then } from "./outputs";
import { formerOwners, ownerOf } from "./owners";
import { launchCommand, reportOf } from "./payload/commands";
import { missingSlotIssues } from "./payload/fileContents";
import { makePlan, type Plan, PlanError } from "./payload/plan";
import { componentName, resourceError } from "./resourceError";
import type { Roll } from "./roll";
import { slotValues } from "./slotValues";
import { count } from "./text";

/** Arguments of ConvergedHost. */
export interface ConvergedHostArgs {
    /** How the host is reached. */
    connection: HostConnection;
    /**
     * The run list: resources in the order in which they are converged. A promise if it depends on values that are known later; if it
     * rejects, the host is not converged.
     */
    resources: Resource[] | Promise<Resource[]>;
    /** Values of the slots that the resources name. Apart from the host, only the encrypted state holds them. @default {} */
    slots?: Record<string, pulumi.Input<string>>;
    /**
     * Whether a preview asks the host what differs. If not, it shows which files change in the program, and nothing of the host. An up
     * always asks. @default true
     */
    probe?: boolean;
    /**
     * Whether a preview fails if the host cannot be asked; otherwise it warns, and the plan is unknown. An up always fails then.
     * @default false
     */
    requireAnswer?: boolean;
    /** Seconds after which a converge is ended, a whole number; waits end 120 s earlier. @default 900 */
    deadline?: number;
    /**
     * Whether to converge a host that another component, stack or project has converged before, for example after a rename. Undoes what
     * the other one has declared and this run list does not. Remove it after the up. @default false
     */
    takeOver?: boolean;
}

/** The arguments, once the run list is there. */
export type KnownHostArgs = Omit<ConvergedHostArgs, "resources"> & { resources: Resource[] };

const argsForm = formOf<KnownHostArgs>()(z.strictObject(argsShape));

/** Deletion touches no host. With this, which children inherit, the CLI says so: `delete[retain]`. */
export const leavesHost: pulumi.ComponentResourceOptions = { retainOnDelete: true };

/** What a host has from the fleet around it. */
export interface FleetMembership {
    readonly roll?: Roll;
    /** The files that the fleet's own inputs show. @default - none */
    readonly shownElsewhere?: Later<ReadonlySet<string>>;
}

/**
 * One host, converged to a run list. A preview shows what differs on the host and what an up would do about it; an up repairs it with
 * one SSH command. Deleting this component leaves the host serving.
 *
 * @example
 * ```typescript
 * import { ConvergedHost } from "haproxy-fleet";
 *
 * const host = new ConvergedHost("metrics", {
 *     connection: { address: "192.0.2.20", hostKey: "ssh-ed25519 AAAA…" },
 *     resources: [
 *         { kind: "packages", names: ["prometheus-node-exporter"] },
 *         { kind: "file", path: "/etc/default/prometheus-node-exporter", content: 'ARGS="--web.listen-address=:9100"\n' },
 *         { kind: "service", name: "prometheus-node-exporter.service", restartOn: ["/etc/default/prometheus-node-exporter"] },
 *     ],
 * });
 * export const lastRun = host.lastRun;
 * ```
 */
export class ConvergedHost extends pulumi.ComponentResource {
    /** What the last up did: a line for each resource that was changed, or `nothing to do`. */
    public readonly lastRun: pulumi.Output<string>;

    /**
     * @param name names the host in messages, and its command `<name>-converge`
     * @throws ResourceError with every issue of the run list, the connection and the slots; if another component of the program
     * converges the same address and port. What is found later is an error of the component, and its command changes nothing: a host
     * that refuses what is declared or, in an up, cannot be asked.
     */
    constructor(
        name: string,
        args: ConvergedHostArgs,
        opts?: pulumi.ComponentResourceOptions,
        /** @internal */
        { roll, shownElsewhere }: FleetMembership = {},
    ) {
        const form = formOfArgs(args);
        const options = pulumi.mergeOptions(opts, leavesHost);
        const shown = form.length > 0 ? {} : shownFiles(args.resources, shownElsewhere);
        super("haproxy-fleet:index:ConvergedHost", componentName(name), shown, options);

        if (form.length > 0) {
            throw this.failure(name, form);
        }
        const { connection, slots: given = {} } = args;
        const plan = then(args.resources, (resources) => this.plan(name, { ...args, resources }));
        claimHost(name, connection, this);
        const owners = { owner: ownerOf(name), formerOwners: formerOwners(this) };
        declareHost({ name, ...owners, connection, resources: Promise.resolve(args.resources) }, opts);

        const judged = judgedConnection(connection);
        const slots = slotValues(given);
        // They may create the host. A preview creates nothing.
        const dependencies = pulumi.runtime.isDryRun() ? undefined : afterDependencies(this, opts?.dependsOn);
        const conversation = new HostConversation({ name, ...owners, ...settingsOf(args), roll }, this, () => command);
        const needed = { connection: judged, slots, dependencies };
        const answered = conversation.token(Promise.resolve(plan).then((made) => ({ plan: made, ...needed })));
        const token = pulumi
            .all([answered.then((known) => known ?? unknown), judged, slots.settled, dependencies])
            .apply(([known]) => known);
        const hooks = beforeChange(`${name}-converge`, () => conversation.assertSound());
        const command = this.command(name, args, judged, token, hooks);

        this.lastRun = command.stdout.apply(reportOf);
        this.registerOutputs({ lastRun: this.lastRun });
    }

    /** Checks everything that is declared, and collects all issues in one error. */
    private plan(name: string, args: KnownHostArgs): Plan {
        const { resources, connection, slots = {}, deadline } = args;
        const form = formOfArgs(args);
        if (form.length > 0) {
            // Resources that come later are judged only now.
            throw this.failure(name, form);
        }
        const issues = [
            ...connectionIssues(connection),
            ...rangeIssues("deadline", deadline, 86_400),
            ...missingSlotIssues(resources, Object.keys(slots)),
        ];
        try {
            const plan = makePlan(resources);
            if (issues.length === 0) {
                return plan;
            }
        } catch (error) {
            if (!(error instanceof PlanError)) {
                throw error;
            }
            issues.push(...error.issues);
        }
        throw this.failure(name, issues);
    }

    private failure(name: string, issues: readonly string[]): Error {
        const title = `${name}: ${count(issues.length, "issue")} in what is declared`;
        return resourceError([title, ...issues].join("\n  "), this);
    }

    private command(
        name: string,
        args: ConvergedHostArgs,
        connection: pulumi.Output<JudgedConnection>,
        token: pulumi.Output<string>,
        hooks: pulumi.ResourceHookBinding | undefined,
    ): remote.Command {
        const launch = pulumi.unsecret(token).apply((known) => launchCommand(known, args.connection.become));
        // A preview that asks no host cannot know the token that the host got from its last up.
        const unasked = args.probe === false && pulumi.runtime.isDryRun();
        return new remote.Command(
            `${name}-converge`,
            {
                connection: orInUp(connection, { issues: [] }).apply(commandConnection),
                create: launch,
                update: launch,
                logging: remote.Logging.Stderr,
                addPreviousOutputInEnv: false,
            },
            { parent: this, ignoreChanges: unasked ? ["create", "update"] : [], hooks },
        );
    }
}

/** Resolves an output to a value that only an up knows. */
const unknown = pulumi.unknown as unknown as string;

/** How to treat the host. */
function settingsOf({ connection, probe = true, requireAnswer = false, deadline, takeOver }: ConvergedHostArgs) {
    const { become } = connection;
    const asks = probe && onlyDeclared() === undefined;
    return { become, probe: asks, requireAnswer, deadline, takeOver, hooked: hasHooks() };
}

/** Issues of form. Resources that come later count as none. */
function formOfArgs(args: ConvergedHostArgs): string[] {
    const { resources } = (args ?? {}) as Partial<ConvergedHostArgs>;
    const data = resources instanceof Promise ? { ...args, resources: [] } : args;
    return formIssues(argsForm, data).map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
}

/**
 * The component's inputs: the files with secrets by name, so that `pulumi preview --diff` shows their lines.
 *
 * @param elsewhere files that the inputs of another component show
 */
function shownFiles(
    resources: Later<Resource[]>,
    elsewhere: Later<ReadonlySet<string>> = new Set(),
): { files: pulumi.Output<Record<string, string>> } {
    const files = then(resources, (declared) =>
        then(elsewhere, (paths) => {
            const texts = Object.entries(fileTexts(declared)).filter(([path]) => !paths.has(path));
            return Object.fromEntries(texts);
        }),
    );
    return { files: laterOutput(files) };
}
