import { canonicalNetwork } from "../networks";

/** An allowed way in: a network, or the members of a security group, and the port that they may connect to. */
export interface Ingress {
    /** Last part of the rule's name in Pulumi. */
    readonly name: string;
    readonly description: string;
    /** A TCP port. */
    readonly port: number;
    /** A network in CIDR notation; the bastion's security group if there is none. */
    readonly network?: string;
}

/** The arguments that decide what is allowed in. */
export interface IngressArgs {
    readonly ports?: readonly number[];
    readonly clients?: readonly string[];
    readonly ssh: { readonly from?: readonly string[]; readonly securityGroup?: unknown };
}

/** The port of sshd. */
export const SSH = 22;
const ANYWHERE = ["0.0.0.0/0", "::/0"];

/** What is allowed in. AWS refuses two rules for one port and network, so if clients may use SSH from the same network, the rule for SSH stays. */
export function allowedIngress({ ports = [80, 443], clients = ANYWHERE, ssh }: IngressArgs): Ingress[] {
    const logins = (ssh.from ?? []).map(cidr).map((network) => ({
        name: `ssh-${network}`,
        description: "SSH",
        port: SSH,
        network,
    }));
    const bastion = { name: "ssh-security-group", description: "SSH from the bastion", port: SSH };
    const forClients = ports.flatMap((port) =>
        clients.map(cidr).map((network) => ({
            name: `clients-${port}-${network}`,
            description: "Clients",
            port,
            network,
        })),
    );
    return [
        ...logins,
        ...(ssh.securityGroup === undefined ? [] : [bastion]),
        ...forClients.filter(({ port, network }) => port !== SSH || !logins.some((login) => login.network === network)),
    ];
}

/** Warnings about ports that are probably open, or closed, by mistake. */
export function ingressWarnings(allowed: readonly Ingress[], { clients, ports }: IngressArgs): string[] {
    const open = allowed.filter(({ port, network }) => port === SSH && network !== undefined && isAnywhere(network));
    return [
        ...(open.length > 0
            ? [
                  `port 22 is open to the world (${open.map(({ network }) => network).join(", ")}); ` +
                      "allow the networks of your people, or the security group of a bastion",
              ]
            : []),
        ...(clients?.length === 0 ? ["no client can connect, because `clients` is empty; add their networks"] : []),
        ...(ports?.length === 0
            ? ["no client can connect, because `ports` is empty; add the ports of the services"]
            : []),
    ];
}

const isAnywhere = (network: string) => ANYWHERE.includes(network);

/** AWS takes only networks without bits after the prefix, and single addresses with one. */
function cidr(network: string): string {
    const canonical = canonicalNetwork(network);
    return canonical.includes("/") ? canonical : `${canonical}/${canonical.includes(":") ? 128 : 32}`;
}
