import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Resource } from "../../components/convergence/kinds/index";
import { rsyslog, rsyslogWith } from "../../components/recipes/rsyslog/index";
import type { Host } from "../../lab/host";
import { quote } from "../../lab/machine/exec";
import { installRsyslog } from "../../lab/syslogReceiver";
import { Convergence } from "../support/converge";
import { hostState } from "../support/hostState";
import { killAt } from "../support/killAt";
import { describeLab, withLab } from "../support/lab";
import { releases } from "../support/releases";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";

const CONFIG = "/etc/rsyslog.d/49-haproxy.conf";
const LOG = "/var/log/haproxy.log";

/** Written by hand: HTTP that is logged on port 80, TCP on 81, HTTP that is not logged on 82. */
const haproxyConfig = `global
    log 127.0.0.1:514 len 8192 format rfc5424 local0 info
    chroot /var/lib/haproxy
    tune.http.logurilen 7000
defaults
    mode http
    timeout client 5s
    timeout connect 5s
    timeout server 5s
frontend http
    bind *:80
    log global
    option httplog
    http-request redirect location /there
frontend tcp
    bind 127.0.0.1:81
    mode tcp
    log global
    option tcplog
    tcp-request inspect-delay 1s
    tcp-request content reject
frontend silent
    bind *:82
    http-request redirect location /there
`;

const logged = { address: "*", port: 80, ask: "http" } as const;
const silent = { ...logged, port: 82 };
const forward = {
    host: "127.0.0.1",
    port: 6514,
    peer: "logs.example.com",
    caFile: "/etc/ssl/certs/ca-certificates.crt",
    diskSpace: "1g",
};

describeLab("HAProxy's lines in a file, by rsyslog", () => {
    const lab = withLab(
        releases
            // A suite has one rsyslog.
            .filter(({ suite }, n) => releases.findIndex((release) => release.suite === suite) === n)
            .map(({ version }) => ({ name: `lb${version.replace(".", "")}`, image: "haproxy", release: version })),
    );
    const one = () => lab().host("lb26");
    const out = async (host: Host, command: string) => (await host.exec(command, { check: false })).stdout.trim();
    const converge = (host: Host, resources: Resource[] = rsyslog({ requests: [logged] })) =>
        new Convergence(sshTargetOf(lab(), host), resources);
    const everywhere = (work: (host: Host) => Promise<void>) => Promise.all(lab().hosts.map(work));
    const succeeds = async (convergence: Convergence) => {
        const { code, stderr } = await convergence.up();
        assert.equal(code, 0, stderr);
        assert.equal((await convergence.preview()).text, "");
        return stderr;
    };
    const originals = new Map<Host, string[]>();
    const forwarding = rsyslogWith({ requests: [logged] }, forward);

    /** What a host has of other things than our own records. */
    const stateOf = async (host: Host) =>
        (await hostState(host)).filter((line) => !/ \/var\/lib\/haproxy-fleet|^declared |^token stored/.test(line));

    before("rsyslog, and HAProxy with a configuration of its own", () =>
        everywhere(async (host) => {
            await host.place("/etc/haproxy/haproxy.cfg", haproxyConfig);
            // Installed before, so that the hosts can be compared with what they are after all is switched off.
            await installRsyslog(host);
            await host.exec("systemctl restart haproxy");
            originals.set(host, await stateOf(host));
        }),
    );

    describe("on each release of rsyslog", () => {
        it("proves it by a request, and changes nothing in a second run", () =>
            everywhere(async (host) => {
                const convergence = converge(host);
                const { text } = await convergence.preview();
                assert.match(text, /restart: rsyslog reads its files only when it starts; lines .* are lost/);
                const said = await succeeds(convergence);
                assert.match(said, /the line of a request to \* port 80 is in \/var\/log\/haproxy\.log/);
                assert.equal(await out(host, `stat -c '%U %G %a' ${LOG}`), "root adm 640");
            }));

        it("has the golden files accepted by rsyslogd, without a warning about them", () =>
            everywhere(async (host) => {
                for (const name of ["file", "forward"]) {
                    const text = readFileSync(join(__dirname, `../golden/rsyslog/${name}.conf`), "utf8");
                    await host.writeFile("/srv/golden/49-haproxy.conf", text);
                    const said = await out(
                        host,
                        `sed 's,/etc/rsyslog.d/,/srv/golden/,' /etc/rsyslog.conf >/srv/golden.conf
                        rsyslogd -N1 -f /srv/golden.conf 2>&1; echo "status $?"; rm -r /srv/golden /srv/golden.conf`,
                    );
                    assert.match(said, /^status 0$/m, said);
                    assert.doesNotMatch(said, /49-haproxy|error|queue/, said);
                }
            }));

        it("writes one line for each request, long ones whole, with the host's name", () =>
            everywhere(async (host) => {
                await host.exec(
                    `: >${LOG}
                    for i in $(seq 200); do echo "url=http://127.0.0.1/n$i"; echo output=/dev/null; done >/tmp/urls
                    curl -s -K /tmp/urls
                    curl -s -o /dev/null "http://127.0.0.1/long$(head -c 5000 /dev/zero | tr '\\0' a)end"`,
                );
                await until("the long line is there", async () =>
                    /\/longa{5000}end HTTP/.test(await out(host, `cat ${LOG}`)),
                );
                const lines = (await out(host, `cat ${LOG}`)).split("\n");
                const uris = lines.flatMap((line) => /"GET \/n(\d+) /.exec(line)?.[1] ?? []);
                assert.deepEqual(
                    uris.map(Number).sort((a, b) => a - b),
                    Array.from({ length: 200 }, (_, i) => i + 1),
                );
                for (const line of lines)
                    assert.match(
                        line,
                        new RegExp(
                            `^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+[+-]\\d\\d:\\d\\d ${host.name} haproxy\\[\\d+\\]: \\S`,
                        ),
                    );
                // Only there.
                assert.equal(
                    await out(host, "grep -rlE 'GET /n[0-9]+ ' /var/log --include='*log' --include=messages"),
                    LOG,
                );
            }));

        it("writes what old workers send to /dev/log of the chroot", () =>
            everywhere(async (host) => {
                await host.exec("logger -u /var/lib/haproxy/dev/log -t 'haproxy[7]' by the socket");
                const line = new RegExp(` ${host.name} haproxy\\[7\\]: by the socket$`);
                await until("the line is there", async () => line.test(await out(host, `tail -n 1 ${LOG}`)));
            }));
    });

    describe("drift", () => {
        const shown = async (change: string, words: RegExp) => {
            await one().exec(change);
            const convergence = converge(one());
            assert.match((await convergence.preview()).text, words);
            return succeeds(convergence);
        };

        it("of the file is shown and repaired", async () => {
            const said = await shown(`sed -i 's/50000/5/' ${CONFIG}`, /queue.size="5".*queue.size="50000".*restart: /s);
            assert.match(said, /the line of a request/);
        });

        it("of its mode needs no restart", async () => {
            const pid = await out(one(), "systemctl show -p MainPID rsyslog");
            await shown(`chmod 600 ${CONFIG}`, /mode is 0600/);
            assert.equal(await out(one(), "systemctl show -p MainPID rsyslog"), pid);
        });

        it("of the process is shown and repaired", async () => {
            await shown("systemctl stop syslog.socket rsyslog", /is inactive, would be started/);
            await shown(`sleep 1.1; touch ${CONFIG}`, /the running process does not have these files/);
        });
    });

    describe("a refusal", () => {
        const refused = async (prepare: string, words: RegExp, undo: string, resources = forwarding) => {
            const state = await out(one(), `cat ${CONFIG}; systemctl show -p MainPID rsyslog`);
            await one().exec(prepare);
            try {
                const convergence = converge(one(), resources);
                const preview = await convergence.preview();
                assert.ok(preview.refused, preview.text);
                assert.match(preview.text, words);
                const { code, stderr } = await convergence.up();
                assert.equal(code, 1, stderr);
                assert.match(stderr, words);
                assert.match(stderr, /its files and its running process are untouched/);
            } finally {
                await one().exec(undo);
            }
            if (!prepare.includes("stop"))
                assert.equal(await out(one(), `cat ${CONFIG}; systemctl show -p MainPID rsyslog`), state);
        };
        const other = (line: string, words: RegExp) =>
            refused(
                `printf '%s\\n' ${quote(line)} >/etc/rsyslog.d/10-other.conf`,
                words,
                "rm /etc/rsyslog.d/10-other.conf",
            );

        it("names the driver that is missing", () =>
            refused(
                "mv $(find /usr/lib -name lmnsd_gtls.so) /srv",
                /no driver for TLS \(lmnsd_gtls\.so\); reinstall the package rsyslog-gnutls/,
                "mv /srv/lmnsd_gtls.so $(dirname $(find /usr/lib -name lmnsd_ptcp.so))",
            ));

        it("names the file of certificates that is missing", () =>
            refused(
                ":",
                /\/etc\/ssl\/certs\/none\.pem/,
                ":",
                rsyslogWith({ requests: [logged] }, { ...forward, caFile: "/etc/ssl/certs/none.pem" }),
            ));

        it("names who has the port", async () => {
            await refused(
                `systemctl stop syslog.socket rsyslog
                perl -MSocket -e 'fork and exit; socket(S, AF_INET, SOCK_DGRAM, 0); bind(S, sockaddr_in(514, INADDR_ANY)) or die; sleep 60' >/dev/null 2>&1 </dev/null
                sleep 0.3`,
                /perl has UDP port 514, so rsyslog would get no line of HAProxy; stop it, or move it/,
                "kill $(ss -Hlunp 'sport = :514' | sed 's/.*pid=\\([0-9]*\\).*/\\1/')",
                // It differs from what the host has, so that it is checked before the service is started.
                rsyslogWith({ requests: [silent] }).filter(({ kind }) => kind !== "service"),
            );
            await succeeds(converge(one()));
        });

        it("names another file of certificates for all connections, in both notations", async () => {
            const words =
                /10-other\.conf sets DefaultNetstreamDriverCAFile to \/etc\/hosts, and rsyslog has one for all its connections; forwarding needs \/etc\/ssl/;
            await other("$DefaultNetstreamDriverCAFile /etc/hosts", words);
            await other('global(defaultNetstreamDriverCAFile="/etc/hosts")', words);
        });

        it("names another owner of the log, and what would cut lines", async () => {
            await other("local0.* -/var/log/haproxy.log", /10-other\.conf writes to \/var\/log\/haproxy\.log, too/);
            await other('global(maxMessageSize="4k")', /10-other\.conf sets maxMessageSize to 4k, so long lines/);
        });

        it("names another listener of the same address and port", () =>
            other(
                'module(load="imudp")\ninput(type="imudp" address="127.0.0.1" port="514")',
                /10-other\.conf listens on UDP port 514 of 127\.0\.0\.1, too, so only one of both would get the lines/,
            ));

        it("has rsyslogd's own words", () =>
            other(
                'module(load="imudp")\nglobal(abortOnUncleanConfig="on")',
                /AbortOnUncleanConfig="on"\) is set, and config is not clean/i,
            ));
    });

    describe("no refusal", () => {
        it("accepts other inputs, the same certificates, readers of the log, and mistakes that are not ours", async () => {
            await one().exec(
                `printf '%s\\n' 'module(load="imudp")' 'input(type="imudp" port="514")' 'global(maxMessageSize="16k")' \\
                    'global(defaultNetstreamDriverCAFile="${forward.caFile}")' 'module(load="imfile")' \\
                    'input(type="imfile" tag="x" file="${LOG}" ruleset="x")' 'ruleset(name="x") { stop }' 'bogus(line="1")' \\
                    '# local0.* ${LOG}' >/etc/rsyslog.d/10-other.conf`,
            );
            const { code, stderr } = await converge(one(), forwarding).up();
            assert.equal(code, 0, stderr);
            assert.match(stderr, /the line of a request to \* port 80/);
            await one().exec("rm /etc/rsyslog.d/10-other.conf");
            await succeeds(converge(one()));
        });
    });

    describe("the proof", () => {
        it("asks the next listener if one logs nothing, and finds the line of a TCP session by its source", async () => {
            const tcp = { address: "127.0.0.1", port: 81, ask: "tcp" } as const;
            await one().exec(`echo >>${CONFIG}`);
            const said = await succeeds(converge(one(), rsyslog({ requests: [{ ...silent, port: 83 }, tcp] })));
            assert.match(said, /the line of a request to 127\.0\.0\.1 port 81 is in/);
        });

        it("does not wait for a server that hangs, and blames nothing for it", async () => {
            await one().exec(
                `cp /etc/haproxy/haproxy.cfg /root/haproxy.cfg
                perl -MIO::Socket::INET -e 'fork and exit; $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:9999", Listen => 9) or die;
                    while (1) { push @c, $s->accept }' >/dev/null 2>&1 </dev/null
                sed -i 's/timeout server 5s/timeout server 600s/' /etc/haproxy/haproxy.cfg
                printf '%s\\n' 'listen hung' '    bind *:84' '    log global' '    option httplog' '    server a 127.0.0.1:9999' >>/etc/haproxy/haproxy.cfg
                systemctl restart haproxy; echo >>${CONFIG}`,
            );
            const began = Date.now();
            const said = await succeeds(converge(one(), rsyslog({ requests: [{ ...logged, port: 84 }] })));
            assert.match(said, /HAProxy ended no request to \* port 84 \(not answered in time\)/);
            assert.ok(Date.now() - began < 60_000);
            await one().exec(
                `mv /root/haproxy.cfg /etc/haproxy/haproxy.cfg; systemctl restart haproxy
                kill $(ss -Hltnp 'sport = :9999' | sed 's/.*pid=\\([0-9]*\\).*/\\1/')`,
            );
        });

        it("fails if HAProxy logs no request, and restores the last good files", async () => {
            const text = await out(one(), `cat ${CONFIG}`);
            const convergence = converge(one(), rsyslogWith({ requests: [silent] }, forward));
            const { code, stderr } = await convergence.up();
            assert.equal(code, 1);
            assert.match(
                stderr,
                /the daemon was not proven to have the new configuration; last good files are back and active/,
            );
            assert.match(
                stderr,
                /rsyslog writes what it gets, but HAProxy logs none of 1 requests: \* port 82; see the lines with log/,
            );
            assert.equal(await out(one(), `cat ${CONFIG}`), text);
            assert.equal((await converge(one()).preview()).text, "");
        });
    });

    describe("in the end", () => {
        it("a converge that is killed at any step is finished by the next one", async () => {
            const faults: string[] = [];
            const cases = { next: 1, steps: Number.POSITIVE_INFINITY };
            await everywhere(async (host) => {
                await succeeds(converge(host));
                const killed = async (n: number, when: "before" | "after") => {
                    await succeeds(converge(host));
                    const convergence = converge(host, forwarding);
                    const first = await convergence.up(killAt(n, when));
                    if (first.code === 0) return false;
                    assert.match(first.stderr, /the converge was ended by SIGKILL/);
                    const second = await convergence.up();
                    const found = [
                        second.code === 0 ? "" : second.stderr,
                        (await convergence.preview()).text,
                        (await out(host, `grep -c omfwd ${CONFIG}`)) === "1" ? "" : "the file is not the declared one",
                        (await out(host, "find /etc/rsyslog.d /var/lib/haproxy-fleet -name '*new'")) &&
                            "files are left over",
                    ].filter((text) => text !== "");
                    if (found.length > 0) faults.push(`killed ${when} step ${n} on ${host.name}:`, ...found);
                    return true;
                };
                while (cases.next <= cases.steps) {
                    const n = cases.next++;
                    if (!(await killed(n, "before"))) cases.steps = Math.min(cases.steps, n - 1);
                }
            });
            assert.deepEqual(faults, [], faults.join("\n"));
            assert.ok(cases.steps > 4, `only ${cases.steps} steps`);
        });

        it("leaves each host as it was when it is switched off", () =>
            everywhere(async (host) => {
                await succeeds(converge(host, forwarding));
                const { text } = await converge(host, []).preview();
                assert.match(
                    text,
                    /file\[\/etc\/rsyslog\.d\/49-haproxy\.conf\] has left the run list, would be undone/,
                );
                await succeeds(converge(host, []));
                assert.deepEqual(await stateOf(host), originals.get(host));
                // rsyslog has read the package's file again.
                await host.exec("logger -u /var/lib/haproxy/dev/log -t 'haproxy[8]' as before");
                await until("the line is there", async () =>
                    /haproxy\[8\]: as before$/.test(await out(host, `tail -n 1 ${LOG}`)),
                );
                assert.equal(await out(host, "ss -Hlun 'sport = :514'"), "");
            }));
    });
});
