import type { Host } from "../host";
import { PAIR } from "../pair/faults";
import type { Request } from "../pair/history";
import { table } from "../print";
import { expect } from "./chapter";

/** What a load balancer says of itself. */
export interface Balancer {
    readonly name: string;
    /** MASTER, BACKUP, …; `off` if it is. */
    readonly role: string;
    readonly priority: string;
    readonly hasAddress: boolean;
    /** Bytes that clients have got from it since HAProxy's start, by its admin socket; undefined if it is off. */
    readonly bytes: number | undefined;
}

/** Column `bout` of `show stat`, section 9.1 of HAProxy's management guide, of what clients connect to. */
const BYTES = `perl -MIO::Socket::UNIX -e '
    my $socket = IO::Socket::UNIX->new(Peer => "/run/haproxy/admin.sock") or die;
    print $socket "show stat\\n";
    while (<$socket>) { my @column = split /,/; print $column[9] if $column[0] eq "http" && $column[1] eq "FRONTEND" }'`;

/** Asks a load balancer. */
async function balancerOf(host: Host, address: string): Promise<Balancer> {
    if (host.power === "off")
        return { name: host.name, role: "off", priority: "", hasAddress: false, bytes: undefined };
    const { stdout } = await host.exec(`
        ${PAIR} state | cut -f 1
        sed -n 's/^ *priority //p' /etc/keepalived/keepalived.conf
        ip -o address show dev eth0 | grep -c -F ' ${address}/' || true
        ${BYTES}`);
    const [role = "", priority = "", addresses, bytes] = stdout.split("\n");
    return { name: host.name, role, priority, hasAddress: addresses === "1", bytes: Number(bytes) };
}

/** Shows both load balancers, and how many bytes each has sent since an earlier look. */
export async function showBalancers(
    hosts: readonly Host[],
    address: string,
    before: readonly Balancer[] = [],
): Promise<Balancer[]> {
    const found = await Promise.all(hosts.map((host) => balancerOf(host, address)));
    table(
        ["LOAD BALANCER", "ROLE", "PRIORITY", `HAS ${address}`, "BYTES SENT", "SINCE THEN"],
        found.map(({ name, role, priority, hasAddress, bytes }, index) => {
            const sent = bytes === undefined ? "" : String(bytes);
            const since = sentSince(before[index], bytes);
            return [
                name,
                role,
                priority || "-",
                hasAddress ? "yes" : "no",
                sent || "-",
                since === undefined ? "-" : `+${since}`,
            ];
        }),
    );
    return found;
}

/** A counter begins anew with each start of HAProxy. */
function sentSince(before: Balancer | undefined, bytes: number | undefined): number | undefined {
    if (before === undefined || bytes === undefined) return undefined;
    return bytes < (before.bytes ?? 0) ? bytes : bytes - (before.bytes ?? 0);
}

/** Fails unless one host is MASTER with the address and the other one has another role. */
export function expectMaster(balancers: readonly Balancer[], master: string, other: string): void {
    for (const { name, role, hasAddress } of balancers) {
        const wanted = name === master ? "MASTER" : other;
        expect(role === wanted, `${name} must be ${wanted}, and is ${role}`);
        expect(
            hasAddress === (name === master),
            `${name} must ${name === master ? "" : "not "}have the service address`,
        );
    }
}

/** Shows which web server answered the requests since a number of them, and how many failed. */
export function showAnswers(requests: readonly Request[]): { ok: number; failed: number } {
    const tally = new Map<string, number>();
    for (const { result, backend } of requests) {
        const who = result === "ok" ? (backend ?? "?") : `no answer: ${result}`;
        tally.set(who, (tally.get(who) ?? 0) + 1);
    }
    table(
        ["REQUESTS ANSWERED BY", "NUMBER"],
        [...tally].sort().map(([who, count]) => [who, String(count)]),
    );
    const failed = requests.filter(({ result }) => result !== "ok").length;
    return { ok: requests.length - failed, failed };
}
