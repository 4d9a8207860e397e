import { bootstrap } from "../payload/payload";
import { runOverSsh, SshError, type SshTarget } from "../ssh/ssh";
import { parseWhyRun, type WhyRun } from "./whyRun";

/** Asks a host what a payload would change there. Writes nothing outside the host's tmpfs. */
export type Probe = (target: SshTarget, payload: string, become: "sudo" | undefined) => Promise<WhyRun>;

/**
 * Runs the why-run over SSH: one connection, one command.
 *
 * @throws SshError if the host cannot be reached, refuses the login, or cannot run the payload at all
 */
export const probeOverSsh: Probe = async (target, payload, become) => {
    const { code, stdout, stderr } = await runOverSsh(target, bootstrap("why-run", become), payload);
    try {
        return parseWhyRun(stdout.toString("utf8"));
    } catch (error) {
        throw new SshError(
            rootError(target, stderr) ??
                `${target.address}: the why-run ended with status ${code}: ${(error as Error).message}${quoted(stderr)}`,
        );
    }
};

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
