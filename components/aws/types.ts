import type * as pulumi from "@pulumi/pulumi";
import type { Ec2Image, Ec2ImageName } from "./images";

/** Arguments of Ec2Hosts. Ids may be outputs of other resources; what decides which resources exist is plain data. */
export interface Ec2HostsArgs<Host extends string = string> {
    /** Tag `environment` of all resources, such as `prod`. */
    environment: string;
    /** Id of the VPC. */
    vpc: pulumi.Input<string>;
    /** The hosts by name, in the order in which they are created and changed. */
    hosts: Readonly<Record<Host, Ec2HostArgs>>;
    /**
     * Image of new hosts: the newest by its name, or of any owner. A newer one changes no host that exists. @default "ubuntu-24.04"
     */
    image?: Ec2ImageName | Ec2Image;
    /**
     * Instance type. Its change stops and starts the hosts, one after the other. The default has two cores of its own; types that begin
     * with `t` are slowed down after some minutes of load. @default "c7i.large"
     */
    instanceType?: pulumi.Input<string>;
    /** Size of the root volume in GiB, from 8 to 16384. It can only grow. @default 20 */
    diskGiB?: number;
    /** TCP ports that clients connect to. @default [80, 443] */
    ports?: readonly number[];
    /** Networks of the clients, `192.0.2.0/24` or `2001:db8::/32`. @default - anywhere, IPv4 and IPv6 */
    clients?: readonly string[];
    /** TCP port of HAProxy's health page, which hosts of a pair ask each other for: `pair.check.port`. @default 8407 */
    healthPort?: number;
    /** Who can log in to the hosts, and from where. */
    ssh: Ec2Ssh;
    /** Names of the service in Route 53: an A record each, with the service address. @default - none */
    dns?: Ec2Dns;
    /** Tag `run_list` of the instances, by which a search finds them. @default ["haproxy::lb"] */
    runList?: readonly string[];
    /** Further tags of the instances, interfaces, addresses, the security group and the role. @default {} */
    tags?: Readonly<Record<string, string>>;
    /**
     * Whether the service address, the names and, with them, the hosts are protected: a deletion fails until this is false in an up.
     * @default true
     */
    protect?: boolean;
}

/** A host in EC2. */
export interface Ec2HostArgs {
    /**
     * Id of its subnet, which needs a route to an internet gateway. A change takes effect with the next generation: no host moves by itself.
     */
    subnet: pulumi.Input<string>;
    /**
     * A higher number replaces the host, with a new address and host key: the new one is created and converged, then the old one is
     * deleted. A whole number from 1 to 9999. @default 1
     */
    generation?: number;
    /** Its instance type. @default - that of all hosts */
    instanceType?: pulumi.Input<string>;
}

/** Who can log in, and from where: `from`, `securityGroup`, or both. */
export interface Ec2Ssh {
    /** Login that is made on the hosts, with sudo without a password. */
    user: string;
    /** Public keys of the login, a line each as in `authorized_keys`. New ones take effect with the next generation of a host. */
    authorizedKeys: readonly string[];
    /** Networks that may connect to port 22. @default [] */
    from?: readonly string[];
    /** Id of a security group whose members may connect to port 22: that of the bastion. @default - none */
    securityGroup?: pulumi.Input<string>;
}

/** Names in Route 53. */
export interface Ec2Dns {
    /** Id of the hosted zone. */
    zone: pulumi.Input<string>;
    /** Full names in this zone, `www.example.com` or `*.example.com`. */
    names: readonly string[];
    /** Seconds that resolvers may keep an answer. @default 300 */
    ttl?: number;
}

/** The arguments as plain data, for a stack. The environment and the login's name come from the stack. */
export type Ec2HostsSettings = Plain<Omit<Ec2HostsArgs, "environment" | "ssh"> & { ssh: Omit<Ec2Ssh, "user"> }>;

/** The same without promises and Outputs. */
type Plain<T> = T extends Promise<unknown> | pulumi.OutputInstance<unknown>
    ? never
    : T extends readonly (infer Entry)[]
      ? readonly Plain<Entry>[]
      : T extends object
        ? { readonly [K in keyof T]: Plain<T[K]> }
        : T;
