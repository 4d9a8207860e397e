/** Forms of fields, for data that no compiler has seen. What the fields hold is checked by `issues` of each kind. */
import { z } from "zod";
import type { Content, DeclaredFile } from "./kind";

export const text = z.string({ message: "expected text" });
export const texts = z.array(text, { message: "expected a list of texts" });
export const flag = z.boolean({ message: "expected true or false" });
/** Its range is checked by `issues`. */
export const number = z.custom<number>((value) => typeof value === "number", { message: "expected a number" });

const aFunction = <F>() =>
    z.custom<F>((value) => typeof value === "function", { message: "expected a function" }).optional();

/** Fields of a declared file. */
export const declaredFileShape = {
    path: text,
    content: z.custom<Content>((value) => typeof value === "string" || value instanceof Uint8Array, {
        message: "expected text or bytes",
    }),
    owner: text.optional(),
    group: text.optional(),
    mode: text.optional(),
    slotFault: aFunction<NonNullable<DeclaredFile["slotFault"]>>(),
    slotValue: aFunction<NonNullable<DeclaredFile["slotValue"]>>(),
    lineSources: z.array(text.nullish()).optional(),
};
