import type { Resource } from "../../components/convergence/kinds/index";
import { bootstrap, buildPayload, seal, withoutRuntime } from "../../components/convergence/payload/payload";
import { makePlan } from "../../components/convergence/payload/plan";
import { previewReport, type Report } from "../../components/convergence/preview/previewReport";
import { parseWhyRun, type WhyRun } from "../../components/convergence/preview/whyRun";
import { runOverSsh, type SshTarget } from "../../components/convergence/ssh/ssh";
import { nextToken } from "../../components/convergence/token";

/** A run list on a host of the lab, previewed and converged as convergedHost does it, but without the engine around it. */
export class Convergence {
    /** Who converges: the same as the host lb1 of a Project's program, so that a test may use both. */
    owner = "probe/dev/lb1";
    takeOver = false;

    constructor(
        readonly target: SshTarget,
        public resources: Resource[],
        public slots: Record<string, string> = {},
        readonly become?: "sudo",
    ) {}

    /** The payload as the engine would send it; `edit` may change its text, for example redefine a function. */
    payload(token = "", edit: (body: string) => string = (body) => body, deadline?: number): string {
        const { slots, owner, takeOver } = this;
        const sealed = buildPayload(makePlan(this.resources), { slots, owner, takeOver, token, deadline });
        return seal(edit(sealed.slice(sealed.indexOf("\n") + 1)));
    }

    /** What a preview asks the host. */
    async whyRun(): Promise<WhyRun> {
        const { stdout, stderr } = await runOverSsh(this.target, bootstrap("why-run", this.become), this.payload());
        try {
            return parseWhyRun(stdout.toString());
        } catch (error) {
            throw new Error(`${(error as Error).message}\n${stdout}\n${stderr}`);
        }
    }

    /** What a preview tells people. */
    async preview(): Promise<Report> {
        return previewReport(this.target.address, await this.whyRun(), makePlan(this.resources), this.slots);
    }

    /** What an up does: asks, decides on the token, sends. */
    async up(
        edit?: (body: string) => string,
        deadline?: number,
    ): Promise<{ code: number; stdout: string; stderr: string }> {
        const token = nextToken(await this.whyRun(), makePlan(this.resources));
        const whole = this.payload(token, edit, deadline);
        const payload = edit ? whole : withoutRuntime(whole); // An edited runtime is not the one that the host has.
        const result = await runOverSsh(this.target, bootstrap("launch", this.become), payload, 300_000);
        return { ...result, stdout: result.stdout.toString() };
    }
}

/** An edit of a payload that puts shell text after the runtime, before anything runs: to redefine its functions. */
export function redefine(shell: string): (body: string) => string {
    return (body) => body.replace('\ndispatch "$@"\n', () => `\n${shell}\ndispatch "$@"\n`);
}

/** An edit of a payload: an apply does this before each nap. */
export function atNaps(shell: string): (body: string) => string {
    return redefine(`sleep() { [ "$mode" != apply ] || { ${shell}; }; command sleep "$@"; }`);
}

/**
 * Tries a converge that is to be ended at its deadline, with longer and longer ones until it has come as far as the test needs it: on a
 * machine that stands still, a second is over before it has begun.
 *
 * @param comesFar answers whether it has
 */
export async function withinDeadline(comesFar: (seconds: number) => Promise<boolean>): Promise<void> {
    for (const seconds of [1, 5, 25, 125]) if (await comesFar(seconds)) return;
    throw new Error("not even begun at any deadline");
}
