import { remote } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { formIssues, formOf } from "../forms";
import { commandConnection, connectionIssues, type HostConnection, judgedConnection, rangeIssues } from "./connection";
import { afterDependencies } from "./dependencies";
import { argsShape } from "./form";
import { assertClaims, claimHost } from "./hostClaims";
import { filesOf, type Resource } from "./kinds/index";
import { launchCommand, reportOf, standingOf } from "./payload/commands";
import { missingSlotIssues, slotValueIssues } from "./payload/fileContents";
import { buildPayload } from "./payload/payload";
import { makePlan, type Plan, PlanError } from "./payload/plan";
import {
    convergedText,
    differenceText,
    hostNames,
    previewReport,
    refusalText,
    settingText,
} from "./preview/previewReport";
import { type AskedHost, type Probe, probeOverSsh } from "./preview/probe";
import type { WhyRun } from "./preview/whyRun";
import { resourceError } from "./resourceError";
import { failTogether, inRound, logTogether } from "./sharedMessages";
import { showSlots } from "./slots";
import { SshError, type SshTarget } from "./ssh/ssh";
import { count, printable } from "./text";
import { nextToken } from "./token";

/** Arguments of ConvergedHost. */
export interface ConvergedHostArgs {
    /** How the host is reached. */
    connection: HostConnection;
    /** The run list: resources in the order in which they are converged. */
    resources: Resource[];
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

const argsForm = formOf<ConvergedHostArgs>()(z.strictObject(argsShape));

/** Deletion touches no host. With this, which children inherit, the CLI says so: `delete[retain]`. */
export const leavesHost: pulumi.ComponentResourceOptions = { retainOnDelete: true };

let probe: Probe = probeOverSsh;

/** Replaces the function that asks hosts, so that unit tests need no hosts. */
export function useProbe(other: Probe): void {
    probe = other;
}

/**
 * One host, converged to a run list. A preview shows what differs on the host and what an up would do about it; an up repairs it with
 * one SSH command. Deleting this component leaves the host serving.
 */
export class ConvergedHost extends pulumi.ComponentResource {
    /** What the last up did: a line for each resource that was changed, or `nothing to do`. */
    public readonly lastRun: pulumi.Output<string>;

    /**
     * @param name names the host in messages, and its command `<name>-converge`
     * @throws ResourceError with every issue of the run list, the connection and the slots; if another component of the program
     * converges the same address and port; if the host refuses what is declared; in an up, if the host cannot be asked
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
        const target = judgedConnection(args.connection, (issues) => this.refuse(name, issues));
        // They may create the host. A preview creates nothing.
        const dependencies = pulumi.runtime.isDryRun() ? undefined : afterDependencies(this, opts?.dependsOn);
        const token = pulumi
            .all([target, pulumi.all(args.slots ?? {}), dependencies])
            .apply(([to, slots]) => this.token(name, args, plan, to, slots, () => command));
        const command = this.command(name, args, target, token);

        this.lastRun = command.stdout.apply(reportOf);
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

    /** Fails because of values that are known only now. Hosts with the same issues share one message. */
    private refuse(name: string, issues: string[]): Promise<never> {
        return failTogether({
            about: { host: name },
            key: issues.join("\n"),
            words: (hosts) => [`${hostNames(hosts)}:`, ...issues].join(issues.length === 1 ? " " : "\n  "),
            resource: this,
        });
    }

    /**
     * Asks the host what differs, and returns the token of its command. A preview reports what differs; an up leaves the payload there
     * if a converge is due, and follows it.
     *
     * @param command converges the host
     */
    private async token(
        name: string,
        args: ConvergedHostArgs,
        plan: Plan,
        target: SshTarget,
        slots: Record<string, string>,
        command: () => remote.Command,
    ): Promise<string> {
        const issues = slotValueIssues(args.resources, slots);
        if (issues.length > 0) {
            await this.refuse(name, issues);
        }
        assertClaims();
        const preview = pulumi.runtime.isDryRun();
        if (preview && args.probe === false) {
            return unknown;
        }
        const { connection, deadline, takeOver, requireAnswer = false } = args;
        const payload = buildPayload(plan, { slots, owner: ownerOf(name), deadline, takeOver });
        const mayBeAway = preview && !requireAnswer;
        const waiting = ({ message }: SshError) =>
            void pulumi.log.info(`${name}: waits for the host: ${message}`, this, undefined, true);
        const question = () => probe(target, payload, connection.become, preview ? undefined : waiting);
        const host = await this.ask(name, question, mayBeAway);
        if (host === undefined) {
            return unknown;
        }
        const { answer } = host;
        void this.say(name, "warn", answer.warnings);
        const token = nextToken(answer, payload);
        if (!preview && token !== answer.token && answer.refused.length === 0) {
            await this.leave(name, host, token);
            void this.follow(name, host, token, command());
        } else {
            host.close();
            await this.report(name, answer, plan, slots);
            void this.say(name, "info", preview ? [] : answer.serving);
        }
        return token;
    }

    /** Shows texts of a host; hosts with an equal one share it. */
    private async say(name: string, severity: "info" | "warn", texts: string[], work?: "converge"): Promise<void> {
        const messages = texts.map(printable).map((text) => {
            const words = (hosts: { host: string }[]) => `${hostNames(hosts)}: ${text}`;
            return logTogether(severity, { about: { host: name }, key: text, words, resource: this }, work);
        });
        await Promise.all(messages);
    }

    /** Leaves the payload on the host, and watches the host until its converge has ended. */
    private async leave(name: string, host: AskedHost, token: string): Promise<void> {
        try {
            await host.leave(token);
        } catch (error) {
            host.close();
            throw error instanceof SshError ? resourceError(`${name}: ${error.message}`, this) : error;
        }
        // The command plugin notices a lost connection after minutes, and behind a bastion never.
        void host.lost.then(() => pulumi.log.warn(`${name} ${LOST}`, this));
    }

    /** Waits until the host's converge has ended, and says what it did. */
    private async follow(name: string, host: AskedHost, token: string, command: remote.Command): Promise<void> {
        const done = pulumi.runtime.rpcKeepAlive();
        const outputs = [command.stdout, command.stderr];
        const [stdout, stderr] = await inRound(() => Promise.all(outputs.map(settled)), "converge");
        const cause = typeof stdout === "string" ? "" : await host.cause(token);
        host.close();
        if (cause !== "") {
            await pulumi.log.error(`${name}: ${cause}`, this);
        }
        if (typeof stdout === "string") {
            const did = reportOf(stdout);
            const about = { host: name, did };
            const changes = logTogether("info", { about, key: did, words: convergedText, resource: this }, "converge");
            // The engine shows stderr while the command runs, and not at the end of the up.
            await Promise.all([changes, this.say(name, "info", standingOf(String(stderr)), "converge")]);
        }
        done();
    }

    /** The host's answer; undefined if the host could not be asked and may be away. */
    private async ask(
        name: string,
        question: () => Promise<AskedHost>,
        mayBeAway: boolean,
    ): Promise<AskedHost | undefined> {
        try {
            return await inRound(question);
        } catch (error) {
            if (!(error instanceof SshError)) {
                throw error;
            }
            const { message } = error;
            const unasked = (verb: string) => ({
                about: { host: name },
                key: message,
                words: (hosts: { host: string }[]) => `${hostNames(hosts)}${verb}: ${message}`,
                resource: this,
            });
            if (!mayBeAway) {
                await failTogether(unasked(""));
            }
            await logTogether("warn", unasked(" could not be asked what differs"));
            return undefined;
        }
    }

    /** Fails if the host refuses what is declared; a preview shows what differs, and which settings no host needs any more. */
    private async report(name: string, whyRun: WhyRun, plan: Plan, slots: Record<string, string>): Promise<void> {
        const settings = pulumi.runtime.isDryRun() ? whyRun.settings : [];
        // Not awaited yet, because the round ends once for all messages.
        const advice = settings.map((setting) => {
            const about = { host: name, ...setting };
            return logTogether("warn", { about, key: `setting ${setting.name}`, words: settingText, resource: this });
        });
        const about = { host: name, ...previewReport(whyRun, plan, slots) };
        const { severity, summary, effect, refusal, differences } = about;
        if (severity === "refusal") {
            await failTogether({ about, key: refusal.join("\n"), words: refusalText, resource: this });
        }
        if (severity !== "none" && pulumi.runtime.isDryRun()) {
            const key = [summary, effect, ...differences].join("\n");
            const message = { about, key, words: differenceText, resource: this };
            await logTogether(severity === "info" ? "info" : "warn", message);
        }
        await Promise.all(advice);
    }

    private command(
        name: string,
        args: ConvergedHostArgs,
        target: pulumi.Output<SshTarget>,
        token: pulumi.Output<string>,
    ): remote.Command {
        const launch = pulumi.unsecret(token).apply((known) => launchCommand(known, args.connection.become));
        // A preview that asks no host cannot know the token that the host got from its last up.
        const unasked = args.probe === false && pulumi.runtime.isDryRun();
        return new remote.Command(
            `${name}-converge`,
            {
                connection: target.apply(commandConnection),
                create: launch,
                update: launch,
                logging: remote.Logging.Stderr,
                addPreviousOutputInEnv: false,
            },
            { parent: this, ignoreChanges: unasked ? ["create", "update"] : [] },
        );
    }
}

/** Resolves an output to a value that only an up knows. */
const unknown = pulumi.unknown as unknown as string;

const LOST =
    "no longer answers; its converge goes on or ends there by itself; the up waits for it, and ^C twice ends the wait";

/** The value of an output; no value of its type if it has failed. */
async function settled(output: pulumi.Output<unknown>): Promise<unknown> {
    const { promise } = output as unknown as { promise(withUnknowns: boolean): Promise<unknown> };
    return promise(true).catch(() => undefined);
}

/** The owner of the host, in the form that the host stores and shows. */
function ownerOf(name: string): string {
    return printable([pulumi.getProject(), pulumi.getStack(), name].join("/"));
}

/** The component's inputs: the files with secrets by name, so that `pulumi preview --diff` shows their lines. */
function shownFiles(resources: Resource[]): { files: Record<string, string> } {
    const texts = resources
        .flatMap(filesOf)
        .map(({ path, content, program = false }) => [
            path,
            typeof content === "string" && !program ? showSlots(content) : `${content.length} bytes`,
        ]);
    return { files: Object.fromEntries(texts) };
}
