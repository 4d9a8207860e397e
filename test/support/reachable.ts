import { connect } from "node:net";
import type { Host } from "../../lab/host";
import { run } from "../../lab/machine/exec";

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

/** Which ports of a host accept a connection from the machine, as `4:80` over IPv4 and `6:80` from a link-local IPv6 address. */
export async function reachable(host: Host, ports: readonly number[]): Promise<string[]> {
    const device = /dev (\S+)/.exec((await run("ip", ["-o", "route", "get", host.address])).stdout)?.[1] ?? "";
    const { stdout } = await host.exec("ip -6 -o addr show dev eth0 scope link");
    const local = /inet6 ([^/]+)/.exec(stdout)?.[1] ?? "";
    const tries = ports.flatMap((port) => [
        { name: `4:${port}`, host: host.address, port },
        { name: `6:${port}`, host: `${local}%${device}`, port },
    ]);
    const found = await Promise.all(tries.map(async (each) => ((await accepts(each)) ? [each.name] : [])));
    return found.flat();
}

function accepts(to: { host: string; port: number }): Promise<boolean> {
    return new Promise((resolve) => {
        // One lost packet is sent again after a second.
        const socket = connect({ ...to, timeout: 500 });
        const end = (result: boolean) => {
            socket.destroy();
            resolve(result);
        };
        socket.once("connect", () => end(true));
        socket.once("timeout", () => end(false));
        socket.once("error", () => end(false));
    });
}
