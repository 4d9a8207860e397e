import { writeFileSync } from "node:fs";
import type { Project } from "../project";
import { callOf, type Surroundings } from "../surroundings";
import { findBase, headName, type RenderBase, withBase } from "./base";
import { comment, hasFailed, verdictOf } from "./comment";
import { compare } from "./compare";
import { previewStack } from "./preview";
import { rendered } from "./renderProcess";
import type { Rendering, StackReview } from "./types";

/** What to review, and how. */
export interface ReviewOptions {
    readonly stacks: readonly string[];
    /** The commit or branch to compare with. */
    readonly base: string;
    /** Whether the hosts are asked, by a whole preview: with the login to them, the state and the secrets. */
    readonly preview: boolean;
    /** Whether it counts if anything differs, as when a schedule looks for drift. */
    readonly expectNoChanges: boolean;
    /** File for the comment. @default - standard output */
    readonly output?: string;
    /** The HAProxy to ask, as in `check`. @default - that on PATH */
    readonly haproxy?: string;
}

/** Reviews stacks, writes one comment, and returns the exit status. */
export async function review(options: ReviewOptions, project: Project, surroundings: Surroundings): Promise<number> {
    const base = await findBase(project, options.base);
    const compared = await withBase(project, base, (renderBase) =>
        inTurn(options.stacks, (stack) => compareStack(stack, options, project, surroundings, renderBase)),
    );
    // Once the base is removed: on ^C, a preview ends in its own way.
    const reviews = options.preview
        ? await inTurn(compared, (each) => withPreview(each, project, surroundings))
        : compared;
    const text = comment(reviews, {
        commit: await headName(base),
        base: base.name,
        now: Date.now(),
        previewCommand: [
            callOf(surroundings, "review"),
            "--preview --base",
            ...[options.base, ...options.stacks].map(shellWord),
        ].join(" "),
    });
    if (options.output === undefined) {
        process.stdout.write(text);
    } else {
        writeFileSync(options.output, text);
    }
    return exitStatus(reviews, options);
}

async function inTurn<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
    const done: R[] = [];
    for (const one of all) {
        done.push(await work(one));
    }
    return done;
}

async function compareStack(
    stack: string,
    { haproxy }: ReviewOptions,
    project: Project,
    surroundings: Surroundings,
    renderBase: RenderBase,
): Promise<StackReview> {
    say(`${stack}: renders what both commits declare`);
    const [head, before] = await Promise.all([
        rendered({ project, stack, surroundings, haproxy }),
        renderBase(stack, surroundings),
    ]);
    const rendering = typeof head === "string" ? failed(head) : head;
    // What a program declares before it fails is not all of it.
    const difference = typeof before === "string" ? { noBase: before } : { changes: compare(before, rendering) };
    return { stack, rendering, ...(rendering.errors.length === 0 && difference) };
}

async function withPreview(review: StackReview, project: Project, surroundings: Surroundings): Promise<StackReview> {
    say(`${review.stack}: previews, and asks its hosts`);
    return { ...review, previewed: await previewStack(review.stack, surroundings, project) };
}

function failed(error: string): Rendering {
    return { hosts: [], errors: [error], warnings: [], checks: [], findings: [] };
}

/**
 * 1 if anything is refused, fails or could not be asked; a configuration that no HAProxy has checked counts, unless hosts were asked.
 * 2 if something differs that was not expected to. If that is asked of hosts, each must have answered.
 */
export function exitStatus(
    reviews: readonly StackReview[],
    { preview, expectNoChanges }: Pick<ReviewOptions, "preview" | "expectNoChanges">,
): number {
    const unchecked = reviews.flatMap(({ stack, rendering }) =>
        rendering.checks.filter(({ result }) => result === "not checked").map(({ remark }) => `${stack}: ${remark}`),
    );
    if (!preview && unchecked.length > 0) {
        say(`${unchecked.join("\n")}\nHAProxy's checker was not asked; install haproxy of the hosts' release`);
        return 1;
    }
    if (hasFailed(reviews)) {
        return 1;
    }
    const unasked = expectNoChanges ? reviews.flatMap(unaskedOf) : [];
    if (unasked.length > 0) {
        say(
            `not asked, so it is not known whether they differ: ${unasked.join(", ")}; set probe to true, and run an up`,
        );
        return 1;
    }
    return expectNoChanges && reviews.some((each) => verdictOf(each) === "differs") ? 2 : 0;
}

/** A name in a command that people copy: one from a file of a stranger must be no command of its own, and no option. */
export function shellWord(name: string): string {
    return /^[\w./@][\w./@-]*$/.test(name) ? name : `'${name.replace(/^-+/, "").replaceAll("'", "'\\''")}'`;
}

/** Hosts that a preview leaves for later: whose address is not known yet, or that previews do not ask. */
function unaskedOf({ stack, previewed }: StackReview): string[] {
    const hosts = previewed?.hosts ?? [];
    return hosts.filter(({ outcome }) => outcome === "later").map(({ host }) => `${host} in ${stack}`);
}

/** Progress, because standard output is the comment. */
function say(text: string): void {
    process.stderr.write(`${text}\n`);
}
