/** Forms of fields that several kinds have, for data that no compiler has seen. `issues` of each kind checks what the fields hold. */
import { z } from "zod";
import { aFunction, anyText, flag } from "../../forms";
import type { Content, DeclaredFile } from "./kind";

/** A number. Its range is checked by `issues`. */
export const number = z.custom<number>((value) => typeof value === "number", { message: "expected a number" });

/** Fields of a declared file. */
export const declaredFileShape = {
    path: anyText,
    content: z.custom<Content>((value) => typeof value === "string" || value instanceof Uint8Array, {
        message: "expected text or bytes",
    }),
    owner: anyText.optional(),
    group: anyText.optional(),
    mode: anyText.optional(),
    slotIssue: aFunction<NonNullable<DeclaredFile["slotIssue"]>>().optional(),
    slotValue: aFunction<NonNullable<DeclaredFile["slotValue"]>>().optional(),
    summary: aFunction<NonNullable<DeclaredFile["summary"]>>().optional(),
    lineSources: z.array(anyText.nullish()).optional(),
    program: flag.optional(),
};
