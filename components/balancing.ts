import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Resource, resourceForm } from "./convergence/kinds/index";
import { type Later, then } from "./convergence/outputs";
import { resourceError } from "./convergence/resourceError";
import { warn } from "./convergence/sharedMessages";
import { aFunction, flag, formIssues, formOf, texts, whole } from "./forms";
import {
    acceptDownIssues,
    type CompiledServices,
    compileServices,
    type HaproxyConfig,
    type HaproxySettings,
    type Issue,
    isError,
    modelFormIssues,
    remembering,
    type Service,
    type StatsSettings,
    seconds,
    services,
    settingsShape,
    stats,
    validate,
    withoutIgnored,
} from "./haproxy";
import { type Balance, balanceOf } from "./hostBalance";
import { type Differences, withDifferences } from "./hostDifferences";
import { takeInputs, type WithInputs } from "./inputs";
import { optionsShape } from "./recipes/haproxy/index";

/** What is balanced, as plain data: services with their settings, or a hand-written model. */
export interface Balanced extends HaproxySettings {
    /** What clients are balanced to. @default - `model` */
    readonly services?: readonly Service[];
    /** The statistics page of services. @default - no page */
    readonly stats?: StatsSettings;
    /** The configuration in HAProxy's own terms, in place of services and their settings. @default - `services` */
    readonly model?: HaproxyConfig;
}

/** What LoadBalancer and LoadBalancerFleet have in common. Errors are reported before any host is touched. */
export interface Balancing extends WithInputs<Balanced> {
    /**
     * Returns a changed copy of the configuration that is declared or that services compile to, for one host. That configuration is
     * frozen; the copy is validated. Secrets and values that are not known yet are slots in it.
     * @default - no change
     */
    customize?: (config: HaproxyConfig, host: string) => HaproxyConfig;
    /** What is converged on the same hosts before HAProxy; a function gets the name of the host. @default [] */
    before?: Resource[] | ((host: string) => Resource[]);
    /** What is converged on the same hosts after HAProxy; a function gets the name of the host. @default [] */
    after?: Resource[] | ((host: string) => Resource[]);
    /** Ids of warnings to leave out, such as `unused-backend`. Errors cannot be ignored. @default [] */
    ignoreIssues?: string[];
    /** Substrings of `haproxy -c` warnings to accept; any other warning refuses the configuration. @default [] */
    allowWarnings?: string[];
    /** Whether a host may lose more servers than `minServers` and `maxShrinkPercent` allow; for one up. @default false */
    allowShrink?: boolean;
    /** Old workers that may still have connections when the next reload is due; if there are more, the reload waits. @default 5 */
    oldWorkers?: number;
    /**
     * How long the gate goes on to watch the servers after an activation, a duration of at most `"10m"`. If a backend loses its servers
     * meanwhile, the last good files come back. @default "0"
     */
    bake?: string;
    /**
     * Backends, and sections `listen`, that may have fewer servers up after a change than `minUp`, or none; for one up. @default []
     */
    acceptDown?: string[];
    /** Values of the slots that the configuration and the resources name with `slot`. @default {} */
    slots?: Record<string, pulumi.Input<string>>;
    /** Whether a preview asks the hosts what differs. @default true */
    probe?: boolean;
    /** Whether a preview fails if a host cannot be asked; otherwise it warns. @default false */
    requireAnswer?: boolean;
    /** Whether to converge hosts that another component, stack or project has converged before. @default false */
    takeOver?: boolean;
    /** Seconds after which a converge is ended, a whole number; waits end 120 s earlier. @default - 900, and the time of `bake` */
    deadline?: number;
}

/** {@link Balancing} with Inputs taken out, and without what has a form of its own. */
type PlainBalancing = Balanced & Omit<Balancing, keyof Balanced>;

const anObject = z.custom<never>((value) => typeof value === "object" && value !== null, {
    message: "expected an object",
});
const resources = z.union([z.array(resourceForm), aFunction<never>()], {
    message: "expected a list of resources, or a function of the host's name that returns one",
}) as unknown as z.ZodType<NonNullable<Balancing["before"]>>;

/** The form of {@link Balancing}, for those that have more fields. */
export const balancingShape = {
    ...settingsShape,
    ...optionsShape,
    version: settingsShape.version,
    services: services.optional(),
    stats: stats.optional(),
    // Judged by its own form, which is not a part of this one because of its size.
    model: anObject.optional() as unknown as z.ZodOptional<z.ZodType<HaproxyConfig>>,
    customize: aFunction<(config: HaproxyConfig, host: string) => HaproxyConfig>().optional(),
    before: resources.optional(),
    after: resources.optional(),
    ignoreIssues: texts.optional(),
    slots: anObject.optional() as unknown as z.ZodOptional<z.ZodType<Record<string, pulumi.Input<string>>>>,
    probe: flag.optional(),
    requireAnswer: flag.optional(),
    takeOver: flag.optional(),
    deadline: whole(1, 86_400).optional(),
};
formOf<PlainBalancing>()(z.strictObject(balancingShape));
