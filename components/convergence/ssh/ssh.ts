import { isIP, connect as openTcp } from "node:net";
import type { Duplex } from "node:stream";
import { Client, type ConnectConfig, type ParsedKey, type PublicKeyAuthMethod, utils } from "ssh2";
import { explain, LOGIN_TIMEOUT, place, unanswered, unreadableKey } from "./errors";
import { Turns } from "./loginLimit";

/** Where and as whom to log in. Every field plain: outputs are resolved before. */
export interface SshTarget {
    /** Host name or address. */
    address: string;
    /** TCP port of sshd. */
    port: number;
    user: string;
    /** The host's public key as in known_hosts without the name: `ssh-ed25519 AAAA…` or `ecdsa-sha2-… AAAA…`. */
    hostKey: string;
    /** Private key of the user, in OpenSSH or PEM format; without one, the agent at SSH_AUTH_SOCK is asked. */
    privateKey?: string;
    /** Passphrase of the private key. */
    privateKeyPassword?: string;
    /** A host to go through. */
    bastion?: SshTarget;
    /** Longest time to wait for a login, in milliseconds. @default 15000 - that of the command plugin, so that both give up alike */
    loginTimeout?: number;
}

/** What a command has said over ssh. */
export interface SshResult {
    code: number;
    stdout: Buffer;
    stderr: string;
}

/** A connection that could not be had, with one sentence of what is wrong and what to do. */
export class SshError extends Error {}

/** Longest time for a TCP connection, in milliseconds: a host that is there, however far, has answered by then. */
const DIAL_TIMEOUT = 5_000;

/** A host that leaves so many questions unanswered, one every 5 s, is gone: without, its commands would last for ever. */
const KEEPALIVE = { keepaliveInterval: 5_000, keepaliveCountMax: 3 };

/** Logins at once to one sshd: where 10 are under way, it turns further ones away at random (sshd_config(5), MaxStartups). */
const logins = new Turns(8);

/**
 * Runs one command over one connection, with `stdin` on its standard input.
 *
 * @throws SshError if the host, or its bastion, cannot be reached, is not the pinned one, or refuses the login; or if the command
 * does not end within `timeout` milliseconds
 */
export async function runOverSsh(
    target: SshTarget,
    command: string,
    stdin: string,
    timeout = 120_000,
): Promise<SshResult> {
    const connections: Client[] = [];
    try {
        const { bastion } = target;
        for (const hop of bastion ? [bastion, target] : [target]) {
            requireKey(hop);
        }
        const enter = (hop: SshTarget, dial: () => Promise<Duplex>) =>
            logins.take(place(hop), async () => logIn(hop, await dial(), connections));
        const way = bastion && (await enter(bastion, () => reach(bastion)));
        const client = await enter(target, () => (way ? forward(way, target) : reach(target)));
        return await execute(client, target, command, stdin, timeout);
    } finally {
        for (const connection of connections.reverse()) {
            connection.end();
        }
    }
}

/** What can be said of the login before anybody is asked. */
function requireKey({ privateKey, privateKeyPassword, ...target }: SshTarget): void {
    if (privateKey === undefined) {
        if (!process.env.SSH_AUTH_SOCK) {
            throw new SshError(
                `no key to log in to ${place(target)}: set connection.privateKey (in a stack ssh.privateKeyFile, or config sshPrivateKey), or load a key into an ssh agent (SSH_AUTH_SOCK is not set)`,
            );
        }
        return;
    }
    const key = opened(privateKey, privateKeyPassword);
    if (key instanceof Error || !key.isPrivateKey()) {
        throw new SshError(unreadableKey(key instanceof Error ? key.message : "", target, privateKeyPassword));
    }
    // The command plugin refuses it, so that a preview must not pass.
    if (privateKeyPassword && !(opened(privateKey) instanceof Error)) {
        throw new SshError(`the private key for ${place(target)} has no passphrase, but one is given: leave it out`);
    }
}

const openedKeys = new Map<string, ParsedKey | Error>();

/** The key, opened once for all hosts: a passphrase takes up to seconds, in which nothing else goes on and other logins time out. */
function opened(privateKey: string, password?: string): ParsedKey | Error {
    const id = JSON.stringify([privateKey, password]);
    // A file of several keys is parsed to a list, which the types do not tell.
    const key = openedKeys.get(id) ?? ([utils.parseKey(privateKey, password)].flat()[0] as ParsedKey | Error);
    openedKeys.set(id, key);
    return key;
}

/** A TCP connection. To find the address by its name may take as long as a login. */
function reach(target: SshTarget): Promise<Duplex> {
    return new Promise((resolve, reject) => {
        const socket = openTcp({ host: target.address, port: target.port, noDelay: true });
        let answered = () => {};
        const within = (limit: number) => {
            answered();
            answered = afterWaiting(limit, () => {
                socket.destroy();
                reject(new SshError(unanswered(target, limit)));
            });
        };
        within(isIP(target.address) ? dialTimeout(target) : (target.loginTimeout ?? LOGIN_TIMEOUT));
        socket.once("lookup", () => within(dialTimeout(target)));
        socket.once("error", (error) => {
            answered();
            reject(new SshError(explain(error, target)));
        });
        socket.once("connect", () => {
            answered();
            resolve(socket);
        });
    });
}

function dialTimeout({ loginTimeout = LOGIN_TIMEOUT }: SshTarget): number {
    return Math.min(DIAL_TIMEOUT, loginTimeout);
}

function logIn(target: SshTarget, sock: Duplex, connections: Client[]): Promise<Client> {
    const pinned = parseHostKey(target.hostKey);
    let presented: Buffer | undefined;
    return new Promise((resolve, reject) => {
        const client = new Client();
        connections.push(client);
        client.once("ready", () => resolve(client));
        client.on("error", (error) => reject(new SshError(explain(error, target, presented, pinned))));
        client.once("close", () => reject(new SshError(`${place(target)} closed the connection during the login`)));
        client.connect({
            sock,
            username: target.user,
            ...authentication(target),
            readyTimeout: target.loginTimeout ?? LOGIN_TIMEOUT,
            ...KEEPALIVE,
            algorithms: { serverHostKey: [pinned.type] },
            hostVerifier: (key: Buffer) => {
                presented = key;
                return key.equals(pinned.key);
            },
        });
    });
}

/** By the agent, or by the one key that is given. */
function authentication({ user: username, privateKey, privateKeyPassword }: SshTarget): ConnectConfig {
    if (privateKey === undefined) {
        return { agent: process.env.SSH_AUTH_SOCK };
    }
    const key = opened(privateKey, privateKeyPassword) as ParsedKey;
    const login: PublicKeyAuthMethod = { type: "publickey", username, key };
    return { authHandler: [login] };
}

/** The key types that can be pinned; an RSA pin would ask the host for SHA-1 signatures, which it refuses. */
type HostKeyType = "ssh-ed25519" | "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521";

/**
 * Takes a public host key apart.
 *
 * @throws SshError if it is not an ed25519 or ecdsa key in the form `type base64`
 */
export function parseHostKey(text: string): { type: HostKeyType; key: Buffer } {
    const match = /^(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]+=*)(?: .*)?$/.exec(text.trim());
    const key = Buffer.from(match?.[2] ?? "", "base64");
    if (!match || key.length < 40 || key.toString("latin1", 4, 4 + key.readUInt32BE(0)) !== match[1]) {
        throw new SshError(
            `invalid host key ${JSON.stringify(text)}: use the line of ssh-keyscan -t ed25519 without the host name, "ssh-ed25519 AAAA…", or an ecdsa key`,
        );
    }
    return { type: match[1] as HostKeyType, key };
}

/** The TCP connection that the bastion makes; sshd alone would wait for minutes. */
function forward(bastion: Client, target: SshTarget): Promise<Duplex> {
    return new Promise((resolve, reject) => {
        const limit = dialTimeout(target);
        const unreachable = (why: string) =>
            reject(
                new SshError(
                    `${place(target)} cannot be reached from the bastion (${why}): check the address, the port, and firewalls in between`,
                ),
            );
        const answered = afterWaiting(limit, () => unreachable(`no answer within ${limit / 1000} s`));
        bastion.once("close", () => unreachable("it closed the connection"));
        bastion.forwardOut("127.0.0.1", 0, target.address, target.port, (error, stream) => {
            answered();
            return error ? unreachable(error.message) : resolve(stream);
        });
    });
}

/**
 * Calls back after so many milliseconds. They are counted in ticks, as a machine that has stood still, or a laptop that has slept, has not
 * waited for an answer.
 *
 * @returns ends the wait
 */
function afterWaiting(limit: number, late: () => void): () => void {
    let ticks = 20;
    const timer = setInterval(() => {
        ticks--;
        if (ticks > 0) return;
        clearInterval(timer);
        late();
    }, limit / ticks);
    return () => clearInterval(timer);
}

function execute(
    client: Client,
    target: SshTarget,
    command: string,
    stdin: string,
    timeout: number,
): Promise<SshResult> {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(
            () => reject(new SshError(`${place(target)} did not finish within ${timeout / 1000} s`)),
            timeout,
        );
        client.once("close", () => {
            clearTimeout(timer);
            reject(new SshError(`${place(target)} closed the connection before the command ended`));
        });
        client.exec(command, (error, channel) => {
            if (error) {
                clearTimeout(timer);
                reject(new SshError(`${place(target)} does not run commands: ${error.message}`));
                return;
            }
            const stdout: Buffer[] = [];
            const stderr: Buffer[] = [];
            let code = -1;
            channel.on("data", (data: Buffer) => stdout.push(data));
            channel.stderr.on("data", (data: Buffer) => stderr.push(data));
            channel.on("exit", (status: number | null) => {
                code = status ?? -1;
            });
            channel.on("close", () => {
                clearTimeout(timer);
                resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString("utf8") });
            });
            channel.end(stdin);
        });
    });
}
