/** Two load balancers with one service address. Pure: values that are not known yet, and secrets, are slots. */

/** What two load balancers share, as users declare it. `Secret` is how a secret is given, `Value` what other resources may bring. */
export interface PairSettings<Secret = string, Value = string> {
    /**
     * What a host does that has been away: `never`: it stays BACKUP until the other one fails; `immediate`: the first host takes the
     * address over again as soon as it serves.
     */
    readonly failback: "never" | "immediate";
    /**
     * Virtual addresses, as in `192.0.2.100` or `2001:db8::100/64`; at least one is IPv4. The MASTER puts them on the interface that has its
     * own address. Without a prefix length it gets `/32` or `/128`, which adds no route. Not in a VPC: see `elasticIp`. @default - `elasticIp`
     */
    readonly addresses?: readonly string[];
    /** An elastic IP address of AWS, which the MASTER takes. @default - `addresses` */
    readonly elasticIp?: ElasticIp<Value>;
    /**
     * VRRP's password, 1 to 8 characters. It is in clear on the wire: it prevents mistakes, such as two pairs with one router id, not
     * attackers. @default - none
     */
    readonly password?: Secret;
    /** VRRP's router id, 1 to 255, which no other pair on the network has. @default - a hash of the pair's name */
    readonly routerId?: number;
    /** Priorities of the first and the second host, 1 to 254, in falling order. @default [101, 100] */
    readonly priorities?: readonly [number, number];
    /** Seconds between two adverts, 1 to 255. After three of them and a part of one, the BACKUP takes over from a dead MASTER. @default 1 */
    readonly advertise?: number;
    /** How keepalived finds out whether HAProxy serves. @default {} */
    readonly check?: PairCheck;
    /**
     * Which host has the address if none serves. `keep`: the one that had it, or the other one if only HAProxy there still runs, so that
     * clients get an answer at once. `release`: none, so that clients run into timeouts, and a router upstream sees that the address is
     * gone. @default "keep"
     */
    readonly noneServes?: "keep" | "release";
    /** Name of a host that hands the address over and stays out. @default - none */
    readonly standby?: string;
}

/** The check of HAProxy: a request to its own health page, which HAProxy answers itself. */
export interface PairCheck {
    /** Seconds between two checks: whole ones up to 60, or from 0.1 on below 1, which keepalived knows from 2.3 on. @default 2 */
    readonly interval?: number;
    /** Failed checks in a row after which a host hands over, 1 to 10. @default 2 */
    readonly fall?: number;
    /** Passed checks in a row after which it serves again, 1 to 10. @default 2 */
    readonly rise?: number;
    /** TCP port of the health page, on all IPv4 addresses; only the two hosts are answered. @default 8407 */
    readonly port?: number;
    /**
     * Services, or backends, without which a host does not serve: the check fails if one of them has no server left. Each must have
     * servers; one that only redirects has none. @default []
     */
    readonly needs?: readonly string[];
}

/** An elastic IP address that moves between two hosts in one VPC. Pulumi owns the address, never its association. */
export interface ElasticIp<Value = string> {
    /** `eipalloc-…` */
    readonly allocationId: Value;
    /** Region of the address, as in `eu-central-1`. */
    readonly region: Value;
    /** URL of EC2's API, such as that of a VPC endpoint. @default - https://ec2.<region>.amazonaws.com */
    readonly endpoint?: string;
}

/** One of the two hosts. */
export interface PairMember<Value = string> {
    /** Its name in the pair. */
    readonly name: string;
    /** Its own IPv4 address on the network of the pair. */
    readonly address: Value;
    /** Where the elastic IP address leads while this host is MASTER. @default - the pair has no elastic IP address */
    readonly elastic?: {
        /** `eni-…` */
        readonly networkInterfaceId: Value;
        /** A secondary private address of the interface. */
        readonly serviceAddress: Value;
    };
}

/** A pair with everything that is computed: one object for both hosts, so that what must match cannot differ. */
export interface Pair {
    /** Name of the component. */
    readonly name: string;
    /** The first is preferred with failback `immediate`. */
    readonly hosts: readonly [PairMember, PairMember];
    /** As declared: a secret is a slot. */
    readonly settings: PairSettings;
    /** VRRP's router id, 1 to 255. */
    readonly routerId: number;
}
