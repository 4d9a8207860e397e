import { z } from "zod";
import { anyText, flag, formOf, text, texts } from "../../../forms";
import type { Bind, BindCertificate, BindTls, PortBind, SocketBind } from "../binds";
import { count, fileName, port } from "./values";

const tlsOptions = {
    alpn: texts.optional(),
    caFile: text.optional(),
    crlFile: text.optional(),
    verify: z.enum(["none", "optional", "required"]).optional(),
    sslMinVer: z.enum(["TLSv1.2", "TLSv1.3"]).optional(),
};
const bindCertificate = formOf<BindCertificate>()(
    z.strictObject({
        certificate: fileName,
        hosts: texts.min(1, "expected at least one name").optional(),
        ...tlsOptions,
    }),
);
const bindTls = formOf<BindTls>()(
    z
        .strictObject({
            crt: texts.optional(),
            certificates: z
                .array(
                    z.union([fileName, bindCertificate], {
                        message: "expected a certificate's name, or an object with it",
                    }),
                )
                .optional(),
            defaultCertificate: fileName.optional(),
            strictSni: flag.optional(),
            ...tlsOptions,
        })
        .superRefine(({ crt, certificates }, context) => {
            if ((crt?.length ?? 0) + (certificates?.length ?? 0) === 0) {
                const path = certificates ? ["certificates"] : crt ? ["crt"] : [];
                const message = "expected at least one certificate, in certificates or crt";
                context.addIssue({ code: "custom", path, message });
            }
        })
        .refine(({ defaultCertificate, strictSni }) => defaultCertificate === undefined || !strictSni, {
            message: "expected either defaultCertificate or strictSni",
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
