/** What a program would converge, for commands that run it without an engine. */
import type * as pulumi from "@pulumi/pulumi";
import type { HostConnection } from "./connection";
import type { Resource } from "./kinds/index";
import { perProgram } from "./perProgram";

/** A host that a program declares. */
export interface DeclaredHost {
    /** Name of its component, as in `edge-lb1`. */
    readonly name: string;
    /** Name of the component around it; the host's own name if there is none. */
    readonly parent: string;
    /** As the host records it: `project/stack/name`. */
    readonly owner: string;
    /** Owners before it was renamed. */
    readonly formerOwners: Promise<readonly string[]>;
    /** As declared: an address may be unknown. */
    readonly connection: HostConnection;
    /** The run list, with slots. Rejects with the issues of what is declared. */
    readonly resources: Promise<readonly Resource[]>;
}

/**
 * Why a program runs without an engine. A check may run where hosts are never reached: without the keys and files of the machine that
 * converges.
 */
export type Purpose = "check" | "retire";

interface Declarations {
    readonly hosts: DeclaredHost[];
    purpose?: Purpose;
}

const declarations = perProgram<Declarations>(() => ({ hosts: [] }));

/**
 * Notes a host of the program.
 *
 * @param options those of its component
 */
export function declareHost(host: Omit<DeclaredHost, "parent">, options?: pulumi.ComponentResourceOptions): void {
    // The SDK has a resource's name, but leaves it out of its types.
    const { __name: parent = host.name } = (options?.parent ?? {}) as { readonly __name?: string };
    // Only a command waits for it.
    host.resources.catch(() => undefined);
    declarations().hosts.push({ ...host, parent });
}

/** The hosts that the program has declared so far, in order. */
export function declaredHosts(): readonly DeclaredHost[] {
    return [...declarations().hosts];
}

/** Makes hosts of this program declare what they are, and nothing else: none is asked. Call it after the mocks are set. */
export function onlyDeclare(purpose: Purpose): void {
    declarations().purpose = purpose;
}

/** Why hosts are only declared; undefined if they are converged. A component then asks no host, and its token is unknown. */
export function onlyDeclared(): Purpose | undefined {
    return declarations().purpose;
}
