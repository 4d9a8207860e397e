import { remote, type types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { assertClaims, claimHost } from "./hostClaims";
import { slotValueFaults } from "./payload/fileContents";
import { bootstrap, buildPayload, withoutRuntime } from "./payload/payload";
import { declaredFiles, makePlan, type Plan, PlanError } from "./payload/plan";
import { describe } from "./preview/previewReport";
import { type Probe, probeOverSsh } from "./preview/probe";
import { resourceError } from "./resourceError";
import { printable, type Resource } from "./resources";
import { secretSlots, showSlots } from "./slots";
import { parseHostKey, SshError, type SshTarget } from "./ssh/ssh";
import { nextToken, takesOver, tokenOfPlan } from "./token";

/** How a host is reached. */
export interface HostConnection {
    /** Host name or address. */
    address: pulumi.Input<string>;
    /** The host's public key, `ssh-ed25519 AAAA…` or ecdsa: there is no way to connect without one. */
    hostKey: pulumi.Input<string>;
    /** TCP port of sshd. @default 22 */
    port?: number;
    /** Who logs in. @default "root" */
    user?: string;
    /** `"sudo"` where the user is not root; it must need no password. @default - the user is root */
    become?: "sudo";
    /** Private key of the user. @default - the agent at SSH_AUTH_SOCK */
    privateKey?: pulumi.Input<string>;
    /** Passphrase of the private key. @default - it has none */
    privateKeyPassword?: pulumi.Input<string>;
    /** A host to go through; it has a pinned key of its own. @default - none */
    bastion?: BastionConnection;
}

/** A host to go through: it forwards TCP connections, nothing is run there. */
export interface BastionConnection {
    /** Host name or address. */
    address: pulumi.Input<string>;
    /** The bastion's own public key, as that of the host. */
    hostKey: pulumi.Input<string>;
    /** TCP port of sshd. @default 22 */
    port?: number;
    /** Who logs in. @default - as on the host behind it */
    user?: string;
    /** Private key of the user. @default - that of the host behind it */
    privateKey?: pulumi.Input<string>;
    /** Passphrase of the private key. @default - with a key of its own none, else that of the host behind it */
    privateKeyPassword?: pulumi.Input<string>;
}

/** Arguments of ConvergedHost. */
export interface ConvergedHostArgs {
    /** How the host is reached. */
    connection: HostConnection;
    /** The run list: resources in the order in which they are converged. */
    resources: Resource[];
    /** Values of the slots that the resources name. They end on the host only, and encrypted in the state. @default {} */
    slots?: Record<string, pulumi.Input<string>>;
    /**
     * Whether the host is asked what differs. Without, a preview shows what the plan changes but not what somebody has changed on
     * the host: for pull requests that must not reach hosts. @default true
     */
    probe?: boolean;
    /** Whole seconds after which a converge is ended; waits for others end 120 s before. @default 900 */
    deadline?: number;
    /**
     * Whether to converge a host that another component, stack or project has converged before: for a rename, or to move it. What the
     * other has declared and this run list does not is undone. Take it out again when the up is done. @default false
     */
    takeOver?: boolean;
}

/** Dialling is given up after so many refusals, some 30 s: constant, as any change of it would be an update. */
const DIAL_ERROR_LIMIT = 12;

let probe: Probe = probeOverSsh;

/** Replaces the way hosts are asked, for unit tests: no test dials. */
export function useProbe(other: Probe): void {
    probe = other;
}

/** What the engine is to be told: what to send, and whether that is anything new. */
interface Converge {
    token: string;
    payload: string;
}

/**
 * One host, converged to a run list. A preview shows what differs on the host and what an up would do about it; an up repairs
 * it, in one ssh command. Deleting this component leaves the host serving.
 */
export class ConvergedHost extends pulumi.ComponentResource {
    /** What the last converge did, for people: a line per resource that was changed, or `nothing to do`. */
    public readonly lastRun: pulumi.Output<string>;

    /**
     * @param name names the host in messages, and its command `<name>-converge`
     * @throws ResourceError with every fault of the run list, the host keys and the slots; if another component of the program has
     * the same address and port; during an up, on this host alone, if it cannot be asked
     */
    constructor(name: string, args: ConvergedHostArgs, opts?: pulumi.ComponentResourceOptions) {
        super("haproxy-fleet:index:ConvergedHost", name, renderedFiles(args.resources), opts);

        const plan = this.plan(name, args);
        claimHost(name, args.connection, this);
        const target = resolveTarget(args.connection);
        const converge = pulumi
            .all([target, pulumi.all(args.slots ?? {})])
            .apply(([resolved, slots]) => this.observe(name, args, plan, resolved, slots));
        const command = this.command(name, args, converge);

        this.lastRun = command.stdout;
        this.registerOutputs({ lastRun: this.lastRun });
    }

    /** The plan; every fault of it, of the host keys and of the slots in one error. */
    private plan(name: string, { connection, resources, slots = {}, deadline }: ConvergedHostArgs): Plan {
        const hops = [connection, connection.bastion];
        const faults = [
            ...hops.flatMap((hop) => [...hostKeyFaults(hop?.hostKey), ...wholeFaults("port", hop?.port, 65_535)]),
            ...wholeFaults("deadline", deadline, 86_400),
            ...slotFaults(resources, Object.keys(slots)),
        ];
        try {
            const plan = makePlan(resources);
            if (faults.length === 0) {
                return plan;
            }
        } catch (error) {
            if (!(error instanceof PlanError)) {
                throw error;
            }
            faults.push(...error.faults);
        }
        const title = `${name}: ${faults.length} fault${faults.length === 1 ? "" : "s"} in what is declared`;
        throw resourceError([title, ...faults].join("\n  "), this);
    }

    /** Asks the host what differs, tells people, and decides on the token. */
    private async observe(
        name: string,
        args: ConvergedHostArgs,
        plan: Plan,
        target: SshTarget,
        slots: Record<string, string>,
    ): Promise<Converge> {
        const faults = slotValueFaults(args.resources, slots);
        if (faults.length > 0) {
            throw resourceError([`${name}:`, ...faults].join(faults.length === 1 ? " " : "\n  "), this);
        }
        assertClaims();
        const { deadline, takeOver = false } = args;
        const payload = (mayTake: boolean, token?: string) =>
            buildPayload(plan, { slots, owner: ownerOf(name), takeOver: mayTake, token, deadline });
        const asked = payload(takeOver);
        const ofPlan = tokenOfPlan(asked);
        const unasked = () => ({ token: ofPlan, payload: payload(takeOver, ofPlan) });
        if (args.probe === false) {
            return unasked();
        }
        try {
            const whyRun = await probe(target, asked, args.connection.become);
            const report = describe(name, whyRun, plan, slots);
            if (report.refused && pulumi.runtime.isDryRun()) {
                throw resourceError(report.text, this);
            }
            if (report.text !== "" && pulumi.runtime.isDryRun()) {
                await pulumi.log.warn(report.text, this);
            }
            const token = nextToken(whyRun, plan);
            // A converge without a probe had to send all, and that is what the engine compares with.
            return token === ofPlan ? unasked() : { token, payload: withoutRuntime(payload(takesOver(token), token)) };
        } catch (error) {
            if (!(error instanceof SshError)) {
                throw error;
            }
            if (!pulumi.runtime.isDryRun()) {
                throw resourceError(`${name}: ${error.message}`, this);
            }
            await pulumi.log.warn(`${name} could not be asked what differs: ${error.message}`, this);
            return { token: pulumi.unknown as unknown as string, payload: pulumi.unknown as unknown as string };
        }
    }

    private command(name: string, args: ConvergedHostArgs, converge: pulumi.Output<Converge>): remote.Command {
        const launch = bootstrap("launch", args.connection.become);
        // Without a probe a preview cannot know the token that the host was given, and must not pretend to.
        const unknown = args.probe === false && pulumi.runtime.isDryRun();
        return new remote.Command(
            `${name}-converge`,
            {
                connection: commandConnection(args.connection),
                create: launch,
                update: pulumi.interpolate`${launch} ${pulumi.unsecret(converge).apply(({ token }) => token)}`,
                stdin: pulumi.secret(converge.apply(({ payload }) => payload)),
                logging: remote.Logging.Stderr,
                addPreviousOutputInEnv: false,
            },
            { parent: this, ignoreChanges: unknown ? ["update", "stdin"] : [] },
        );
    }
}

/** Who converges the host, for its own record and for people. */
function ownerOf(name: string): string {
    return printable([pulumi.getProject(), pulumi.getStack(), name].join("/"));
}

/** The files as people may see them, inputs of the component: `pulumi preview --diff` shows their lines. */
function renderedFiles(resources: Resource[]): { files: Record<string, string> } {
    const texts = declaredFiles(resources).map(({ path, content }) => [
        path,
        typeof content === "string" ? showSlots(content) : `${content.length} bytes`,
    ]);
    return { files: Object.fromEntries(texts) };
}

/** An output is judged only when it is known, by the probe. */
function hostKeyFaults(hostKey: pulumi.Input<string> | undefined): string[] {
    try {
        if (typeof hostKey === "string") {
            parseHostKey(hostKey);
        }
        return [];
    } catch (error) {
        return [(error as SshError).message];
    }
}

function wholeFaults(what: string, value: number | undefined, most: number): string[] {
    return value === undefined || (Number.isInteger(value) && value >= 1 && value <= most)
        ? []
        : [`invalid ${what} ${value}: use a whole number from 1 to ${most}`];
}

function slotFaults(resources: Resource[], given: string[]): string[] {
    return declaredFiles(resources).flatMap(({ path, content }) =>
        typeof content === "string"
            ? secretSlots(content)
                  .filter((slot) => !given.includes(slot))
                  .map((slot) => `${path} needs a value for the slot ${JSON.stringify(slot)}: give one in slots`)
            : [],
    );
}

function resolveTarget(connection: HostConnection): pulumi.Output<SshTarget> {
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

function loginKey({ privateKey, privateKeyPassword }: Pick<HostConnection, "privateKey" | "privateKeyPassword">) {
    return { privateKey, privateKeyPassword };
}

/** A key goes with its own passphrase. */
function bastionLoginKey({ bastion, ...connection }: HostConnection) {
    return loginKey(bastion?.privateKey === undefined ? connection : bastion);
}

/** Field by field: the plugin prints a connection with a field that it does not know, private key and all. */
function commandConnection(connection: HostConnection): types.input.remote.ConnectionArgs {
    const { bastion } = connection;
    return {
        host: connection.address,
        port: connection.port ?? 22,
        user: connection.user ?? "root",
        hostKey: connection.hostKey,
        ...loginKey(connection),
        dialErrorLimit: DIAL_ERROR_LIMIT,
        perDialTimeout: 15,
        ...(bastion && {
            proxy: {
                host: bastion.address,
                port: bastion.port ?? 22,
                user: bastion.user ?? connection.user ?? "root",
                hostKey: bastion.hostKey,
                ...bastionLoginKey(connection),
                dialErrorLimit: DIAL_ERROR_LIMIT,
                perDialTimeout: 15,
            },
        }),
    };
}
