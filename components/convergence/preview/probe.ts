import { bootstrap } from "../payload/payload";
import { runOverSsh, SshError, type SshTarget } from "../ssh/ssh";
import { parseWhyRun, type WhyRun } from "./whyRun";

/** Asks a host what a payload would change there. Never writes outside of the host's tmpfs. */
export type Probe = (target: SshTarget, payload: string, become: "sudo" | undefined) => Promise<WhyRun>;

/**
 * The why-run over ssh: one connection, one command.
 *
 * @throws SshError if the host cannot be reached or logged in to, or cannot run the payload at all
 */
export const probeOverSsh: Probe = async (target, payload, become) => {
    const { code, stdout, stderr } = await runOverSsh(target, bootstrap("why-run", become), payload);
    try {
        return parseWhyRun(stdout.toString("utf8"));
    } catch (error) {
        throw new SshError(
            refusal(target, stderr) ??
                `${target.address}: the why-run ended with status ${code}: ${(error as Error).message}${said(stderr)}`,
        );
    }
};

/** What went wrong before the payload could run, where its words are known. */
function refusal(target: SshTarget, stderr: string): string | undefined {
    if (/sudo:.*(password is required|may not run|not in the sudoers|not allowed)/s.test(stderr)) {
        return `${target.address} does not let ${JSON.stringify(target.user)} use sudo without a password: give it a NOPASSWD rule, or log in as root`;
    }
    if (/sudo:.*must have a tty/.test(stderr)) {
        return `${target.address} lets ${JSON.stringify(target.user)} use sudo on a terminal only: take requiretty out of its sudoers, or log in as root`;
    }
    if (/sudo: (command )?not found/.test(stderr)) {
        return `${target.address} has no sudo: install it, or log in as root`;
    }
    if (/Permission denied/.test(stderr) && !/sudo/.test(stderr)) {
        return `${target.address}: ${JSON.stringify(target.user)} is not root: log in as root, or set become to "sudo"`;
    }
    return undefined;
}

function said(stderr: string): string {
    const words = stderr.trim().slice(0, 600);
    return words === "" ? "" : `; it said: ${words}`;
}
