import { targetOf } from "../../components/convergence/connection";
import { launchOf } from "../../components/convergence/payload/commands";
import type { SshTarget } from "../../components/convergence/ssh/ssh";
import { COMMAND, HOST, revealed, type StateResource, urnParts } from "../state";

/** The hosts of a stack, as its state has them. */
export interface StackHosts {
    /** Name of the stack without its organization; empty if the state has no resource. */
    readonly stack: string;
    readonly project: string;
    /** In the order of their names. */
    readonly hosts: readonly StackHost[];
}

export interface StackHost {
    /** Name of its component, as in `edge-lb1`. */
    readonly host: string;
    /** Name of the fleet that it belongs to; empty if it is on its own. */
    readonly fleet: string;
    /** What the last up has used to converge it, or why that is not known. @default - it was never converged */
    readonly converged?: ConvergedWith | { readonly unknown: string };
}

export interface ConvergedWith {
    readonly target: SshTarget;
    readonly become?: "sudo";
    readonly token: string;
}

/** The hosts of a stack, from the resources in its exported state. */
export function hostsIn(resources: readonly StateResource[]): StackHosts {
    const present = resources.filter((resource) => !(resource.delete || resource.pendingReplacement));
    const commands = new Map(
        present
            .filter(({ urn }) => urnParts(urn).type === COMMAND)
            .map((command) => [`${command.parent} ${urnParts(command.urn).name}`, command]),
    );
    const hosts = present.flatMap(({ urn, parent = "" }): StackHost[] => {
        const { type, name } = urnParts(urn);
        if (type !== HOST) {
            return [];
        }
        const command = commands.get(`${urn} ${name}-converge`);
        const above = urnParts(parent).name;
        return [
            {
                host: name,
                fleet: name.startsWith(`${above}-`) ? above : "",
                ...(command !== undefined && { converged: convergedWith(command) }),
            },
        ];
    });
    const { stack, project } = urnParts(resources[0]?.urn ?? "");
    const order = new Intl.Collator("en", { numeric: true });
    return { stack, project, hosts: hosts.sort((a, b) => order.compare(a.host, b.host)) };
}

/**
 * The hosts that are named, by component or by the name in their fleet.
 *
 * @throws {Error} If the stack has no host of a name.
 */
export function namedHosts({ stack, hosts }: StackHosts, names: readonly string[]): readonly StackHost[] {
    const has = ({ host, fleet }: StackHost, name: string) => host === name || host === `${fleet}-${name}`;
    for (const name of names) {
        if (!hosts.some((each) => has(each, name))) {
            const known = hosts.map(({ host }) => host).join(", ");
            throw new Error(`stack ${stack} has no host ${name} (it has: ${known || "none"}); name one of them`);
        }
    }
    return names.length === 0 ? hosts : hosts.filter((each) => names.some((name) => has(each, name)));
}

/** A connection in the form of the command plugin, as `commandConnection` writes it; absent fields may be null. */
interface StoredHop {
    readonly host?: string | null;
    readonly port?: number | null;
    readonly user?: string | null;
    readonly hostKey?: string | null;
    readonly privateKey?: string | null;
    readonly privateKeyPassword?: string | null;
    readonly proxy?: StoredHop | null;
}

function convergedWith({ outputs = {} }: StateResource): StackHost["converged"] {
    const { connection, create, update } = revealed(outputs) as {
        readonly connection?: StoredHop;
        readonly create?: unknown;
        readonly update?: unknown;
    };
    const launched = launchOf(String(update ?? create));
    if (launched === undefined || typeof connection?.host !== "string") {
        return { unknown: "its command in the state is not one of this release; use the release of the last up" };
    }
    const { proxy } = connection;
    return { target: targetOf(hopOf(connection), proxy ? hopOf(proxy) : undefined), ...launched };
}

/** What to dial. The agent's keys are used if no private key is stored, as an up does. */
function hopOf({ host, hostKey, port, user, privateKey, privateKeyPassword }: StoredHop) {
    return {
        address: host ?? "",
        hostKey: hostKey ?? "",
        ...(port && { port }),
        ...(user && { user }),
        ...(privateKey && { privateKey }),
        ...(privateKeyPassword && { privateKeyPassword }),
    };
}
