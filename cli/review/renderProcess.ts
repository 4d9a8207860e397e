import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Project } from "../project";
import { scriptOf } from "../script";
import type { Surroundings } from "../surroundings";
import { atEnd } from "./ending";
import { gitEnvironment } from "./git";
import { runIn } from "./processes";
import type { Rendering } from "./types";

/** What to render. */
export interface RenderOptions {
    readonly project: Project;
    readonly stack: string;
    readonly surroundings: Surroundings;
    /** Whether HAProxy's checker is asked. @default true */
    readonly checks?: boolean;
    /** The HAProxy to ask, as in `check`. @default - that on PATH */
    readonly haproxy?: string;
    /** Whether people see what the program prints. @default true */
    readonly shown?: boolean;
}

/**
 * Renders a stack with the copy of this package that the project uses, in a process of its own.
 *
 * @returns what the program declares, or why nothing was rendered
 */
export async function rendered({
    project,
    stack,
    surroundings,
    checks = true,
    haproxy,
    shown = true,
}: RenderOptions): Promise<Rendering | string> {
    const folder = mkdtempSync(join(tmpdir(), "haproxy-fleet-render-"));
    const remove = atEnd(() => rmSync(folder, { recursive: true, force: true }));
    try {
        const output = join(folder, "rendering.json");
        const options = [
            ["--output", output],
            ["--surroundings", JSON.stringify(surroundings)],
            checks ? [] : ["--no-checks"],
            haproxy === undefined ? [] : [`--haproxy=${haproxy}`],
        ].flat();
        const args = [...process.execArgv, scriptOf(project), "render", ...options, "--", stack];
        const { code, stderr } = await runIn(process.execPath, args, {
            folder: project.programDirectory,
            environment: gitEnvironment(process.env),
            shown,
            timeout: 30 * 60_000,
        });
        if (/: unknown command render\b/.test(stderr)) {
            return "its haproxy-fleet is too old: it has no command for a review";
        }
        return existsSync(output) ? (JSON.parse(readFileSync(output, "utf8")) as Rendering) : problemOf(code, stderr);
    } catch (error) {
        return (error as Error).message;
    } finally {
        remove();
    }
}

/** The command says last why it has failed. */
function problemOf(code: number, stderr: string): string {
    const last = stderr.trim().split("\n").at(-1) ?? "";
    return last === "" ? `the process that renders it has ended with status ${code}` : last;
}
