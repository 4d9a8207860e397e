import { isIP, connect as openTcp } from "node:net";
import type { Duplex } from "node:stream";
import { Client, type ConnectConfig, type ParsedKey, type PublicKeyAuthMethod, utils } from "ssh2";
import { connectionError, LOGIN_TIMEOUT, privateKeyError, sshdName, timeoutError } from "./errors";
import { limitLogins } from "./loginLimit";

/** Address, identity and login of an sshd, with all outputs resolved. */
export interface SshTarget {
    /** Host name or address. */
    address: string;
    /** TCP port of sshd. */
    port: number;
    user: string;
    /** The host's public key as in known_hosts without the name: `ssh-ed25519 AAAA…` or `ecdsa-sha2-… AAAA…`. */
    hostKey: string;
    /** Private key of the user, in OpenSSH or PEM format. @default - the agent at SSH_AUTH_SOCK */
    privateKey?: string;
    /** Passphrase of the private key. @default - the key has none */
    privateKeyPassword?: string;
    /** A host to connect through. @default - none */
    bastion?: SshTarget;
    /** Limit for a login, in milliseconds. @default 15000 - as the command plugin, so that both give up alike */
    loginTimeout?: number;
}

/** The result of a command. */
export interface SshResult {
    code: number;
    stdout: Buffer;
    stderr: string;
}

/** A failed connection; the message says in one sentence what is wrong and what to do. */
export class SshError extends Error {}

/** Limit for a TCP connection, in milliseconds: every reachable host, however far away, answers sooner. */
const DIAL_TIMEOUT = 5_000;

/** Gives up on a host that leaves 3 keepalives unanswered, one every 5 s; otherwise a command would wait for ever. */
const KEEPALIVE = { keepaliveInterval: 5_000, keepaliveCountMax: 3 };

/** A connection to a host that stays open, to run several commands over it. */
export interface SshSession {
    /**
     * Runs a command with `stdin` on its standard input.
     *
     * @param timeout in milliseconds @default 120000
     * @param hear called with what the command prints on standard error, as it comes @default - not called
     * @throws SshError if the connection ends first, or if the command does not end in time
     */
    run(command: string, stdin: string, timeout?: number, hear?: (text: string) => void): Promise<SshResult>;
    /** Resolves when the connection has ended without `close`: the host no longer answers, within 20 s. */
    readonly lost: Promise<void>;
    close(): void;
}

/**
 * Connects to a host, through its bastion if it has one.
 *
 * @throws SshError if the host or its bastion cannot be reached, has another key than the pinned one, or refuses the login
 */
export async function connectSsh(target: SshTarget): Promise<SshSession> {
    const connections: Client[] = [];
    const close = () => {
        for (const connection of connections.splice(0).reverse()) {
            connection.end();
        }
    };
    try {
        const { bastion } = target;
        for (const hop of bastion ? [bastion, target] : [target]) {
            requireKey(hop);
        }
        const enter = (hop: SshTarget, dial: () => Promise<Duplex>) =>
            limitLogins(sshdName(hop), async () => logIn(hop, await dial(), connections));
        const through = bastion && (await enter(bastion, () => reach(bastion)));
        const client = await enter(target, () => (through ? forward(through, target) : reach(target)));
        const lost = new Promise<void>((resolve) =>
            client.once("close", () => {
                // After `close` there are no connections left.
                if (connections.length > 0) {
                    resolve();
                }
            }),
        );
        return {
            run: (command, stdin, timeout = 120_000, hear) => execute(client, target, command, stdin, timeout, hear),
            lost,
            close,
        };
    } catch (error) {
        close();
        throw error;
    }
}

/** Runs one command over a connection of its own; see {@link SshSession.run}. */
export async function runOverSsh(
    target: SshTarget,
    command: string,
    stdin: string,
    timeout?: number,
): Promise<SshResult> {
    const session = await connectSsh(target);
    try {
        return await session.run(command, stdin, timeout);
    } finally {
        session.close();
    }
}

/** Checks before connecting that the login has a usable key. */
function requireKey({ privateKey, privateKeyPassword, ...target }: SshTarget): void {
    if (privateKey === undefined) {
        if (!process.env.SSH_AUTH_SOCK) {
            throw new SshError(
                `no key to log in to ${sshdName(target)}; set connection.privateKey (in a stack ssh.privateKeyFile, or config sshPrivateKey), or load a key into an ssh agent (SSH_AUTH_SOCK is not set)`,
            );
        }
        return;
    }
    const key = opened(privateKey, privateKeyPassword);
    if (key instanceof Error || !key.isPrivateKey()) {
        throw new SshError(privateKeyError(key instanceof Error ? key.message : "", target, privateKeyPassword));
    }
    // The command plugin refuses this, so a preview must not pass.
    if (privateKeyPassword && !(opened(privateKey) instanceof Error)) {
        throw new SshError(`the private key for ${sshdName(target)} has no passphrase, but one is given; leave it out`);
    }
}

const openedKeys = new Map<string, ParsedKey | Error>();

/** Opens a key once for all hosts: a passphrase takes up to seconds of computing, while other logins time out. */
function opened(privateKey: string, password?: string): ParsedKey | Error {
    const id = JSON.stringify([privateKey, password]);
    // For a file of several keys parseKey returns a list, although its type does not say so.
    const key = openedKeys.get(id) ?? ([utils.parseKey(privateKey, password)].flat()[0] as ParsedKey | Error);
    openedKeys.set(id, key);
    return key;
}

/** Opens a TCP connection. Resolving the name may take as long as a login. */
function reach(target: SshTarget): Promise<Duplex> {
    return new Promise((resolve, reject) => {
        const socket = openTcp({ host: target.address, port: target.port, noDelay: true });
        let answered = () => {};
        const within = (limit: number) => {
            answered();
            answered = afterWaiting(limit, () => {
                socket.destroy();
                reject(new SshError(timeoutError(target, limit)));
            });
        };
        within(isIP(target.address) ? dialTimeout(target) : (target.loginTimeout ?? LOGIN_TIMEOUT));
        socket.once("lookup", () => within(dialTimeout(target)));
        socket.once("error", (error) => {
            answered();
            reject(new SshError(connectionError(error, target)));
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
        client.on("error", (error) => reject(new SshError(connectionError(error, target, presented, pinned))));
        client.once("close", () => reject(new SshError(`${sshdName(target)} closed the connection during the login`)));
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

/** Uses the given key only, or the agent if there is none. */
function authentication({ user: username, privateKey, privateKeyPassword }: SshTarget): ConnectConfig {
    if (privateKey === undefined) {
        return { agent: process.env.SSH_AUTH_SOCK };
    }
    const key = opened(privateKey, privateKeyPassword) as ParsedKey;
    const login: PublicKeyAuthMethod = { type: "publickey", username, key };
    return { authHandler: [login] };
}

/** Key types that can be pinned. Not RSA: ssh2 would ask the host for SHA-1 signatures, which hosts refuse. */
type HostKeyType = "ssh-ed25519" | "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521";

/**
 * Parses a public host key.
 *
 * @throws SshError if it is not an ed25519 or ecdsa key in the form `type base64`
 */
export function parseHostKey(text: string): { type: HostKeyType; key: Buffer } {
    const match = /^(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)) ([A-Za-z0-9+/]+=*)(?: .*)?$/.exec(text.trim());
    const key = Buffer.from(match?.[2] ?? "", "base64");
    if (!match || key.length < 40 || key.toString("latin1", 4, 4 + key.readUInt32BE(0)) !== match[1]) {
        throw new SshError(
            `invalid host key ${JSON.stringify(text)}; use the line of ssh-keyscan -t ed25519 without the host name, "ssh-ed25519 AAAA…", or an ecdsa key`,
        );
    }
    return { type: match[1] as HostKeyType, key };
}

/** Opens a TCP connection through the bastion. Has its own limit, because sshd would wait for minutes. */
function forward(bastion: Client, target: SshTarget): Promise<Duplex> {
    return new Promise((resolve, reject) => {
        const limit = dialTimeout(target);
        const unreachable = (why: string) =>
            reject(
                new SshError(
                    `${sshdName(target)} cannot be reached from the bastion (${why}); check the address, the port, and firewalls in between`,
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
 * Calls back after `limit` milliseconds. Counts them in ticks, so that time in which this machine was suspended does not count.
 *
 * @returns a function that ends the wait
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
    hear?: (text: string) => void,
): Promise<SshResult> {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(
            () => reject(new SshError(`${sshdName(target)} did not finish within ${timeout / 1000} s`)),
            timeout,
        );
        const closed = () => {
            clearTimeout(timer);
            reject(new SshError(`${sshdName(target)} closed the connection before the command ended`));
        };
        client.once("close", closed);
        client.exec(command, (error, channel) => {
            if (error) {
                clearTimeout(timer);
                reject(new SshError(`${sshdName(target)} does not run commands: ${error.message}`));
                return;
            }
            const stdout: Buffer[] = [];
            const stderr: Buffer[] = [];
            let code = -1;
            channel.on("data", (data: Buffer) => stdout.push(data));
            channel.stderr.on("data", (data: Buffer) => {
                stderr.push(data);
                hear?.(data.toString("utf8"));
            });
            channel.on("exit", (status: number | null) => {
                code = status ?? -1;
            });
            channel.on("close", () => {
                clearTimeout(timer);
                client.off("close", closed);
                resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString("utf8") });
            });
            channel.end(stdin);
        });
    });
}
