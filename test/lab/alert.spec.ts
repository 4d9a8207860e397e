import assert from "node:assert/strict";
import type { Resource } from "../../components/convergence/kinds/index";
import { slot } from "../../components/convergence/slots";
import { alert } from "../../components/recipes/alert/index";
import { haproxy } from "../../components/recipes/haproxy/index";
import type { Host } from "../../lab/host";
import { Convergence, type Launched } from "../support/converge";
import { hostState } from "../support/hostState";
import { killAt } from "../support/killAt";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";

/** A release with each kind of systemd: Debian 11 and 12, and one that says that a service has failed before it starts it again. */
const RELEASES = ["2.2", "2.6", "3.2"] as const;
const PROGRAM = "/usr/local/lib/haproxy-fleet/alert";
const COMMAND = `${PROGRAM}-command`;
const WORDS = "/root/words";
const TOKEN = "xoxb-4711-Quetzalcoatl";

/** Writes down each word; `#` in a text would end a line that is not quoted. */
const command = `# ${TOKEN} 'quotes' "double" \`date\` $(date) %s %i \\n ü
record() { printf '%s|%s|%s|%s\\n' "$ALERT_EVENT" "$ALERT_UNIT" "$ALERT_HOST" "$ALERT_TEXT" >>${WORDS}; }
[ "$(cat)" = "$ALERT_TEXT" ] && [ "$(id -u)" = 0 ] && record '${TOKEN}'
`;

describeLab("a word when HAProxy dies", () => {
    const lab = withLab(
        RELEASES.map((release) => ({ name: `lb${release.replace(".", "")}`, image: "haproxy", release })),
    );
    const one = () => lab().host("lb26");
    const everywhere = (work: (host: Host) => Promise<void>) => Promise.all(lab().hosts.map(work));
    const sh = async (host: Host, script: string) =>
        (await host.exec(`master() { systemctl show -p MainPID --value haproxy; }\n${script}`)).stdout.trim();

    const balancer = (host: Host) =>
        haproxy({
            version: host.state.release,
            global: { maxconn: 1000 },
            frontends: [{ name: "in", binds: [{ port: 80 }], defaultBackend: "app" }],
            backends: [{ name: "app", servers: [{ name: "a", address: "127.0.0.1", port: 22, check: false }] }],
        });
    const watched = (host: Host, more: Resource[] = []) =>
        new Convergence(
            sshTargetOf(lab(), host),
            [...balancer(host), ...alert({ command: slot("alert.command") }), ...more],
            { "alert.command": command },
        );
    const plain = (host: Host, more: Resource[] = []) =>
        new Convergence(sshTargetOf(lab(), host), [...balancer(host), ...more]);
    const succeeds = ({ code, stderr }: Launched) => assert.equal(code, 0, stderr);
    const originals = new Map<Host, string[]>();

    /** Seconds of the program, and nothing that it remembers. */
    const set = (host: Host, { every = 0, settle = 1 }) =>
        sh(
            host,
            `set -- /run/systemd/system/haproxy-fleet-alert@.service.d; mkdir -p "$1"
            printf '[Service]\\nEnvironment=EVERY=%s SETTLE=%s LIMIT=1 PAUSE=0\\n' ${every} ${settle} >"$1/test.conf"
            rm -rf /run/haproxy-fleet/alert /var/lib/haproxy-fleet/alert.open.*; : >${WORDS}
            systemctl stop 'haproxy-fleet-alert@*'; systemctl reset-failed haproxy 2>/dev/null; systemctl daemon-reload`,
        );
    const wordsOf = async (host: Host) => (await sh(host, `cat ${WORDS}`)).split("\n").filter((line) => line !== "");
    /** Waits for so many words, and makes sure of what each one says. */
    const said = async (host: Host, ...expected: RegExp[]) => {
        await until(
            `${host.name}: ${expected.length} words`,
            async () => (await wordsOf(host)).length >= expected.length,
            30_000,
        );
        const words = await wordsOf(host);
        assert.equal(words.length, expected.length, words.join("\n"));
        expected.forEach((pattern, index) => {
            assert.match(words[index] ?? "", pattern);
        });
    };
    /** Ends HAProxy, and waits until it runs again. */
    const kill = (host: Host, how: string) =>
        sh(
            host,
            `before=$(master); kill ${how}
            until now=$(master) && [ "$now" != 0 ] && [ "$now" != "$before" ] && systemctl -q is-active haproxy; do sleep 0.05; done`,
        );

    before("HAProxy, then also the alert: nothing is reloaded", () =>
        everywhere(async (host) => {
            succeeds(await plain(host).up());
            originals.set(host, await hostState(host));
            const process = await sh(host, "master");
            const convergence = watched(host);
            const { text } = await convergence.preview();
            assert.match(text, /an up would converge it, with no reload/);
            assert.doesNotMatch(text, new RegExp(TOKEN));
            const launched = await convergence.up();
            succeeds(launched);
            assert.doesNotMatch(`${launched.stdout}${launched.stderr}`, /xoxb|Failed/);
            assert.equal(await sh(host, "master"), process);
            assert.equal((await convergence.preview()).text, "");
        }),
    );

    it("is not said of stops, starts, restarts and reloads, also with a broken file", () =>
        everywhere(async (host) => {
            await set(host, {});
            await sh(
                host,
                `systemctl restart haproxy; systemctl reload haproxy; systemctl stop haproxy; systemctl start haproxy
                cp -p /etc/haproxy/haproxy.cfg /root/good.cfg; echo bogus >>/etc/haproxy/haproxy.cfg
                ! systemctl reload haproxy 2>/dev/null; cp -p /root/good.cfg /etc/haproxy/haproxy.cfg
                ${PROGRAM} test`,
            );
            await said(host, /^test\|haproxy.service\|lb\d+\|haproxy.service on lb\d+: this is only a test$/);
        }));

    it("is said once for each death, with its cause, and once when it has recovered, not between", () =>
        everywhere(async (host) => {
            await set(host, { settle: 2 });
            await kill(host, "-KILL $(master)");
            await kill(host, "-SEGV $(master)");
            await kill(host, "-KILL $(pgrep -P $(master) | tail -n 1)");
            await kill(host, "-TERM $(master)");
            const died = (cause: string) =>
                new RegExp(`^died\\|haproxy.service\\|${host.name}\\|haproxy.service on ${host.name} died: ${cause}`);
            await said(
                host,
                died("it was killed by SIGKILL"),
                died("it was killed by SIGSEGV"),
                died("its worker was killed by SIGKILL"),
                died("it ended although systemd did not stop it"),
                /^recovered\|haproxy.service\|.* has recovered: up for 2 s$/,
            );
        }));

    it("is said of what was left out, once the time is over", () =>
        everywhere(async (host) => {
            await set(host, { every: 60, settle: 60 });
            for (let n = 0; n < 3; n++) await kill(host, "-KILL $(master)");
            const later = "haproxy-fleet-alert@later-died";
            await until("the last one was counted", async () =>
                /^2$/m.test(await sh(host, "cat /run/haproxy-fleet/alert/left.died || :")),
            );
            await sh(host, `systemctl is-active ${later}.timer; systemctl start ${later}`);
            await said(host, /died: it was killed by SIGKILL$/, /SIGKILL \(2 times since the last word\)$/);
        }));

    it("is said when systemd gives it up, and when it is up again", () =>
        everywhere(async (host) => {
            await set(host, { every: 60 });
            await sh(
                host,
                `mkdir -p /run/systemd/system/haproxy.service.d
                printf '[Unit]\\nStartLimitBurst=4\\n' >/run/systemd/system/haproxy.service.d/30-test.conf; systemctl daemon-reload
                echo bogus >>/etc/haproxy/haproxy.cfg; kill -KILL $(master)`,
            );
            await said(
                host,
                /^died\|/,
                /^failed\|.* is down, and systemd does not start it again; deaths left out since the last word: \d, /,
            );
            await sh(
                host,
                `cp -p /root/good.cfg /etc/haproxy/haproxy.cfg; rm /run/systemd/system/haproxy.service.d/30-test.conf
                systemctl daemon-reload; systemctl reset-failed haproxy; systemctl start haproxy`,
            );
            await said(host, /^died/, /^failed/, /^recovered/);
        }));

    it("is said of a converge that fails, with the cause, and once of the next that succeeds", async () => {
        const host = one();
        await set(host, { every: 60 });
        const failing = watched(host, [
            { kind: "execute", name: "fails", command: `echo ${"x".repeat(500)}; ls /none`, creates: "/none" },
        ]);
        const failed = /^converge-failed\|haproxy-fleet-converge.service\|.*execute\[fails\] failed: .*xxxx/;
        assert.equal((await failing.up()).code, 1);
        await said(host, failed);
        assert.equal((await failing.up()).code, 1);
        succeeds(await watched(host).again());
        const good = /^recovered\|haproxy-fleet-.* succeeded again; events left out since the last word: 1$/;
        await said(host, failed, good);
        succeeds(await watched(host).again());
        await set(host, {});
        const killed = await watched(host, [{ kind: "directory", path: "/srv/x" }]).up(killAt(1, "before"));
        assert.equal(killed.code, 1);
        await said(host, /^converge-failed\|.* failed: it was ended by SIGKILL /);
        succeeds(await watched(host).again());
        await said(host, /^converge-failed/, /^recovered/);
    });

    describe("by a command", () => {
        const journal = (host: Host) => sh(host, "journalctl --sync; journalctl -o cat -t haproxy-fleet-alert -n 20");
        const withCommand = async (text: string, work: () => Promise<void>, settle = 1) => {
            await set(one(), { settle });
            await one().writeFile("/root/command", text);
            await sh(one(), `cp -p ${COMMAND} /root/command.good; cat /root/command >${COMMAND}`);
            await work();
            await sh(one(), `cp -p /root/command.good ${COMMAND}`);
        };

        it("whose text only root can read, and which is in no log, unit or argument", async () => {
            assert.equal(await sh(one(), `stat -c '%U %a' ${COMMAND}`), "root 700");
            const found = await sh(
                one(),
                `journalctl -o cat | grep -c ${TOKEN}
                grep -rlI ${TOKEN} /etc /run/systemd /usr/local /var/log /var/lib/haproxy-fleet /run/haproxy-fleet || :`,
            );
            assert.equal(found, `0\n${COMMAND}`);
        });

        it("that fails is tried again, and what it prints names no token", () =>
            withCommand(`echo try >>${WORDS}; echo useful; send-${TOKEN}`, async () => {
                await sh(one(), `${PROGRAM} test`);
                await said(one(), /try/, /try/, /try/);
                const text = await journal(one());
                assert.match(text, /useful\nlines that are not shown, .*: 1\n/);
                assert.match(text, /the command has failed with status 127/);
                assert.doesNotMatch(text, /xoxb|Quetzal/);
            }));

        it("that hangs is ended, also if it leaves a process behind, and delays no restart", () =>
            withCommand(
                `echo try >>${WORDS}; setsid sleep 100 & sleep 100`,
                async () => {
                    const began = Date.now();
                    await kill(one(), "-KILL $(master)");
                    assert.ok(Date.now() - began < 5000, "HAProxy waited for the command");
                    await until("the command was ended", async () =>
                        /did not end within 1 s/.test(await journal(one())),
                    );
                    await sh(one(), "systemctl stop 'haproxy-fleet-alert@*'; ! pgrep -x sleep");
                },
                60,
            ));

        it("that is missing does no harm, and the journal says it", async () => {
            await set(one(), {});
            await sh(one(), `mv ${COMMAND} /root/command.good; ${PROGRAM} test; mv /root/command.good ${COMMAND}`);
            assert.match(await journal(one()), /alert-command is missing/);
        });

        it("that is busy is not started for a second event at the same time", () =>
            withCommand(`echo begin >>${WORDS}; sleep 0.3; echo end >>${WORDS}`, async () => {
                await sh(one(), `for n in 1 2 3; do echo $n | ${PROGRAM} converge-failed & done; wait`);
                await said(one(), /begin/, /end/, /begin/, /end/, /begin/, /end/);
            }));

        it("that was changed by hand is shown and repaired, without its lines", () =>
            withCommand(`echo other-${TOKEN}`, async () => {
                const { text } = await watched(one()).preview();
                assert.match(text, /alert-command\].*content differs.*\+3 lines, not shown/s);
                assert.doesNotMatch(text, /xoxb|other/);
                succeeds(await watched(one()).up());
            }));
    });

    describe("and is switched off", () => {
        it("is gone with all that belongs to it when it is switched off, and a hook of another kind delays nothing", () =>
            everywhere(async (host) => {
                const process = await sh(host, "master");
                succeeds(await plain(host).up());
                assert.equal((await plain(host).preview()).text, "");
                // That a secret was in a file is remembered.
                const kept = (lines: string[]) => lines.filter((line) => !/\/secret-lines\b/.test(line));
                const [original, state] = [kept(originals.get(host) ?? []), kept(await hostState(host))];
                assert.deepEqual(
                    state.filter((line) => !original.includes(line)),
                    original.filter((line) => !state.includes(line)),
                );
                assert.equal(await sh(host, "master"), process);
                // The runtime knows only the path.
                await host.writeFile(PROGRAM, "#!/bin/sh\nsleep 60\n", 0o755);
                const began = Date.now();
                succeeds(await plain(host).again());
                assert.ok(Date.now() - began < 4000, "the result waited for the hook");
            }));
    });
});
