import assert from "node:assert/strict";
import { parseAnswer } from "../../cli/status/answer";
import { statusProgram } from "../../cli/status/program";
import type { Answer, Haproxy } from "../../cli/status/types";
import { makeCertificate } from "../support/certificates";
import { inRelease, needsReleases, type Release, releases } from "../support/releases";

/** Everything that a server can be: 8001 serves, nothing listens on 8009, and agents on 9001 to 9003 say what the name says. */
const CONFIG = `global
    maxconn 200
    hard-stop-after 1m
    stats socket /run/stats.sock level admin
defaults
    mode http
    timeout connect 5s
    timeout check 5s
    timeout client 60s
    timeout server 60s
    default-server inter 200ms fall 1 rise 1
resolvers nowhere
    nameserver local 127.0.0.1:5399
peers others
    bind 127.0.0.1:10001
    server this
    server other 127.0.0.1:10002
frontend stats
    bind 127.0.0.1:8404
    stats enable
frontend app
    bind 127.0.0.1:8001
    http-request return status 200
frontend entry
    bind 127.0.0.1:8080
    bind 127.0.0.1:8443 ssl crt /etc/haproxy/fleet/ crt /etc/own.pem crt /etc/many/
    default_backend web
backend no-servers
    http-request return status 200
backend web
    server serves 127.0.0.1:8001 check
    server unchecked 127.0.0.1:8001
    server down 127.0.0.1:8009 check
    server drained 127.0.0.1:8001 check
    server ours 127.0.0.1:8001 check
    server maint 127.0.0.1:8001 check
    server declared-maint 127.0.0.1:8001 check disabled
    server made-ready 127.0.0.1:8001 check disabled
    server weighted 127.0.0.1:8001 check weight 100
    server muted 127.0.0.1:8001 check weight 100
    server no-weight 127.0.0.1:8001 check weight 0
    server no-checks 127.0.0.1:8001 check
backend agents
    server up 127.0.0.1:8001 check weight 100 agent-check agent-port 9001 agent-inter 200ms
    server down 127.0.0.1:8001 check agent-check agent-port 9002 agent-inter 200ms
    server drain 127.0.0.1:8001 check agent-check agent-port 9003 agent-inter 200ms
backend template
    server-template t 1-3 127.0.0.1:8001 check
listen by-name
    bind 127.0.0.1:8081
    server-template n 2 app.invalid:80 resolvers nowhere init-addr none check
backend closed
    server only 127.0.0.1:8001 check disabled
`;

/** Certificates whose commands together are longer than HAProxy's buffer. */
const MANY = 400;

/** Files of a release, started by hand: without systemd, `-W` does what `-Ws` does, and keeps the process of the master. */
const SCRIPT = `
talk() { perl -MSocket -e 'alarm 60; socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, sockaddr_un($ARGV[0])) or exit 1;
    syswrite(S, "$ARGV[1]\\n"); shutdown(S, 1); print <S>' "$@"; }
agent() { perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], Listen => 9, ReuseAddr => 1);
    while ($c = $l->accept) { print $c "$ARGV[1]\\n"; close $c }' "$@" & }
agent 9001 50%; agent 9002 down; agent 9003 drain
mkdir /etc/many
for n in $(seq ${MANY}); do cp /etc/own.pem "/etc/many/certificate-with-a-long-name-$n.pem"; done
haproxy -D -W -S /run/haproxy-master.sock -f /haproxy.cfg
master=
for _ in $(seq 100); do
    master=$(talk /run/haproxy-master.sock "show proc" | sed -n '/ master /s/ .*//p')
    [ -z "$master" ] || break
    sleep 0.2
done
reloads() { talk /run/haproxy-master.sock "show proc" | sed -n '/ master /s/ *[0-9]*d[0-9]*h.*//p'; }
worker() { talk /run/haproxy-master.sock "@1 show info" | sed -n 's/^Pid: //p'; }
# Waits until the master has done it, whether it has failed or not.
reload() {
    before=$(reloads)
    kill -USR2 "$master"
    for _ in $(seq 100); do
        sleep 0.2
        now=$(reloads)
        case $now in "" | "$before") ;; *) break ;; esac
    done
    sleep 1
}
status() {
    mkdir -p /run/haproxy-fleet
    cp /status.sh /run/haproxy-fleet/in.$$
    /bin/sh /run/haproxy-fleet/in.$$
    # Nothing stays but what was there.
    ls /run/haproxy-fleet
    echo ---
}
sleep 1
# Keeps a worker that has to end.
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new("127.0.0.1:8080"); print $s "GET / HTTP/1.1\\r\\n"; sleep 50' &
sleep 0.5
old=$(worker)
reload
for _ in $(seq 100); do
    case $(worker) in "" | "$old") sleep 0.2 ;; *) break ;; esac
done
for set in "web/drained state drain" "web/ours state drain" "web/maint state maint" "web/made-ready state ready" "web/weighted weight 10" \\
    "web/muted weight 0" "template/t2 state maint"; do
    talk /run/haproxy-master.sock "@1 set server $set"
done
talk /run/haproxy-master.sock "@1 disable health web/no-checks"
mkdir -p /run/haproxy-fleet
printf '%s\\ndrain web/ours\\n' "$(worker)" >/run/haproxy-fleet/server-notes
for _ in $(seq 100); do
    stats=$(talk /run/haproxy-master.sock "@1 show stat" | grep -c -e ',DOWN (agent),' -e ',DRAIN (agent),' -e '^web,down,.*,DOWN,' -e '^web,made-ready,.*,L4OK,')
    [ "$stats" -lt 4 ] || break
    sleep 0.2
done
echo ---
status
# The worker that still serves after a failed reload is asked all the same.
echo broken >>/haproxy.cfg
reload
status
# Nothing answers.
kill -STOP "$master"
status
kill -CONT "$master"
kill "$master"
while [ -d "/proc/$master" ]; do sleep 0.1; done
status
rm /run/haproxy-master.sock
status`;

/** The answers of a release, one after the other, and when its certificates end. */
async function answersOf(release: Release): Promise<{ texts: string[]; certificates: Haproxy["certificates"] }> {
    const ends = { shop: "2027-02-07", "own name": "2051-12-31", "rsa;x": "2026-12-01" };
    const made = await Promise.all(
        Object.entries(ends).map(async ([name, to]) => {
            const { pem, key } = await makeCertificate(name, { to, ...(name === "shop" && { names: ["shop.test"] }) });
            return [`/etc/haproxy/fleet/${name}.pem`, pem + key] as const;
        }),
    );
    const own = await makeCertificate("own", { to: "2027-03-01" });
    const { stdout } = await inRelease(release, ["sh", "-c", SCRIPT], {
        ...Object.fromEntries(made),
        "/etc/own.pem": own.pem + own.key,
        "/etc/machine-id": "machine\n",
        "/status.sh": statusProgram(),
        "/haproxy.cfg": CONFIG,
        "/var/lib/haproxy-fleet/owner": "shop/prod/edge-lb1\nmachine\n",
        "/var/lib/haproxy-fleet/token": "abc\nmachine\n",
        "/var/lib/haproxy-fleet/declared": "abc\ntransaction[haproxy]\t=1\n",
        "/var/lib/haproxy-fleet/last-converge": "1795957000\t12\talice@laptop\troot from local\tdone\n",
        "/var/lib/haproxy-fleet/check":
            'case $1 in check) printf "check\\ndiffers\\ttransaction[haproxy]\\thaproxy.cfg: content\\nend\\tdone\\n" ;; esac\n',
    });
    const theirs = Date.parse("2027-03-01") / 1000;
    const certificates = [
        ...Object.entries({ ...ends }).map(([name, to]) => ({ name, ends: Date.parse(to) / 1000 })),
        { name: "/etc/own.pem", ends: theirs },
        ...Array.from({ length: MANY }, (_, n) => ({
            name: `/etc/many/certificate-with-a-long-name-${n + 1}.pem`,
            ends: theirs,
        })),
    ];
    const texts = stdout.split("---\n").slice(1, -1);
    return { texts, certificates };
}

const sorted = (certificates: Haproxy["certificates"] = []) =>
    [...certificates].sort((a, b) => (a.name < b.name ? -1 : 1));

describe("the status of a host", () => {
    needsReleases();

    for (const release of releases) {
        it(`with HAProxy ${release.version} has all that the running process says`, async () => {
            const { texts, certificates } = await answersOf(release);
            for (const text of texts) assert.match(text, /\nhaproxy-fleet status ends\nserver-notes\nserver-states\n$/);
            const [first, failed, frozen, stopped, never] = texts.map((text) => parseAnswer(text)) as Answer[];
            const { now = 0, haproxy, ...host } = first ?? {};
            assert.ok(Math.abs(now - Date.now() / 1000) < 120, `${now}`);
            assert.deepEqual(host, {
                owner: "shop/prod/edge-lb1",
                token: "abc",
                lastConverge: { ended: 1795957000, took: 12, by: "alice@laptop", result: "done" },
                drift: [{ resource: "transaction[haproxy]", what: "haproxy.cfg: content" }],
                warnings: [],
                managesHaproxy: true,
            });
            const { version = "", uptime = -1, connections = -1, certificates: _, ...rest } = haproxy ?? {};
            assert.ok(version.startsWith(`${release.version}.`), version);
            assert.ok(uptime >= 1 && uptime < 60, `${uptime} s`);
            assert.ok(connections >= 0 && connections < 50, `${connections} connections`);
            assert.deepEqual(sorted(haproxy?.certificates), sorted(certificates));
            assert.deepEqual(rest, {
                maxconn: 200,
                oldWorkers: 1,
                backends: [
                    {
                        name: "web",
                        up: 5,
                        servers: 10,
                        lacking: [
                            "down L4CON",
                            "drained drained",
                            "ours drained",
                            "maint in maintenance",
                            "muted weight 0",
                        ],
                    },
                    { name: "agents", up: 1, servers: 3, lacking: ["down down", "drain drained"] },
                    { name: "template", up: 2, servers: 3, lacking: ["t2 in maintenance"] },
                    { name: "by-name", up: 0, servers: 2, lacking: ["n1 unresolved", "n2 unresolved"] },
                ],
                byHand: [
                    "web/drained drained",
                    "web/maint in maintenance",
                    "web/made-ready ready, though declared disabled",
                    "web/weighted with weight 10 instead of 100",
                    "web/muted with weight 0 instead of 100",
                    "web/no-checks without health checks",
                    "template/t2 in maintenance",
                ],
                undo: "set server web/drained state ready",
            });
            assert.deepEqual(failed?.haproxy?.backends, haproxy?.backends);
            assert.equal(failed?.haproxy?.oldWorkers, 1);
            assert.deepEqual(sorted(failed?.haproxy?.certificates), sorted(certificates));
            assert.match(frozen?.haproxyProblem ?? "", /^it did not answer on its master socket within 8 s; /);
            for (const answer of [frozen, stopped, never]) {
                assert.equal(answer?.haproxy, undefined);
                assert.equal(answer?.managesHaproxy, true);
            }
            assert.deepEqual([stopped?.haproxyProblem, never?.haproxyProblem], [undefined, undefined]);
        });
    }
});
