/** A pair, judged together with the configuration and the setup of its hosts. */
import { type Later, then } from "./convergence/outputs";
import type { RollAnswers } from "./convergence/roll";
import { slot } from "./convergence/slots";
import type { HaproxyConfig, Issue } from "./haproxy";
import { isError } from "./haproxy";
import type { HostSetup } from "./hostSetup";
import {
    type Pair,
    type PairProblem,
    pairBindIssues,
    pairIssues,
    pairProblems,
    resolvePair,
    withHealthPage,
    withoutPrefix,
} from "./keepalived/index";
import { type DeclaredPair, passwordSlot, type TakenPair } from "./pairArgs";
import { claimRouterId } from "./routerIds";

/** A pair with its issues; without errors, it is resolved. */
export interface JudgedPair {
    readonly issues: readonly Issue[];
    /** As it is rendered: its password is a slot. @default - it has errors */
    readonly pair?: Pair;
    /** Whether values of it come later. */
    readonly isDraft: boolean;
}

/** How a pair is judged with the configuration that is compiled for it. */
export interface PairOfConfig {
    /** What is known at once, with slots in place of values that come later. */
    judged(config: HaproxyConfig): JudgedPair;
    /** With the values that come later; undefined if there are none. */
    later(config: HaproxyConfig): Later<JudgedPair | undefined>;
}

/** The pair of a component. */
export function pairOfConfig(
    declaring: { readonly component: object; readonly name: string },
    { draft, data }: TakenPair,
    setup: HostSetup<unknown>,
): PairOfConfig {
    return {
        judged: (config) => judgedPair(declaring, draft, config, setup, data !== draft),
        later: (config) =>
            data === draft
                ? undefined
                : then(data, (declared) => judgedPair(declaring, declared, config, setup, false)),
    };
}

/** Judges a pair, and claims its router id. */
function judgedPair(
    { component, name }: { readonly component: object; readonly name: string },
    { settings, members, secretAddresses }: DeclaredPair,
    { backends, listens = [] }: HaproxyConfig,
    setup: HostSetup<unknown>,
    isDraft: boolean,
): JudgedPair {
    const needable = [...backends, ...listens].map((section) => section.name);
    const issues = [
        ...pairIssues(settings, members, needable).map((issue) => ({ ...issue, path: pathOf(issue.path) })),
        ...(setup.firewall === undefined ? [] : secretAddresses.map(closed)),
    ];
    if (issues.some(isError)) {
        return { issues, isDraft };
    }
    const shown = settings.password === undefined ? settings : { ...settings, password: slot(passwordSlot) };
    const pair = resolvePair(name, shown, members);
    const other = claimRouterId(pair.routerId, name, component);
    return other === undefined
        ? { issues, pair, isDraft }
        : { issues: [...issues, sharedRouterId(pair.routerId, name, other)], isDraft };
}

/** Issues that another judgement does not have. */
export function newIssues(issues: readonly Issue[], earlier?: JudgedPair): Issue[] {
    const key = ({ path, message }: Issue) => [path, message].join("\n");
    const known = new Set(earlier?.issues.map(key));
    return issues.filter((issue) => !known.has(key(issue)));
}

/**
 * Issues of a host's configuration in a pair, once its own address is known.
 *
 * @param config as customized, which has its form
 */
export function bindIssues({ pair, isDraft }: JudgedPair, config: HaproxyConfig, host: string): Issue[] {
    return pair && !isDraft ? pairBindIssues(config, pair, host) : [];
}

/** The configuration with what the pair needs in it, which is no matter of clients. */
export function withPair(config: HaproxyConfig, { pair }: JudgedPair): HaproxyConfig {
    return pair ? withHealthPage(config, pair) : config;
}

/** Faults of a pair that only both hosts together show, and that clients may notice. */
const seen: readonly PairProblem["kind"][] = [
    "both-master",
    "address-on-no-host",
    "address-elsewhere",
    "address-missing",
];

/**
 * Warnings of what the hosts of a pair have answered.
 *
 * @param addresses its service addresses
 */
export function pairWarnings({ roles, absent }: RollAnswers, addresses: readonly string[] = []): string[] {
    return pairProblems(roles, { addresses: addresses.map(withoutPrefix), up: "an up", absent })
        .filter(({ kind }) => seen.includes(kind))
        .map(({ hosts, text, remedy }) => `${hosts.join(", ")}: ${text}; ${remedy}`);
}

/** Hosts are among the arguments themselves. */
function pathOf(path: string): string {
    return /^hosts(?![A-Za-z])/.test(path) ? path : `pair.${path}`;
}

/** The issue of a host whose address no rule of a firewall can have. */
function closed(host: string): Issue {
    const message = "it is a secret, so the firewall of the other host cannot let its adverts in; use pulumi.unsecret";
    return { rule: "pair-host", path: `hosts.${host}.address`, message, severity: "error" };
}

function sharedRouterId(routerId: number, name: string, other: string): Issue {
    const problem = `pair ${other} has ${routerId}, too, so that ${name} and ${other} would take each other for their peers`;
    const message = `${problem}; set pair.routerId of one of them to another number from 1 to 255`;
    return { rule: "pair-router-id", path: "pair.routerId", message, severity: "error" };
}
