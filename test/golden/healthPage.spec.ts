import assert from "node:assert/strict";
import type { HaproxyConfig } from "../../components/haproxy";
import { needsReleases, releases } from "../support/releases";
import { running } from "./running";

/** Asks the page by HTTP 1.0; from another address with SOURCE; prints its status, `closed` or `silent`. */
const ask = (source = "127.0.0.1") => `perl -MSocket -e '
    socket(my $s, AF_INET, SOCK_STREAM, 0); bind($s, pack_sockaddr_in(0, inet_aton("${source}"))) or die $!;
    connect($s, pack_sockaddr_in(8407, inet_aton($ARGV[0]))) or print("refused"), exit;
    $SIG{PIPE} = "IGNORE"; $SIG{ALRM} = sub { print "silent"; exit }; alarm 2;
    syswrite $s, "GET / HTTP/1.0\\r\\n\\r\\n"; my $line = <$s>;
    print defined $line && $line =~ / (\\d+) / ? $1 : "closed"' ${source}`;

/** Opens connections to a port, which send a part of a request and stay. */
const fill = (port: number, count: number) => `perl -MSocket -e '
    for (1..${count}) { socket(my $s, AF_INET, SOCK_STREAM, 0);
        connect($s, pack_sockaddr_in(${port}, inet_aton("127.0.0.1"))) or die $!; syswrite $s, "GET / HT"; push @all, $s }
    close STDOUT; fork and exit; open STDERR, ">/dev/null"; sleep 60' && sleep 0.5`;

const health = { port: 8407, from: ["192.0.2.12"], needs: ["app"] };
const app = { name: "app1", address: "127.0.0.1", port: 9, check: false };
const config: Partial<HaproxyConfig> = {
    global: { maxconn: 50 },
    frontends: [
        { name: "a", binds: [{ port: 8001 }], defaultBackend: "app" },
        { name: "b", binds: [{ port: 8002 }], defaultBackend: "app" },
    ],
    backends: [{ name: "app", servers: [app] }],
    health,
};

describe("the health page", () => {
    needsReleases();

    for (const release of releases) {
        it(`of HAProxy ${release.version} tells what serves, to those who may ask, while one frontend is full`, async () => {
            const disable = "talk /run/haproxy/admin.sock 'disable server app/app1' >/dev/null";
            const enable = "talk /run/haproxy/admin.sock 'enable server app/app1' >/dev/null";
            assert.deepEqual(
                await running(release, config, [
                    ask(),
                    "ip addr add 192.0.2.11/32 dev lo && ip addr add 192.0.2.12/32 dev lo",
                    ask("192.0.2.12"),
                    ask("192.0.2.11"),
                    `${disable}; ${ask()}; ${enable}`,
                    `${fill(8001, 60)}; ${ask()}`,
                    // What remains: two full frontends leave no connection.
                    `${fill(8002, 20)}; ${ask()}`,
                    "talk /run/haproxy/admin.sock 'show info' | grep -E '^(CurrConns|Maxconn):'",
                ]),
                ["200", "", "200", "closed", "503", "200", "silent", "Maxconn: 50 CurrConns: 50"],
            );
        });
    }

    it("is not answered by a HAProxy whose only frontend may take every connection", async () => {
        const frontends = [{ name: "a", binds: [{ port: 8001 }], maxconn: 50, defaultBackend: "app" }];
        for (const release of releases.slice(0, 1)) {
            assert.deepEqual(await running(release, { ...config, frontends }, [`${fill(8001, 60)}; ${ask()}`]), [
                "silent",
            ]);
        }
    });
});
