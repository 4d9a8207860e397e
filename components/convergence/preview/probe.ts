import { askCommand, causeCommand } from "../payload/commands";
import { untilBooted } from "../ssh/booting";
import { quoted, roomError, rootError } from "../ssh/commandErrors";
import { connectSsh, SshError, type SshResult, type SshSession, type SshTarget } from "../ssh/ssh";
import { who } from "../who";
import { confirmLogin } from "./confirmLogin";
import { parseWhyRun, type WhyRun } from "./whyRun";

/** Limit for asking why a converge has failed, in milliseconds. */
const CAUSE_TIMEOUT = 5_000;

/** A host that has answered a why-run, over a connection that stays open until `close`. */
export interface AskedHost {
    readonly answer: WhyRun;
    /**
     * Leaves the payload on the host's tmpfs, for the command with this token.
     *
     * @throws SshError if that fails
     */
    leave(token: string): Promise<void>;
    /**
     * Waits until the converge with this token changes the firewall, and confirms over a new connection that logins still work. If they do
     * not, the host takes the change back, and the converge fails and says why.
     */
    confirmLogin(token: string): Promise<void>;
    /** Why the converge with this token has failed, in one line; empty if the host cannot say it. */
    cause(token: string): Promise<string>;
    /** Resolves if the host stops answering before `close`. */
    readonly lost: Promise<void>;
    close(): void;
}

/**
 * Asks a host what a payload would change there. Writes nothing outside the host's tmpfs.
 *
 * @param waiting if given, a host that may still be booting gets `bootSeconds`; called once it cannot be reached
 */
export type Probe = (
    target: SshTarget,
    payload: string,
    become: "sudo" | undefined,
    waiting?: (reason: SshError) => void,
) => Promise<AskedHost>;

/**
 * Runs the why-run over SSH: one connection, one command, and one more to leave the payload.
 *
 * @throws SshError if the host cannot be reached, refuses the login, or cannot run the payload at all
 */
export const probeOverSsh: Probe = async (target, payload, become, waiting) => {
    const connect = () => connectSsh(target);
    const session = await (waiting === undefined ? connect() : untilBooted(connect, waiting, target.bootSeconds));
    try {
        const answer = await whyRun(session, target, payload, become);
        return {
            answer,
            leave: (token) => leavePayload(session, target, payload, become, token),
            confirmLogin: (token) => confirmLogin(session, target, become, token),
            cause: async (token) => {
                const asked = session.run(causeCommand(token, become), "", CAUSE_TIMEOUT);
                return asked.then(({ stdout }) => stdout.toString("utf8").trim()).catch(() => "");
            },
            lost: session.lost,
            close: session.close,
        };
    } catch (error) {
        session.close();
        throw error;
    }
};

/**
 * Leaves a payload on the host's tmpfs, for the command with this token.
 *
 * @throws SshError if that fails
 */
export async function leavePayload(
    session: SshSession,
    { address }: SshTarget,
    payload: string,
    become: "sudo" | undefined,
    token: string,
): Promise<void> {
    const { code, stderr } = await session.run(askCommand("leave", become, token, who()), payload);
    if (code !== 0) {
        throw new SshError(
            `${address} does not keep the payload of the converge${quoted(stderr)}; check that /run has room, then run again`,
        );
    }
}

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
        throw new SshError(
            rootError(target, result) ??
                roomError(target, result.stderr) ??
                unreadable(target, result, (error as Error).message),
        );
    }
}

function unreadable({ address }: SshTarget, { code, stderr }: SshResult, problem: string): string {
    return `${address}: the why-run ended with status ${code}: ${problem}${quoted(stderr)}`;
}
