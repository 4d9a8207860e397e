// Progress: on a terminal one line that is updated; elsewhere a line every 15 s, and one at the end.
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "../environment.mjs";

const quickMs = 2_000;
const heartbeatMs = 15_000;

/** @param {number} ms */
export function duration(ms) {
    const seconds = ms / 1000;
    return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

/**
 * Shows the progress of `work`, unless it ends within two seconds.
 * @template T
 * @param {string} title
 * @param {(say: (detail: string) => void) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function showProgress(title, work) {
    const started = Date.now();
    const terminal = process.stderr.isTTY;
    let detail = "";
    let shown = false;
    const line = () => `${title}: ${duration(Date.now() - started)}${detail ? ` · ${detail}` : ""}`;
    const print = () => {
        shown = true;
        const width = (process.stderr.columns || 80) - 1;
        process.stderr.write(terminal ? `\r\x1b[2K${line().slice(0, width)}` : `${line()}\n`);
    };
    let ticker = setTimeout(() => {
        print();
        ticker = setInterval(print, terminal ? 250 : heartbeatMs);
    }, quickMs);
    let outcome = "failed after";
    try {
        const result = await work((text) => {
            detail = text;
        });
        outcome = "done in";
        return result;
    } finally {
        clearInterval(ticker);
        if (shown)
            process.stderr.write(
                `${terminal ? "\r\x1b[2K" : ""}${title}: ${outcome} ${duration(Date.now() - started)}\n`,
            );
    }
}

/** A failed set-up step. Its message says what to do, and is printed without a stack. */
export class SetupError extends Error {}

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
/**
 * Makes {@link endRunning} end this child.
 * @param {import("node:child_process").ChildProcess} child
 */
export function track(child) {
    running.add(child);
    child.once("close", () => running.delete(child));
}

/**
 * Ends all tracked children, with the process group of a `detached` one, and waits for their end, so that the next run does not
 * meet them.
 */
export async function endRunning() {
    const children = [...running];
    for (const child of children) {
        try {
            process.kill(-(/** @type {number} */ (child.pid)), "SIGTERM");
        } catch {
            child.kill("SIGTERM");
        }
    }
    const ended = Promise.all(children.map((child) => new Promise((resolve) => child.once("close", resolve))));
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 10_000))]);
}

/**
 * The first errors and the last lines, because some tools end with the reason, and others with pages of usage.
 * @param {string[]} lines
 */
function relevantLines(lines) {
    const end = lines.slice(-10);
    const errors = lines.slice(0, -10).filter((line) => /\b(error|fatal|cannot|failed|E:)/i.test(line));
    return [...errors.slice(0, 10), ...(errors.length > 10 ? ["…"] : []), ...end];
}

/**
 * Runs a command, with its output in a log file.
 * @throws {SetupError} with the relevant lines of the log, and the remedy
 * @param {{ name: string, command: string, args: string[], cwd?: string, env?: NodeJS.ProcessEnv, remedy: string,
 *   onLine?: (line: string) => void }} run
 */
export async function runLogged({ name, command, args, cwd, env, remedy, onLine }) {
    mkdirSync(join(cacheDir, "log"), { recursive: true });
    const log = join(cacheDir, "log", `${name}.log`);
    const file = createWriteStream(log);
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    track(child);
    const take = (/** @type {Buffer} */ chunk) => {
        file.write(chunk);
        for (const text of chunk.toString().split(/[\r\n]+/)) if (text.trim()) onLine?.(text.trim());
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const ended = await new Promise((resolve) => {
        child.on("error", (error) => resolve(error.message));
        child.on("close", (code, signal) => resolve(signal ? `ended by ${signal}` : code));
    });
    await new Promise((resolve) => file.end(resolve));
    if (ended !== 0) {
        const tail = relevantLines(readFileSync(log, "utf8").trimEnd().split("\n"));
        throw new SetupError(
            `${command} ${args[0]} failed (${ended}). From ${log}:\n${tail.map((text) => `    ${text}`).join("\n")}\n${remedy}`,
        );
    }
}
