// Connects to a host with the retries, the time-outs and the host key rule of the real plugin.
import { connect, isIPv6 } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type AnyAuthMethod, Client, OpenSSHAgent, utils } from "ssh2";
import { openPrivateKey } from "../../../components/convergence/ssh/keys";

/** An sshd, and how to log in there; the names are those of the real plugin. */
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

/** The `connection` of a command. */
export interface Connection extends Endpoint {
    proxy?: Endpoint | null;
}

/** A connection that is open, to run commands over it. */
export interface Dialled {
    client: Client;
    /** Closes the connection at once, and the one to the bastion. */
    close: () => void;
}

/**
 * As with the real plugin, a connection whose other end is gone fails after 151 s: the system asks once a second, ten times, after this
 * time without an answer. Nothing asks through a bastion, so a host that is cut off behind one is waited for without end.
 */
const silenceMs = 141_000;
const retry = { firstMs: 100, factor: 1.5, mostMs: 5_000 };

const address = ({ host, port = 22 }: Endpoint) => `${isIPv6(host) ? `[${host}]` : host}:${Math.trunc(port)}`;

function openTcp(endpoint: Endpoint): Promise<Duplex> {
    const seconds = endpoint.perDialTimeout ?? 15;
    const port = Math.trunc(endpoint.port ?? 22);
    return new Promise((resolve, reject) => {
        const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: silenceMs };
        const socket = connect({ host: endpoint.host, port, ...options });
        const late = () => socket.destroy(new Error(`no answer from ${address(endpoint)} within ${seconds} s`));
        const timer = seconds > 0 ? setTimeout(late, seconds * 1000) : undefined;
        const fail = (error: Error) => {
            clearTimeout(timer);
            reject(error);
        };
        socket.once("error", fail);
        socket.once("connect", () => {
            clearTimeout(timer);
            socket.off("error", fail);
            resolve(socket);
        });
    });
}

/** A TCP connection from the bastion to the host. */
function openForward(bastion: Client, endpoint: Endpoint): Promise<Duplex> {
    return new Promise((resolve, reject) => {
        bastion.forwardOut("127.0.0.1", 0, endpoint.host, Math.trunc(endpoint.port ?? 22), (error, channel) =>
            error ? reject(error) : resolve(channel),
        );
    });
}

interface Login {
    username: string;
    methods: AnyAuthMethod[];
    hostKey?: { type: string; key: Buffer };
}

/** @throws on what is wrong before any connection is opened; such errors are not retried */
async function prepareLogin(endpoint: Endpoint): Promise<Login> {
    const username = endpoint.user ?? "root";
    const methods: AnyAuthMethod[] = [{ type: "none", username }];
    if (endpoint.privateKey) {
        const key = openPrivateKey(endpoint.privateKey, endpoint.privateKeyPassword);
        if (typeof key === "string") {
            throw new Error(`the private key ${key}`);
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
            socket.on("error", (error) => reject(new Error(`ssh agent: ${error.message}`)));
        });
        methods.push({ type: "agent", username, agent: new OpenSSHAgent(agent) });
    }
    return { username, methods, hostKey: endpoint.hostKey ? parseHostKey(endpoint.hostKey) : undefined };
}

function parseHostKey(text: string): { type: string; key: Buffer } {
    const key = utils.parseKey(text.trim());
    if (key instanceof Error || Array.isArray(key)) {
        throw new Error("host key: cannot be read");
    }
    return { type: key.type, key: key.getPublicSSH() };
}

/** Has no limit of time, like the real plugin's; sshd ends a login that takes longer than its LoginGraceTime. */
function handshake(socket: Duplex, login: Login): Promise<Client> {
    const { username, hostKey } = login;
    const methods = [...login.methods];
    const client = new Client();
    return new Promise<Client>((resolve, reject) => {
        const fail = (why: string) => {
            client.destroy();
            socket.destroy();
            reject(new Error(`SSH handshake: ${why}`));
        };
        let mismatch = false;
        client.on("ready", () => resolve(client));
        client.on("error", (error) => fail(mismatch ? "host key mismatch" : error.message));
        client.on("close", () => fail("connection closed"));
        client.connect({
            sock: socket,
            username,
            readyTimeout: 0,
            algorithms: hostKey ? { serverHostKey: [hostKey.type as "ssh-ed25519"] } : undefined,
            hostVerifier: (key: Buffer) => {
                mismatch = hostKey !== undefined && !hostKey.key.equals(key);
                return !mismatch;
            },
            authHandler: (_left, _partial, next) => next((methods.shift() ?? false) as AnyAuthMethod),
        });
    });
}

/**
 * Tries until an attempt succeeds or more than `limit` have failed, with waits that grow from 0.1 s to 5 s. `signal` ends a wait, but not
 * an attempt.
 */
async function withRetries<T>(
    what: string,
    limit: number,
    signal: AbortSignal,
    onRetry: (line: string) => void,
    attempt: () => Promise<T>,
): Promise<T> {
    let delay = retry.firstMs;
    for (let tries = 0; ; tries++) {
        try {
            return await attempt();
        } catch (error) {
            const { message } = error as Error;
            if (limit > -1 && tries + 1 > limit) {
                throw new Error(tries ? `after ${tries + 1} attempts: ${message}` : message);
            }
            onRetry(`${what} ${tries + 1}/${limit === -1 ? "inf" : limit} failed: retrying`);
        }
        await sleep(Math.min(delay, retry.mostMs), undefined, { signal }).catch(() => undefined);
        signal.throwIfAborted();
        delay *= retry.factor;
    }
}

/**
 * Connects and logs in, directly or through `proxy`.
 * @throws if no attempt succeeds, with the reason of the last one
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
            handshake(await openTcp(connection), login),
        );
        return { client, close: () => client.destroy() };
    }
    const viaProxy = (error: Error) => {
        throw signal.aborted ? error : new Error(`proxy: ${error.message}`);
    };
    const proxyLogin = await prepareLogin(proxy).catch(viaProxy);
    const bastion = await withRetries("Dial proxy", proxy.dialErrorLimit ?? 10, signal, onRetry, async () =>
        handshake(await openTcp(proxy), proxyLogin),
    ).catch(viaProxy);
    try {
        // Each attempt gets a fresh connection. (The real plugin repeats the handshake on the used one.)
        const client = await withRetries("Dial from proxy", limit, signal, onRetry, async () =>
            handshake(await openForward(bastion, connection), login),
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
