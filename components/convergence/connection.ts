import type { types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { parseHostKey, type SshError, type SshTarget } from "./ssh/ssh";

/** How a host is reached. */
export interface HostConnection {
    /** Host name or address. */
    address: pulumi.Input<string>;
    /** The host's public key, `ssh-ed25519 AAAA…` or ecdsa. Required: hosts are always verified. */
    hostKey: pulumi.Input<string>;
    /** TCP port of sshd. @default 22 */
    port?: number;
    /** Login name. @default "root" */
    user?: string;
    /** `"sudo"` if the user is not root; sudo must need no password. @default - the user is root */
    become?: "sudo";
    /** Private key of the user. @default - the agent at SSH_AUTH_SOCK */
    privateKey?: pulumi.Input<string>;
    /** Passphrase of the private key. @default - the key has none */
    privateKeyPassword?: pulumi.Input<string>;
    /** A host to connect through, with a pinned key of its own. @default - none */
    bastion?: BastionConnection;
}

/** A host to connect through: it forwards TCP connections, and nothing runs on it. */
export interface BastionConnection {
    /** Host name or address. */
    address: pulumi.Input<string>;
    /** The bastion's own public key, `ssh-ed25519 AAAA…` or ecdsa. */
    hostKey: pulumi.Input<string>;
    /** TCP port of sshd. @default 22 */
    port?: number;
    /** Login name. @default - as on the host behind it */
    user?: string;
    /** Private key of the user. @default - that of the host behind it */
    privateKey?: pulumi.Input<string>;
    /** Passphrase of the private key. @default - with a key of its own none, otherwise that of the host behind it */
    privateKeyPassword?: pulumi.Input<string>;
}

/** The command plugin gives up after this many refused connections, about 30 s. Constant, because a change of it would update every host. */
const DIAL_ERROR_LIMIT = 12;

/** Seconds that the command plugin waits for one connection. */
const DIAL_TIMEOUT = 15;

/** Issues of host keys and ports. A key that is an output is checked when it is known, by the probe. */
export function connectionIssues(connection: HostConnection): string[] {
    return [connection, connection.bastion].flatMap((hop) => [
        ...hostKeyIssues(hop?.hostKey),
        ...rangeIssues("port", hop?.port, 65_535),
    ]);
}

function hostKeyIssues(hostKey: pulumi.Input<string> | undefined): string[] {
    try {
        if (typeof hostKey === "string") {
            parseHostKey(hostKey);
        }
        return [];
    } catch (error) {
        return [(error as SshError).message];
    }
}

/** Issues of a whole number from 1 to `most`. */
export function rangeIssues(name: string, value: number | undefined, most: number): string[] {
    return value === undefined || (Number.isInteger(value) && value >= 1 && value <= most)
        ? []
        : [`invalid ${name} ${value}; use a whole number from 1 to ${most}`];
}

/** The connection in the form of our own SSH client. */
export function sshTarget(connection: HostConnection): pulumi.Output<SshTarget> {
    const { address, hostKey, bastion } = connection;
    return pulumi
        .all([address, hostKey, loginKey(connection), bastion?.address, bastion?.hostKey, bastionLoginKey(connection)])
        .apply(([host, key, login, bastionHost, bastionKey, bastionLogin]) => ({
            address: host,
            hostKey: key,
            port: connection.port ?? 22,
            user: connection.user ?? "root",
            ...login,
            ...(bastion && {
                bastion: {
                    address: bastionHost as string,
                    hostKey: bastionKey as string,
                    port: bastion.port ?? 22,
                    user: bastion.user ?? connection.user ?? "root",
                    ...bastionLogin,
                },
            }),
        }));
}

/**
 * The connection in the form of the command plugin. It is copied field by field, because the plugin prints a connection with an unknown
 * field, including the private key.
 */
export function commandConnection(connection: HostConnection): types.input.remote.ConnectionArgs {
    const { bastion } = connection;
    return {
        host: connection.address,
        port: connection.port ?? 22,
        user: connection.user ?? "root",
        hostKey: connection.hostKey,
        ...loginKey(connection),
        dialErrorLimit: DIAL_ERROR_LIMIT,
        perDialTimeout: DIAL_TIMEOUT,
        ...(bastion && {
            proxy: {
                host: bastion.address,
                port: bastion.port ?? 22,
                user: bastion.user ?? connection.user ?? "root",
                hostKey: bastion.hostKey,
                ...bastionLoginKey(connection),
                dialErrorLimit: DIAL_ERROR_LIMIT,
                perDialTimeout: DIAL_TIMEOUT,
            },
        }),
    };
}

function loginKey({ privateKey, privateKeyPassword }: Pick<HostConnection, "privateKey" | "privateKeyPassword">) {
    return { privateKey, privateKeyPassword };
}

/** A passphrase belongs to its key: both come from the bastion, or both from the host. */
function bastionLoginKey({ bastion, ...connection }: HostConnection) {
    return loginKey(bastion?.privateKey === undefined ? connection : bastion);
}
