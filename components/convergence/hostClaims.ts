import type * as pulumi from "@pulumi/pulumi";
import { perProgram } from "./perProgram";
import { resourceError } from "./resourceError";

interface Address {
    address: pulumi.Input<string>;
    port?: number;
    bastion?: { address: pulumi.Input<string> };
}

interface Claims {
    /** Names of hosts by address. */
    hosts: Map<string, string>;
    error?: pulumi.ResourceError;
}

const claims = perProgram<Claims>(() => ({ hosts: new Map() }));

/**
 * Notes that a component converges a host. If its address is an output, the host itself decides, because it knows its owner.
 *
 * @throws ResourceError if another component of the program converges it already
 */
export function claimHost(name: string, { address, port = 22, bastion }: Address, resource: pulumi.Resource): void {
    if (typeof address !== "string" || (bastion !== undefined && typeof bastion.address !== "string")) {
        return;
    }
    const { hosts } = claims();
    const location = `${address.toLowerCase()}:${port}`;
    // The same private address behind two bastions is two hosts.
    const key = `${bastion?.address ?? ""} ${location}`;
    const other = hosts.get(key);
    if (other !== undefined) {
        claims().error ??= resourceError(
            `${name}: ${location} is already converged by ${other}, and the two would undo each other's files; merge their run lists, or correct the address`,
            resource,
        );
        throw claims().error;
    }
    hosts.set(key, name);
}

/**
 * Fails if two components have claimed one host, so that the program ends before any host is asked. Throws the same error object as
 * claimHost, because the engine shows each object once.
 */
export function assertClaims(): void {
    const { error } = claims();
    if (error !== undefined) {
        throw error;
    }
}
