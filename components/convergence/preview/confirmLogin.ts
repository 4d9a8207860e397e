import { confirmCommand, guardedCommand, refuseCommand } from "../payload/commands";
import type { Plan } from "../payload/plan";
import { runOverSsh, type SshSession, type SshTarget } from "../ssh/ssh";
import type { WhyRun } from "./whyRun";

/** Limit for waiting until a converge changes a firewall, in milliseconds: longer than a roll over many hosts takes. */
const WAIT_TIMEOUT = 86_400_000;

/** Limit for a command that answers at once, in milliseconds. */
const ANSWER_TIMEOUT = 10_000;

/** A login that a busy sshd rejects has failed by then, in milliseconds; one whose packets are dropped has not. */
const REJECTED = 4_000;

/** Whether a converge may change the firewall of the host: one is declared, or ours would be undone. */
export function changesFirewall({ resources }: Plan, { differences }: WhyRun): boolean {
    const isUndone = differences.some(({ aspect, have }) => aspect === "unlisted" && have === "firewall[host]");
    return isUndone || resources.some(({ kind }) => kind === "firewall");
}

/**
 * Waits until the converge with this token has changed the firewall, and confirms over a new connection that logins still work, see
 * `runtime/guard.sh`. If they do not, the host takes the change back, and the converge fails and says why. Never rejects: whatever fails
 * here, the host takes the change back by itself. Ends with the converge, or with the session.
 *
 * @param session a connection from before the change
 */
export async function confirmLogin(
    session: SshSession,
    target: SshTarget,
    become: "sudo" | undefined,
    token: string,
): Promise<void> {
    const waited = await session.run(guardedCommand(token, become), "", WAIT_TIMEOUT).catch(() => undefined);
    if (waited?.code !== 0) {
        return;
    }
    const confirm = () => runOverSsh(target, confirmCommand(token, become), "", ANSWER_TIMEOUT);
    const began = Date.now();
    try {
        // Once more, because a busy sshd rejects logins at random. What drops packets does so again.
        await confirm().catch((error) => (Date.now() - began < REJECTED ? confirm() : Promise.reject(error)));
    } catch (error) {
        const reason = `${(error as Error).message.split(/[;\n]/)[0]}\n`;
        await session.run(refuseCommand(token, become), reason, ANSWER_TIMEOUT).catch(() => undefined);
    }
}
