import { firstBoot } from "../firstBoot";
import type { Host } from "../host";
import type { Lab } from "../lab";
import { type Answer, type Layer, numbered, type Request, refusal, withForm } from "./calls";
import { splitList, textOf } from "./xml";

/** Which hosts of a lab instances run on. */
export interface LabInstancesArgs {
    lab: Lab;
    /** Names of `bare` hosts. Network interfaces take them in this order. */
    pool: readonly string[];
    /** Makes a fresh host like the image of the instances. @default - it stays as the lab's image is */
    image?: (host: Host) => Promise<void>;
}

/**
 * Instances that are hosts of a lab. A network interface gets the address of the next free host; the instance that is started with it runs
 * there, as one that boots for the first time. moto's own instances without such an interface stay rows of a table.
 */
export class LabInstances {
    /** Hosts by the id of their network interface. */
    private readonly byInterface = new Map<string, string>();
    private readonly byInstance = new Map<string, string>();
    /** Hosts that an instance has used since they were fresh. */
    private readonly used = new Set<string>();
    private readonly booting = new Map<string, Promise<void>>();
    private secondary = 100;

    constructor(private readonly args: LabInstancesArgs) {}

    /** @throws if no host has it */
    hostOf(id: string): Host {
        const name = this.byInstance.get(id) ?? this.byInterface.get(id);
        if (name === undefined) throw new Error(`${id}: no host of the lab has this instance or network interface`);
        return this.args.lab.host(name);
    }

    /** Waits until all instances have booted. @throws if one could not */
    async booted(): Promise<void> {
        await Promise.all(this.booting.values());
    }

    readonly layer: Layer = async (request, next) => {
        if (request.service !== "ec2") return next(request);
        switch (request.action) {
            case "CreateNetworkInterface":
                return this.create(request, next);
            case "AssignPrivateIpAddresses":
                return next(this.withSecondary(request, "PrivateIpAddress", 1));
            case "DeleteNetworkInterface":
                return this.after(request, next, () => this.byInterface.delete(request.form?.NetworkInterfaceId ?? ""));
            case "RunInstances":
                return this.run(request, next);
            case "TerminateInstances":
                return this.after(request, next, () => this.each(request, (host) => host.powerCut()));
            case "StopInstances":
                return this.after(request, next, () => this.each(request, (host) => host.shutdown()));
            case "StartInstances":
                return this.after(request, next, () =>
                    this.each(request, async (host) => this.boot(host.name, host.boot())),
                );
            default:
                return next(request);
        }
    };

    private async after(request: Request, next: Parameters<Layer>[1], then: () => unknown): Promise<Answer> {
        const answer = await next(request);
        if (answer.status === 200) await then();
        return answer;
    }

    private each(request: Request, change: (host: Host) => Promise<void>): Promise<unknown> {
        const hosts = numbered(request, "InstanceId").flatMap((id) => this.byInstance.get(id) ?? []);
        return Promise.all(
            hosts.map(async (name) => {
                await this.booting.get(name)?.catch(() => undefined);
                await change(this.args.lab.host(name));
            }),
        );
    }

    private async create(request: Request, next: Parameters<Layer>[1]): Promise<Answer> {
        const taken = [...this.byInterface.values()];
        const free = this.args.pool.find((name) => !taken.includes(name));
        if (free === undefined)
            return refusal(
                request,
                400,
                "InsufficientFreeAddressesInSubnet",
                `network interface: each of the lab's hosts ${this.args.pool.join(", ")} has one; add a host to the pool`,
            );
        // The call is on its way: the next one must not take the same host.
        const reserved = `reserved ${free}`;
        this.byInterface.set(reserved, free);
        const primary = {
            PrivateIpAddress: undefined,
            "PrivateIpAddresses.1.PrivateIpAddress": this.args.lab.host(free).address,
            "PrivateIpAddresses.1.Primary": "true",
        };
        const answer = await next(this.withSecondary(withForm(request, primary), "PrivateIpAddresses", 2));
        this.byInterface.delete(reserved);
        const id = textOf(answer.body, "networkInterfaceId");
        if (id) this.byInterface.set(id, free);
        return answer;
    }

    /** Names the secondary addresses that a call only counts. moto takes any of the subnet, also those of hosts. */
    private withSecondary(request: Request, list: string, first: number): Request {
        const { SecondaryPrivateIpAddressCount: count = "0" } = request.form ?? {};
        const names = Array.from({ length: Number(count) }, (_, index) =>
            list === "PrivateIpAddress"
                ? { [`${list}.${first + index}`]: this.args.lab.address(this.secondary++) }
                : {
                      [`${list}.${first + index}.PrivateIpAddress`]: this.args.lab.address(this.secondary++),
                      [`${list}.${first + index}.Primary`]: "false",
                  },
        );
        return withForm(request, Object.assign({ SecondaryPrivateIpAddressCount: undefined }, ...names));
    }

    /** The program gets its answer before the user data has run, as from AWS. */
    private async run(request: Request, next: Parameters<Layer>[1]): Promise<Answer> {
        const id = Object.entries(request.form ?? {}).find(([key]) =>
            /^NetworkInterface\.\d+\.NetworkInterfaceId$/.test(key),
        )?.[1];
        const name = id === undefined ? undefined : this.byInterface.get(id);
        if (name === undefined) return next(request);
        const host = this.args.lab.host(name);
        if (this.used.has(name)) await this.args.lab.reset(name);
        this.used.add(name);
        await likeAnImage(host);
        await this.args.image?.(host);
        const answer = await next(request);
        const instance = textOf(splitList(answer.body, "instancesSet")?.items[0] ?? "", "instanceId");
        if (instance === undefined) return answer;
        this.byInstance.set(instance, name);
        const userData = Buffer.from(request.form?.UserData ?? "", "base64").toString();
        this.boot(name, userData ? firstBoot(host, userData) : host.exec("systemctl start ssh").then(() => undefined));
        return answer;
    }

    private boot(name: string, work: Promise<void>): void {
        this.booting.set(name, work);
        // `booted` gets the error, if it is called.
        work.catch(() => undefined);
    }
}

/** Takes from a host what the lab has given to it and an image would not have. sshd starts when the user data has its keys in place. */
const likeAnImage = (host: Host) =>
    host.exec(`systemctl stop ssh
        rm -f /root/.ssh/authorized_keys /etc/ssh/ssh_host_*_key*
        ssh-keygen -q -A`);
