import { join } from "node:path";
import type { Resource } from "../../components/convergence/kinds/index";
import type { SshTarget } from "../../components/convergence/ssh/ssh";
import { repo } from "../../toolchain/environment.mjs";

/** A host in a Pulumi program. */
export interface ProgramHost {
    name: string;
    target: SshTarget;
    resources: Resource[];
    slots?: Record<string, string>;
    probe?: boolean;
    takeOver?: boolean;
}

/** The text of a Pulumi program that converges hosts with secret slots, for Project.program. */
export function hostsProgram(hosts: ProgramHost[]): string {
    const args = hosts.map(({ name, target: { address, port, user, hostKey, privateKey }, ...rest }) => ({
        name,
        connection: { address, port, user, hostKey, privateKey },
        ...rest,
    }));
    return `
        import { ConvergedHost } from ${JSON.stringify(join(repo, "components/convergence/convergedHost"))};
        for (const { name, connection, slots = {}, ...rest } of ${JSON.stringify(args)}) {
            new ConvergedHost(name, {
                connection: { ...connection, privateKey: pulumi.secret(connection.privateKey) },
                slots: Object.fromEntries(Object.entries(slots).map(([slot, value]) => [slot, pulumi.secret(value)])),
                ...rest,
            });
        }`;
}
