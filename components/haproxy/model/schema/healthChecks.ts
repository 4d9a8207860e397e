import { z } from "zod";
import { anyText, flag, formOf, text } from "../../../forms";
import type { HttpCheck, Httpchk, ProtocolCheck, TcpCheck } from "../healthChecks";
import { port } from "./values";

const httpRequestShape = {
    method: text.optional(),
    version: z.enum(["HTTP/1.0", "HTTP/1.1"]).optional(),
    host: text.optional(),
};
export const httpchk = formOf<Httpchk>()(z.strictObject({ ...httpRequestShape, uri: text, expect: text.optional() }));
const checkConnect = z.strictObject({
    step: z.literal("connect"),
    port: port.optional(),
    ssl: flag.optional(),
    sni: text.optional(),
    sendProxy: flag.optional(),
});
export const httpCheck = formOf<HttpCheck>()(
    z.union([
        anyText,
        z.discriminatedUnion("step", [
            checkConnect,
            z.strictObject({
                step: z.literal("send"),
                ...httpRequestShape,
                uri: text,
                headers: z.record(text, anyText).optional(),
                body: anyText.optional(),
            }),
            z.strictObject({ step: z.literal("expect"), match: text }),
        ]),
    ]),
);
export const tcpCheck = formOf<TcpCheck>()(
    z.union([
        anyText,
        z.discriminatedUnion("step", [checkConnect, z.strictObject({ step: z.literal("send"), data: anyText })]),
        z.union(
            [
                z.strictObject({ step: z.literal("expect"), string: anyText }),
                z.strictObject({ step: z.literal("expect"), rstring: anyText }),
            ],
            { message: "expected either string or rstring" },
        ),
    ]),
);
export const protocolCheck = formOf<ProtocolCheck>()(
    z.discriminatedUnion("protocol", [
        z.strictObject({ protocol: z.literal("mysql"), user: text }),
        z.strictObject({ protocol: z.literal("pgsql"), user: text }),
        z.strictObject({ protocol: z.enum(["redis", "ldap", "ssl-hello"]) }),
        z.strictObject({
            protocol: z.literal("smtp"),
            hello: z.enum(["HELO", "EHLO"]).optional(),
            domain: text.optional(),
        }),
    ]),
);
