/** A pair, judged together with the configuration and the setup of its hosts. */
import { type Later, then } from "./convergence/outputs";
import type { RollAnswers } from "./convergence/roll";
import { isSlot, slot } from "./convergence/slots";
import type { HaproxyConfig, Issue } from "./haproxy/index";
import { canonical, IssueList, isError } from "./haproxy/index";
import type { HostSetup } from "./hostSetup";
import {
    healthPageIssues,
    needIssues,
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
import { claimForPair } from "./pairClaims";

/** A pair with its issues; without errors, it is resolved. */
export interface JudgedPair {
    readonly issues: readonly Issue[];
    /** As it is rendered: its password is a slot. @default - it has errors */
    readonly pair?: Pair;
    /** Whether values of it come later. */
    readonly isDraft: boolean;
}

/** How a pair is judged. */
export interface JudgementOfPair {
    /** What is known at once, with slots in place of values that come later. */
    readonly now: JudgedPair;
    /** With the values that come later; undefined if there are none. */
    readonly later: Later<JudgedPair | undefined>;
}

/** Judges the pair of a component, and claims what no other pair should have. */
export function judgementOfPair(
    declaring: { readonly component: object; readonly name: string },
    { draft, data }: TakenPair,
    setup: HostSetup<unknown>,
): JudgementOfPair {
    return {
        now: judgedPair(declaring, draft, setup, data !== draft),
        later: data === draft ? undefined : then(data, (declared) => judgedPair(declaring, declared, setup, false)),
    };
}

function judgedPair(
    { component, name }: { readonly component: object; readonly name: string },
    { settings, members, secretAddresses }: DeclaredPair,
    setup: HostSetup<unknown>,
    isDraft: boolean,
): JudgedPair {
    const issues = [
        ...pairIssues(settings, members),
        ...(setup.firewall === undefined ? [] : secretAddresses.map(closed)),
    ].map(atArgument);
    if (issues.some(isError)) {
        return { issues, isDraft };
    }
    const shown = settings.password === undefined ? settings : { ...settings, password: slot(passwordSlot) };
    const pair = resolvePair(name, shown, members);
    const shared = sharedIssues(pair, component).map(atArgument);
    return { issues: [...issues, ...shared], isDraft, ...(shared.some(isError) ? {} : { pair }) };
}

/** Issues that another judgement does not have. */
export function newIssues(issues: readonly Issue[], earlier?: JudgedPair): Issue[] {
    const key = ({ path, message }: Issue) => [path, message].join("\n");
    const known = new Set(earlier?.issues.map(key));
    return issues.filter((issue) => !known.has(key(issue)));
}

/**
 * Issues of a host's configuration in a pair: of its binds once its own address is known, of the backends that the check needs, and of a
 * health page of its own.
 *
 * @param config as customized, which has its form
 * @param earlier judgement, whose issues are not repeated
 */
export function configIssues(
    { pair, isDraft }: JudgedPair,
    config: HaproxyConfig,
    host: string,
    earlier?: JudgedPair,
): Issue[] {
    if (pair === undefined) {
        return [];
    }
    const ofCheck = earlier?.pair
        ? []
        : [...needIssues(pair.settings, config).map(atArgument), ...healthPageIssues(config, pair.settings)];
    return [...ofCheck, ...(isDraft ? [] : pairBindIssues({ ...config, health: undefined }, pair, host))];
}

/** The configuration with what the pair needs in it, which is no matter of clients. */
export function withPair(config: HaproxyConfig, { pair }: JudgedPair): HaproxyConfig {
    return pair ? withHealthPage(config, pair) : config;
}

/** What a preview of a declared firewall cannot show: its rules for hosts whose address only the up knows. */
export function rulesAhead({ pair }: JudgedPair): string[] {
    const unknown = pair?.hosts.filter(({ address }) => isSlot(address)).map(({ name }) => name) ?? [];
    const hosts = `${unknown.join(" and ")}, whose address is not known yet`;
    return unknown.length === 0
        ? []
        : [`firewall: this preview has no rules for VRRP and the health page from ${hosts}; the up makes them`];
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

/** An issue at its place in the arguments, where hosts are beside the pair. */
function atArgument(issue: Issue): Issue {
    const { path } = issue;
    return { ...issue, path: /^hosts(?![A-Za-z])/.test(path) ? path : `pair.${path}` };
}

/** The issue of a host whose address no rule of a firewall can have. */
function closed(host: string): Issue {
    const message = "it is a secret, so the firewall of the other host cannot let its adverts in; use pulumi.unsecret";
    return { rule: "pair-host", path: `hosts.${host}.address`, message, severity: "error" };
}

/**
 * Issues of what another pair of the program has, too. Only its user knows whether they are on one network: what both have declared is a
 * warning.
 */
function sharedIssues({ name, settings, routerId }: Pair, component: object): Issue[] {
    const issues = new IssueList();
    const isDeclared = settings.routerId !== undefined;
    const other = claimForPair(`router id ${routerId}`, { component, name, isDeclared });
    if (other !== undefined) {
        const problem = `pair ${other.name} has ${routerId}, too, so that on one network ${name} and ${other.name} may take each other for their peers`;
        const remedy = "set pair.routerId of one of them to another number from 1 to 255";
        if (isDeclared && other.isDeclared) {
            issues.warning("pair-shared", "routerId", `${problem}; ${remedy}`);
        } else {
            issues.error(
                "pair-router-id",
                "routerId",
                `${problem}; ${remedy}, or, on separate networks, declare it in both`,
            );
        }
    }
    const { allocationId, region } = settings.elasticIp ?? {};
    const isKnown = [allocationId, region].every((text) => text !== undefined && !isSlot(text));
    const place = `elastic IP address ${allocationId} in ${region}`;
    const holder = isKnown ? claimForPair(place, { component, name, isDeclared: true }) : undefined;
    if (holder !== undefined) {
        const problem = `elasticIp: pair ${holder.name} has ${allocationId}, too, so that two MASTERs would take it from each other for ever`;
        issues.error("pair-address", "elasticIp.allocationId", `${problem}; give each pair its own`);
    }
    for (const [index, address] of (settings.addresses ?? []).map(withoutPrefix).entries()) {
        const owner = claimForPair(`address ${canonical(address)}`, { component, name, isDeclared: true });
        if (owner !== undefined) {
            const problem = `service address ${address}: pair ${owner.name} has it, too, so that on one network two hosts would answer for it`;
            issues.warning("pair-shared", `addresses.${index}`, `${problem}; give each pair its own`);
        }
    }
    return issues.issues;
}
