import * as pulumi from "@pulumi/pulumi";
import { resourceError } from "./resourceError";

/** Where a host is. */
interface Place {
    address: pulumi.Input<string>;
    port?: number;
    bastion?: { address: pulumi.Input<string> };
}

/** What a run of a program has declared so far. */
interface Program {
    /** Names of hosts by where they are. */
    hosts: Map<string, string>;
    fault?: pulumi.ResourceError;
}

/** By the engine's end, as one process may run several programs. */
const programs = new WeakMap<object, Program>();

function program(): Program {
    const engine: object = pulumi.runtime.getMonitor() ?? programs;
    const known = programs.get(engine) ?? { hosts: new Map() };
    programs.set(engine, known);
    return known;
}

/**
 * Notes that a component converges a host. Addresses that are outputs are judged by the host itself, which knows its owner.
 *
 * @throws ResourceError if another component of the program does so already
 */
export function claimHost(name: string, { address, port = 22, bastion }: Place, resource: pulumi.Resource): void {
    if (typeof address !== "string" || (bastion !== undefined && typeof bastion.address !== "string")) {
        return;
    }
    const declared = program();
    const place = `${address.toLowerCase()}:${port}`;
    // The same private address behind two bastions is two hosts.
    const key = `${bastion?.address ?? ""} ${place}`;
    const other = declared.hosts.get(key);
    if (other !== undefined) {
        declared.fault ??= resourceError(
            `${name}: ${place} is converged by ${other} already, and two would undo each other's files: join their run lists in one, or correct the address`,
            resource,
        );
        throw declared.fault;
    }
    declared.hosts.set(key, name);
}

/**
 * Fails where two components have claimed one host, so that the program ends with no host asked or touched. It is the very error
 * that the second was given, as the engine tells each error once.
 */
export function assertClaims(): void {
    const { fault } = program();
    if (fault !== undefined) {
        throw fault;
    }
}
