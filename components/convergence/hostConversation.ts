import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { JudgedConnection } from "./connection";
import { onlyDeclared } from "./declaredHosts";
import type { HostFinding } from "./findings";
import { assertClaims } from "./hostClaims";
import { knownValue } from "./outputs";
import { launchCommand, reportOf, standingOf } from "./payload/commands";
import { encodedSlots, slotsOfFiles, slotValueIssues } from "./payload/fileContents";
import { buildPayload } from "./payload/payload";
import type { Plan } from "./payload/plan";
import { changesFirewall } from "./preview/confirmLogin";
import { firewallWarnings } from "./preview/firewallWarnings";
import { answeredFinding, unaskedFinding } from "./preview/hostFinding";
import {
    convergedText,
    differenceText,
    hostNames,
    issuesText,
    previewReport,
    refusalText,
    settingText,
    unaskedText,
} from "./preview/previewReport";
import { type AskedHost, type Probe, probeOverSsh } from "./preview/probe";
import { hasDeclared, rollRole } from "./preview/rollRole";
import { shortageWarnings } from "./preview/shortages";
import type { WhyRun } from "./preview/whyRun";
import { record } from "./recordFinding";
import { resourceError } from "./resourceError";
import { apartText, type Role, type Roll, type Standing, type Turn } from "./roll";
import { failTogether, inRound, logTogether } from "./sharedMessages";
import { type SlotValues, textIssues } from "./slotValues";
import { SshError } from "./ssh/ssh";
import { printable } from "./text";
import { nextToken } from "./token";

let probe: Probe = probeOverSsh;

/** Replaces the function that asks hosts, so that unit tests need no hosts. */
export function useProbe(other: Probe): void {
    probe = other;
}

/** What a host is to have, and how to treat it. */
export interface DeclaredTurn {
    readonly name: string;
    /** `project/stack/name`, printable. */
    readonly owner: string;
    readonly formerOwners: Promise<readonly string[]>;
    readonly become?: "sudo";
    readonly probe: boolean;
    readonly requireAnswer: boolean;
    readonly deadline?: number;
    readonly takeOver?: boolean;
    /** Whether {@link HostConversation.assertSound} is called before the command runs. */
    readonly hooked: boolean;
    /** The fleet's order. @default - the host is on its own */
    readonly roll?: Roll;
}

/** What must be known before a host can be asked. */
export interface Needed {
    readonly plan: Plan;
    readonly connection: pulumi.Output<JudgedConnection>;
    readonly slots: SlotValues;
    /** Known once everything exists that the component depends on; undefined in a preview, which creates nothing. */
    readonly dependencies?: pulumi.Output<unknown>;
}

/** Asks a host what differs, shows that in a preview, and leaves the payload there in an up and follows its converge. */
export class HostConversation {
    private failed = false;
    /** Whether its failure fails nothing if the engine leaves the host alone. */
    private failsIfTarget = false;
    private isChanging = false;
    private isFound = false;

    constructor(
        private readonly declared: DeclaredTurn,
        private readonly component: pulumi.Resource,
        /** Converges the host; called once the program is constructed. */
        private readonly command: () => Readonly<
            Record<"stdout" | "stderr" | "update", pulumi.Output<string | undefined>>
        >,
    ) {}

    /**
     * The token of the command, in its turn; undefined if it is not known. It never fails, because everything that depends on a command
     * that is never registered is not registered either. A failure is shown as an error of the component, and the command fails before it
     * does anything: see {@link assertSound}.
     */
    async token(needed: Promise<Needed>): Promise<string | undefined> {
        try {
            return await this.ask(await needed);
        } catch (error) {
            void this.inTurn("away");
            this.failed = true;
            this.found(unaskedFinding(this.declared.name, "failed", (error as Error).message));
            void this.fail(error as Error);
            // An unknown token would let an up pass without a converge; one that no host has makes the command due.
            return pulumi.runtime.isDryRun() ? undefined : noHostsToken();
        }
    }

    /** Rejects with the error. If {@link failsIfTarget}, only warns if others are the target of the up. */
    private async fail(error: Error): Promise<void> {
        if (this.failsIfTarget && this.declared.hooked) {
            await settled(this.command().stdout);
            if (!this.isChanging) {
                await pulumi.log.warn(error.message, this.component);
                return;
            }
        }
        // Unhandled on purpose: the engine shows it, and the program fails when it has ended.
        throw error;
    }

    /** Called before the command runs. @throws Error if the host has failed already */
    assertSound(): void {
        this.isChanging = true;
        if (this.failed) {
            throw new Error(`nothing was changed; see the error of ${this.declared.name}`);
        }
    }

    private async ask({ plan, connection, slots, dependencies }: Needed): Promise<string | undefined> {
        const { name, owner, become, deadline, takeOver, requireAnswer } = this.declared;
        const preview = pulumi.runtime.isDryRun();
        const [judged, exists, values] = await Promise.all([
            knownValue(connection),
            dependencies === undefined ? true : knownValue(dependencies).then((ids) => ids !== undefined),
            slots.known(),
        ]);
        const used = slotsOfFiles(plan.resources);
        const known = Object.fromEntries(
            used.flatMap((slot): [string, string][] => {
                const value = values[slot];
                return typeof value === "string" ? [[slot, value]] : [];
            }),
        );
        const unknown = slots.names.filter((slot) => !(slot in values));
        const issues = [
            ...(judged?.issues ?? []),
            ...textIssues(used, values),
            ...slotValueIssues(plan.resources, known),
        ];
        if (issues.length > 0) {
            await this.refuse(issues);
        }
        assertClaims();
        const to = judged?.target;
        if (to === undefined || !exists || (preview ? !this.declared.probe : unknown.length > 0)) {
            // In an up, something that the host depends on has failed.
            this.failed ||= !preview;
            this.found(unaskedFinding(name, "later"));
            await this.inTurn(preview ? "later" : "away");
            return undefined;
        }
        const formerOwners = await this.declared.formerOwners;
        const payload = buildPayload(plan, { slots: known, unknown, owner, formerOwners, deadline, takeOver });
        const waiting = ({ message }: SshError) =>
            void pulumi.log.info(`${name}: waits for the host: ${message}`, this.component, undefined, true);
        const question = () => probe(to, payload, become, preview ? undefined : waiting);
        const host = await this.answer(question, preview && !requireAnswer);
        if (host === undefined) {
            await this.inTurn("away");
            return undefined;
        }
        const { answer } = host;
        const warnings = [...answer.warnings, ...warningsOfFirewall(plan, answer), ...shortageWarnings(answer, known)];
        void this.say("warn", warnings);
        const token = nextToken(answer, payload);
        const isDue = token !== answer.token && answer.refused.length === 0;
        if (!preview && isDue) {
            // Before the others know of it, because they would wait for a host that cannot be converged.
            await this.leave(host, token);
        }
        const role =
            answer.refused.length > 0 ? "refuses" : isDue ? rollRole(answer, plan, known, unknown) : "unchanged";
        const turn = this.inTurn(role, {
            isCurrent: hasDeclared(answer, plan, known, unknown),
            seen: answer.role,
            together: isDue ? answer.together : undefined,
        });
        if (preview || !isDue) {
            host.close();
            await this.report(answer, warnings, plan, known, unknown);
            void this.say("info", preview ? [] : answer.serving);
        }
        const { refusedBy, isStopped, without } = await turn;
        const apart = without && apartText(name, String(answer.together), without);
        if (preview && apart !== undefined) {
            void pulumi.log.warn(apart, this.component);
        }
        if (!preview && isDue) {
            await this.assertAccepted(host, refusedBy);
            if (apart !== undefined) {
                this.leaveAlone(host, apart);
            }
            if (isStopped) {
                host.close();
                // Its own token plans nothing. A host that has lost it would be due, so its command fails.
                this.failed ||= answer.token === "";
                return answer.token || noHostsToken();
            }
            void this.follow(host, token, changesFirewall(plan, answer));
        }
        return unknown.length > 0 ? undefined : token;
    }

    /** Records what a preview has found, once: what fails after that is about the same. */
    private found(finding: HostFinding): void {
        if (!this.isFound && onlyDeclared() === undefined) {
            record(finding);
        }
        this.isFound = true;
    }

    private async inTurn(role: Role, standing?: Standing): Promise<Turn> {
        const { roll, name } = this.declared;
        return roll === undefined ? { refusedBy: [], isStopped: false } : roll.turn(name, role, standing);
    }

    /** Fails because the host must not change without others. */
    private leaveAlone(host: AskedHost, why: string): never {
        host.close();
        this.declared.roll?.ended(this.declared.name, false);
        this.failsIfTarget = true;
        throw resourceError(why, this.component);
    }

    /** Fails because of values that are known only now. Hosts with the same issues share one message. */
    private refuse(issues: string[]): Promise<never> {
        const { name } = this.declared;
        const key = issues.join("\n");
        this.found(unaskedFinding(name, "failed", key));
        const about = { host: name, issues };
        return failTogether({ about, key, words: issuesText, resource: this.component });
    }

    /** Shows texts of a host; hosts with an equal one share it. */
    private async say(severity: "info" | "warn", texts: string[], work?: "converge"): Promise<void> {
        const printables = texts.map((text) => text.split("\n").map(printable).join("\n"));
        const messages = printables.map((text) => {
            const words = (hosts: { host: string }[]) => `${hostNames(hosts)}: ${text}`;
            const about = { host: this.declared.name };
            return logTogether(severity, { about, key: text, words, resource: this.component }, work);
        });
        await Promise.all(messages);
    }

    /** Fails if another host of the fleet refuses what is declared. */
    private async assertAccepted(host: AskedHost, refusedBy: readonly string[]): Promise<void> {
        if (refusedBy.length > 0) {
            host.close();
            const refuse = refusedBy.length === 1 ? "refuses" : "refuse";
            const why = `nothing was changed, because ${refusedBy.join(", ")} ${refuse} what is declared`;
            await failTogether({
                about: { host: this.declared.name },
                key: why,
                words: (hosts) => `${hostNames(hosts)}: ${why}; correct that, then run up again`,
                resource: this.component,
            });
        }
    }

    /** Leaves the payload on the host. */
    private async leave(host: AskedHost, token: string): Promise<void> {
        const { name } = this.declared;
        try {
            await host.leave(token);
        } catch (error) {
            host.close();
            throw error instanceof SshError ? resourceError(`${name}: ${error.message}`, this.component) : error;
        }
    }

    /** Waits until the host's converge has ended, and says what it did. */
    private async follow(host: AskedHost, token: string, changesFirewall: boolean): Promise<void> {
        const { name, roll } = this.declared;
        const done = pulumi.runtime.rpcKeepAlive();
        // The command plugin notices a lost connection after minutes, and behind a bastion never.
        void host.lost.then(() => pulumi.log.warn(`${name} ${LOST}`, this.component));
        if (changesFirewall) {
            void host.confirmLogin(token);
        }
        const { stdout, stderr, update } = this.command();
        const [report, said, launched] = await inRound(
            () => Promise.all([stdout, stderr, update].map(settled)),
            "converge",
        );
        // The engine leaves a host alone that is not among the targets of the up.
        const isTarget = this.isChanging || !this.declared.hooked;
        const succeeded = typeof report === "string" || !isTarget;
        const cause = succeeded ? "" : await host.cause(token);
        host.close();
        if (cause !== "") {
            await pulumi.log.error(`${name}: ${cause}`, this.component);
        }
        roll?.ended(name, succeeded, isTarget);
        if (typeof report === "string" && launched === launchCommand(token, this.declared.become)) {
            const did = reportOf(report);
            const about = { host: name, did };
            const message = { about, key: did, words: convergedText, resource: this.component };
            const changes = logTogether("info", message, "converge");
            // The engine shows stderr while the command runs, and not at the end of the up.
            await Promise.all([changes, this.say("info", standingOf(String(said)), "converge")]);
        }
        done();
    }

    /** The host's answer; undefined if the host could not be asked and may be away. */
    private async answer(question: () => Promise<AskedHost>, mayBeAway: boolean): Promise<AskedHost | undefined> {
        try {
            return await inRound(question);
        } catch (error) {
            if (!(error instanceof SshError)) {
                throw error;
            }
            const { message } = error;
            const { name } = this.declared;
            this.found(unaskedFinding(name, "unasked", message));
            const about = { host: name, message, mayBeAway };
            const unasked = { about, key: message, words: unaskedText, resource: this.component };
            if (!mayBeAway) {
                this.failsIfTarget = !pulumi.runtime.isDryRun();
                await failTogether(unasked);
            }
            await logTogether("warn", unasked);
            return undefined;
        }
    }

    /** Fails if the host refuses what is declared; a preview shows what differs, and which settings no host needs any more. */
    private async report(
        whyRun: WhyRun,
        warnings: readonly string[],
        plan: Plan,
        slots: Record<string, string>,
        unknown: readonly string[],
    ): Promise<void> {
        const { name } = this.declared;
        const resource = this.component;
        const settings = pulumi.runtime.isDryRun() ? whyRun.settings : [];
        // Not awaited yet, because the round ends once for all messages.
        const advice = settings.map((setting) => {
            const about = { host: name, ...setting };
            return logTogether("warn", { about, key: `setting ${setting.name}`, words: settingText, resource });
        });
        const report = previewReport(whyRun, plan, slots, unknown);
        this.found(answeredFinding(name, report, warnings, encodedSlots(plan.resources, slots)));
        const about = { host: name, ...report };
        const { severity, summary, effect, refusal, differences } = about;
        if (severity === "refusal") {
            await failTogether({ about, key: refusal.join("\n"), words: refusalText, resource });
        }
        if (severity !== "none" && pulumi.runtime.isDryRun()) {
            const key = [summary, effect, ...differences].join("\n");
            const message = { about, key, words: differenceText, resource };
            await logTogether(severity === "info" ? "info" : "warn", message);
        }
        await Promise.all(advice);
    }
}

/** What rules of others drop although it is declared, and whether the declared ones would lock the login out. */
function warningsOfFirewall({ resources }: Plan, { firewall, differences }: WhyRun): string[] {
    return resources.flatMap((resource, n) =>
        resource.kind === "firewall" && firewall !== undefined
            ? firewallWarnings(
                  resource,
                  firewall,
                  differences.some(({ id }) => id === `r${n}`),
              )
            : [],
    );
}

function noHostsToken(): string {
    return randomBytes(16).toString("hex");
}

const LOST =
    "no longer answers; its converge goes on or ends there by itself; the up waits for it, and ^C twice ends the wait";

/** The value of an output; no value of its type if it has failed. */
async function settled(output: pulumi.Output<unknown>): Promise<unknown> {
    const { promise } = output as unknown as { promise(withUnknowns: boolean): Promise<unknown> };
    return promise.call(output, true).catch(() => undefined);
}
