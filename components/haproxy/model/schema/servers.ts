import { z } from "zod";
import { anyText, flag, formOf, matching, text, texts, whole } from "../../../forms";
import type { Server, ServerOptions, ServerTemplate, ServerTls } from "../servers";
import { atLeastOne, count, endpointPort, port } from "./values";

const minUpForm = 'expected a whole number from 1 to 100000, or a share from "1%" to "100%"';

export const serverTls = formOf<ServerTls>()(
    z.strictObject({
        verify: z.enum(["required", "none"]).optional(),
        caFile: text.optional(),
        verifyhost: text.optional(),
        sni: text.optional(),
        alpn: texts.optional(),
        crt: text.optional(),
    }),
);
/** Unlike a literal, it says nothing about an object, whose own issues are the ones to show. */
const off = z
    .boolean({ message: "expected false" })
    .refine((value) => !value, { message: "expected an object, or false" }) as unknown as z.ZodType<false>;
const serverOptionShape = {
    check: flag.optional(),
    checkPort: port.optional(),
    inter: text.optional(),
    fall: atLeastOne.optional(),
    rise: atLeastOne.optional(),
    weight: whole(0, 256).optional(),
    backup: flag.optional(),
    maxconn: count.optional(),
    slowstart: text.optional(),
    onMarkedDown: z.literal("shutdown-sessions").optional(),
    onMarkedUp: z.literal("shutdown-backup-sessions").optional(),
    observe: z.enum(["layer4", "layer7"]).optional(),
    sendProxy: z.union([flag, z.literal("v2")], { message: 'expected true, false or "v2"' }).optional(),
    ssl: z.union([serverTls, off]).optional(),
    resolvers: text.optional(),
    initAddr: text.optional(),
    raw: anyText.optional(),
};
export const serverOptions = formOf<ServerOptions>()(z.strictObject(serverOptionShape));
/** Fields of a server. */
export const serverShape = {
    name: text,
    address: text,
    port: endpointPort,
    cookie: text.optional(),
    ...serverOptionShape,
};
export const server = formOf<Server>()(z.strictObject(serverShape));
export const serverTemplate = formOf<ServerTemplate>()(
    z.strictObject({ prefix: text, count: atLeastOne, fqdn: text, port, ...serverOptionShape }),
);
export const minUp = z.union([whole(1, 100_000), matching(/^([1-9]\d?|100)%$/, minUpForm)], { message: minUpForm });
export const guards = {
    minServers: whole(1, 100_000).optional(),
    maxShrinkPercent: whole(0, 100).optional(),
    backups: flag.optional(),
    drain: text.optional(),
    minUp: minUp.optional(),
};
