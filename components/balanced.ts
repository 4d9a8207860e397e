import { type CertificateFiles, certificateFiles, withCertificateFiles } from "./certificateFiles";
import {
    type CompiledServices,
    compileServices,
    type HaproxyConfig,
    type HaproxySettings,
    type MetricsSettings,
    remembering,
    type Service,
    type StatsSettings,
    settingsShape,
    type TlsUse,
    tlsUses,
    validate,
} from "./haproxy";
import type { CertificateArguments } from "./tls";

/** What is balanced, as plain data: services with their settings, or a hand-written model. */
export interface Balanced extends HaproxySettings {
    /** What clients are balanced to. @default - `model` */
    readonly services?: readonly Service[];
    /** The statistics page of services. @default - no page */
    readonly stats?: StatsSettings;
    /** HAProxy's metrics, for Prometheus and for agents. @default - none, or on 127.0.0.1:8405 if `datadog` is declared */
    readonly metrics?: MetricsSettings;
    /** The configuration in HAProxy's own terms, in place of services and their settings. @default - `services` */
    readonly model?: HaproxyConfig;
}

/** Only what is compiled, so that other arguments do not compile it again. */
export function balancedOf(
    { services: balanced, stats: page, metrics: exported, model, ...args }: Balanced,
    declared: Pick<CertificateArguments<unknown>, "certificates" | "authorities">,
): Balanced & OfFiles {
    const settings = Object.keys(settingsShape) as (keyof HaproxySettings)[];
    const given = Object.fromEntries(settings.flatMap((key) => (args[key] === undefined ? [] : [[key, args[key]]])));
    return { ...given, services: balanced, stats: page, metrics: exported, model, files: certificateFiles(declared) };
}

/** The files that a configuration names. */
export interface OfFiles {
    /** Certificates and authorities, with slots in place of PEM. */
    readonly files: CertificateFiles;
}

/** A configuration, compiled or hand-written, and what its services need. */
export interface Compiled extends CompiledServices {
    /** What services need certificates for. */
    readonly tlsUses: readonly TlsUse[];
}

/** A hand-written configuration is wrapped like a compiled one. */
export const compile = remembering(
    ({
        services: balanced = [],
        stats: page,
        metrics: exported,
        model,
        files,
        ...settings
    }: Balanced & OfFiles): Compiled => {
        if (model === undefined) {
            const compiled = compileServices(settings, balanced, undefined, page, files, exported);
            return { ...compiled, tlsUses: tlsUses(settings, balanced) };
        }
        return {
            config: withCertificateFiles(model, files),
            tlsUses: [],
            issues: [],
            validate: (config) => [...validate(config)],
            sourceOf: (_, path) => path,
        };
    },
);
