import { z } from "zod";
import { anyText, flag, formOf, text, texts } from "../../../forms";
import type { Bind, BindTls, PortBind, SocketBind } from "../binds";
import { count, port } from "./values";

const bindTls = formOf<BindTls>()(
    z.strictObject({
        crt: texts,
        alpn: texts.optional(),
        caFile: text.optional(),
        verify: z.enum(["none", "optional", "required"]).optional(),
        sslMinVer: z.enum(["TLSv1.2", "TLSv1.3"]).optional(),
        strictSni: flag.optional(),
    }),
);
const bindOptions = {
    name: text.optional(),
    maxconn: count.optional(),
    acceptProxy: flag.optional(),
    ssl: bindTls.optional(),
    raw: anyText.optional(),
};
export const portBind = formOf<PortBind>()(
    z.strictObject({
        address: z.union([text, texts]).optional(),
        port,
        portEnd: port.optional(),
        v6only: flag.optional(),
        interface: text.optional(),
        transparent: flag.optional(),
        ...bindOptions,
    }),
);
const socketBind = formOf<SocketBind>()(
    z.strictObject({
        path: text,
        mode: text.optional(),
        user: text.optional(),
        group: text.optional(),
        ...bindOptions,
    }),
);
export const bind = formOf<Bind>()(z.union([portBind, socketBind], { message: "expected either port or path" }));
