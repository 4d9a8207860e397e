import { askCommand, causeCommand } from "../payload/commands";
import { untilBooted } from "../ssh/booting";
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

/** Why the payload could not run as root, if stderr says so. */
function rootError({ address, user }: SshTarget, { stdout, stderr }: SshResult): string | undefined {
    const name = JSON.stringify(user);
    // A host that cannot resolve its own name; sudo works nevertheless.
    const words = stderr.replace(/^sudo: unable to resolve host .*\n?/gm, "");
    if (/^-?rbash: /m.test(stderr)) {
        return `${address}: the login shell of ${name} is restricted (rbash); give it another one (chsh -s /bin/bash ${user}), or use another user`;
    }
    if (SUDO_REFUSES.test(stderr)) {
        return `${address} does not let ${name} use sudo without a password; add a NOPASSWD rule, or log in as root`;
    }
    if (/sudo:.*must have a tty/.test(stderr)) {
        return `${address} lets ${name} use sudo on a terminal only; remove requiretty from its sudoers, or log in as root`;
    }
    if (/sudo\W*: (command )?(not found|No such file)/.test(stderr)) {
        return `${address} has no sudo; install it, or log in as root`;
    }
    if (stdout.length === 0 && /^sudo(-rs)?: /m.test(words)) {
        return `${address}: sudo runs nothing for ${name}${quoted(words)}; correct its sudoers, or log in as root`;
    }
    if (/Permission denied/.test(stderr)) {
        return `${address}: ${name} is not root; log in as root, or set become to "sudo"`;
    }
    return undefined;
}

/** That the payload does not fit on the host, if stderr says so. */
function roomError({ address }: SshTarget, stderr: string): string | undefined {
    return /No space left on device/.test(stderr)
        ? `${address}: the file system of /run, in memory, is full; see what fills it (du -xs /run/*), then run again`
        : undefined;
}

/** What sudo and sudo-rs say of a user who needs a password or may not run our command. */
const SUDO_REFUSES =
    /sudo:.*(password is required|may not run|not in the sudoers|not allowed|interactive authentication is required|afraid I can't)|^Sorry, user /ms;

function quoted(stderr: string): string {
    const words = stderr.trim().slice(0, 600);
    return words === "" ? "" : `; stderr: ${words}`;
}
