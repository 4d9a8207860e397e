import { z } from "zod";
import { flag, formOf, text, texts } from "../../../forms";
import type { Acl, Backend, Frontend, Listen, ProxySection } from "../proxies";
import { bind } from "./binds";
import { httpCheck, httpchk, protocolCheck, tcpCheck } from "./healthChecks";
import { cookie, stickRule, stickTable } from "./persistence";
import { httpAfterResponseRule, httpRequestRule, httpResponseRule, tcpRequestRule, tcpResponseRule } from "./rules";
import { guards, server, serverOptions, serverTemplate } from "./servers";
import { conditional, count, lines, mode, options, timeouts } from "./values";

const acl = formOf<Acl>()(
    z.union(
        [
            z.strictObject({ name: text, host: texts }),
            z.strictObject({ name: text, path: texts }),
            z.strictObject({ name: text, pathBeg: texts }),
            z.strictObject({ name: text, criterion: text }),
        ],
        { message: "expected name and exactly one of host, path, pathBeg (lists) and criterion" },
    ),
);

const proxyShape = {
    name: text,
    from: text.optional(),
    stickTable: stickTable.optional(),
    mode: mode.optional(),
    timeouts: timeouts.optional(),
    compression: z.strictObject({ algo: texts.optional(), type: texts, offload: flag.optional() }).optional(),
    errorfiles: text.optional(),
    acls: z.array(acl).optional(),
    raw: lines.optional(),
    tcpRequestRules: z.array(tcpRequestRule).optional(),
    httpRequestRules: z.array(httpRequestRule).optional(),
    httpResponseRules: z.array(httpResponseRule).optional(),
    httpAfterResponseRules: z.array(httpAfterResponseRule).optional(),
};
formOf<ProxySection>()(z.strictObject(proxyShape));
const frontendShape = {
    ...proxyShape,
    binds: z.array(bind),
    maxconn: count.optional(),
    options: options.optional(),
    useBackends: z.array(conditional({ backend: text })).optional(),
    defaultBackend: text.optional(),
};
const backendShape = {
    ...proxyShape,
    ...guards,
    balance: text.optional(),
    options: options.optional(),
    httpchk: httpchk.optional(),
    httpChecks: z.array(httpCheck).optional(),
    tcpChecks: z.array(tcpCheck).optional(),
    protocolCheck: protocolCheck.optional(),
    cookie: cookie.optional(),
    stickRules: z.array(stickRule).optional(),
    useServers: z.array(conditional({ server: text })).optional(),
    defaultServer: serverOptions.optional(),
    servers: z.array(server),
    serverTemplates: z.array(serverTemplate).optional(),
    tcpResponseRules: z.array(tcpResponseRule).optional(),
};
export const frontend = formOf<Frontend>()(z.strictObject(frontendShape));
export const backend = formOf<Backend>()(z.strictObject(backendShape));
export const listen = formOf<Listen>()(z.strictObject({ ...frontendShape, ...backendShape }));
