import type { Surroundings } from "./surroundings";

/** What a process of its own does with a program: one stack, because modules are loaded once. */
export type Job = CheckJob | RenderJob | RetireJob;

export interface CheckJob {
    readonly command: "check";
    readonly stack: string;
    /** Characters of the longest name of a stack, for the table. */
    readonly width: number;
    /** The HAProxy to ask: a path, or what the surroundings understand. @default - that on PATH */
    readonly haproxy?: string;
}

export interface RenderJob {
    readonly command: "render";
    readonly stack: string;
    /** Absolute path of the file to write. */
    readonly output: string;
    /** Whether to ask HAProxy's checker. */
    readonly checks: boolean;
    /** As in `CheckJob`. */
    readonly haproxy?: string;
}

export interface RetireJob {
    readonly command: "retire";
    readonly host: string;
    /** @default - the selected one */
    readonly stack?: string;
    readonly yes: boolean;
}

/** A job and what it needs. */
export interface Work {
    readonly job: Job;
    readonly surroundings: Surroundings;
}

/** The argument after which a process of the command gets its work, as JSON. */
export const WORK = "--work";
