import { z } from "zod";
import { flag, formOf, text, texts } from "../../../forms";
import type { Cookie, StickRule, StickTable } from "../persistence";
import { atLeastOne, conditional } from "./values";

export const stickTable = formOf<StickTable>()(
    z.strictObject({
        type: z.enum(["ip", "ipv6", "integer", "string", "binary"]),
        length: atLeastOne.optional(),
        size: text,
        expire: text.optional(),
        store: texts.optional(),
        peers: text.optional(),
    }),
);
export const stickRule = formOf<StickRule>()(
    conditional({
        rule: z.enum(["on", "match", "store-request", "store-response"]),
        pattern: text,
        table: text.optional(),
    }),
);
export const cookie = formOf<Cookie>()(
    z.strictObject({
        name: text,
        mode: z.enum(["insert", "rewrite", "prefix"]).optional(),
        indirect: flag.optional(),
        nocache: flag.optional(),
        httponly: flag.optional(),
        secure: flag.optional(),
        domains: texts.optional(),
        maxidle: text.optional(),
        maxlife: text.optional(),
        attr: texts.optional(),
        dynamicKey: text.optional(),
    }),
);
