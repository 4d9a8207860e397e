// Runs one command on a host and gathers its output.
import type { Client, ClientChannel } from "ssh2";
import { type Connection, dial } from "./connection";

/** The inputs of a resource, and for update and delete the results of the last run; secrets are unwrapped. */
export interface CommandState {
    connection: Connection;
    stdin?: string | null;
    logging?: "stdout" | "stderr" | "stdoutAndStderr" | "none" | null;
    environment?: Record<string, string> | null;
    addPreviousOutputInEnv?: boolean | null;
    stdout?: string | null;
    stderr?: string | null;
}

/** What a command has printed, without the last line break. */
export interface CommandResult {
    stdout: string;
    stderr: string;
    [key: string]: string;
}

/** Sent as SSH environment requests, which the server may ignore (AcceptEnv). */
function commandEnvironment(state: CommandState): Record<string, string> {
    const previous: Record<string, string> = {};
    if (state.addPreviousOutputInEnv ?? true) {
        if (state.stdout) previous.PULUMI_COMMAND_STDOUT = state.stdout;
        if (state.stderr) previous.PULUMI_COMMAND_STDERR = state.stderr;
    }
    return { ...state.environment, ...previous };
}

/** @throws on what is not UTF-8, after the command has run; the real plugin's answer cannot carry it either */
function textOf(name: string, chunks: Buffer[]): string {
    try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
            .decode(Buffer.concat(chunks))
            .replace(/\n$/, "");
    } catch {
        throw new Error(`${name}: invalid UTF-8; the command has run`);
    }
}

const longestLine = 65_535;
const tooLong = `a logged line has more than ${longestLine} bytes, on which the real plugin would hang; set logging to "none"`;

/** Why a command failed; undefined if it succeeded. */
type Outcome = string | undefined;

/** Starts the command. `ended` is watched at once, because a quick command's exit comes in the same packet as the reply. */
function start(
    client: Client,
    command: string,
    env: Record<string, string>,
): Promise<{ channel: ClientChannel; ended: Promise<Outcome> }> {
    return new Promise((resolve, reject) => {
        client.on("error", reject).on("close", () => reject(new Error("connection closed")));
        client.exec(command, { env }, (error, channel) =>
            error ? reject(error) : resolve({ channel, ended: watchEnd(client, channel) }),
        );
    });
}

function watchEnd(client: Client, channel: ClientChannel): Promise<Outcome> {
    return new Promise((resolve) => {
        let outcome: Outcome = "Process ended without an exit status";
        channel.on("exit", (code: number | null, name?: string) => {
            if (name) outcome = `Process ended by signal ${name}`;
            else outcome = code === 0 ? undefined : `Process exited with status ${code}`;
        });
        channel.on("close", () => resolve(outcome));
        client.on("close", () => resolve(outcome));
    });
}

/**
 * An interrupt, which aborts `signal`, ends only the waits between attempts to connect: like the real plugin, a command that runs is waited
 * for. The CLI ends this process on a second interrupt.
 *
 * @throws if the host cannot be reached; if the command fails, with the command and all its output in the message, as the real plugin does;
 *   if its output is not UTF-8
 */
export async function runRemoteCommand(
    state: CommandState,
    command: string,
    signal: AbortSignal,
    onLine: (line: string) => void,
): Promise<CommandResult> {
    const { client, close } = await dial(state.connection, signal, onLine);
    try {
        const { channel, ended } = await start(client, command, commandEnvironment(state));
        const out: Buffer[] = [];
        const err: Buffer[] = [];
        const both: Buffer[] = [];
        const log = lineLog(onLine);
        const logging = state.logging ?? "stdoutAndStderr";
        const gather = (into: Buffer[], name: "stdout" | "stderr") => (chunk: Buffer) => {
            into.push(chunk);
            both.push(chunk);
            if (logging === name || logging === "stdoutAndStderr") log.write(chunk);
        };
        channel.on("data", gather(out, "stdout"));
        channel.stderr.on("data", gather(err, "stderr"));
        channel.on("error", () => {}); // A command may leave its input unread; its exit status decides.
        channel.end(state.stdin ?? "");
        const failure = await Promise.race([ended, log.failed]);
        log.end();
        if (failure) {
            throw new Error(`${failure}: running ${JSON.stringify(command)}:\n${Buffer.concat(both).toString()}`);
        }
        return { stdout: textOf("stdout", out), stderr: textOf("stderr", err) };
    } finally {
        close();
    }
}

interface LineLog {
    write(chunk: Buffer): void;
    /** Passes on the last line, if nothing ended it. */
    end(): void;
    /** Rejects on a line that is too long. */
    readonly failed: Promise<never>;
}

/** Passes on each line as soon as it is whole. */
function lineLog(onLine: (line: string) => void): LineLog {
    let rest = Buffer.alloc(0);
    let fail = (_: Error): void => {};
    const failed = new Promise<never>((_, reject) => {
        fail = reject;
    });
    failed.catch(() => undefined);
    const pass = (line: Buffer) => onLine(line.toString().replace(/\r$/, ""));
    return {
        failed,
        write(chunk) {
            rest = Buffer.concat([rest, chunk]);
            for (let at = rest.indexOf("\n"); at >= 0 && at <= longestLine; at = rest.indexOf("\n")) {
                pass(rest.subarray(0, at));
                rest = rest.subarray(at + 1);
            }
            if (rest.length > longestLine) fail(new Error(tooLong));
        },
        end() {
            if (rest.length > 0) pass(rest);
        },
    };
}
