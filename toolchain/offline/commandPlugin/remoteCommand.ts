// Runs one command on a host and gathers its output.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
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

const trimmed = (chunks: Buffer[]) => Buffer.concat(chunks).toString().replace(/\n$/, "");

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
 * @throws if the host cannot be reached; if the command fails, with the command and all its output in the message, as the real
 *   plugin does; if `signal` is aborted
 */
export async function runRemoteCommand(
    state: CommandState,
    command: string,
    signal: AbortSignal,
    onLine: (line: string) => void,
): Promise<CommandResult> {
    const { client, close } = await dial(state.connection, signal, onLine);
    signal.addEventListener("abort", close);
    try {
        const { channel, ended } = await start(client, command, commandEnvironment(state));
        const out: Buffer[] = [];
        const err: Buffer[] = [];
        const both: Buffer[] = [];
        const logged = new PassThrough();
        const lines = createInterface(logged).on("line", onLine);
        const logging = state.logging ?? "stdoutAndStderr";
        const gather = (into: Buffer[], name: "stdout" | "stderr") => (chunk: Buffer) => {
            into.push(chunk);
            both.push(chunk);
            if (logging === name || logging === "stdoutAndStderr") logged.write(chunk);
        };
        channel.on("data", gather(out, "stdout"));
        channel.stderr.on("data", gather(err, "stderr"));
        channel.on("error", () => {}); // A command may leave its input unread; its exit status decides.
        channel.end(state.stdin ?? "");
        const failure = await ended;
        logged.end();
        await once(lines, "close");
        signal.throwIfAborted();
        if (failure) {
            throw new Error(`${failure}: running ${JSON.stringify(command)}:\n${Buffer.concat(both).toString()}`);
        }
        return { stdout: trimmed(out), stderr: trimmed(err) };
    } catch (error) {
        throw signal.aborted ? signal.reason : error;
    } finally {
        signal.removeEventListener("abort", close);
        close();
    }
}
