// Runs one command on a host and gathers its output, as session.Run of Go's ssh package does for the real plugin.
import type { Client, ClientChannel } from "ssh2";
import { type Connection, dial } from "./connection";

/** A resource's inputs, and for update and delete the results of the last run. All secrets unwrapped. */
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

/** Signal numbers of POSIX, by the names of RFC 4254 section 6.10. */
const signalNumbers: Record<string, number> = {
    HUP: 1,
    INT: 2,
    QUIT: 3,
    ILL: 4,
    ABRT: 6,
    FPE: 8,
    KILL: 9,
    USR1: 10,
    SEGV: 11,
    USR2: 12,
    PIPE: 13,
    ALRM: 14,
    TERM: 15,
};

/** Sent as SSH environment requests, which the server may ignore (AcceptEnv). */
function commandEnvironment(state: CommandState): Record<string, string> {
    const previous: Record<string, string> = {};
    if (state.addPreviousOutputInEnv ?? true) {
        if (state.stdout) previous.PULUMI_COMMAND_STDOUT = state.stdout;
        if (state.stderr) previous.PULUMI_COMMAND_STDERR = state.stderr;
    }
    return { ...state.environment, ...previous };
}

/** A Go string literal (`%q`), in which the real plugin quotes the command. */
export function goQuote(text: string): string {
    const named: Record<string, string> = {
        "\x07": "\\a",
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\v": "\\v",
        "\\": "\\\\",
        '"': '\\"',
    };
    const body = text.replace(/[\\"]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (character) => {
        const code = character.codePointAt(0) ?? 0;
        const hex = code.toString(16);
        return (
            named[character] ??
            (code < 0x80
                ? `\\x${hex.padStart(2, "0")}`
                : code < 0x10000
                  ? `\\u${hex.padStart(4, "0")}`
                  : `\\U${hex.padStart(8, "0")}`)
        );
    });
    return `"${body}"`;
}

/** Hands out whole lines; the last one also without a line end. */
function lineSplitter(onLine: (line: string) => void) {
    let rest: Buffer[] = [];
    return {
        push(chunk: Buffer): void {
            let start = 0;
            for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
                onLine(
                    Buffer.concat([...rest, chunk.subarray(start, end)])
                        .toString()
                        .replace(/\r$/, ""),
                );
                rest = [];
                start = end + 1;
            }
            if (start < chunk.length) rest.push(chunk.subarray(start));
        },
        end(): void {
            if (rest.length) onLine(Buffer.concat(rest).toString());
        },
    };
}

const trimmed = (chunks: Buffer[]) => Buffer.concat(chunks).toString().replace(/\n$/, "");

/** Why a command failed, undefined if it did not. */
type Outcome = string | undefined;

/** Starts the command. `ended` is watched from the first moment: a quick command's exit comes in the packet of the reply. */
function start(
    client: Client,
    command: string,
    env: Record<string, string>,
): Promise<{ channel: ClientChannel; ended: Promise<Outcome> }> {
    return new Promise((resolve, reject) => {
        client.on("error", reject).on("close", () => reject(new Error("EOF")));
        client.exec(command, { env }, (error, channel) =>
            error ? reject(error) : resolve({ channel, ended: watchEnd(client, channel) }),
        );
    });
}

function watchEnd(client: Client, channel: ClientChannel): Promise<Outcome> {
    return new Promise((resolve) => {
        let outcome: Outcome = "wait: remote command exited without exit status or exit signal";
        channel.on("exit", (code: number | null, signal?: string) => {
            const name = signal?.replace(/^SIG/, "");
            if (name) {
                outcome = `Process exited with status ${128 + (signalNumbers[name] ?? 0)} from signal ${name}`;
            } else {
                outcome = code === 0 ? undefined : `Process exited with status ${code}`;
            }
        });
        channel.on("close", () => resolve(outcome));
        client.on("close", () => resolve(outcome));
    });
}

/**
 * @throws if the host cannot be reached, if the command does not end with 0 (with the command and its whole output in
 *   the text) or if `signal` is aborted
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
        const lines = lineSplitter(onLine);
        const logging = state.logging ?? "stdoutAndStderr";
        const gather = (into: Buffer[], name: "stdout" | "stderr") => (chunk: Buffer) => {
            into.push(chunk);
            both.push(chunk);
            if (logging === name || logging === "stdoutAndStderr") lines.push(chunk);
        };
        channel.on("data", gather(out, "stdout"));
        channel.stderr.on("data", gather(err, "stderr"));
        channel.on("error", () => {}); // A command need not read its input; the exit status tells.
        channel.end(state.stdin ?? "");
        const failure = await ended;
        lines.end();
        signal.throwIfAborted();
        if (failure) {
            throw new Error(`${failure}: running ${goQuote(command)}:\n${Buffer.concat(both).toString()}`);
        }
        return { stdout: trimmed(out), stderr: trimmed(err) };
    } catch (error) {
        throw signal.aborted ? signal.reason : error;
    } finally {
        signal.removeEventListener("abort", close);
        close();
    }
}
