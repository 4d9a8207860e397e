// States of stacks, as `pulumi stack export --show-secrets` prints them.
import { commandConnection } from "../../components/convergence/connection";
import { launchCommand } from "../../components/convergence/payload/commands";
import type { SshTarget } from "../../components/convergence/ssh/ssh";
import { COMMAND, FLEET, HOST } from "./probeReplies";

const stack = "urn:pulumi:prod::edge::pulumi:pulumi:Stack::edge-prod";
const urn = (types: string, name: string) => `urn:pulumi:prod::edge::${types}::${name}`;

/** A secret in a state. */
export function secret(value: unknown) {
    return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", plaintext: JSON.stringify(value) };
}

/** The state of the stack prod of the project edge. */
export function stateOf(...resources: object[]): string {
    return JSON.stringify({
        version: 3,
        deployment: { resources: [{ urn: stack, type: "pulumi:pulumi:Stack" }, ...resources] },
    });
}

/** A host, in a fleet or on its own. */
export function hostOf(name: string, fleet?: string) {
    const parent = fleet === undefined ? stack : urn(FLEET, fleet);
    return { urn: urn(fleet === undefined ? HOST : `${FLEET}$${HOST}`, name), type: HOST, parent };
}

/** The command of a host. */
export function commandOf(host: string, fleet: string | undefined, target: SshTarget, token: string, become?: "sudo") {
    const parent = hostOf(host, fleet).urn;
    const types = parent.split("::")[2];
    const launch = launchCommand(token, become);
    // The provider makes the connection a secret; the engine stores no undefined.
    const connection = secret(commandConnection({ target } as Parameters<typeof commandConnection>[0]));
    return {
        urn: urn(`${types}$${COMMAND}`, `${host}-converge`),
        id: "command1",
        type: COMMAND,
        parent,
        outputs: { connection, create: launch, update: launch, stdout: "", stderr: "" },
    };
}
