import { z } from "zod";
import { anyText, formOf, matching, text, texts, whole } from "../forms";
import { isNetwork } from "../networks";
import type { Pair, PairMember } from "./types";

const address = matching(isNetwork, 'expected an IP address, with or without a prefix length, as in "192.0.2.100/24"');
const priority = whole(1, 254);
const expectedInterval = "expected seconds: a whole number from 1 to 60, or a number from 0.1 below 1";
const interval = z
    .number({ message: expectedInterval })
    .refine((value) => (value < 1 ? value >= 0.1 : Number.isInteger(value) && value <= 60), {
        message: expectedInterval,
    });

const check = z.strictObject({
    interval: interval.optional(),
    fall: whole(1, 10).optional(),
    rise: whole(1, 10).optional(),
    port: whole(1, 65_535).optional(),
    needs: texts.readonly().optional(),
});

/**
 * Fields of `PairSettings`, for forms that have more fields.
 *
 * @param secret form of the password
 * @param value form of what other resources may bring
 */
export function pairShape<Secret extends z.ZodType, Value extends z.ZodType>(secret: Secret, value: Value) {
    return {
        failback: z.enum(["never", "immediate"]),
        addresses: z.array(address, { message: "expected a list of IP addresses" }).readonly().optional(),
        elasticIp: z.strictObject({ allocationId: value, region: value, endpoint: anyText.optional() }).optional(),
        password: secret.optional(),
        routerId: whole(1, 255).optional(),
        priorities: z
            .tuple([priority, priority], { message: "expected two priorities, as in [101, 100]" })
            .readonly()
            .optional(),
        advertise: whole(1, 255).optional(),
        check: check.optional(),
        noneServes: z.enum(["keep", "release"]).optional(),
        standby: text.optional(),
    };
}

/** The form of `PairSettings`. */
export function pairForm<Secret extends z.ZodType, Value extends z.ZodType>(secret: Secret, value: Value) {
    return z.strictObject(pairShape(secret, value));
}

const member = formOf<PairMember>()(
    z.strictObject({
        name: text,
        address: text,
        elastic: z.strictObject({ networkInterfaceId: text, serviceAddress: text }).optional(),
    }),
);

/** The form of a `Pair`. */
export const resolvedPairForm = formOf<Pair>()(
    z.strictObject({
        name: text,
        hosts: z.tuple([member, member], { message: "expected two hosts" }).readonly(),
        settings: pairForm(text, text),
        routerId: whole(1, 255),
    }),
);
