import type { Host } from "./host";

/** One machine as the fleet's search sees it. */
export interface InventoryNode {
    name: string;
    address: string;
    environment: string;
    runList: string[];
    /** How to log in, on the hosts that a stack converges. */
    ssh?: { user: string; hostKey: string };
}

export interface Inventory {
    nodes: InventoryNode[];
}

/** The inventory of a lab's hosts, by name: bare ones can be logged in to, app servers are only found. */
export function inventory(hosts: Pick<Host, "name" | "address" | "state">[], environment: string): Inventory {
    const nodes = hosts.map(({ name, address, state }) => ({
        name,
        address,
        environment,
        runList: state.tags,
        ...(state.image === "bare" ? { ssh: { user: "root", hostKey: state.hostKey } } : {}),
    }));
    return { nodes: nodes.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

/** An ssh_config(5) that logs in to the lab's hosts by name, and to nothing that has not their keys. */
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
