/** Why a command that is to run as root did not, in one sentence with a remedy. */
import type { SshResult, SshTarget } from "./ssh";

/** Why a command could not run as root, if stderr says so. */
export function rootError({ address, user }: SshTarget, { stdout, stderr }: SshResult): string | undefined {
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

/** That what is sent does not fit on the host, if stderr says so. */
export function roomError({ address }: SshTarget, stderr: string): string | undefined {
    return /No space left on device/.test(stderr)
        ? `${address}: the file system of /run, in memory, is full; see what fills it (du -xs /run/*), then run again`
        : undefined;
}

/** What sudo and sudo-rs say of a user who needs a password or may not run our command. */
const SUDO_REFUSES =
    /sudo:.*(password is required|may not run|not in the sudoers|not allowed|interactive authentication is required|afraid I can't)|^Sorry, user /ms;

/** The words of a command, at the end of a message. */
export function quoted(stderr: string): string {
    const words = stderr.trim().slice(0, 600);
    return words === "" ? "" : `; stderr: ${words}`;
}
