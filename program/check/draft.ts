import type { BalancedServices } from "../../components";
import type { DeclaredFile } from "../../components/convergence/kinds/index";
import { fillSlots, slotParts } from "../../components/convergence/slots";
import {
    compileServices,
    type HaproxyConfig,
    type Issue,
    isAddress,
    type Server,
    slotPlaceholder,
    slotValue,
    stringsIn,
    withoutIgnored,
} from "../../components/haproxy";
import { haproxy } from "../../components/recipes/haproxy";
import type { LoadedStack } from "../load";
import type { Stack } from "../schema";

/** The configuration that is checked without a host. */
export interface Draft {
    /** haproxy.cfg and the files beside it; secrets are slots. */
    readonly files: readonly DeclaredFile[];
    /** Absolute paths in the configuration that only the host has: certificates and error files. */
    readonly hostPaths: readonly string[];
    readonly warnings: readonly Issue[];
}

/** The account that HAProxy runs as. */
export interface Account {
    readonly user: string;
    readonly group: string;
}

/** A node that is never connected to. */
const placeholderNode = { name: "placeholder", address: "192.0.2.1" };

/**
 * The stack without what only the machine that converges has: the private key, and the inventory of a lab. Without the inventory,
 * each service gets a placeholder as its server.
 */
export function standalone(loaded: LoadedStack): { loaded: LoadedStack; notes: string[] } {
    const { stack } = loaded;
    const { privateKeyFile: _, ...ssh } = stack.ssh;
    const { file } = stack.inventory;
    if (!file?.startsWith(".lab/") || loaded.files.has(file)) {
        return { loaded: { ...loaded, stack: { ...stack, ssh } }, notes: [] };
    }
    const runList = [stack.loadBalancers.tag];
    const node = {
        ...placeholderNode,
        environment: stack.environment,
        runList,
        ssh: { hostKey: "ssh-ed25519 placeholder" },
    };
    const services = stack.services.map((service) => ({ servers: [placeholderNode], ...service }));
    const replaced: Stack = { ...stack, ssh, inventory: { nodes: [node] }, services };
    return {
        loaded: { ...loaded, stack: replaced },
        notes: [`${file} does not exist, so each service was checked with a placeholder as its server`],
    };
}

/**
 * The files of a fleet's hosts, changed so that a machine can check them without resolving names.
 *
 * @param account In place of the configuration's, which the machine may not have. @default - that of the configuration
 */
export function draftOf(balanced: BalancedServices, ignoreIssues: readonly string[] = [], account?: Account): Draft {
    const { services, stats, ...settings } = balanced;
    const { config, validate, sourceOf } = compileServices(settings, services, undefined, stats);
    const resources = haproxy(withoutHost(config, account), { sourceOf: (path) => sourceOf(config, path) });
    return {
        files: resources.flatMap((resource) => (resource.kind === "transaction" ? resource.files : [])),
        hostPaths: hostPathsIn(config),
        warnings: withoutIgnored(validate(config), ignoreIssues),
    };
}

/** The text of a file with a placeholder for each secret. */
export function filled({ content }: DeclaredFile): string {
    return fillSlots(String(content), (name) => {
        const { encoding } = slotParts(name);
        const placeholder = slotPlaceholder(encoding);
        return encoding === undefined ? placeholder : slotValue(placeholder, encoding);
    });
}

/** The configuration without names that only the host resolves, at a start. */
function withoutHost(config: HaproxyConfig, account: Account | undefined): HaproxyConfig {
    const unresolved = (server: Server): Server =>
        isAddress(server.address) ? server : { ...server, initAddr: "none" };
    return {
        ...config,
        ...(account && { global: { ...config.global, ...account } }),
        backends: config.backends.map((backend) => ({ ...backend, servers: backend.servers.map(unresolved) })),
    };
}

function hostPathsIn(config: HaproxyConfig): string[] {
    const places = /\.(crt(\.\d+)?|caFile|errorfiles\.\d+)$/;
    const found = stringsIn(config, "").filter(({ path, text }) => places.test(path) && text.startsWith("/"));
    return [...new Set(found.map(({ text }) => text))];
}
