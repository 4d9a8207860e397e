import type { Host } from "../host";
import { run } from "../machine/exec";
import type { Kind } from "./plan";

/** A fault that can be made and repaired. */
export interface Fault {
    begin(): Promise<void>;
    repair(): Promise<void>;
}

/** Who meets a fault. */
export interface Victims {
    /** The host that the fault is for. */
    readonly target: Host;
    /** The host that has the address. */
    readonly owner: Host;
    readonly both: readonly [Host, Host];
}

/** The program of the pair on its hosts. */
export const PAIR = "/usr/local/libexec/haproxy-fleet/pair";

const nothing = async () => {};

/** Signals all processes of a unit. */
const signal = (host: Host, unit: string, name: "KILL" | "STOP" | "CONT") =>
    host.exec(`systemctl kill --signal=${name} ${unit}`);

const command = (host: Host, text: string) => host.exec(text).then(() => undefined);

/** Runs nft in a host's network from outside, as the host's own administrator has nothing to do with it. */
const nft = (host: Host, rules: string) =>
    run("ip", ["netns", "exec", host.namespace, "nft", "-f", "-"], { stdin: `${rules}\n` });

/** Drops the adverts that come to a host. */
async function deafen(host: Host): Promise<void> {
    await nft(
        host,
        "table inet nemesis { chain in { type filter hook input priority -300; meta l4proto vrrp counter drop; }; }",
    );
}

/** A power cut may have taken the rules. */
const undeafen = (host: Host) => nft(host, "table inet nemesis\ndelete table inet nemesis").then(() => undefined);

/** Fills /run, and /var by a small disk over it. Only new data meets them: files that are open stay. */
const fill = (host: Host) =>
    command(
        host,
        `set -e
        mkdir -p /mnt/nemesis
        mount -t tmpfs -o size=64k tmpfs /mnt/nemesis
        mkdir /mnt/nemesis/upper /mnt/nemesis/work
        mount -t overlay -o lowerdir=/var,upperdir=/mnt/nemesis/upper,workdir=/mnt/nemesis/work overlay /var
        for disk in /mnt/nemesis /run; do
            findmnt -rno OPTIONS $disk | tr , '\\n' | grep ^size= >/tmp/nemesis-size
            used=$(df -k --output=used $disk | tail -n 1)
            [ $disk = /run ] && mount -o remount,size=$((used + 16))k /run && mv /tmp/nemesis-size /tmp/nemesis-run
            # Ends when the disk is full.
            cat /dev/zero >$disk/nemesis 2>/dev/null || true
            df -k --output=avail $disk | tail -n 1 | grep -qx ' *0'
        done`,
    );

const free = (host: Host) =>
    command(
        host,
        `rm -f /run/nemesis
        [ ! -e /tmp/nemesis-run ] || mount -o "remount,$(cat /tmp/nemesis-run)" /run
        rm -f /tmp/nemesis-run /tmp/nemesis-size
        ! mountpoint -q /var || umount -l /var
        ! mountpoint -q /mnt/nemesis || umount -l /mnt/nemesis`,
    );

/** What makes and repairs a fault on these hosts. */
export function faultOf(kind: Kind, { target, owner, both }: Victims): Fault {
    const on = (action: (host: Host) => Promise<unknown>) => async () => {
        await action(target);
    };
    const onBoth = (action: (host: Host) => Promise<unknown>) => async () => {
        await Promise.all(both.map(action));
    };
    const shell = (text: string) => on((host) => command(host, text));
    switch (kind) {
        case "haproxy killed":
            return { begin: on((host) => signal(host, "haproxy", "KILL")), repair: nothing };
        case "haproxy stopped":
            return { begin: shell("systemctl stop haproxy"), repair: shell("systemctl start haproxy") };
        case "haproxy wedged":
            return {
                begin: on((host) => signal(host, "haproxy", "STOP")),
                repair: on((host) => signal(host, "haproxy", "CONT")),
            };
        case "keepalived killed":
            return { begin: on((host) => signal(host, "keepalived", "KILL")), repair: nothing };
        case "keepalived stopped":
            return {
                begin: shell("systemctl stop keepalived"),
                repair: shell("systemctl start --no-block keepalived"),
            };
        case "power cut":
            return { begin: on((host) => host.powerCut()), repair: on((host) => host.boot()) };
        case "cable pulled":
            return { begin: on((host) => host.cutCable()), repair: on((host) => host.plugCable()) };
        case "VRRP cut one way":
            return {
                begin: on(deafen),
                repair: async () => {
                    await undeafen(target);
                    // A MASTER that was not heard has handed over, and stays out for some minutes.
                    await owner.exec(`${PAIR} resume`, { check: false });
                },
            };
        case "VRRP cut both ways":
            return { begin: onBoth(deafen), repair: onBoth(undeafen) };
        case "started at once":
            return {
                begin: onBoth((host) => host.exec("systemctl stop keepalived")),
                repair: onBoth((host) => host.exec("systemctl start --no-block keepalived")),
            };
        case "handed over":
            return { begin: shell(`${PAIR} yield "work on the host"`), repair: shell(`${PAIR} resume`) };
        case "disk full":
            return {
                begin: async () => {
                    await fill(target);
                    await command(owner, "systemctl stop haproxy");
                },
                repair: async () => {
                    await free(target);
                    await command(owner, "systemctl start haproxy");
                },
            };
    }
}
