import * as pulumi from "@pulumi/pulumi";
import type { HostConnection } from "../../components/convergence/connection";
import { knownValue } from "../../components/convergence/outputs";
import { planRetirement, type Retirement } from "../../components/convergence/retirement";
import { type Host, runProgram } from "../program";
import { findProject } from "../project";
import { pulumiIn } from "../pulumiCli";
import { configFromCli } from "../stackConfig";
import { outputsIn } from "../state";
import type { Surroundings } from "../surroundings";

/** Seconds of a retirement besides the time in which connections may end. */
const WORK = 900;

/** What the person who retires a host needs to know. */
export interface RetirementOf extends Retirement {
    /** Name of its component. */
    readonly host: string;
    readonly address: string;
    readonly stack: string;
    /** Seconds after which HAProxy ends the connections that are left. */
    readonly hardStopAfter: number;
    /** Whether it is one of a pair. */
    readonly isInPair: boolean;
}

/**
 * Asks a host that a program declares what retiring it would end and undo. Changes nothing. Runs the program with the config and the
 * state of the stack.
 *
 * @param name of the host's component, or of the host in its fleet if only one fleet has such a host
 * @param stackName As `pulumi stack select` takes it. @default - the selected stack
 * @throws {Error} If the config or the state cannot be read, if the program fails or does not declare the host, if its connection is not
 * known, or if the host cannot be asked or refuses.
 */
export async function retirementOf(
    name: string,
    stackName: string | undefined,
    surroundings: Pick<Surroundings, "pulumi" | "pulumiCommand">,
): Promise<RetirementOf> {
    const project = findProject();
    const answer = pulumiIn(project, surroundings);
    const selected = stackName ?? (await answer("stack", "--show-name"));
    // The login's key may be among the secrets.
    const config = configFromCli(await answer("config", "--json", "--show-secrets", "--stack", selected));
    const state = outputsIn(await answer("stack", "export", "--show-secrets", "--stack", selected));
    const [stack = "", , organization] = selected.split("/").reverse();
    const { hosts, errors } = await runProgram(project, {
        purpose: "retire",
        stack,
        organization,
        config,
        outputsOf: state,
    });
    if (errors.length > 0) {
        throw new Error(`the program fails:\n${errors.join("\n")}`);
    }
    const host = hostNamed(name, hosts, stack);
    const hardStopAfter = Math.max(
        0,
        ...host.resources.map((resource) =>
            resource.kind === "transaction" ? Number(resource.adapter?.parameters?.hard_stop ?? 0) : 0,
        ),
    );
    const connection = await known(host, `${surroundings.pulumiCommand} up --stack ${stack}`);
    const retired = {
        connection,
        resources: [...host.resources],
        owner: host.owner,
        formerOwners: await host.formerOwners,
        deadline: Math.min(86_400, hardStopAfter + WORK),
    };
    const isInPair = host.resources.some(
        (resource) => resource.kind === "transaction" && resource.name === "keepalived",
    );
    return {
        ...(await planRetirement(retired)),
        ...{ host: host.name, address: connection.address, stack, hardStopAfter, isInPair },
    };
}

function hostNamed(name: string, hosts: readonly Host[], stack: string): Host {
    const [exact] = hosts.filter((host) => host.name === name);
    const ofFleets = hosts.filter((host) => host.name === `${host.parent}-${name}`);
    const names = hosts.map((host) => host.name).join(", ");
    if (exact === undefined && ofFleets.length > 1) {
        throw new Error(`host ${name}: several fleets have one; use ${ofFleets.map((host) => host.name).join(" or ")}`);
    }
    const [found = exact] = exact === undefined ? ofFleets : [exact];
    if (found === undefined) {
        const remedy = `name one of them, or put ${name} back into the program until it is retired`;
        throw new Error(`stack ${stack} has no host ${name} (it has: ${names || "none"}); ${remedy}`);
    }
    return found;
}

/** The connection with all outputs resolved. */
async function known({ name, connection }: Host, up: string): Promise<pulumi.Unwrap<HostConnection>> {
    const resolved = await knownValue(pulumi.output(connection));
    if (resolved === undefined) {
        throw new Error(`${name}: its connection needs a value that the state does not have; run ${up} first`);
    }
    return resolved;
}
