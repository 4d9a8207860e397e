import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Balanced, balancedOf, type Compiled, compile } from "./balanced";
import { atDeclared, rootsSlot } from "./certificateFiles";
import { showDaysLeft } from "./certificateReport";
import { type JudgedCertificates, takeCertificates, useIssues } from "./certificates";
import { input, slotsForm } from "./convergence/form";
import { type Later, then } from "./convergence/outputs";
import { slot } from "./convergence/slots";
import { SharedValues } from "./customized";
import { aFunction, flag, formIssues, formOf, texts, whole } from "./forms";
import {
    acceptDownIssues,
    type HaproxyConfig,
    type Issue,
    isError,
    metrics,
    modelFormIssues,
    seconds,
    services,
    settingsShape,
    stats,
    withoutIgnored,
} from "./haproxy";
import type { HostBalance } from "./hostBalance";
import { type Differences, withDifferences } from "./hostDifferences";
import {
    type HostSetup,
    hostSetupShape,
    runListWithSetup,
    setupIssues,
    setupSlots,
    splitSetup,
    withSetup,
} from "./hostSetup";
import { takeInputs, type WithInputs } from "./inputs";
import { type PairHost, type PairInputs, pairSlotNames, takePair } from "./pairArgs";
import {
    configIssues,
    type JudgedPair,
    type JudgementOfPair,
    judgementOfPair,
    newIssues,
    rulesAhead,
    withPair,
} from "./pairing";
import { haproxy, optionsShape } from "./recipes/haproxy/index";
import { asError, type HostResources, Reporter, resourceIssues } from "./reporter";
import { type CertificateArguments, certificatesShape } from "./tls";

export type { Balanced } from "./balanced";

/** What LoadBalancer and LoadBalancerFleet have in common. Errors are reported before any host is touched. */
export interface Balancing
    extends WithInputs<Balanced>,
        CertificateArguments<pulumi.Input<string>>,
        HostSetup<pulumi.Input<string>> {
    /**
     * Returns a changed copy of the configuration that is declared or that services compile to, for one host. Changing that configuration
     * itself is an error; the copy is validated. Secrets and values that are not known yet are slots in it.
     * @default - no change
     */
    customize?: (config: HaproxyConfig, host: string) => HaproxyConfig;
    /** What is converged on the same hosts before HAProxy; a function gets the name of the host. @default [] */
    before?: HostResources;
    /** What is converged on the same hosts after HAProxy; a function gets the name of the host. @default [] */
    after?: HostResources;
    /** Ids of warnings to leave out, such as `unused-backend`. Errors cannot be ignored. @default [] */
    ignoreIssues?: string[];
    /** Substrings of `haproxy -c` warnings to accept; any other warning refuses the configuration. @default [] */
    allowWarnings?: string[];
    /** Whether a host may lose more servers than `minServers` and `maxShrinkPercent` allow; for one up. @default false */
    allowShrink?: boolean;
    /**
     * `"now"` restarts HAProxy if only that raises a limit of its running process, which loses connections; for one up.
     * @default - such a limit is refused as pending
     */
    restart?: "now";
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

/** Arguments with Inputs taken out. */
export type WithoutInputs<A extends Balancing> = Balanced & Omit<A, keyof Balanced>;
type PlainBalancing = WithoutInputs<Balancing>;
type Certificates = CertificateArguments<pulumi.Input<string>>;
type Setup = HostSetup<pulumi.Input<string>>;
/** Arguments as plain data. Inputs of certificates, and secrets of the setup, are not put into plain data: they are texts of files. */
type Plain = Omit<PlainBalancing, keyof Certificates | keyof Setup>;

const anObject = z.custom<never>((value) => typeof value === "object" && value !== null && !Array.isArray(value), {
    message: "expected an object",
});
/** A list is judged by itself, so that issues name its entries. */
const resources = z.custom<NonNullable<Balancing["before"]>>(
    (value) => Array.isArray(value) || typeof value === "function",
    { message: "expected a list of resources, or a function of the host's name that returns one" },
);
/** The form of {@link Balancing}, for those that have more fields. */
export const balancingShape = {
    ...settingsShape,
    ...optionsShape,
    ...certificatesShape(input()),
    ...hostSetupShape(input()),
    services: services.optional(),
    stats: stats.optional(),
    metrics: metrics.optional(),
    // Judged by its own form, which is not a part of this one because of its size.
    model: anObject.optional() as unknown as z.ZodOptional<z.ZodType<HaproxyConfig>>,
    customize: aFunction<(config: HaproxyConfig, host: string) => HaproxyConfig>().optional(),
    before: resources.optional(),
    after: resources.optional(),
    ignoreIssues: texts.optional(),
    slots: slotsForm.optional(),
    probe: flag.optional(),
    requireAnswer: flag.optional(),
    takeOver: flag.optional(),
    deadline: whole(1, 86_400).optional(),
};
formOf<PlainBalancing>()(z.strictObject(balancingShape));

/** What is declared for some hosts. */
export interface Declared {
    /** By host. A promise if there are Inputs that are not plain values; then it rejects with the errors that are thrown otherwise. */
    readonly balances: Later<ReadonlyMap<string, HostBalance>>;
    /** Values of slots, given or taken out of the arguments. */
    readonly slots: Record<string, pulumi.Input<string>>;
    /** PEM of authorities by name. */
    readonly authorities: Readonly<Record<string, pulumi.Output<string>>>;
}

/** A host, before its configuration. */
export interface DeclaredHost {
    /** Name of its component. */
    readonly host: string;
    /** Its key in the arguments. */
    readonly key: string;
    readonly differences: Differences;
    /** Their path in the arguments. */
    readonly path: string;
}

/** The arguments of a pair. */
export interface PairOfHosts {
    readonly hosts: Readonly<Record<string, PairHost>>;
    readonly pair: PairInputs;
}

/** A component that balances. */
interface Declaring {
    readonly component: pulumi.Resource;
    readonly name: string;
    /** All of its arguments, as they were given. */
    readonly args: unknown;
    /** Their form. */
    readonly form: z.ZodType;
}

/**
 * Judges the arguments of a component, and computes what each of its hosts gets. Warnings are shown.
 *
 * @param ofHosts arguments about the hosts themselves, which have no Inputs to take out
 * @param hosts which are called once their form is right
 * @param paired the hosts with what they share, if they are a pair
 * @throws ResourceError with every issue of form, else with every error in the services and the configuration
 */
export function declare(
    declaring: Declaring,
    { slots: given, certificates, authorities, roots, minimumDays, ...balancing }: Balancing,
    ofHosts: object,
    hosts: () => readonly DeclaredHost[],
    paired?: PairOfHosts,
): Declared {
    const reporter = new Reporter(declaring.component, declaring.name);
    if (formIssues(z.looseObject({}), declaring.args).some(({ path }) => path === "")) {
        reporter.report(argsIssues(declaring.form, declaring.args as Partial<PlainBalancing>));
    }
    const { setup, others: args } = splitSetup(balancing);
    const plainArgs = args as WithInputs<Plain>;
    const { draft, data, slots } = takeInputs<Plain>(plainArgs, [
        ...Object.keys(given ?? {}),
        ...(paired ? pairSlotNames(paired.hosts) : []),
    ]);
    const ofCertificates = { certificates, authorities, roots, minimumDays };
    const others = { ...ofHosts, ...ofCertificates, ...setup, ...(given !== undefined && { slots: given }) };
    reporter.report(argsIssues(declaring.form, { ...draft, ...others }));
    reporter.warnOfAcceptDown(args.acceptDown);
    const taken = takeCertificates(declaring.component, declaring.name, ofCertificates);
    const pair = paired && takePair(paired.hosts, paired.pair);
    const balances = then(data, (plain) => {
        reporter.report(plain === draft ? [] : argsIssues(declaring.form, { ...plain, ...others }));
        return then(taken.judged, (judged) => {
            const now = new Date();
            const found = balancesOf(
                plain,
                hosts(),
                reporter,
                { declared: ofCertificates, judged, now },
                setup,
                pair && judgementOfPair(declaring, pair, setup),
            );
            showDaysLeft(declaring, judged.facts, now);
            return found;
        });
    });
    // The same for all hosts, so that their values are awaited once.
    const all = { ...slots, ...given, ...taken.slots, ...setupSlots(setup), ...pair?.slots };
    return { balances, slots: Object.freeze(all), authorities: taken.authorities };
}

/** Issues of form. That of a model is long, so it is judged by itself. */
function argsIssues(form: z.ZodType, args: Partial<PlainBalancing>): Issue[] {
    const { services: balanced, model, before, after } = args ?? {};
    const issues = [
        ...formIssues(form, args),
        ...(Array.isArray(before) ? resourceIssues("before", before) : []),
        ...(Array.isArray(after) ? resourceIssues("after", after) : []),
    ];
    if (issues.length === 0 && (balanced === undefined) === (model === undefined)) {
        const problem =
            model === undefined
                ? "nothing is balanced; declare services or a model"
                : "declared twice; declare either services or a model";
        issues.push({ path: "services", message: problem });
    }
    if (issues.length === 0 && model !== undefined) {
        issues.push(...modelFormIssues(model));
        const settings = [...Object.keys(settingsShape), "stats", "metrics"] as const;
        const extra = settings.filter((key) => args[key as keyof Balanced] !== undefined);
        issues.push(
            ...extra.map((key) => ({
                path: key,
                message: `${key} belongs to services; declare it in the model instead`,
            })),
        );
    }
    return issues.map(asError);
}

/** Certificates as they are declared, and what is known of them. */
interface OfCertificates {
    readonly declared: Certificates;
    readonly judged: JudgedCertificates;
    /** When dates are judged. */
    readonly now: Date;
}

/**
 * What each host gets. Hosts with one configuration share it. Everything is judged at once but what depends on a pair's values that come
 * later.
 */
function balancesOf(
    args: Plain,
    hosts: readonly DeclaredHost[],
    reporter: Reporter,
    { declared, judged, now }: OfCertificates,
    setup: Setup,
    pair?: JudgementOfPair,
): Later<Map<string, HostBalance>> {
    const { customize, before, after, ignoreIssues, acceptDown } = args;
    const compiled = compile(balancedOf(args, declared));
    const complete = withSetup(compiled.config, setup);
    const paired = pair?.now;
    // Without its parts, a configuration seems to lack what others name.
    const isWhole = !compiled.issues.some(isError);
    const shared = new SharedValues();
    const configs = hosts.map(({ host, key, differences, path }) => {
        const { config, issues } = withDifferences(complete, differences, path);
        if (customize === undefined) {
            return { host, key, config, issues };
        }
        const call = () => shared.call(config, (copy) => customize(copy, host));
        return { host, key, config: reporter.customized(host, compiled.issues, call), issues };
    });
    const ofCertificates = { facts: judged.facts, roots: declared.roots };
    const runListOf = runLists(args, setup, ofCertificates, compiled, paired);
    const found = configs.map(({ host, key, config, issues }) => {
        const own = [...atDeclared(compiled.validate(config), config, declared), ...setupIssues(config, setup)];
        const hasForm = isWhole && !own.some(({ rule }) => rule === "form");
        const uses = hasForm ? useIssues(declared, judged, compiled.tlsUses, config, now) : [];
        const down = hasForm ? acceptDownIssues(config, acceptDown) : [];
        const ofPair = paired ? [...paired.issues, ...(hasForm ? configIssues(paired, config, key) : [])] : [];
        return {
            host,
            issues: [
                ...(isWhole ? issues : []),
                ...withoutIgnored([...judged.issues, ...own, ...uses, ...ofPair], ignoreIssues),
                ...down,
                ...(hasForm && down.length === 0 && setup.packages ? runListOf(config, key).issues : []),
            ],
        };
    });
    reporter.reportOf(found);
    const lists = configs.map(({ host, key, config }) => {
        const [first, last] = [reporter.listOf("before", before, host), reporter.listOf("after", after, host)];
        return { host, key, config, first, last };
    });
    const balancesWith = (run: typeof runListOf) =>
        new Map(
            lists.map(({ host, key, config, first, last }) => {
                const own = run(config, key).resources;
                const resources = first.length + last.length > 0 ? [...first, ...own, ...last] : own;
                return [host, { config, resources }];
            }),
        );
    return then(pair?.later, (known) => {
        if (known === undefined) {
            return balancesWith(runListOf);
        }
        reporter.reportOf(
            configs.map(({ host, key, config }) => {
                const issues = [...known.issues, ...configIssues(known, config, key, paired)];
                return { host, issues: withoutIgnored(newIssues(issues, paired), ignoreIssues) };
            }),
        );
        reporter.ahead(setup.firewall ? rulesAhead(known) : []);
        return balancesWith(runLists(args, setup, ofCertificates, compiled, known));
    });
}

/** The run list of a host, from its configuration and its key. */
function runLists(
    { allowWarnings, allowShrink, restart, oldWorkers, bake, acceptDown, services: balanced = [] }: Plain,
    setup: Setup,
    { facts, roots }: { readonly facts: JudgedCertificates["facts"]; readonly roots: Certificates["roots"] },
    { sourceOf }: Pick<Compiled, "sourceOf">,
    paired?: JudgedPair,
): (config: HaproxyConfig, key: string) => ReturnType<typeof runListWithSetup> {
    const names = balanced.map(({ name }) => name);
    const haproxyOf = once((config: HaproxyConfig) =>
        haproxy(paired ? withPair(config, paired) : config, {
            ...{ allowWarnings, allowShrink, restart, oldWorkers, bake, acceptDown },
            certificates: facts,
            roots: roots === undefined ? undefined : slot(rootsSlot),
            sourceOf: (path: string) => sourceOf(config, path),
        }),
    );
    // Hosts with one configuration share the run list, so that it is shown and compared once. Those of a pair differ in their own part.
    const sharedRunList = once((config: HaproxyConfig) => runListWithSetup(config, haproxyOf(config), setup, names));
    return (config, key) =>
        paired?.pair
            ? runListWithSetup(config, haproxyOf(config), setup, names, { pair: paired.pair, host: key })
            : sharedRunList(config);
}

/** The function with its results remembered. */
function once<K, R>(compute: (key: K) => R): (key: K) => R {
    const known = new Map<K, R>();
    return (key) => {
        const result = known.has(key) ? (known.get(key) as R) : compute(key);
        known.set(key, result);
        return result;
    };
}

/** The arguments of ConvergedHost that say how a host is treated. */
export function hostSettings({ probe, requireAnswer, takeOver, deadline, bake = "0" }: Balancing) {
    return { probe, requireAnswer, takeOver, deadline: deadline ?? 900 + seconds(bake) };
}
