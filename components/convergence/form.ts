import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { flag, formOf } from "../forms";
import type { BastionConnection, HostConnection } from "./connection";
import { number } from "./kinds/forms";
import { resourceForm } from "./kinds/index";

// The form of a host's arguments, for data that no compiler has seen.

/** Text, or an Output or Promise, whose value is judged once it is known. */
export const input = (message = "expected text, or an Output of it") =>
    z.custom<pulumi.Input<string>>(
        (value) => typeof value === "string" || pulumi.Output.isInstance(value) || value instanceof Promise,
        { message },
    );

/** The key of a host, with the way to get it. */
const hostKey = (address: string) =>
    input(
        `expected the public key of ${address}, as in "ssh-ed25519 AAAA…"; print it with ssh-keyscan -t ed25519, and compare it with ` +
            "/etc/ssh/ssh_host_ed25519_key.pub on the host",
    );

const loginShape = {
    address: input(),
    port: number.optional(),
    user: input().optional(),
    privateKey: input().optional(),
    privateKeyPassword: input().optional(),
};

const bastionForm = formOf<BastionConnection>()(z.strictObject({ ...loginShape, hostKey: hostKey("the bastion") }));

/** The form of a connection, in which an Input may stand for any text that only sshd judges. */
export const connectionForm = formOf<HostConnection>()(
    z.strictObject({
        ...loginShape,
        hostKey: hostKey("the host"),
        become: z.literal("sudo").optional(),
        bootSeconds: number.optional(),
        bastion: bastionForm.optional(),
    }),
);

/** Values of slots by name. */
export const slotsForm = z.record(z.string(), input());

/** Fields of ConvergedHostArgs. */
export const argsShape = {
    connection: connectionForm,
    resources: z.array(resourceForm),
    slots: slotsForm.optional(),
    probe: flag.optional(),
    requireAnswer: flag.optional(),
    deadline: number.optional(),
    takeOver: flag.optional(),
};
