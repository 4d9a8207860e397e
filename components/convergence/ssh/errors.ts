/** What went wrong with a connection: one sentence that names the host, and what to do. */
import { createHash } from "node:crypto";
import type { AgentKeys } from "./agent";

/** A failed connection; the message says in one sentence what is wrong and what to do. */
export class SshError extends Error {
    /** @param transient whether a host that is still booting fails like this */
    constructor(
        message: string,
        readonly transient = false,
    ) {
        super(message);
    }
}

interface Hop {
    address: string;
    port: number;
    user: string;
    privateKey?: string;
    loginTimeout?: number;
    /** Whether it is the way to another host. */
    isBastion?: boolean;
}
type Sshd = Pick<Hop, "address" | "port" | "isBastion">;

/** sshd's default of MaxAuthTries is 6, and a refused one of 6 keys ends the login. */
const MOST_KEYS_OFFERED = 5;

/** A reason of RFC 4254, section 5.1. */
const ADMINISTRATIVELY_PROHIBITED = 1;

/** Default limit for a login, in milliseconds. */
export const LOGIN_TIMEOUT = 15_000;

/** The name of a host in messages. */
export function sshdName({ address, port, isBastion }: Sshd): string {
    return `${isBastion ? "the bastion " : ""}${address}:${port}`;
}

/** Why a connection failed. @param presented the key that the host has sent @param pinned the declared key */
export function connectionError(
    error: Error & { level?: string; code?: string | number },
    target: Hop,
    presented?: Buffer,
    pinned?: { key: Buffer },
): SshError {
    const sshd = sshdName(target);
    if (presented && pinned && !presented.equals(pinned.key)) {
        return new SshError(
            `${sshd} is not the pinned host: its key is ${fingerprint(presented)}, the pinned key is ${fingerprint(pinned.key)}; if the host was rebuilt, put its new key into the stack, otherwise find out who answers there`,
        );
    }
    if (error.level === "handshake" && /host key/i.test(error.message)) {
        return new SshError(`${sshd} has no host key of the pinned type; pin one that it has (ssh-keyscan shows them)`);
    }
    switch (error.code) {
        case "ECONNREFUSED":
            return new SshError(
                `${sshd} refuses connections; check that sshd is running and that this is its port`,
                true,
            );
        case "ENOTFOUND":
        case "EAI_AGAIN":
            return new SshError(`${sshd}: the name does not resolve; correct it, or use an address`, true);
        case "ETIMEDOUT":
        case "EHOSTUNREACH":
        case "ENETUNREACH":
            return new SshError(
                `${sshd} cannot be reached (${error.code}); check the network, and firewalls in between`,
                true,
            );
        default:
    }
    if (error.code === "ECONNRESET" || /lost before handshake/i.test(error.message)) {
        return new SshError(
            `${sshd} closes the connection before a login; check that sshd has this port, and its MaxStartups and access rules`,
            true,
        );
    }
    if (error.level === "client-timeout" || /timed? ?out/i.test(error.message)) {
        return timeoutError(target, target.loginTimeout ?? LOGIN_TIMEOUT);
    }
    return new SshError(`${sshd}: ${error.message}`);
}

/** Whether sshd has refused the login; {@link loginError} says why. */
export function isRefusedLogin({ level, message }: Error & { level?: string }): boolean {
    return level === "agent" || level === "client-authentication" || /too many authentication failures/i.test(message);
}

/** Why sshd refuses a login. @param agent the keys of the agent at SSH_AUTH_SOCK; undefined if it does not answer */
export function loginError(target: Hop, agent: AgentKeys | undefined): SshError {
    const sshd = sshdName(target);
    const refused = `${sshd} refuses the login of ${JSON.stringify(target.user)}`;
    if (target.privateKey !== undefined) {
        return new SshError(`${refused}; check the user, and that its authorized_keys has the key in use`);
    }
    if (agent === undefined) {
        return agentError(`start one and load the key for ${sshd}, or set connection.privateKey`);
    }
    const { plain, certificates } = agent;
    if (plain + certificates === 0) {
        return new SshError(
            `the ssh agent at ${process.env.SSH_AUTH_SOCK} has no keys; load the key for ${sshd} with ssh-add, or set connection.privateKey`,
        );
    }
    const remedy = "load a key that its authorized_keys has, or set connection.privateKey";
    if (plain === 0) {
        return new SshError(
            `${refused}: the ssh agent has certificates only, and logins by SSH certificates are not supported; ${remedy}`,
        );
    }
    // sshd counts every key that it is offered: sshd_config(5), MaxAuthTries, 6 by default.
    if (plain > MOST_KEYS_OFFERED) {
        return new SshError(
            `${refused}: the ssh agent has ${plain} keys, and sshd ends a login after a few that it does not know (MaxAuthTries); leave only the right one in the agent (ssh-add -D, ssh-add KEY), or set connection.privateKey`,
        );
    }
    const hint = certificates > 0 ? "; the agent's certificates are not used, because they are not supported" : "";
    return new SshError(
        `${refused}; check the user, that ssh-add -l shows the key, and that its authorized_keys has it${hint}`,
    );
}

/** An sshd that ends a login without a word of its own, such as one that is still booting. @param banner what it has sent before */
export function closedLoginError(target: Hop, banner: string): SshError {
    const words = banner.replace(/\s+/g, " ").trim().slice(0, 300);
    const said = words === "" ? "" : ` (it said ${JSON.stringify(words)})`;
    return new SshError(
        `${sshdName(target)} closed the connection during the login of ${JSON.stringify(target.user)}${said}; check that the account may log in (/etc/nologin, its expiry, pam_access), and read sshd's log`,
        true,
    );
}

/** An agent that cannot be used, and what to do. */
export function agentError(remedy: string): SshError {
    return new SshError(`the ssh agent at ${process.env.SSH_AUTH_SOCK} cannot be reached; ${remedy}`);
}

/** Why a bastion opens no connection to a host. @param reason as in RFC 4254, section 5.1 */
export function forwardError(sshd: Sshd, bastion: Sshd, { reason, message }: Error & { reason?: unknown }): SshError {
    if (reason === ADMINISTRATIVELY_PROHIBITED) {
        return new SshError(
            `${sshdName({ ...bastion, isBastion: true })} forbids connections to ${sshdName(sshd)}; allow them in its sshd_config (AllowTcpForwarding, PermitOpen, DisableForwarding), and for the key in its authorized_keys (no-port-forwarding, restrict, permitopen)`,
        );
    }
    return unreachableError(sshd, message.replace(/^\(SSH\) Channel open failure: /, ""));
}

/** A host that its bastion cannot reach. */
export function unreachableError(sshd: Sshd, why: string): SshError {
    return new SshError(
        `${sshdName(sshd)} cannot be reached from the bastion (${why}); check the address, the port, and firewalls in between`,
        true,
    );
}

/** @param limit in milliseconds */
export function timeoutError(sshd: Sshd, limit: number): SshError {
    return new SshError(
        `${sshdName(sshd)} did not answer within ${limit / 1000} s; check the network, and firewalls in between`,
        true,
    );
}

/** What a command that is not ours has left. */
interface Printed {
    /** Undefined if it has not ended. */
    code?: number;
    stdout: string;
    stderr: string;
}

/** A login that runs something else than our command, or gets to nothing within `limit` milliseconds. */
export function otherCommandError({ address, user }: Hop, printed: Printed, limit: number): SshError {
    const login = `${address}: the login of ${JSON.stringify(user)}`;
    const words = `${printed.stdout}\n${printed.stderr}`.replace(/\s+/g, " ").trim().slice(0, 300);
    const said = words === "" ? "printed nothing" : `printed ${JSON.stringify(words)}`;
    return printed.code === undefined
        ? new SshError(
              `${login} has not come to our command within ${limit / 1000} s, and has ${said}; look for something that waits in its profile, in /etc/ssh/sshrc, or in a forced command`,
          )
        : new SshError(
              `${login} runs something else than our command: it ended with status ${printed.code} and ${said}; look for a forced command (ForceCommand, or command= in authorized_keys), for a login shell such as nologin, and for exec or exit in its profile`,
          );
}

/** The fingerprint of a key, in the form of `ssh-keygen -l`. */
function fingerprint(key: Buffer): string {
    return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}
