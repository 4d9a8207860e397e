import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { formIssues } from "../forms";
import { commandConnection, connectionIssues, type HostConnection, rangeIssues, sshTarget } from "./connection";
import { argsShape } from "./form";
import { assertClaims, claimHost } from "./hostClaims";
import { filesOf, type Resource } from "./kinds/index";
import { missingSlotIssues, slotValueIssues } from "./payload/fileContents";
import { bootstrap, preparePayload, type RunOptions, withoutRuntime } from "./payload/payload";
import { makePlan, type Plan, PlanError } from "./payload/plan";
import { hostNames, previewReport, refusalText } from "./preview/previewReport";
import { type Probe, probeOverSsh } from "./preview/probe";
import type { WhyRun } from "./preview/whyRun";
import { resourceError } from "./resourceError";
import { failTogether, inRound } from "./sharedMessages";
import { showSlots } from "./slots";
import { SshError, type SshTarget } from "./ssh/ssh";
import { count, printable } from "./text";
import { nextToken, takesOver, tokenOfPlan } from "./token";

/** Arguments of ConvergedHost. */
export interface ConvergedHostArgs {
    /** How the host is reached. */
    connection: HostConnection;
    /** The run list: resources in the order in which they are converged. */
    resources: Resource[];
    /** Values of the slots that the resources name. Apart from the host, only the encrypted state holds them. @default {} */
    slots?: Record<string, pulumi.Input<string>>;
    /**
     * Whether to ask the host what differs. If not, a preview shows what changes in the plan, but not what has been changed on the
     * host: for pull requests that must not reach hosts. @default true
     */
    probe?: boolean;
    /** Seconds after which a converge is ended, a whole number; waits end 120 s earlier. @default 900 */
    deadline?: number;
    /**
     * Whether to converge a host that another component, stack or project has converged before, for example after a rename. Undoes what
     * the other one has declared and this run list does not. Remove it after the up. @default false
     */
    takeOver?: boolean;
}

const argsForm = z.strictObject(argsShape satisfies Record<keyof ConvergedHostArgs, z.ZodType>);

/** Deletion touches no host. With this, which children inherit, the CLI says so: `delete[retain]`. */
export const leavesHost: pulumi.ComponentResourceOptions = { retainOnDelete: true };

let probe: Probe = probeOverSsh;

/** Replaces the function that asks hosts, so that unit tests need no hosts. */
export function useProbe(other: Probe): void {
    probe = other;
}

/** The command's inputs: the payload, and a token that changes if a converge is due. */
interface Converge {
    token: string;
    payload: string;
}

/**
 * One host, converged to a run list. A preview shows what differs on the host and what an up would do about it; an up repairs it with
 * one SSH command. Deleting this component leaves the host serving.
 */
export class ConvergedHost extends pulumi.ComponentResource {
    /** What the last converge did: a line for each resource that was changed, or `nothing to do`. */
    public readonly lastRun: pulumi.Output<string>;

    /**
     * @param name names the host in messages, and its command `<name>-converge`
     * @throws ResourceError with every issue of the run list, the connection and the slots; if another component of the program
     * converges the same address and port; in a preview, if the host refuses what is declared; in an up, if the host cannot be asked
     */
    constructor(name: string, args: ConvergedHostArgs, opts?: pulumi.ComponentResourceOptions) {
        const form = formIssues(argsForm, args).map(({ path, message }) =>
            path === "" ? message : `${path}: ${message}`,
        );
        const options = pulumi.mergeOptions(opts, leavesHost);
        super("haproxy-fleet:index:ConvergedHost", name, form.length > 0 ? {} : shownFiles(args.resources), options);

        if (form.length > 0) {
            throw this.failure(name, form);
        }
        const plan = this.plan(name, args);
        claimHost(name, args.connection, this);
        const converge = pulumi
            .all([sshTarget(args.connection), pulumi.all(args.slots ?? {})])
            .apply(([target, slots]) => this.decide(name, args, plan, target, slots));
        const command = this.command(name, args, converge);

        this.lastRun = command.stdout;
        this.registerOutputs({ lastRun: this.lastRun });
    }

    /** Checks everything that is declared, and collects all issues in one error. */
    private plan(name: string, { connection, resources, slots = {}, deadline }: ConvergedHostArgs): Plan {
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

    /** Asks the host what differs, reports it in a preview, and decides what to send. */
    private async decide(
        name: string,
        args: ConvergedHostArgs,
        plan: Plan,
        target: SshTarget,
        slots: Record<string, string>,
    ): Promise<Converge> {
        const issues = slotValueIssues(args.resources, slots);
        if (issues.length > 0) {
            await failTogether({
                failure: { host: name },
                key: issues.join("\n"),
                words: (hosts) => [`${hostNames(hosts)}:`, ...issues].join(issues.length === 1 ? " " : "\n  "),
                resource: this,
            });
        }
        assertClaims();
        const { deadline, takeOver = false } = args;
        const payload = preparePayload(plan, { slots, owner: ownerOf(name), deadline });
        const question = payload({ takeOver });
        const ofPlan = tokenOfPlan(question);
        if (args.probe === false) {
            return unasked(payload, ofPlan, takeOver);
        }
        const whyRun = await this.ask(name, target, question, args.connection.become);
        if (whyRun === undefined) {
            return { token: pulumi.unknown as unknown as string, payload: pulumi.unknown as unknown as string };
        }
        if (pulumi.runtime.isDryRun()) {
            await this.report(name, whyRun, plan, slots);
        }
        const token = nextToken(whyRun, plan);
        // The last up had no probe and sent the whole payload, with which the engine compares this one.
        return token === ofPlan
            ? unasked(payload, ofPlan, takeOver)
            : { token, payload: withoutRuntime(payload({ takeOver: takesOver(token), token })) };
    }

    /** The host's answer; undefined if a preview cannot reach it. */
    private async ask(
        name: string,
        target: SshTarget,
        question: string,
        become: "sudo" | undefined,
    ): Promise<WhyRun | undefined> {
        try {
            return await inRound(() => probe(target, question, become));
        } catch (error) {
            if (!(error instanceof SshError)) {
                throw error;
            }
            if (!pulumi.runtime.isDryRun()) {
                throw resourceError(`${name}: ${error.message}`, this);
            }
            await pulumi.log.warn(`${name} could not be asked what differs: ${error.message}`, this);
            return undefined;
        }
    }

    private async report(name: string, whyRun: WhyRun, plan: Plan, slots: Record<string, string>): Promise<void> {
        const { text, refused, refusal, differences } = previewReport(name, whyRun, plan, slots);
        if (refused) {
            await failTogether({
                failure: { host: name, refusal, differences },
                key: refusal.join("\n"),
                words: refusalText,
                resource: this,
            });
        }
        if (text !== "") {
            await pulumi.log.warn(text, this);
        }
    }

    private command(name: string, args: ConvergedHostArgs, converge: pulumi.Output<Converge>): remote.Command {
        const launch = bootstrap("launch", args.connection.become);
        // Without a probe, a preview cannot know the token that the host got from its last up.
        const unknown = args.probe === false && pulumi.runtime.isDryRun();
        return new remote.Command(
            `${name}-converge`,
            {
                connection: commandConnection(args.connection),
                create: launch,
                update: pulumi.interpolate`${launch} ${pulumi.unsecret(converge).apply(({ token }) => token)}`,
                stdin: pulumi.secret(converge.apply(({ payload }) => payload)),
                logging: remote.Logging.Stderr,
                addPreviousOutputInEnv: false,
            },
            { parent: this, ignoreChanges: unknown ? ["update", "stdin"] : [] },
        );
    }
}

/** The converge of a host without a probe: the whole payload is sent, and only a change of the plan changes the token. */
function unasked(payload: (run: RunOptions) => string, token: string, takeOver: boolean): Converge {
    return { token, payload: payload({ takeOver, token }) };
}

/** The owner of the host, in the form that the host stores and shows. */
function ownerOf(name: string): string {
    return printable([pulumi.getProject(), pulumi.getStack(), name].join("/"));
}

/** The component's inputs: the files with secrets by name, so that `pulumi preview --diff` shows their lines. */
function shownFiles(resources: Resource[]): { files: Record<string, string> } {
    const texts = resources
        .flatMap(filesOf)
        .map(({ path, content }) => [
            path,
            typeof content === "string" ? showSlots(content) : `${content.length} bytes`,
        ]);
    return { files: Object.fromEntries(texts) };
}
