import type * as pulumi from "@pulumi/pulumi";
import { type HostConnection, targetOf } from "./connection";
import { label, type Resource } from "./kinds/index";
import { launchCommand } from "./payload/commands";
import { buildPayload } from "./payload/payload";
import { makePlan } from "./payload/plan";
import { confirmLogin } from "./preview/confirmLogin";
import { leavePayload, probeOverSsh } from "./preview/probe";
import { sha256 } from "./sha256";
import { connectSsh, SshError } from "./ssh/ssh";

/** A host to take out of service. */
export interface RetiredHost {
    /** How the host is reached, with all outputs resolved. */
    readonly connection: pulumi.Unwrap<HostConnection>;
    /** The run list with which it was converged; what it says of daemons is needed to end their service. */
    readonly resources: Resource[];
    /** `project/stack/name`, as the host has recorded it; another owner's host is refused. */
    readonly owner: string;
    /** Owners before a rename that no up has recorded yet. */
    readonly formerOwners: readonly string[];
    /** Seconds after which the retirement is ended. It must outlast the connections of the daemons. */
    readonly deadline: number;
}

/** What retiring a host means. */
export interface Retirement {
    /** Daemons that would stop serving, as `transaction[haproxy]`. */
    readonly daemons: readonly string[];
    /** What would be undone, as `file[/etc/motd]`. */
    readonly undone: readonly string[];
    /** Whether no component converges the host, so that nothing is left to do. */
    readonly retired: boolean;
    /**
     * Retires the host: as a detached converge, which goes on if the connection is lost. Running it again continues.
     *
     * @param hear called with lines of progress
     * @throws {SshError} If it fails, or if the connection is lost.
     */
    run(hear: (text: string) => void): Promise<void>;
}

/**
 * Asks a host what retiring it would end and undo. Changes nothing.
 *
 * @throws {SshError} If the host cannot be asked, or refuses, for example because another component converges it.
 */
export async function planRetirement({
    connection,
    resources,
    owner,
    formerOwners,
    deadline,
}: RetiredHost): Promise<Retirement> {
    const { become, bastion, ...login } = connection;
    const target = targetOf(login, bastion);
    const plan = makePlan(resources);
    const payload = buildPayload(plan, { slots: {}, owner, formerOwners, deadline, retire: true });
    const host = await probeOverSsh(target, payload, become);
    host.close();
    const { differences, refused, token, bootId } = host.answer;
    if (refused.length > 0) {
        throw new SshError(refused.map(({ words }) => words).join("\n"));
    }
    const name = (id: string) => plan.resources.flatMap((resource, n) => (id === `r${n}` ? label(resource) : []));
    // A retirement that is run again while it runs is joined.
    const launch = sha256(["retire", owner, bootId, token].join("\n")).slice(0, 32);
    return {
        daemons: differences.flatMap(({ id, aspect }) => (aspect === "serving" ? name(id) : [])),
        undone: differences.flatMap(({ aspect, have }) => (/^unlisted\b/.test(aspect) ? have : [])),
        retired: differences.length === 0,
        run: async (hear) => {
            const session = await connectSsh(target);
            try {
                await leavePayload(session, target, payload, become, launch);
                void confirmLogin(session, target, become, launch);
                const { code } = await session.run(launchCommand(launch, become), "", deadline * 2_000, hear);
                if (code !== 0) {
                    throw new SshError("the host is not retired yet; mend what it says, then run this again");
                }
            } finally {
                session.close();
            }
        },
    };
}
