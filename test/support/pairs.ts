import type { PairMember, PairSettings } from "../../components/keepalived/types";

/** Two hosts of a network. */
export const members: readonly [PairMember, PairMember] = [
    { name: "lb1", address: "192.0.2.11" },
    { name: "lb2", address: "192.0.2.12" },
];

/** A pair with a virtual address, and every default. */
export const vip: PairSettings = { failback: "never", addresses: ["192.0.2.100/24"] };

/** The same hosts with what an elastic IP address needs. */
export const elasticMembers: readonly [PairMember, PairMember] = [
    {
        name: "lb1",
        address: "192.0.2.11",
        elastic: { networkInterfaceId: "eni-0aaaaaaaaaaaaaaa1", serviceAddress: "192.0.2.21" },
    },
    {
        name: "lb2",
        address: "192.0.2.12",
        elastic: { networkInterfaceId: "eni-0aaaaaaaaaaaaaaa2", serviceAddress: "192.0.2.22" },
    },
];

/** A pair with an elastic IP address, and every default. */
export const elastic: PairSettings = {
    failback: "never",
    elasticIp: { allocationId: "eipalloc-0123456789abcdef0", region: "eu-central-1" },
};
