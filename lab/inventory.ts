import type { Host } from "./host";

/** A node as the fleet's search reads it. */
export interface InventoryNode {
    name: string;
    address: string;
    environment: string;
    runList: string[];
    /** How to log in, if a stack converges the host. */
    ssh?: { user: string; hostKey: string };
}

export interface Inventory {
    nodes: InventoryNode[];
}

/** The inventory of a lab, sorted by name. Hosts with services for tests get no login. */
export function inventory(hosts: Pick<Host, "name" | "address" | "state">[], environment: string): Inventory {
    const nodes = hosts.map(({ name, address, state }) => ({
        name,
        address,
        environment,
        runList: state.tags,
        ...(["bare", "haproxy"].includes(state.image) ? { ssh: { user: "root", hostKey: state.hostKey } } : {}),
    }));
    return { nodes: nodes.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

/** An ssh_config(5) that logs in to the lab's hosts by name and checks their keys. */
export function sshConfig(hosts: Pick<Host, "name" | "address">[], dir: string): string {
    const named = hosts.map(({ name, address }) => `Host ${name}\n    HostName ${address}\n`).join("");
    return `${named}Host *
    User root
    IdentityFile "${dir}/id_ed25519"
    IdentitiesOnly yes
    UserKnownHostsFile "${dir}/known_hosts"
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
    ConnectTimeout 5
    LogLevel ERROR
`;
}
