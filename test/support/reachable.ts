import { connect } from "node:net";
import type { Host } from "../../lab/host";
import { run } from "../../lab/machine/exec";
import { until } from "./traffic";

/** Accepts connections on TCP ports, for IPv4 and IPv6. Needs only what perl-base has. */
const LISTENER = `
use Socket qw(:all);
for my $port (@ARGV) {
    socket(my $s, AF_INET6, SOCK_STREAM, 0) or die; setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
    bind($s, pack_sockaddr_in6($port, IN6ADDR_ANY)) or die; listen($s, 50); push @kept, $s;
}
sleep;
`;

/** Lets a host listen on TCP ports. */
export async function listenOn(host: Host, ports: readonly number[]): Promise<void> {
    await host.writeFile("/root/listen.pl", LISTENER);
    await host.exec(`systemd-run --quiet --unit=listener perl /root/listen.pl ${ports.join(" ")}`);
}

/** What becomes of a connection: refused if an answer says so, dropped if none comes. */
export type Connection = "accepted" | "refused" | "dropped";

/**
 * Which ports of a host answer the machine, as `4:80` over IPv4 and `6:80` from a link-local IPv6 address; with ` refused` if they do not
 * accept the connection.
 */
export async function reachable(host: Host, ports: readonly number[]): Promise<string[]> {
    const device = /dev (\S+)/.exec((await run("ip", ["-o", "route", "get", host.address])).stdout)?.[1] ?? "";
    const local = await linkLocalOf(host);
    const tries = ports.flatMap((port) => [
        { name: `4:${port}`, host: host.address, port },
        { name: `6:${port}`, host: `${local}%${device}`, port },
    ]);
    const found = await Promise.all(
        tries.map(async (each) => ({ ...each, is: await connectionTo(each.host, each.port) })),
    );
    return found.flatMap(({ name, is }) => (is === "dropped" ? [] : [is === "refused" ? `${name} refused` : name]));
}

/** The host's link-local IPv6 address, once it may be used: for more than a second after a boot, the kernel looks for others that have it. */
async function linkLocalOf(host: Host): Promise<string> {
    let local: string | undefined;
    await until(`${host.name} has a link-local address`, async () => {
        const { stdout } = await host.exec("ip -6 -o addr show dev eth0 scope link -tentative");
        local = /inet6 ([^/]+)/.exec(stdout)?.[1];
        return local !== undefined;
    });
    return local ?? "";
}

/**
 * What becomes of a connection from the machine.
 *
 * @param silence milliseconds after which it counts as dropped: a lost packet is sent again after a second
 */
export function connectionTo(host: string, port: number, silence = 500): Promise<Connection> {
    return new Promise((resolve) => {
        const socket = connect({ host, port, timeout: silence });
        const end = (connection: Connection) => () => {
            socket.destroy();
            resolve(connection);
        };
        socket.once("connect", end("accepted")).once("timeout", end("dropped")).once("error", end("refused"));
    });
}
