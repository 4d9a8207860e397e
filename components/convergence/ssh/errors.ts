import { createHash } from "node:crypto";

/** What a fault says of the host that it is about. */
interface Hop {
    address: string;
    port: number;
    user: string;
    privateKey?: string;
    loginTimeout?: number;
}
type Place = Pick<Hop, "address" | "port">;

/** Longest time for a login, in milliseconds, where a target says nothing else. */
export const LOGIN_TIMEOUT = 15_000;

/** Why a private key cannot be used, by the parser's words. */
export function unreadableKey(reason: string, target: Place, password: string | undefined): string {
    const key = `the private key for ${place(target)}`;
    if (/no passphrase/i.test(reason)) {
        return `${key} has a passphrase: set connection.privateKeyPassword (in a stack config sshPrivateKeyPassword), or load the key into an ssh agent and set no key`;
    }
    return password && /bad passphrase|integrity|decrypt/i.test(reason)
        ? `${key} does not open with the given passphrase: correct it`
        : `${key} cannot be read: use one in OpenSSH or PEM format, whole, with its final line`;
}

/** One sentence of what is wrong with a connection and what to do; the keys are what the host has shown and what is pinned. */
export function explain(
    error: Error & { level?: string; code?: string },
    target: Hop,
    presented?: Buffer,
    pinned?: { key: Buffer },
): string {
    const where = place(target);
    if (presented && pinned && !presented.equals(pinned.key)) {
        return `${where} is not the pinned host: its key is ${fingerprint(presented)}, pinned is ${fingerprint(pinned.key)}; if the host was rebuilt, put its new key into the stack, otherwise find out who answers there`;
    }
    if (error.level === "handshake" && /host key/i.test(error.message)) {
        return `${where} has no host key of the pinned type: pin one that it has (ssh-keyscan shows them)`;
    }
    if (error.level === "agent") {
        return `the ssh agent at ${process.env.SSH_AUTH_SOCK} cannot be reached: start one and load the key for ${where}, or set connection.privateKey`;
    }
    if (error.level === "client-authentication") {
        const advice =
            target.privateKey === undefined
                ? "that ssh-add -l shows the key, and that its authorized_keys has it"
                : "that its authorized_keys has the key in use";
        return `${where} refuses the login of ${JSON.stringify(target.user)}: check the user, and ${advice}`;
    }
    switch (error.code) {
        case "ECONNREFUSED":
            return `${where} refuses connections: is sshd running, and is this its port?`;
        case "ENOTFOUND":
        case "EAI_AGAIN":
            return `${where}: the name does not resolve: correct it, or use an address`;
        case "ETIMEDOUT":
        case "EHOSTUNREACH":
        case "ENETUNREACH":
            return `${where} cannot be reached (${error.code}): check the network, and firewalls in between`;
        default:
    }
    if (error.level === "client-timeout" || /timed? ?out/i.test(error.message)) {
        return unanswered(target, target.loginTimeout ?? LOGIN_TIMEOUT);
    }
    return `${where}: ${error.message}`;
}

/** After how many milliseconds it was given up. */
export function unanswered(target: Place, limit: number): string {
    return `${place(target)} did not answer within ${limit / 1000} s: check the network, and firewalls in between`;
}

/** The host as messages name it. */
export function place(target: Place): string {
    return `${target.address}:${target.port}`;
}

/** As `ssh-keygen -l` prints it. */
function fingerprint(key: Buffer): string {
    return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}
