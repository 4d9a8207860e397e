import type { LoadBalancerFleetArgs } from "../components";
import { atDeclared, certificateFiles } from "../components/certificateFiles";
import {
    compileServices,
    isError,
    type Service,
    searchedMaxShrinkPercent,
    secretsIn,
    withoutIgnored,
} from "../components/haproxy";
import { type HostSetup, setupSecrets, splitSetup } from "../components/hostSetup";
import { type Inventory, serversFor } from "../components/search";
import type { CertificateArguments } from "../components/tls";
import { clearFilesOf, fileOf, namedTexts, secretOf, withTexts } from "./certificates";
import { missingSecret } from "./configValues";
import { declaredIn, type Host, hostsOf, type Provisioned, provisionedOf } from "./hosts";
import { type FoundNodes, inventoryOf } from "./inventory";
import type { LoadedStack } from "./load";
import { type DeclaredPair, pairErrors } from "./pairs";
import { type Group, groupsOf, type NamedSecret } from "./schema";

/** What a stack declares, with the hosts and servers that its searches find. */
export interface Composed {
    readonly fleets: readonly Fleet[];
    /** Names of the secrets that fill slots of the same names. */
    readonly slots: readonly string[];
    /** Names of all secrets: these, and those that are whole texts, of certificates or keys. */
    readonly secrets: readonly string[];
    /** Files that hold secrets in clear, such as `certificates.shop.key: web.key`. */
    readonly clearFiles: readonly string[];
}

/** A group of load balancers. */
export interface Fleet {
    readonly name: string;
    readonly hosts: readonly Host[];
    /** What its hosts are in EC2. @default - they exist already */
    readonly provisioned?: Provisioned;
    /** What each host balances, and how it is treated. */
    readonly args: Omit<LoadBalancerFleetArgs, "hosts" | keyof HostSetup<never>>;
    /** What it says about certificates: texts of files, and the secrets in the stack's config by name. */
    readonly certificates: CertificateArguments<string | { readonly secret: string }>;
    /** What its hosts share as a pair. @default - they are no pair */
    readonly pair?: DeclaredPair;
    /** What its hosts have besides, with the names of secrets in the stack's config. */
    readonly setup: HostSetup<NamedSecret>;
}

/**
 * Composes the fleets of a stack: searches hosts and servers, and validates the configuration.
 *
 * @param hasSecret Returns whether the stack's config has a secret.
 * @param ec2 What {@link searchEc2} has found.
 * @throws {Error} With every error in inventory, hosts, services, configuration and secrets, one per line.
 */
export function compose(loaded: LoadedStack, hasSecret: (name: string) => boolean, ec2?: FoundNodes): Composed {
    const { stack, name: stackName, source } = loaded;
    const errors: string[] = [];
    const attempt = <T>(compute: () => T): T | undefined => {
        try {
            return compute();
        } catch (error) {
            errors.push((error as Error).message);
            return undefined;
        }
    };
    const inventory = attempt(() => inventoryOf(loaded, ec2));
    const composed = groupsOf(stack).map((group) => composeGroup(group, loaded, inventory, attempt));
    errors.push(...composed.flatMap((group) => group.errors));
    const slots = [...new Set(composed.flatMap((group) => group.slots))];
    const secrets = [...new Set([...slots, ...composed.flatMap((group) => group.texts)])];
    for (const name of secrets.filter((secret) => !hasSecret(secret))) {
        errors.push(`${source}: ${missingSecret(name, stackName)}`);
    }
    if (errors.length > 0) {
        throw new Error([...new Set(errors)].join("\n"));
    }
    return {
        fleets: composed.map(({ fleet }) => fleet),
        slots,
        secrets,
        clearFiles: composed.flatMap((group) => group.clearFiles),
    };
}

/** The names in `acceptDown` that are about a fleet: those of its services, and those that no fleet has, which it refuses. */
export function acceptedDown(names: readonly string[], fleet: string, fleets: readonly Fleet[]): string[] {
    const owners = (service: string) =>
        fleets.filter(({ args }) => args.services?.some(({ name }) => name === service)).map(({ name }) => name);
    return names.filter((name) => owners(name).length === 0 || owners(name).includes(fleet));
}

interface ComposedGroup {
    readonly fleet: Fleet;
    readonly errors: readonly string[];
    /** Names of secrets that fill slots. */
    readonly slots: readonly string[];
    /** Names of secrets that are whole texts: of certificates, and keys. */
    readonly texts: readonly string[];
    readonly clearFiles: readonly string[];
}

/** A fleet, with what is wrong with it; errors of searches go to `attempt`. */
function composeGroup(
    { name, group, at }: ReturnType<typeof groupsOf>[number],
    loaded: LoadedStack,
    inventory: Inventory | undefined,
    attempt: <T>(compute: () => T) => T | undefined,
): ComposedGroup {
    const { stack, source } = loaded;
    const { environment } = stack;
    const found = hostsOf(group, loaded, inventory, attempt);
    const services = group.services.map((service, i) =>
        service.servers || !inventory
            ? service
            : (attempt(() => withServers(service, inventory, environment, `${source}: ${at}services[${i}]`)) ??
              service),
    );
    const { ignoreIssues, allowWarnings, oldWorkers, bake, roll, ...settings } = group.haproxy ?? {};
    const declared = certificateFiles(group);
    const { stats, metrics } = group;
    const { setup } = splitSetup(group);
    const { config, validate } = compileServices(settings, services, () => undefined, stats, declared, metrics);
    const issues = withoutIgnored(atDeclared(validate(config), config, group), ignoreIssues).filter(isError);
    const unsearched = services.flatMap(({ name: service, servers }) => (servers ? [] : [service]));
    const known = found?.names;
    const unknown = Object.keys(group.hosts ?? {}).filter((host) => known && !known.includes(host));
    return {
        fleet: {
            name,
            hosts: found?.hosts ?? [],
            provisioned: provisionedOf(name, group, loaded),
            args: {
                ...settings,
                services,
                stats,
                metrics,
                ignoreIssues,
                allowWarnings,
                oldWorkers,
                bake,
                roll,
            },
            setup: { ...setup, ...(setup.datadog && { datadog: taggedAgent(setup.datadog, group, loaded) }) },
            pair: group.pair && { settings: group.pair, isProvisioned: "ec2" in group.loadBalancers },
            certificates: withTexts(group, (text) => ("file" in text ? (loaded.files.get(text.file) ?? "") : text)),
        },
        errors: [
            ...issues.map(({ path, message }) => `${source}: ${at}${path}: ${message}`),
            ...missingFiles(group, loaded, at),
            ...unknown.map(
                (host) =>
                    `${source}: ${at}hosts.${host}: no load balancer has that name (there are: ${known?.join(", ")}); correct it`,
            ),
            ...pairErrors(group, found, declaredIn(loaded), config, unsearched).map(
                (error) => `${source}: ${at}${error}`,
            ),
        ],
        slots: [...secretsIn({ ...config, certificates: [], authorities: [] }), ...passwordSecrets(group)],
        texts: [
            ...namedTexts(group).flatMap(({ named }) => secretOf(named)),
            ...setupSecrets(setup).map(({ secret }) => secret),
            ...(group.pair?.password ? [group.pair.password.secret] : []),
        ],
        clearFiles: clearFilesOf(group, loaded.files).map((file) => `${at}${file}`),
    };
}

type Agent = NonNullable<HostSetup<NamedSecret>["datadog"]>;

/** Datadog's agent with the tags that tell its hosts from others, unless the stack sets them itself. */
function taggedAgent(agent: Agent, { loadBalancers }: Group, { stack, name }: LoadedStack): Agent {
    const [role = "haproxy::lb"] = "tag" in loadBalancers ? [loadBalancers.tag] : (loadBalancers.ec2.runList ?? []);
    return { environment: stack.environment, ...agent, tags: { stack: name, role, ...agent.tags } };
}

/** The secrets that services and the statistics page name, whether or not these compile. */
function passwordSecrets({ services, stats }: Group): string[] {
    const users = [...services.flatMap(({ basicAuth }) => basicAuth?.users ?? []), ...[stats?.auth ?? []].flat()];
    return users.flatMap((user) => ("passwordSecret" in user ? [user.passwordSecret] : []));
}

/** Errors of files that a group names and that do not exist. */
function missingFiles(group: Group, { source, files }: LoadedStack, at: string): string[] {
    return namedTexts(group).flatMap(({ path, named }) =>
        fileOf(named)
            .filter((file) => !files.has(file))
            .map((file) => `${source}: ${at}${path}: ${file} does not exist; write it, or correct the path`),
    );
}

/** The service with the servers that the search finds: it may find too few, so they are guarded. */
function withServers(service: Service, inventory: Inventory, environment: string, subject: string): Service {
    const { name, tag = `${name}::app`, port, backupFacility } = service;
    const { maxShrinkPercent = searchedMaxShrinkPercent, backups = backupFacility !== undefined } = service;
    try {
        const servers = serversFor(inventory, { tag, environment, port, backupFacility });
        return { ...service, servers, maxShrinkPercent, backups };
    } catch (error) {
        throw new Error(`${subject}: ${(error as Error).message}`);
    }
}
