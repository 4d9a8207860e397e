import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { anyText, flag } from "../forms";
import type { BastionConnection, HostConnection } from "./connection";
import { number } from "./kinds/forms";
import { resourceForm } from "./kinds/index";

// The form of a host's arguments, for data that no compiler has seen.

const input = z.custom<pulumi.Input<string>>(
    (value) => typeof value === "string" || (typeof value === "object" && value !== null),
    { message: "expected text, or an Output of it" },
);

const loginShape = {
    address: input,
    hostKey: input,
    port: number.optional(),
    user: anyText.optional(),
    privateKey: input.optional(),
    privateKeyPassword: input.optional(),
};

/** Fields of ConvergedHostArgs. */
export const argsShape = {
    connection: z.strictObject({
        ...loginShape,
        become: z.literal("sudo").optional(),
        bastion: z.strictObject(loginShape satisfies Record<keyof BastionConnection, z.ZodType>).optional(),
    } satisfies Record<keyof HostConnection, z.ZodType>),
    resources: z.array(resourceForm),
    slots: z.record(z.string(), input).optional(),
    probe: flag.optional(),
    requireAnswer: flag.optional(),
    deadline: number.optional(),
    takeOver: flag.optional(),
};
