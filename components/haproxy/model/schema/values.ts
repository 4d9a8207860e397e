import { z } from "zod";
import { isSlot } from "../../../convergence/slots";
import { anyText, anyTexts, flag, formOf, matching, text, whole } from "../../../forms";
import type { Options } from "../options";
import type { Timeouts } from "../proxies";

/** Forms of values that several parts of the model have. */

/** Lines as written; an empty one does no harm. */
export const lines = anyTexts;
export const port = whole(1, 65_535);
/**
 * The port of a server, peer, mailer or name server. At run time it may also be a slot, because the value may be secret or known only
 * after an up; the type stays a number, which programs write.
 */
export const endpointPort = z.custom<number>((value) => isSlot(value) || port.safeParse(value).success, {
    message: "expected a whole number from 1 to 65535",
});
/** A number without a unit, which may be 0. */
export const count = whole(0, 2_147_483_647);
export const atLeastOne = whole(1, 2_147_483_647);
export const duration = matching(
    /^(0|\d+(us|ms|s|m|h|d))$/,
    'expected a duration with its unit, like "30s": us, ms, s, m, h or d',
);
export const status = whole(200, 599);
export const mode = z.enum(["http", "tcp"]);
/** Any names: the daemon judges them, so that `otherOptions` can hold those of a newer release. */
export const options = z.record(z.string(), z.union([flag, anyText]).optional()) as unknown as z.ZodType<Options>;

/** HAProxy ends a line at an empty word, and a condition without terms never holds. */
const term = anyText.regex(/[^\s"']/, { message: "expected a term that is not empty" });
const terms = z.array(term, { message: "expected a list of texts" });

/** A strict object with the fields of {@link Conditional}. */
export const conditional = <S extends z.ZodRawShape>(shape: S) =>
    z
        .strictObject({ ...shape, if: terms.optional(), unless: terms.min(1, "expected at least one term").optional() })
        .refine((rule: { if?: unknown; unless?: unknown }) => rule.if === undefined || rule.unless === undefined, {
            message: "expected either if or unless",
        });

/** Name of a certificate or of an authority: of a file, and part of the name of a slot. */
export const fileName = matching(
    /^[a-z0-9][a-z0-9.-]{0,39}$/,
    "expected a name of 1 to 40 lower-case letters, digits, dots and hyphens, with a letter or digit first",
);

export const release = matching(/^\d{1,3}\.\d{1,3}$/, 'expected a release in quotes, like "2.6"');

const timeoutShape = {
    connect: text.optional(),
    client: text.optional(),
    server: text.optional(),
    httpRequest: text.optional(),
    httpKeepAlive: text.optional(),
    queue: text.optional(),
    check: text.optional(),
    tunnel: text.optional(),
    clientFin: text.optional(),
    serverFin: text.optional(),
    tarpit: text.optional(),
};
export const timeouts = formOf<Timeouts>()(z.strictObject(timeoutShape));
