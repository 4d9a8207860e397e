import type { PairSettings } from "../../components/keepalived/types";
import type { Host } from "../host";

/** How a pair is broken on purpose, so that tests can show that the checker finds it. */
export type Defect =
    /** Each host has a password of its own, so that each ignores the other one's adverts. */
    | "passwords"
    /** A failed check lowers the priority by 2, and nopreempt keeps the address where it is. */
    | "weight"
    /** The check asks whether a process exists, which a wedged HAProxy passes. */
    | "process-check";

/** What of a pair's settings the hand-written one knows. */
export type PlainSettings = Pick<PairSettings, "failback" | "advertise" | "check">;

const CHECK = "/usr/local/libexec/check-haproxy";
const NOTIFY = "/usr/local/libexec/note-state";
const DROP_IN = "/etc/systemd/system/keepalived.service.d/pair.conf";
const STATE = "/run/pair-state";
const HEALTH_PORT = 8407;

/** Asks HAProxy for its health page, for at most a second. */
const checkProgram = (seconds: number) => `#!/usr/bin/perl
use strict; use warnings; use IO::Socket::INET; use Time::HiRes qw(ualarm);
ualarm(${Math.round(seconds * 1e6)});
my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1:${HEALTH_PORT}', Timeout => 1) or exit 1;
print $s "GET / HTTP/1.0\\r\\n\\r\\n";
my $line = <$s>;
exit(defined $line && $line =~ m{^HTTP/1\\.. 200 } ? 0 : 1);
`;

const haproxyConfig = (servers: readonly Host[]) => `global
    stats socket /run/haproxy/admin.sock mode 660 level admin
    user haproxy
    group haproxy
defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s
frontend health
    bind *:${HEALTH_PORT}
    monitor-uri /
frontend http
    bind *:80
    http-response set-header X-Balancer %[hostname]
    default_backend app
backend app
    balance roundrobin
${servers.map(({ name, address }) => `    server ${name} ${address}:80 check inter 1s`).join("\n")}
`;

interface Side {
    readonly host: Host;
    readonly peer: Host;
    readonly priority: number;
    readonly password: string;
}

function keepalivedConfig(settings: PlainSettings, address: string, side: Side, defects: readonly Defect[]): string {
    const { interval = 2, fall = 2, rise = 2 } = settings.check ?? {};
    const weighs = defects.includes("weight");
    const script = defects.includes("process-check") ? "/usr/bin/pgrep -x haproxy" : CHECK;
    return `global_defs {
    router_id ${side.host.name}
    enable_script_security
    script_user root
    vrrp_garp_master_refresh 60
}
vrrp_script haproxy {
    script "${script}"
    interval ${interval}
    timeout ${Math.max(1, Math.floor(interval))}
    fall ${fall}
    rise ${rise}
${weighs ? "    weight 2\n" : ""}}
vrrp_instance pair {
    state BACKUP
${settings.failback === "never" || weighs ? "    nopreempt\n" : ""}    interface eth0
    virtual_router_id 51
    priority ${side.priority}
    advert_int ${settings.advertise ?? 1}
    unicast_src_ip ${side.host.address}
    unicast_peer {
        ${side.peer.address}
    }
    authentication {
        auth_type PASS
        auth_pass ${side.password}
    }
    virtual_ipaddress {
        ${address}/24 dev eth0
    }
    track_script {
        haproxy
    }
    notify "${NOTIFY}"
}
`;
}

/** A killed keepalived leaves the address on the interface. */
const dropIn = (address: string) => `[Unit]
After=haproxy.service
StartLimitIntervalSec=0
[Service]
Restart=always
RestartSec=1
ExecStartPre=/bin/rm -f ${STATE}
ExecStopPost=-/usr/sbin/ip address delete ${address}/24 dev eth0
`;

/** Seconds that a check may take. */
export const checkTime = (settings: PlainSettings) => Math.min(1, (settings.check?.interval ?? 2) / 2);

/**
 * Makes a pair of two hosts by hand, without any code of the components, so that the instruments of this folder can be proven before, and
 * against pairs that are broken on purpose.
 */
export async function handWrittenPair(
    hosts: readonly [Host, Host],
    servers: readonly Host[],
    address: string,
    settings: PlainSettings,
    defects: readonly Defect[] = [],
): Promise<void> {
    await Promise.all(
        hosts.map(async (host, index) => {
            const peer = hosts[index === 0 ? 1 : 0];
            const password = defects.includes("passwords") ? `secret-${index}` : "secret";
            const side = { host, peer, priority: 101 - index, password };
            await host.writeFile(CHECK, checkProgram(checkTime(settings)), 0o755);
            // keepalived appends: INSTANCE, name, state, priority.
            await host.writeFile(NOTIFY, `#!/bin/sh\necho "$3" >${STATE}\n`, 0o755);
            await host.writeFile("/etc/haproxy/haproxy.cfg", haproxyConfig(servers));
            const config = keepalivedConfig(settings, address, side, defects);
            await host.writeFile("/etc/keepalived/keepalived.conf", config, 0o600);
            await host.writeFile(DROP_IN, dropIn(address));
            await host.exec(
                `export DEBIAN_FRONTEND=noninteractive
                command -v keepalived >/dev/null || apt-get -qq install --yes --no-install-recommends haproxy keepalived
                systemctl daemon-reload
                systemctl enable --quiet haproxy keepalived
                systemctl restart haproxy`,
                { timeout: 300_000 },
            );
        }),
    );
    await Promise.all(hosts.map((host) => host.exec("systemctl restart keepalived")));
}

/** Removes what a recipe would not overwrite, and stops the pair. */
export async function removeHandWrittenPair(hosts: readonly [Host, Host]): Promise<void> {
    const files = [CHECK, NOTIFY, "/etc/keepalived/keepalived.conf", DROP_IN].join(" ");
    await Promise.all(
        hosts.map((host) =>
            host.exec(`systemctl disable --quiet --now keepalived; rm -f ${files}; systemctl daemon-reload`),
        ),
    );
}

/** Whether a pair that was made by hand can take the next fault: one host is MASTER, the other one is BACKUP. */
export async function handWrittenReady(hosts: readonly [Host, Host]): Promise<boolean> {
    const states = await Promise.all(
        hosts.map((host) => host.exec(`systemctl is-active -q keepalived haproxy && cat ${STATE}`, { check: false })),
    );
    return (
        states
            .map(({ stdout }) => stdout.trim())
            .sort()
            .join() === "BACKUP,MASTER"
    );
}
