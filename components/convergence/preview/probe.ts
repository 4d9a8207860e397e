import { askCommand } from "../payload/commands";
import { connectSsh, SshError, type SshResult, type SshSession, type SshTarget } from "../ssh/ssh";
import { parseWhyRun, type WhyRun } from "./whyRun";

/** A host that has answered a why-run, over a connection that stays open until `close`. */
export interface AskedHost {
    readonly answer: WhyRun;
    /**
     * Leaves the payload on the host's tmpfs, for the command with this token.
     *
     * @throws SshError if that fails
     */
    leave(token: string): Promise<void>;
    /** Resolves if the host stops answering before `close`. */
    readonly lost: Promise<void>;
    close(): void;
}

/** Asks a host what a payload would change there. Writes nothing outside the host's tmpfs. */
export type Probe = (target: SshTarget, payload: string, become: "sudo" | undefined) => Promise<AskedHost>;

/**
 * Runs the why-run over SSH: one connection, one command, and one more to leave the payload.
 *
 * @throws SshError if the host cannot be reached, refuses the login, or cannot run the payload at all
 */
export const probeOverSsh: Probe = async (target, payload, become) => {
    const session = await connectSsh(target);
    try {
        const answer = await whyRun(session, target, payload, become);
        return {
            answer,
            leave: async (token) => {
                const { code, stderr } = await session.run(askCommand("leave", become, token), payload);
                if (code !== 0) {
                    throw new SshError(`${target.address} did not keep the payload of the converge${quoted(stderr)}`);
                }
            },
            lost: session.lost,
            close: session.close,
        };
    } catch (error) {
        session.close();
        throw error;
    }
};

async function whyRun(
    session: SshSession,
    target: SshTarget,
    payload: string,
    become: "sudo" | undefined,
): Promise<WhyRun> {
    const result = await session.run(askCommand("why-run", become), payload);
    try {
        return parseWhyRun(result.stdout.toString("utf8"));
    } catch (error) {
        throw new SshError(rootError(target, result.stderr) ?? unreadable(target, result, (error as Error).message));
    }
}

function unreadable({ address }: SshTarget, { code, stderr }: SshResult, problem: string): string {
    return `${address}: the why-run ended with status ${code}: ${problem}${quoted(stderr)}`;
}

/** Why the payload could not run as root, if stderr says so. */
function rootError({ address, user }: SshTarget, stderr: string): string | undefined {
    const name = JSON.stringify(user);
    if (/sudo:.*(password is required|may not run|not in the sudoers|not allowed)/s.test(stderr)) {
        return `${address} does not let ${name} use sudo without a password; add a NOPASSWD rule, or log in as root`;
    }
    if (/sudo:.*must have a tty/.test(stderr)) {
        return `${address} lets ${name} use sudo on a terminal only; remove requiretty from its sudoers, or log in as root`;
    }
    if (/sudo: (command )?not found/.test(stderr)) {
        return `${address} has no sudo; install it, or log in as root`;
    }
    if (/Permission denied/.test(stderr) && !/sudo/.test(stderr)) {
        return `${address}: ${name} is not root; log in as root, or set become to "sudo"`;
    }
    return undefined;
}

function quoted(stderr: string): string {
    const words = stderr.trim().slice(0, 600);
    return words === "" ? "" : `; stderr: ${words}`;
}
