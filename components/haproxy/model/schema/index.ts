import { z } from "zod";
import { isSlot } from "../../../convergence/slots";
import { type FormIssue, flag, formIssues, formOf, matching, text, texts, whole } from "../../../forms";
import { isNetwork } from "../../../networks";
import { remembering } from "../../remembering";
import {
    type Defaults,
    type Global,
    type HaproxyConfig,
    type HealthPage,
    logFacilities,
    logFormats,
    logLevels,
    type Metrics,
    type Stats,
} from "../config";
import { portBind } from "./binds";
import { backend, frontend, listen } from "./proxies";
import {
    authorityFile,
    cache,
    certificateFile,
    httpErrors,
    mailers,
    mapFile,
    peers,
    resolvers,
    userlist,
} from "./sections";
import { atLeastOne, count, lines, mode, options, release, timeouts } from "./values";

// The form of the model, for data that no compiler has seen. What fields mean is documented at their types, which `formOf` compares
// with the schemas.

/** Fields of `global`. */
export const globalShape = {
    maxconn: atLeastOne.optional(),
    hardStopAfter: text.optional(),
    mworkerMaxReloads: atLeastOne.optional(),
    chroot: text.optional(),
    user: text.optional(),
    group: text.optional(),
    log: z
        .array(
            z.strictObject({
                address: text,
                length: whole(80, 65_535).optional(),
                format: z.enum(logFormats).optional(),
                facility: z.enum(logFacilities).optional(),
                level: z.enum(logLevels).optional(),
            }),
        )
        .optional(),
    statsSockets: z
        .array(
            z.strictObject({
                path: text,
                mode: text.optional(),
                level: z.enum(["user", "operator", "admin"]).optional(),
                user: text.optional(),
                group: text.optional(),
            }),
        )
        .optional(),
    statsTimeout: text.optional(),
    serverStates: flag.optional(),
    tls: z.strictObject({ profile: z.enum(["intermediate", "modern", "none"]).optional() }).optional(),
    raw: lines.optional(),
};
const global = formOf<Global>()(z.strictObject(globalShape));
const defaultsShape = {
    mode: mode.optional(),
    balance: text.optional(),
    retries: count.optional(),
    options: options.optional(),
    timeouts: timeouts.optional(),
    raw: lines.optional(),
};
export const defaults = formOf<Defaults>()(z.strictObject(defaultsShape));
/** Fields of the statistics page, except `auth`. */
export const statsShape = { bind: portBind, uri: text.optional(), refresh: text.optional() };
const stats = formOf<Stats>()(
    z.strictObject({
        ...statsShape,
        auth: z.array(z.strictObject({ user: text, password: text })).optional(),
    }),
);
/** The form of the metrics, in models and beside services. */
export const metrics = formOf<Metrics>()(z.strictObject({ bind: portBind, uri: text.optional() }));

const health = formOf<HealthPage>()(
    z.strictObject({
        port: whole(1, 65_535),
        from: z
            .array(
                matching(
                    (value) => isSlot(value) || isNetwork(value),
                    'expected an IP address, or a network like "192.0.2.0/24"',
                ),
                { message: "expected a list of addresses" },
            )
            .readonly(),
        needs: texts.readonly().optional(),
    }),
);

const haproxyConfig = formOf<HaproxyConfig>()(
    z.strictObject({
        version: release.optional(),
        global: global.optional(),
        defaults: defaults.optional(),
        frontends: z.array(frontend),
        backends: z.array(backend),
        listens: z.array(listen).optional(),
        namedDefaults: z.array(z.strictObject({ name: text, ...defaultsShape })).optional(),
        userlists: z.array(userlist).optional(),
        peers: z.array(peers).optional(),
        resolvers: z.array(resolvers).optional(),
        mailers: z.array(mailers).optional(),
        caches: z.array(cache).optional(),
        httpErrors: z.array(httpErrors).optional(),
        maps: z.array(mapFile).optional(),
        certificates: z.array(certificateFile).optional(),
        authorities: z.array(authorityFile).optional(),
        stats: stats.optional(),
        metrics: metrics.optional(),
        health: health.optional(),
    }),
);

/** Issues of form in a model. */
export const modelFormIssues = remembering((config: unknown): readonly FormIssue[] =>
    formIssues(haproxyConfig, config),
);
