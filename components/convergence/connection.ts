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
    user?: pulumi.Input<string>;
    /** `"sudo"` if the user is not root; sudo must need no password. @default - the user is root */
    become?: "sudo";
    /**
     * Private key of the user: ed25519, ecdsa or RSA, in OpenSSH, PEM or unencrypted PKCS#8 format (what `@pulumi/tls` makes).
     * @default - the agent at SSH_AUTH_SOCK
     */
    privateKey?: pulumi.Input<string>;
    /** Passphrase of the private key. @default - the key has none */
    privateKeyPassword?: pulumi.Input<string>;
    /** A host to connect through, with a pinned key of its own. @default - none */
    bastion?: BastionConnection;
    /** Seconds that an up waits while the host refuses connections or does not answer, because it may still be booting. @default 30 */
    bootSeconds?: number;
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
    user?: pulumi.Input<string>;
    /** Private key of the user. @default - that of the host behind it */
    privateKey?: pulumi.Input<string>;
    /** Passphrase of the private key. @default - with a key of its own none, otherwise that of the host behind it */
    privateKeyPassword?: pulumi.Input<string>;
}

/** The command plugin gives up after this many refused connections, about 30 s. Constant, because a change would update every host. */
const DIAL_ERROR_LIMIT = 12;

/** Seconds that the command plugin waits for one connection. */
const DIAL_TIMEOUT = 15;

/** The fields of one hop, as declared or with all outputs resolved. */
type Hop = Pick<BastionConnection, "address" | "hostKey" | "port" | "user" | "privateKey" | "privateKeyPassword">;

/** Fields that hold text. Each function says what is wrong with a value that is not empty, and what to do. */
const textFields: Readonly<Record<Exclude<keyof Hop, "port">, (value: string) => string | undefined>> = {
    address: (value) => (/\s/.test(value) ? `has white space, ${JSON.stringify(value)}; remove it` : undefined),
    hostKey: hostKeyProblem,
    user: (value) =>
        value.trim() === value ? undefined : `begins or ends with white space, ${JSON.stringify(value)}; remove it`,
    privateKey: () => undefined,
    privateKeyPassword: () => undefined,
};

/** Issues of the fields that are known already. Outputs are judged by judgedConnection. */
export function connectionIssues(connection: HostConnection): string[] {
    const ofHops = hopsOf(connection).flatMap(([name, hop]) => [
        ...declaredFields(hop).flatMap((field) =>
            typeof hop[field] === "object" ? [] : fieldIssues(name, field, hop),
        ),
        ...rangeIssues("port", hop.port, 65_535).map((issue) => `${name}.port: ${issue}`),
    ]);
    const waits = rangeIssues("bootSeconds", connection.bootSeconds, 3600);
    return [...ofHops, ...waits.map((issue) => `connection.bootSeconds: ${issue}`)];
}

/** A connection with all outputs resolved, or what is wrong with it. */
export type JudgedConnection =
    | { readonly target: SshTarget; readonly issues?: undefined }
    | { readonly target?: undefined; readonly issues: readonly string[] };

/** The connection with all outputs resolved, or the issues of the resolved values, each with the name of its field. */
export function judgedConnection(connection: HostConnection): pulumi.Output<JudgedConnection> {
    const hops = hopsOf(connection);
    return pulumi.output(hops.map(([, hop]) => ({ ...hop }))).apply((resolved): JudgedConnection => {
        const issues = hops.flatMap(([name, hop], n) =>
            declaredFields(hop).flatMap((field) => fieldIssues(name, field, resolved[n] as Hop)),
        );
        const [host, bastion] = resolved as [ResolvedHop, ResolvedHop?];
        if (issues.length > 0) {
            return { issues };
        }
        const { bootSeconds } = connection;
        return { target: { ...targetOf(host, bastion), ...(bootSeconds !== undefined && { bootSeconds }) } };
    }) as pulumi.Output<JudgedConnection>;
}

type ResolvedHop = { [K in keyof Hop]: pulumi.Unwrap<Hop[K]> };

/** What to dial, with the defaults of what is not declared. */
export function targetOf(host: ResolvedHop, bastion?: ResolvedHop): SshTarget {
    const login = ({ privateKey, privateKeyPassword }: ResolvedHop) => ({ privateKey, privateKeyPassword });
    const user = host.user ?? "root";
    const { address, hostKey, port = 22 } = host;
    return {
        address,
        hostKey,
        port,
        user,
        ...login(host),
        ...(bastion && {
            bastion: {
                address: bastion.address,
                hostKey: bastion.hostKey,
                port: bastion.port ?? 22,
                user: bastion.user ?? user,
                // A passphrase belongs to its key: both come from the bastion, or both from the host.
                ...login(bastion.privateKey === undefined ? host : bastion),
            },
        }),
    };
}

/**
 * A connection in the form of the command plugin; one that leads nowhere if it has issues. It is copied field by field, because the
 * plugin prints the whole connection, with the private key, if a field is unknown, undefined or no text.
 */
export function commandConnection({ target = nowhere }: JudgedConnection): types.input.remote.ConnectionArgs {
    const { bastion } = target;
    return { ...commandHop(target), ...(bastion && { proxy: commandHop(bastion) }) };
}

const nowhere: SshTarget = { address: "0.0.0.0", port: 1, user: "root", hostKey: "" };

function commandHop({ address, port, user, hostKey, privateKey, privateKeyPassword }: SshTarget) {
    return {
        host: address,
        port,
        user,
        hostKey,
        privateKey,
        privateKeyPassword,
        dialErrorLimit: DIAL_ERROR_LIMIT,
        perDialTimeout: DIAL_TIMEOUT,
    };
}

function hopsOf({ become: _, bastion, bootSeconds: __, ...host }: HostConnection): [string, Hop][] {
    return [["connection", host], ...(bastion ? ([["connection.bastion", bastion]] as [string, Hop][]) : [])];
}

type TextField = keyof typeof textFields;

/** Text fields that are required or declared, even if their outputs turn out to have no value. */
function declaredFields(hop: Hop): TextField[] {
    const required: TextField[] = ["address", "hostKey"];
    return (Object.keys(textFields) as TextField[]).filter(
        (field) => required.includes(field) || hop[field] !== undefined,
    );
}

function fieldIssues(name: string, field: TextField, values: Hop): string[] {
    const problem = textProblem(values[field], textFields[field]);
    return problem === undefined ? [] : [`${name}.${field}: ${problem}`];
}

function textProblem(value: unknown, judge: (value: string) => string | undefined): string | undefined {
    if (value === undefined || value === null) {
        return "has no value; check the output or the setting that it comes from";
    }
    if (typeof value !== "string") {
        return `is ${Array.isArray(value) ? "a list" : `of type ${typeof value}`}; use text`;
    }
    // Without an address, the command plugin would dial the local host.
    return value.trim() === "" ? "is empty; set it" : judge(value);
}

function hostKeyProblem(hostKey: string): string | undefined {
    if (/PRIVATE KEY/.test(hostKey)) {
        return "is a private key; use the public key of the host, and replace this one if it was shown or stored";
    }
    try {
        parseHostKey(hostKey);
        return undefined;
    } catch (error) {
        return (error as SshError).message;
    }
}

/** Issues of a whole number from 1 to `most`. */
export function rangeIssues(name: string, value: number | undefined, most: number): string[] {
    return value === undefined || (Number.isInteger(value) && value >= 1 && value <= most)
        ? []
        : [`invalid ${name} ${value}; use a whole number from 1 to ${most}`];
}
