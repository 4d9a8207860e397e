import { isIP, isIPv4 } from "node:net";
import { isSlot } from "../convergence/slots";
import { type HaproxyConfig, hasServers, type Issue, IssueList } from "../haproxy/index";
import { list } from "../nearest";
import { addressIssues } from "./addresses";
import { checkOf, pairDefaults, withoutPrefix } from "./pair";
import type { PairMember, PairSettings } from "./types";
import { valueIssue } from "./values";

/** Above this, a pair does worse than a person with a telephone. */
const longestGap = 30;

/**
 * Issues of a pair that neither types nor forms exclude.
 *
 * @param settings that have their form; secrets, and values that are not known yet, are slots
 * @param members the first is preferred with failback `immediate`. The path of a member is `hosts.<name>`
 */
export function pairIssues(settings: PairSettings, members: readonly PairMember[]): Issue[] {
    const issues = new IssueList();
    hostIssues(members, issues);
    serviceIssues(settings, members, issues);
    elasticIssues(settings, members, issues);
    passwordIssues(settings, issues);
    choiceIssues(settings, members, issues);
    checkIssues(settings, issues);
    return issues.issues;
}

function hostIssues(members: readonly PairMember[], issues: IssueList): void {
    if (members.length !== 2) {
        issues.error("pair-host", "hosts", `pair: ${countWords(members.map(({ name }) => name))}`);
    }
    for (const { name, address } of members) {
        if (/^(0|[1-9]\d*)$/.test(name)) {
            issues.error(
                "pair-host",
                "hosts",
                `host ${name}: its name is a number, and JavaScript sorts such names before all others, so that which host is the first ` +
                    `could not be declared; give it a name with a letter, such as lb${name}`,
            );
        }
        const named = valueIssue(name, "keepalived-word");
        if (named !== undefined) {
            issues.error("pair-host", `hosts.${name}`, `host ${JSON.stringify(name)}: its name ${named}`);
        }
        if (!isSlot(address) && !isIPv4(address)) {
            issues.error(
                "pair-host",
                `hosts.${name}.address`,
                `host ${name}: its address ${JSON.stringify(address)} is not an IPv4 address; VRRP needs one that the other host reaches`,
            );
        }
    }
    const [first, second] = members;
    if (first && second && first.address === second.address) {
        const shown = isSlot(first.address) ? "" : ` ${first.address}`;
        issues.error(
            "pair-host",
            `hosts.${second.name}.address`,
            `host ${second.name}: it has the own address${shown} of ${first.name}; give each host its own`,
        );
    }
}

/** Why hosts are no pair. A fleet is no remedy: it would take keepalived off the host that serves. */
function countWords(names: readonly string[]): string {
    if (names.length === 0) {
        return "it has no host; declare exactly two";
    }
    return names.length === 1
        ? `it has 1 host, ${names[0]}; declare the other one, too, even while it is down, or the one that replaces it`
        : `it has ${names.length} hosts, ${list(names, "and")}; declare exactly two`;
}

function serviceIssues(settings: PairSettings, members: readonly PairMember[], issues: IssueList): void {
    const { addresses, elasticIp } = settings;
    if (addresses !== undefined && elasticIp !== undefined) {
        issues.error(
            "pair-address",
            "elasticIp",
            "pair: addresses and elasticIp exclude each other; use elasticIp in a VPC of AWS, and addresses elsewhere",
        );
    } else if (addresses === undefined && elasticIp === undefined) {
        issues.error(
            "pair-address",
            "addresses",
            "pair: it has no service address; set addresses, or elasticIp in a VPC of AWS",
        );
    }
    addressIssues(addresses, issues);
    for (const { name, address } of members) {
        const index = (addresses ?? []).findIndex((each) => withoutPrefix(each) === address);
        if (index >= 0) {
            issues.error(
                "pair-address",
                `addresses.${index}`,
                `service address ${address}: it is the own address of host ${name}, which would lose it as BACKUP; use one that no host has`,
            );
        }
    }
}

/** What an elastic IP address needs of both hosts. */
function elasticIssues({ elasticIp }: PairSettings, members: readonly PairMember[], issues: IssueList): void {
    if (elasticIp !== undefined) {
        idIssue(elasticIp.allocationId, "elasticIp.allocationId", "eipalloc-0123456789abcdef0", issues);
        idIssue(elasticIp.region, "elasticIp.region", "eu-central-1", issues);
        const { endpoint } = elasticIp;
        if (endpoint !== undefined && !/^https?:\/\/[A-Za-z0-9.:-]+\/?$/.test(endpoint)) {
            issues.error(
                "pair-address",
                "elasticIp.endpoint",
                `elasticIp: ${JSON.stringify(endpoint)} is not the URL of an API; use one like https://ec2.eu-central-1.amazonaws.com`,
            );
        }
    }
    for (const { name, address, elastic } of members) {
        const path = `hosts.${name}.elastic`;
        if (elasticIp === undefined && elastic !== undefined) {
            issues.error(
                "pair-host",
                path,
                `host ${name}: elastic has no effect in a pair without elasticIp; remove it`,
            );
        } else if (elasticIp !== undefined && elastic === undefined) {
            issues.error(
                "pair-host",
                path,
                `host ${name}: the elastic IP address leads nowhere; set elastic.networkInterfaceId and elastic.serviceAddress`,
            );
        } else if (elastic !== undefined) {
            idIssue(elastic.networkInterfaceId, `${path}.networkInterfaceId`, "eni-0123456789abcdef0", issues);
            const { serviceAddress } = elastic;
            if (!isSlot(serviceAddress) && !isIPv4(serviceAddress)) {
                issues.error(
                    "pair-host",
                    `${path}.serviceAddress`,
                    `host ${name}: ${JSON.stringify(serviceAddress)} is not an IPv4 address; use a secondary private address of its interface`,
                );
            } else if (members.some((member) => member.address === serviceAddress)) {
                issues.error(
                    "pair-host",
                    `${path}.serviceAddress`,
                    `host ${name}: its service address is the own address of ${address === serviceAddress ? "itself" : "the other host"}; ` +
                        "use a secondary private address, so that the host stays reachable by its own",
                );
            }
        }
    }
    const [first, second] = members.map(({ elastic }) => elastic);
    for (const field of ["networkInterfaceId", "serviceAddress"] as const) {
        if (first && second && first[field] === second[field]) {
            issues.error(
                "pair-host",
                `hosts.${members[1]?.name}.elastic.${field}`,
                `host ${members[1]?.name}: it has the ${field} of ${members[0]?.name}; each host has its own`,
            );
        }
    }
}

/** Ids that AWS gives. Their form is not judged: in a user's own tests, they are whatever a mock returns. */
function idIssue(value: string, path: string, example: string, issues: IssueList): void {
    if (!isSlot(value) && (isIP(value) !== 0 || valueIssue(value, "keepalived-word") !== undefined)) {
        issues.error("form", path, `${path}: ${JSON.stringify(value)} is no such id; use one like ${example}`);
    }
}

function passwordIssues({ password }: PairSettings, issues: IssueList): void {
    const issue = password === undefined || isSlot(password) ? undefined : valueIssue(password, "keepalived-password");
    if (issue !== undefined) {
        issues.error("pair-password", "password", `password of the pair: it ${issue}`);
    }
}

/** Priorities and standby. */
function choiceIssues(settings: PairSettings, members: readonly PairMember[], issues: IssueList): void {
    const { priorities: [first, second] = pairDefaults.priorities, standby } = settings;
    if (first <= second) {
        issues.error(
            "pair-priority",
            "priorities",
            `priorities ${first} and ${second}: the first host must have the higher one; use ${pairDefaults.priorities.join(" and ")}`,
        );
    }
    if (standby !== undefined && !members.some(({ name }) => name === standby)) {
        const names = members.map(({ name }) => name).join(" and ");
        issues.error(
            "pair-host",
            "standby",
            `standby: the pair has no host ${JSON.stringify(standby)}; its hosts are ${names}`,
        );
    }
}

/**
 * Issues of the services and backends that a pair's check needs.
 *
 * @param config that each host gets: the one with the backends
 * @param unsearched names of services whose servers are not known, because their search has failed
 */
export function needIssues(
    settings: PairSettings,
    { backends, listens = [] }: HaproxyConfig,
    unsearched: readonly string[] = [],
): Issue[] {
    const issues = new IssueList();
    const sections = [...backends, ...listens];
    const names = sections.map(({ name }) => name).sort();
    const known = names.length === 0 ? "declare a service first" : `use ${names.join(", ")}`;
    checkOf(settings).needs.forEach((name, index) => {
        if (!names.includes(name)) {
            issues.error(
                "unknown-reference",
                `check.needs.${index}`,
                `check.needs: ${JSON.stringify(name)} is neither a service nor a backend; ${known}`,
            );
        } else if (!unsearched.includes(name) && !sections.some((each) => each.name === name && hasServers(each))) {
            issues.error(
                "pair-check",
                `check.needs.${index}`,
                `check.needs: ${JSON.stringify(name)} has no servers, so that neither host would ever serve; remove it, or give it a server`,
            );
        }
    });
    return issues.issues;
}

function checkIssues(settings: PairSettings, issues: IssueList): void {
    const { interval, fall, needs } = checkOf(settings);
    needs.forEach((name, index) => {
        if (needs.indexOf(name) !== index) {
            issues.error(
                "duplicate-name",
                `check.needs.${index}`,
                `check.needs: ${JSON.stringify(name)} is there twice; remove one`,
            );
        }
    });
    if (interval * fall > longestGap) {
        issues.warning(
            "pair-timing",
            "check.interval",
            `check: a host that does not serve keeps the address for up to ${interval * fall} s; lower interval or fall`,
        );
    }
    const { advertise = pairDefaults.advertise } = settings;
    if (advertise * 3 > longestGap) {
        issues.warning(
            "pair-timing",
            "advertise",
            `advertise: a dead MASTER is noticed after more than ${advertise * 3} s; lower it`,
        );
    }
}
