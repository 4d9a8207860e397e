/** What went wrong with a connection: one sentence that names the host, and what to do. */
import { createHash } from "node:crypto";

interface Hop {
    address: string;
    port: number;
    user: string;
    privateKey?: string;
    loginTimeout?: number;
}
type Sshd = Pick<Hop, "address" | "port">;

/** Default limit for a login, in milliseconds. */
export const LOGIN_TIMEOUT = 15_000;

/** The name of a host in messages. */
export function sshdName({ address, port }: Sshd): string {
    return `${address}:${port}`;
}

/** Why a connection failed. @param presented the key that the host has sent @param pinned the declared key */
export function connectionError(
    error: Error & { level?: string; code?: string },
    target: Hop,
    presented?: Buffer,
    pinned?: { key: Buffer },
): string {
    const sshd = sshdName(target);
    if (presented && pinned && !presented.equals(pinned.key)) {
        return `${sshd} is not the pinned host: its key is ${fingerprint(presented)}, the pinned key is ${fingerprint(pinned.key)}; if the host was rebuilt, put its new key into the stack, otherwise find out who answers there`;
    }
    if (error.level === "handshake" && /host key/i.test(error.message)) {
        return `${sshd} has no host key of the pinned type; pin one that it has (ssh-keyscan shows them)`;
    }
    if (error.level === "agent") {
        return `the ssh agent at ${process.env.SSH_AUTH_SOCK} cannot be reached; start one and load the key for ${sshd}, or set connection.privateKey`;
    }
    if (error.level === "client-authentication") {
        const advice =
            target.privateKey === undefined
                ? "that ssh-add -l shows the key, and that its authorized_keys has it"
                : "that its authorized_keys has the key in use";
        return `${sshd} refuses the login of ${JSON.stringify(target.user)}; check the user, and ${advice}`;
    }
    switch (error.code) {
        case "ECONNREFUSED":
            return `${sshd} refuses connections; check that sshd is running and that this is its port`;
        case "ENOTFOUND":
        case "EAI_AGAIN":
            return `${sshd}: the name does not resolve; correct it, or use an address`;
        case "ETIMEDOUT":
        case "EHOSTUNREACH":
        case "ENETUNREACH":
            return `${sshd} cannot be reached (${error.code}); check the network, and firewalls in between`;
        default:
    }
    if (error.code === "ECONNRESET" || /lost before handshake/i.test(error.message)) {
        return `${sshd} closes the connection before a login; check that sshd has this port, and its MaxStartups and access rules`;
    }
    if (error.level === "client-timeout" || /timed? ?out/i.test(error.message)) {
        return timeoutError(target, target.loginTimeout ?? LOGIN_TIMEOUT);
    }
    return `${sshd}: ${error.message}`;
}

/** @param limit in milliseconds */
export function timeoutError(sshd: Sshd, limit: number): string {
    return `${sshdName(sshd)} did not answer within ${limit / 1000} s; check the network, and firewalls in between`;
}

/** The fingerprint of a key, in the form of `ssh-keygen -l`. */
function fingerprint(key: Buffer): string {
    return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}
