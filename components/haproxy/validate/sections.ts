import type { HaproxyConfig } from "../model";
import { isAddress } from "../model/addresses";
import { atLeast, errorStatuses } from "../model/versions";
import { type IssueList, milliseconds, show } from "./issues";

/** What is wrong with the sections beside the proxies. */
export function sectionIssues(config: HaproxyConfig, issues: IssueList): void {
    for (const [list, kind] of kinds) {
        const sections = config[list] ?? [];
        sections.forEach(({ name }, i) => {
            issues.name(name, `${list}.${i}.name`, `a ${kind} section`);
        });
        issues.unique(
            sections.map(({ name }) => name),
            (i) => `${list}.${i}.name`,
            `${kind} section`,
        );
    }
    if (config.namedDefaults?.length && !atLeast(config.version, "2.4")) {
        issues.error(
            "namedDefaults",
            `defaults by name need HAProxy 2.4, but the declared version is ${config.version}`,
        );
    }
    userlistIssues(config, issues);
    networkIssues(config, issues);
    config.caches?.forEach((cache, i) => {
        const where = `cache ${cache.name}`;
        if (cache.name.length > longestCacheName) {
            issues.error(
                `caches.${i}.name`,
                `name ${show(cache.name)} of a cache has ${cache.name.length} characters: use at most ${longestCacheName}`,
            );
        }
        issues.whole(cache.totalMaxSize, 1, 4095, `caches.${i}.totalMaxSize`, `total-max-size of ${where}`);
        const half = cache.totalMaxSize * 2 ** 19;
        issues.whole(cache.maxObjectSize, 1, half, `caches.${i}.maxObjectSize`, `max-object-size of ${where}`);
        issues.whole(cache.maxAge, 1, 2 ** 31 - 1, `caches.${i}.maxAge`, `max-age of ${where}`);
        if (cache.processVary) {
            issues.keywords("process-vary on", `caches.${i}.processVary`, where);
        }
    });
    config.httpErrors?.forEach(({ name, errorfiles }, i) => {
        for (const status of Object.keys(errorfiles)) {
            const path = `httpErrors.${i}.errorfiles.${status}`;
            const statuses = errorStatuses(config.version);
            if (!statuses.includes(status)) {
                issues.error(path, `invalid status ${show(status)} in http-errors ${name}: use ${statuses.join(", ")}`);
            }
        }
    });
}

/** Names of caches are cut after that. */
const longestCacheName = 32;

const kinds = [
    ["namedDefaults", "defaults"],
    ["userlists", "userlist"],
    ["peers", "peers"],
    ["resolvers", "resolvers"],
    ["mailers", "mailers"],
    ["caches", "cache"],
    ["httpErrors", "http-errors"],
] as const;

function userlistIssues(config: HaproxyConfig, issues: IssueList): void {
    config.userlists?.forEach(({ name, groups = [], users }, i) => {
        const names = users.map((user) => user.name);
        issues.unique(names, (j) => `userlists.${i}.users.${j}.name`, `user of userlist ${name}`);
        users.forEach((user, j) => {
            issues.token(user.name, `userlists.${i}.users.${j}.name`, `user of userlist ${name}`);
            if (!user.password.includes("\0")) {
                issues.error(
                    `userlists.${i}.users.${j}.password`,
                    `password of user ${show(user.name)} of userlist ${name} is plain text: use a secret`,
                );
            }
        });
        groups.forEach((group, j) => {
            const place = `userlists.${i}.groups.${j}`;
            issues.token(group.name, `${place}.name`, `group of userlist ${name}`);
            group.users?.forEach((user, k) => {
                if (!names.includes(user)) {
                    issues.error(
                        `${place}.users.${k}`,
                        `unknown user ${show(user)} in group ${group.name} of userlist ${name}: declare it there`,
                    );
                }
            });
        });
    });
}

const nameServer = /^\s*(nameserver|parse-resolv-conf)\b/;

/** Peers, name servers and mailers: names and addresses. */
function networkIssues({ peers = [], resolvers = [], mailers = [] }: HaproxyConfig, issues: IssueList): void {
    const hosts = [
        ...peers.map(({ name, peers: list }, i) => ({ list, path: `peers.${i}.peers`, where: `peers ${name}` })),
        ...resolvers.map(({ name, nameservers: list }, i) => ({
            list,
            path: `resolvers.${i}.nameservers`,
            where: `resolvers ${name}`,
        })),
        ...mailers.map(({ name, mailers: list }, i) => ({
            list,
            path: `mailers.${i}.mailers`,
            where: `mailers ${name}`,
        })),
    ];
    for (const { list, path, where } of hosts) {
        issues.unique(
            list.map(({ name = "the local peer" }) => name),
            (i) => `${path}.${i}.name`,
            `entry of ${where}`,
        );
        list.forEach(({ name = "local", address, port }, i) => {
            issues.name(name, `${path}.${i}.name`, `an entry of ${where}`);
            if (!isAddress(address)) {
                issues.error(`${path}.${i}.address`, `invalid address ${show(address)} of ${where}: use an IP address`);
            }
            issues.whole(port, 1, 65_535, `${path}.${i}.port`, `port of ${name} of ${where}`);
        });
    }
    peers.forEach(({ name, peers: list, raw }, i) => {
        if (list.length === 0 && !raw?.some((line) => /^\s*(peer|server)\s/.test(line))) {
            issues.error(`peers.${i}.peers`, `no peer in peers ${name}: add the local one`);
        }
        issues.lines(raw, `peers.${i}.raw`, `peers ${name}`);
    });
    resolvers.forEach(({ name, timeouts = {}, hold = {}, raw, ...rest }, i) => {
        const where = `resolvers ${name}`;
        if (rest.nameservers.length === 0 && !rest.parseResolvConf && !raw?.some((line) => nameServer.test(line))) {
            issues.error(`resolvers.${i}.nameservers`, `no name server in ${where}: add one, or say parseResolvConf`);
        }
        issues.lines(raw, `resolvers.${i}.raw`, where);
        for (const [kind, value] of Object.entries(timeouts)) {
            issues.duration(value, `resolvers.${i}.timeouts.${kind}`, `${kind} of ${where}`);
        }
        for (const [kind, value] of Object.entries(hold)) {
            // For `obsolete`, 0 is HAProxy's own default: what is no longer answered is dropped at once.
            if (kind !== "obsolete" || milliseconds(value) !== 0) {
                issues.duration(value, `resolvers.${i}.hold.${kind}`, `${kind} of ${where}`);
            }
        }
        issues.whole(
            rest.acceptedPayloadSize,
            512,
            65_535,
            `resolvers.${i}.acceptedPayloadSize`,
            `payload of ${where}`,
        );
        issues.whole(rest.resolveRetries, 1, 1000, `resolvers.${i}.resolveRetries`, `retries of ${where}`);
    });
    mailers.forEach(({ name, timeout }, i) => {
        issues.duration(timeout, `mailers.${i}.timeout`, `timeout of mailers ${name}`);
    });
}
