// Dials a host as the real plugin does: the same retries, the same host key rule, and the words of Go's ssh package.
import { connect, isIPv6 } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type AnyAuthMethod, Client, OpenSSHAgent, utils } from "ssh2";

export interface Endpoint {
    host: string;
    port?: number;
    user?: string;
    password?: string;
    privateKey?: string;
    privateKeyPassword?: string;
    agentSocketPath?: string;
    /** The one key that is accepted, as in known_hosts without the name. Anything is accepted without it. */
    hostKey?: string;
    /** @default 10; -1 for no limit */
    dialErrorLimit?: number;
    /** Seconds for the TCP connection; 0 for no limit. @default 15 */
    perDialTimeout?: number;
}

export interface Connection extends Endpoint {
    proxy?: Endpoint | null;
}

export interface Dialled {
    client: Client;
    /** Ends it at once, the way to it included. */
    close: () => void;
}

/** sshd's own limit for a login (LoginGraceTime). Go has none, and would wait for ever on a server that says nothing. */
const handshakeMs = 120_000;
/** Twenty unanswered probes, five minutes: a peer that is gone must not hold an update for ever. */
const keepalive = { keepaliveInterval: 15_000, keepaliveCountMax: 20 };
const retry = { firstMs: 100, factor: 1.5, mostMs: 5_000 };

const address = ({ host, port = 22 }: Endpoint) => `${isIPv6(host) ? `[${host}]` : host}:${Math.trunc(port)}`;

const systemWords: Record<string, string> = {
    ECONNREFUSED: "connection refused",
    EHOSTUNREACH: "no route to host",
    ENETUNREACH: "network is unreachable",
    ECONNRESET: "connection reset by peer",
    ENOENT: "no such file or directory",
    EACCES: "permission denied",
};

function dialError(target: string, host: string, error: NodeJS.ErrnoException): Error {
    if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN") {
        return new Error(
            `dial tcp: lookup ${host}: ${error.code === "ENOTFOUND" ? "no such host" : "temporary failure"}`,
        );
    }
    const words = systemWords[error.code ?? ""];
    return new Error(words ? `dial ${target}: connect: ${words}` : `dial ${target}: ${error.message}`);
}

function openTcp(endpoint: Endpoint, signal: AbortSignal): Promise<Duplex> {
    const target = `tcp ${address(endpoint)}`;
    const limit = (endpoint.perDialTimeout ?? 15) * 1000;
    return new Promise((resolve, reject) => {
        const socket = connect({ host: endpoint.host, port: Math.trunc(endpoint.port ?? 22), noDelay: true, signal });
        const timer = limit > 0 ? setTimeout(() => socket.destroy(new Error("i/o timeout")), limit) : undefined;
        const fail = (error: Error) => {
            clearTimeout(timer);
            reject(dialError(target, endpoint.host, error));
        };
        socket.once("error", fail);
        socket.once("connect", () => {
            clearTimeout(timer);
            socket.off("error", fail);
            resolve(socket);
        });
    });
}

/** A way through the bastion, as one TCP connection. */
function openForward(bastion: Client, endpoint: Endpoint): Promise<Duplex> {
    return new Promise((resolve, reject) => {
        bastion.forwardOut("127.0.0.1", 0, endpoint.host, Math.trunc(endpoint.port ?? 22), (error, channel) =>
            error ? reject(new Error(`ssh: rejected: connect failed (${error.message})`)) : resolve(channel),
        );
    });
}

interface Login {
    username: string;
    methods: AnyAuthMethod[];
    hostKey?: { type: string; key: Buffer };
}

/** Everything that can be wrong before anything is dialled; such faults are not tried again. */
async function prepareLogin(endpoint: Endpoint): Promise<Login> {
    const username = endpoint.user ?? "root";
    const methods: AnyAuthMethod[] = [{ type: "none", username }];
    if (endpoint.privateKey) {
        const key = utils.parseKey(endpoint.privateKey, endpoint.privateKeyPassword);
        if (key instanceof Error) {
            throw new Error(
                /no passphrase/i.test(key.message)
                    ? "ssh: this private key is passphrase protected"
                    : /bad passphrase|integrity/i.test(key.message)
                      ? "x509: decryption password incorrect"
                      : "ssh: no key found",
            );
        }
        methods.push({ type: "publickey", username, key });
    }
    const { password } = endpoint;
    if (password) {
        methods.push({ type: "password", username, password });
        methods.push({
            type: "keyboard-interactive",
            username,
            prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => password)),
        });
    }
    const agent = endpoint.agentSocketPath || process.env.SSH_AUTH_SOCK;
    if (agent) {
        await new Promise<void>((resolve, reject) => {
            const socket = connect(agent, () => resolve(void socket.end()));
            socket.on("error", (error) => reject(dialError(`unix ${agent}`, "", error)));
        });
        methods.push({ type: "agent", username, agent: new OpenSSHAgent(agent) });
    }
    return { username, methods, hostKey: endpoint.hostKey ? parseHostKey(endpoint.hostKey) : undefined };
}

function parseHostKey(text: string): { type: string; key: Buffer } {
    const key = utils.parseKey(text.trim());
    if (key instanceof Error || Array.isArray(key)) {
        throw new Error("failed to parse host key: ssh: no key found");
    }
    return { type: key.type, key: key.getPublicSSH() };
}

function handshake(socket: Duplex, login: Login, signal: AbortSignal): Promise<Client> {
    const { username, hostKey } = login;
    const methods = [...login.methods];
    const attempted: string[] = [];
    const client = new Client();
    return new Promise<Client>((resolve, reject) => {
        const fail = (why: string) => {
            client.destroy();
            socket.destroy();
            reject(new Error(why.startsWith("ssh:") ? why : `ssh: handshake failed: ${why}`));
        };
        const stop = () => fail("context canceled");
        signal.addEventListener("abort", stop, { once: true });
        let mismatch = false;
        client.on("ready", () => {
            signal.removeEventListener("abort", stop);
            resolve(client);
        });
        client.on("error", (error: Error & { level?: string }) => {
            fail(
                mismatch
                    ? "ssh: handshake failed: ssh: host key mismatch"
                    : wordHandshakeError(error, hostKey?.type, attempted),
            );
        });
        client.on("close", () => fail("EOF"));
        client.connect({
            sock: socket,
            username,
            readyTimeout: handshakeMs,
            ...keepalive,
            algorithms: hostKey ? { serverHostKey: [hostKey.type as "ssh-ed25519"] } : undefined,
            hostVerifier: (key: Buffer) => {
                mismatch = hostKey !== undefined && !hostKey.key.equals(key);
                return !mismatch;
            },
            authHandler: (_left, _partial, next) => {
                const method = methods.shift();
                if (method) attempted.push(method.type === "agent" ? "publickey" : method.type);
                next((method ?? false) as AnyAuthMethod);
            },
        });
    });
}

function wordHandshakeError(
    error: Error & { level?: string },
    pinned: string | undefined,
    attempted: string[],
): string {
    if (error.level === "client-authentication") {
        const names = [...new Set(attempted)].join(" ");
        return `ssh: handshake failed: ssh: unable to authenticate, attempted methods [${names}], no supported methods remain`;
    }
    if (/host key format/.test(error.message)) {
        return `ssh: handshake failed: ssh: no common algorithm for host key; client offered: [${pinned ?? ""}]`;
    }
    return error.message === "read ECONNRESET" ? "read: connection reset by peer" : error.message;
}

/** Tries until it works or the limit of errors is passed; the waits grow from 0.1 s to 5 s. */
async function withRetries<T>(
    what: string,
    limit: number,
    signal: AbortSignal,
    onRetry: (line: string) => void,
    attempt: () => Promise<T>,
): Promise<T> {
    let delay = retry.firstMs;
    for (let tries = 0; ; tries++) {
        signal.throwIfAborted();
        try {
            return await attempt();
        } catch (error) {
            signal.throwIfAborted();
            const { message } = error as Error;
            if (limit > -1 && tries + 1 > limit) {
                throw new Error(`after ${tries} failed attempts: ${message}`);
            }
            onRetry(`${what} ${tries + 1}/${limit === -1 ? "inf" : limit} failed: retrying`);
        }
        await sleep(Math.min(delay, retry.mostMs), undefined, { signal }).catch(() => signal.throwIfAborted());
        delay *= retry.factor;
    }
}

/**
 * Connects and logs in, directly or through `proxy`.
 * @throws if no attempt succeeds, with the last one's reason
 */
export async function dial(
    connection: Connection,
    signal: AbortSignal,
    onRetry: (line: string) => void,
): Promise<Dialled> {
    const login = await prepareLogin(connection);
    const limit = connection.dialErrorLimit ?? 10;
    const { proxy } = connection;
    if (!proxy) {
        const client = await withRetries("Dial", limit, signal, onRetry, async () =>
            handshake(await openTcp(connection, signal), login, signal),
        );
        return { client, close: () => client.destroy() };
    }
    const viaProxy = (error: Error) => {
        throw signal.aborted ? error : new Error(`proxy: ${error.message}`);
    };
    const proxyLogin = await prepareLogin(proxy).catch(viaProxy);
    const bastion = await withRetries("Dial proxy", proxy.dialErrorLimit ?? 10, signal, onRetry, async () =>
        handshake(await openTcp(proxy, signal), proxyLogin, signal),
    ).catch(viaProxy);
    try {
        // The real plugin tries the handshake again on the same, used connection; a fresh one is what that can only mean.
        const client = await withRetries("Dial from proxy", limit, signal, onRetry, async () =>
            handshake(await openForward(bastion, connection), login, signal),
        ).catch(viaProxy);
        const close = () => {
            client.destroy();
            bastion.destroy();
        };
        return { client, close };
    } catch (error) {
        bastion.destroy();
        throw error;
    }
}
