import { z } from "zod";
import { anyText, formOf, text } from "../../../forms";
import type {
    HttpAfterResponseRule,
    HttpRequestRule,
    HttpResponseRule,
    TcpRequestRule,
    TcpResponseRule,
} from "../rules";
import { conditional, status } from "./values";

const setVarShape = { action: z.literal("set-var"), variable: text, expression: text };
const setVar = conditional(setVarShape);
const anyHttp = [
    conditional({ action: z.literal("allow") }),
    conditional({ action: z.enum(["set-header", "add-header"]), name: text, format: anyText }),
    conditional({ action: z.literal("del-header"), name: text }),
    conditional({
        action: z.enum(["replace-header", "replace-value"]),
        name: text,
        match: text,
        format: anyText,
    }),
    setVar,
    conditional({ action: z.literal("unset-var"), variable: text }),
] as const;
const reply = [
    conditional({ action: z.literal("deny"), status: status.optional() }),
    conditional({
        action: z.literal("return"),
        status: status.optional(),
        contentType: text.optional(),
        body: anyText.optional(),
        headers: z.record(text, anyText).optional(),
    }),
] as const;
/** Not a literal: as another word it would count like another action, so that the issue would be about `action`. */
const redirectCode = z.custom<301 | 302 | 303 | 307 | 308>(
    (code) => [301, 302, 303, 307, 308].includes(code as number),
    {
        message: "expected 301, 302, 303, 307 or 308",
    },
);
const redirectShape = { action: z.literal("redirect"), code: redirectCode.optional() };
const redirect = z.union(
    [
        conditional({ ...redirectShape, location: text }),
        conditional({ ...redirectShape, prefix: text }),
        conditional({ ...redirectShape, scheme: text }),
    ],
    { message: "expected exactly one of location, prefix and scheme" },
);
const trackShape = {
    action: z.literal("track-sc"),
    counter: z.literal([0, 1, 2]),
    key: text.optional(),
    table: text.optional(),
};
const cacheStore = conditional({ action: z.literal("cache-store"), cache: text });
const setStatus = conditional({
    action: z.literal("set-status"),
    status,
    reason: text.optional(),
});
const requestActions = [
    conditional({ action: z.literal("reject") }),
    conditional({ action: z.literal("tarpit"), status: status.optional() }),
    conditional({ action: z.literal("auth"), realm: text.optional() }),
    conditional({
        action: z.enum(["set-path", "set-query", "set-uri", "set-method"]),
        format: anyText,
    }),
    conditional({ action: z.enum(["replace-path", "replace-uri"]), match: text, format: anyText }),
    conditional({ action: z.literal("cache-use"), cache: text }),
] as const;

export const httpRequestRule = formOf<HttpRequestRule>()(
    z.union([
        anyText,
        redirect,
        z.discriminatedUnion("action", [...anyHttp, ...reply, conditional(trackShape), ...requestActions]),
    ]),
);
export const httpResponseRule = formOf<HttpResponseRule>()(
    z.union([anyText, redirect, z.discriminatedUnion("action", [...anyHttp, ...reply, setStatus, cacheStore])]),
);
export const httpAfterResponseRule = formOf<HttpAfterResponseRule>()(
    z.union([anyText, z.discriminatedUnion("action", [...anyHttp, setStatus])]),
);
const at = { at: z.enum(["connection", "session", "content"]) };
export const tcpRequestRule = formOf<TcpRequestRule>()(
    z.union([
        anyText,
        z.discriminatedUnion("action", [
            conditional({ ...at, action: z.enum(["accept", "reject"]) }),
            conditional({ ...at, action: z.literal("expect-proxy") }),
            conditional({ ...at, ...trackShape }),
            conditional({ ...at, ...setVarShape }),
        ]),
    ]),
);
export const tcpResponseRule = formOf<TcpResponseRule>()(
    z.union([
        anyText,
        z.discriminatedUnion("action", [conditional({ action: z.enum(["accept", "reject", "close"]) }), setVar]),
    ]),
);
