import type { Resource } from "../../components/convergence/kinds/index";
import type { SshTarget } from "../../components/convergence/ssh/ssh";
import { testLibrary } from "../../toolchain/package.mjs";

/** A host in a Pulumi program. */
export interface ProgramHost {
    name: string;
    target: SshTarget;
    resources: Resource[];
    slots?: Record<string, string>;
    /** Names of slots whose values are secrets of the stack's config. */
    configSlots?: string[];
    /** Slots whose values are what commands print on the host: resources of the program, so that previews do not know new ones. */
    commandSlots?: Record<string, string>;
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
        import { ConvergedHost } from ${JSON.stringify(testLibrary())};
        const config = new pulumi.Config();
        const printed = (name: string, create: string, { address: host, port, user, privateKey }: any) =>
            new remote.Command(name, { connection: { host, port, user, privateKey }, create, addPreviousOutputInEnv: false }).stdout;
        for (const { name, connection, slots = {}, configSlots = [], commandSlots = {}, ...rest } of ${JSON.stringify(args)}) {
            new ConvergedHost(name, {
                connection: {
                    ...connection,
                    privateKey: config.getSecret("sshPrivateKey") ?? pulumi.secret(connection.privateKey),
                },
                slots: {
                    ...Object.fromEntries(Object.entries(slots).map(([slot, value]) => [slot, pulumi.secret(value)])),
                    ...Object.fromEntries(configSlots.map((slot) => [slot, config.requireSecret(slot)])),
                    ...Object.fromEntries(
                        Object.entries(commandSlots).map(([slot, command]) => [slot, printed(slot, command, connection)]),
                    ),
                },
                ...rest,
            });
        }`;
}
