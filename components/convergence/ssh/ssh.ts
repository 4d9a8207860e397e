import { isIP, connect as openTcp } from "node:net";
import type { Duplex } from "node:stream";
import { Client, type ConnectConfig, type ParsedKey, type PublicKeyAuthMethod } from "ssh2";
import { agentKeys } from "./agent";
import {
    agentError,
    closedLoginError,
    connectionError,
    forwardError,
    isRefusedLogin,
    LOGIN_TIMEOUT,
    loginError,
    otherCommandError,
    SshError,
    sshdName,
    timeoutError,
    unreachableError,
} from "./errors";
import { openPrivateKey } from "./keys";
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
    /** Private key of the user, in OpenSSH, PEM or unencrypted PKCS#8 format. @default - the agent at SSH_AUTH_SOCK */
    privateKey?: string;
    /** Passphrase of the private key. @default - the key has none */
    privateKeyPassword?: string;
    /** A host to connect through. @default - none */
    bastion?: SshTarget;
    /** Seconds that an up waits for a host that may still be booting. @default 30 */
    bootSeconds?: number;
    /** Limit for a login, in milliseconds. @default 15000 - as the command plugin, so that both give up alike */
    loginTimeout?: number;
}

/** The result of a command. */
export interface SshResult {
    code: number;
    stdout: Buffer;
    stderr: string;
}

export { SshError };

/** Limit for a TCP connection, in milliseconds: every reachable host, however far away, answers sooner. */
const DIAL_TIMEOUT = 5_000;

/** Gives up on a host that leaves 3 keepalives unanswered, one every 5 s; otherwise a command would wait for ever. */
const KEEPALIVE = { keepaliveInterval: 5_000, keepaliveCountMax: 3 };

/** Limit for what a login runs before our command, such as a profile, in milliseconds. */
const START_TIMEOUT = 30_000;

/** Limit for what a command prints, in bytes: a host that goes on printing would use up the memory of this machine. */
const LONGEST = 128 * 1024 * 1024;

/**
 * Prints {@link STARTED} in every shell, before our command. The two spaces keep the command itself, which a forced command may print,
 * from looking like it.
 */
const ANNOUNCE = "echo haproxy-fleet  starts";
const STARTED = "haproxy-fleet starts\n";

/** A connection to a host that stays open, to run several commands over it. */
export interface SshSession {
    /**
     * Runs a command with `stdin` on its standard input. What the login itself prints before on standard output is left out.
     *
     * @param timeout in milliseconds @default 120000
     * @param hear called with what the command prints on standard error, as it comes @default - not called
     * @param longest bytes that it may print, with those of the login @default 134217728
     * @throws SshError if the connection ends first, if the login runs something else, if the command does not end in time, or if it
     * prints too much
     */
    run(
        command: string,
        stdin: string,
        timeout?: number,
        hear?: (text: string) => void,
        longest?: number,
    ): Promise<SshResult>;
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
        const bastion = target.bastion && { ...target.bastion, isBastion: true };
        for (const hop of bastion ? [bastion, target] : [target]) {
            // A fault that is found later would leave an open connection behind.
            parseHostKey(hop.hostKey);
            await requireKey(hop);
        }
        const enter = (hop: SshTarget, dial: () => Promise<Duplex>) =>
            limitLogins(`${hop.address}:${hop.port}`, async () => logIn(hop, await dial(), connections));
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
            run: (command, stdin, timeout = 120_000, hear, longest = LONGEST) =>
                execute(client, target, { command, stdin, timeout, hear, longest }),
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
async function requireKey({ privateKey, privateKeyPassword, ...target }: SshTarget): Promise<void> {
    const agent = process.env.SSH_AUTH_SOCK;
    if (privateKey === undefined) {
        if (!agent) {
            throw new SshError(
                `no key to log in to ${sshdName(target)}; set connection.privateKey (in a stack ssh.privateKeyFile, or config sshPrivateKey), or load a key into an ssh agent (SSH_AUTH_SOCK is not set)`,
            );
        }
        return;
    }
    const key = openPrivateKey(privateKey, privateKeyPassword);
    if (typeof key === "string") {
        throw new SshError(`the private key for ${sshdName(target)} ${key}`);
    }
    // The command plugin fails without it, so a preview must not pass.
    if (agent && (await agentKeys(agent)) === undefined) {
        throw agentError(
            "start it, or unset SSH_AUTH_SOCK: Pulumi's command plugin asks it even if a private key is set",
        );
    }
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
                reject(timeoutError(target, limit));
            });
        };
        within(isIP(target.address) ? dialTimeout(target) : (target.loginTimeout ?? LOGIN_TIMEOUT));
        socket.once("lookup", () => within(dialTimeout(target)));
        socket.once("error", (error) => {
            answered();
            reject(connectionError(error, target));
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
        let refused: Promise<void> | undefined;
        client.on("error", (error) => {
            if (isRefusedLogin(error)) {
                refused = refusal(target).then(reject);
            } else {
                reject(connectionError(error, target, presented, pinned));
            }
        });
        let banner = "";
        client.on("banner", (text) => {
            banner = text;
        });
        client.once("close", () => {
            if (refused === undefined) {
                reject(closedLoginError(target, banner));
            }
        });
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

/** Why sshd has refused a login: asks the agent what it has. */
async function refusal(target: SshTarget): Promise<SshError> {
    const agent = target.privateKey === undefined ? await agentKeys(process.env.SSH_AUTH_SOCK ?? "") : undefined;
    return loginError(target, agent);
}

/** Uses the given key only, or the agent if there is none. */
function authentication({ user: username, privateKey, privateKeyPassword }: SshTarget): ConnectConfig {
    if (privateKey === undefined) {
        return { agent: process.env.SSH_AUTH_SOCK };
    }
    const key = openPrivateKey(privateKey, privateKeyPassword) as ParsedKey;
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
function forward(through: Client, target: SshTarget): Promise<Duplex> {
    const bastion = target.bastion as SshTarget;
    return new Promise((resolve, reject) => {
        const limit = dialTimeout(target);
        const unreachable = (why: string) => reject(unreachableError(target, why));
        const answered = afterWaiting(limit, () => unreachable(`no answer within ${limit / 1000} s`));
        through.once("close", () => unreachable("it closed the connection"));
        through.forwardOut("127.0.0.1", 0, target.address, target.port, (error, stream) => {
            answered();
            return error ? reject(forwardError(target, bastion, error)) : resolve(stream);
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

/** What to run, see {@link SshSession.run}. */
interface Running {
    readonly command: string;
    readonly stdin: string;
    readonly timeout: number;
    readonly hear?: (text: string) => void;
    readonly longest: number;
}

function execute(
    client: Client,
    target: SshTarget,
    { command, stdin, timeout, hear, longest }: Running,
): Promise<SshResult> {
    return new Promise((resolve, reject) => {
        const startLimit = Math.min(START_TIMEOUT, timeout);
        const printed: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
        const size = { stdout: 0, stderr: 0 };
        const text = (stream: "stdout" | "stderr") => Buffer.concat(printed[stream]).toString("utf8");
        let isOver = false;
        let started = -1;
        // The end of what is searched for the start: the search must not begin anew with each part.
        let last: Buffer = Buffer.alloc(0);
        let code = -1;
        const finish = (settle: () => void) => {
            isOver = true;
            clearTimeout(start);
            clearTimeout(end);
            client.off("close", closed);
            settle();
        };
        const fail = (error: SshError) => finish(() => reject(error));
        const other = (status?: number) =>
            fail(
                otherCommandError(target, { code: status, stdout: text("stdout"), stderr: text("stderr") }, startLimit),
            );
        const start = setTimeout(() => other(), startLimit);
        const end = setTimeout(
            () => fail(new SshError(`${sshdName(target)} did not finish within ${timeout / 1000} s`)),
            timeout,
        );
        const closed = () => fail(new SshError(`${sshdName(target)} closed the connection before the command ended`));
        client.once("close", closed);
        const take = (stream: "stdout" | "stderr", data: Buffer): boolean => {
            if (isOver) return false;
            printed[stream].push(data);
            size[stream] += data.length;
            if (size.stdout + size.stderr > longest) {
                const most = `${Math.floor(longest / 1024 / 1024)} MiB`;
                fail(new SshError(`${sshdName(target)} prints more than ${most}; look at what its login runs`));
            }
            return !isOver;
        };
        client.exec(`${ANNOUNCE}; ${command}`, (error, channel) => {
            if (error) {
                fail(new SshError(`${sshdName(target)} does not run commands: ${error.message}`));
                return;
            }
            channel.stderr.on("data", (data: Buffer) => {
                if (take("stderr", data)) hear?.(data.toString("utf8"));
            });
            channel.on("data", (data: Buffer) => {
                if (!take("stdout", data) || started >= 0) return;
                last = Buffer.concat([last, data]);
                const at = last.indexOf(STARTED);
                if (at >= 0) {
                    started = size.stdout - last.length + at;
                    clearTimeout(start);
                }
                last = last.subarray(-STARTED.length);
            });
            channel.on("exit", (status: number | null) => {
                code = status ?? -1;
            });
            channel.on("close", () => {
                if (started < 0) {
                    other(code);
                    return;
                }
                const stdout = Buffer.concat(printed.stdout).subarray(started + STARTED.length);
                finish(() => resolve({ code, stdout, stderr: text("stderr") }));
            });
            channel.end(stdin);
        });
    });
}
