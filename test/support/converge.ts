import assert from "node:assert/strict";
import type { Resource } from "../../components/convergence/kinds/index";
import { askCommand, launchCommand, reportOf } from "../../components/convergence/payload/commands";
import { buildPayload, seal } from "../../components/convergence/payload/payload";
import { makePlan } from "../../components/convergence/payload/plan";
import { changesFirewall, confirmLogin } from "../../components/convergence/preview/confirmLogin";
import {
    differenceText,
    previewReport,
    type Report,
    refusalText,
} from "../../components/convergence/preview/previewReport";
import { parseWhyRun, type WhyRun } from "../../components/convergence/preview/whyRun";
import { connectSsh, runOverSsh, type SshSession, type SshTarget } from "../../components/convergence/ssh/ssh";
import { nextToken } from "../../components/convergence/token";

/** Previews and converges a run list on a lab host as ConvergedHost does, but without the engine. */
export class Convergence {
    /** The same owner as the host lb1 of a Project's program, so that a test may use both. */
    owner = "probe/dev/lb1";
    formerOwners: string[] = [];
    takeOver = false;
    /** Names of slots whose values only an up knows; for previews. */
    unknown: string[] = [];

    constructor(
        readonly target: SshTarget,
        public resources: Resource[],
        public slots: Record<string, string> = {},
        readonly become?: "sudo",
    ) {}

    /** The payload as the program sends it. `edit` may change its text, for example to redefine a function. */
    payload(edit: (body: string) => string = (body) => body, deadline?: number): string {
        const { slots, unknown, owner, formerOwners, takeOver } = this;
        const options = { slots, unknown, owner, formerOwners, takeOver, deadline };
        return edited(buildPayload(makePlan(this.resources), options), edit);
    }

    /** Runs the why-run of a preview. */
    async whyRun(over: SshTarget | SshSession = this.target): Promise<WhyRun> {
        const { stdout, stderr } = await run(over, askCommand("why-run", this.become), this.payload());
        try {
            return parseWhyRun(stdout.toString());
        } catch (error) {
            throw new Error(`${(error as Error).message}\n${stdout}\n${stderr}`);
        }
    }

    /** The report that a preview prints. */
    async preview(): Promise<Pick<Report, "severity"> & { text: string; refused: boolean }> {
        const report = previewReport(await this.whyRun(), makePlan(this.resources), this.slots, this.unknown);
        const refused = report.severity === "refusal";
        const about = [{ host: this.target.address, ...report }];
        return { severity: report.severity, refused, text: refused ? refusalText(about) : differenceText(about) };
    }

    /** Does what an up does: probes the host, leaves the payload if a converge is due, launches it, and confirms that logins work. */
    async up(edit?: (body: string) => string, deadline?: number, confirms = true): Promise<Launched> {
        const session = await connectSsh(this.target);
        try {
            const answer = await this.whyRun(session);
            const payload = this.payload(edit, deadline);
            const token = nextToken(answer, payload);
            if (token !== answer.token) await leave(session, token, payload, this.become);
            // Otherwise all goes over one connection, because each login costs the host as much as ten processes.
            const needsLogin = confirms && changesFirewall(makePlan(this.resources), answer);
            if (needsLogin) void confirmLogin(session, this.target, this.become, token);
            return await launch(needsLogin ? this.target : session, token, this.become);
        } finally {
            session.close();
        }
    }

    /** Applies the run list even if nothing differs, which no up does. The host then has another token. */
    async again(): Promise<Launched> {
        const token = `${(await this.whyRun()).token}0`;
        await leave(this.target, token, this.payload(), this.become);
        return launch(this.target, token, this.become);
    }
}

/** A payload after an edit of its text. What the host keeps of it is still a whole program. */
export function edited(sealed: string, edit: (body: string) => string): string {
    const body = edit(sealed.slice(sealed.indexOf("\n") + 1));
    const check = body.slice(0, body.indexOf("\nmain() {\ndefine\n") + 1);
    return seal(body.replace(/^check_size=.*$/m, `check_size='${Buffer.byteLength(check)}'`));
}

/** How a launch has ended. */
export interface Launched {
    code: number;
    stdout: string;
    stderr: string;
}

/** Runs a command over an open connection, or over one of its own. */
const run = (over: SshTarget | SshSession, command: string, stdin: string, timeout?: number) =>
    "run" in over ? over.run(command, stdin, timeout) : runOverSsh(over, command, stdin, timeout);

/** Who runs the tests' converges. */
export const WHO = "tester@lab";

/** Leaves a payload on the host, as the probe of an up does. */
export async function leave(
    over: SshTarget | SshSession,
    token: string,
    payload: string,
    become?: "sudo",
): Promise<void> {
    const { code, stderr } = await run(over, askCommand("leave", become, token, WHO), payload);
    assert.equal(code, 0, stderr);
}

/** Runs the command of an up. */
export async function launch(over: SshTarget | SshSession, token: string, become?: "sudo"): Promise<Launched> {
    const result = await run(over, launchCommand(token, become), "", 300_000);
    return { ...result, stdout: reportOf(result.stdout.toString()) };
}

/** An edit of a payload that redefines functions of the runtime by shell text. */
export function redefine(shell: string): (body: string) => string {
    return (body) => body.replace('\ndispatch "$@"\n', () => `\n${shell}\ndispatch "$@"\n`);
}

/** An edit of a payload: the apply runs this shell before each sleep. */
export function atNaps(shell: string): (body: string) => string {
    return redefine(`sleep() { [ "$mode" != apply ] || { ${shell}; }; command sleep "$@"; }`);
}

/**
 * Tries a converge with longer and longer deadlines, until it gets as far as the test needs before its deadline ends it. On a
 * machine that pauses, a second may be over before it has begun.
 *
 * @param comesFar returns whether it got that far
 */
export async function withinDeadline(comesFar: (seconds: number) => Promise<boolean>): Promise<void> {
    for (const seconds of [1, 5, 25, 125]) if (await comesFar(seconds)) return;
    throw new Error("converge: not begun before any deadline; the machine is too busy");
}
