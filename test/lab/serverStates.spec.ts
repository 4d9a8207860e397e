import assert from "node:assert/strict";
import { atLeast } from "../../components/haproxy/model/versions";
import { describeLab, withLab } from "../support/lab";
import { releases } from "../support/releases";
import { sshTargetOf } from "../support/sshTarget";
import { SwitchedServer } from "../support/switchedServer";
import { until } from "../support/traffic";
import { ADMIN, Balancer, DROP_INS, FILE, OTHER, PROGRAM } from "./serverStates/balancer";

describeLab("states of servers", () => {
    const nameOf = (version: string) => `lb-${version.replace(".", "-")}`;
    const lab = withLab(
        releases.map(({ version }) => ({ name: nameOf(version), image: "haproxy" as const, release: version })),
    );
    let balancers: Balancer[];

    before("all releases are converged", async () => {
        balancers = releases.map(({ version }) => {
            const host = lab().host(nameOf(version));
            return new Balancer(version, host, sshTargetOf(lab(), host));
        });
        await Promise.all(
            balancers.map(async (balancer) => {
                for (const name of ["good", "better", "failing", "other"])
                    balancer.servers.push(await SwitchedServer.start(name, lab().gateway));
                await balancer.converge();
            }),
        );
    });
    // systemd allows five starts in ten seconds.
    beforeEach(() => Promise.all(balancers.map((balancer) => balancer.shell("systemctl reset-failed haproxy"))));
    after(() => {
        for (const { servers } of balancers ?? []) for (const server of servers) server.stop();
    });

    /** A test on all releases at once, since it waits more than it computes. */
    function onAll(title: string, test: (balancer: Balancer) => Promise<void>): void {
        it(title, async () => {
            const failures: unknown[] = [];
            await Promise.all(
                balancers.map((balancer) =>
                    test(balancer).catch((error) => {
                        error.message = `${balancer.version}: ${error.message}`;
                        failures.push(error);
                    }),
                ),
            );
            if (failures.length > 0) throw failures[0];
        });
    }

    describe("over reloads by hand, with a failing server, under load", () => {
        const reloads = async (balancer: Balancer, count: number) => {
            await balancer.server("failing").become(500);
            await until("it is down", async () => (await balancer.status("failing", "web")) === "DOWN");
            const stop = balancer.load();
            for (let n = 0; n < count; n++) await balancer.reload();
            return stop();
        };
        after(() => Promise.all(balancers.map((balancer) => balancer.server("failing").become(200))));

        onAll("are kept: no request fails in 20 reloads", async (balancer) => {
            const { requests, errors } = await reloads(balancer, 20);
            // Before 2.6 a reload may break connections.
            const counted = atLeast(balancer.version, "2.6") ? errors : errors.filter((text) => /status/.test(text));
            assert.deepEqual(counted, []);
            assert.ok(requests > 100, `only ${requests} requests`);
        });

        onAll("come back with the checks of a server that has recovered", async (balancer) => {
            await balancer.reload();
            assert.equal(await balancer.status("failing", "web"), "DOWN");
            await balancer.server("failing").become(200);
            // Two checks, and what a busy machine needs.
            await until("it is up", async () => (await balancer.status("failing", "web")) === "UP", 15_000);
        });

        onAll("are not kept of a server that is up although its check fails", async (balancer) => {
            // Its checks would need minutes in each new worker.
            const check = async () =>
                (await balancer.shell(`${ADMIN} 'show stat -1 4 -1'`)).match(/^hand,weighed,.*/m)?.[0].split(",") ?? [];
            await balancer.server("good").become("refused");
            await until("a check fails", async () => /L4CON/.test((await check())[36] ?? ""));
            assert.match((await check())[17] ?? "", /^UP/);
            await balancer.reload();
            await until("it is down", async () => (await balancer.status("weighed")) === "DOWN", 15_000);
            await balancer.server("good").become(200);
            await balancer.shell("renew systemctl restart haproxy");
        });

        onAll("are lost with serverStates: false, which removes drop-in and program", async (balancer) => {
            await balancer.converge({ states: false });
            assert.equal(
                await balancer.shell(
                    `ls ${DROP_INS} ${PROGRAM} 2>&1; grep -c server-state /etc/haproxy/haproxy.cfg || :`,
                ),
                `ls: cannot access '${PROGRAM}': No such file or directory\n${DROP_INS}:\n10-limits.conf\n0`,
            );
            const { errors } = await reloads(balancer, 5);
            assert.ok(errors.includes("status 500"), `errors: ${errors}`);
            await balancer.converge();
        });
    });

    describe("set by hand", () => {
        before(() =>
            Promise.all(
                balancers.map((balancer) =>
                    balancer.set(
                        "maint state maint",
                        "drained state drain",
                        "weighed weight 3",
                        "ready state ready",
                        "down health down",
                        "unchecked health down",
                    ),
                ),
            ),
        );
        const kept = (port: number) => ({
            maint: `MAINT 1 ${port}`,
            drained: `DRAIN 1 ${port}`,
            weighed: `UP 3 ${port}`,
            ready: `UP 1 ${port}`,
        });

        onAll("are kept by reloads by hand", async (balancer) => {
            const { port } = balancer.server("good");
            const all = { ...kept(port), down: `DOWN 1 ${port}`, unchecked: `DOWN 1 ${port}` };
            assert.deepEqual(await balancer.states(), all);
            await balancer.reload();
            assert.deepEqual(await balancer.states(), all);
            await balancer.reload();
            assert.deepEqual(await balancer.states(), all);
        });

        onAll(
            "are kept by an up that changes ports, weights and other backends; DOWN is not kept then",
            async (balancer) => {
                const { port } = balancer.server("other");
                const change = { port };
                const hand = {
                    maint: change,
                    drained: change,
                    weighed: { ...change, weight: 20 },
                    ready: { ...change, raw: "disabled" },
                    down: change,
                    unchecked: { check: false as const },
                };
                await balancer.converge({ hand, front: true });
                assert.deepEqual(await balancer.states(), {
                    ...kept(port),
                    down: `UP 1 ${port}`,
                    unchecked: `UP 1 ${balancer.server("good").port}`,
                });
                await balancer.set("down health down");
                const address = OTHER;
                await balancer.converge({
                    hand: { maint: { address }, drained: { address }, weighed: { address }, down: { address } },
                });
                assert.deepEqual(await balancer.states(), {
                    ...kept(balancer.server("good").port),
                    down: `UP 1 ${balancer.server("good").port}`,
                    unchecked: `UP 1 ${balancer.server("good").port}`,
                });
                await balancer.converge();
            },
        );

        onAll("are gone if set back", async (balancer) => {
            await balancer.set("maint state ready", "drained state ready", "weighed weight 10", "ready state maint");
            await balancer.reload();
            const { port } = balancer.server("good");
            assert.deepEqual(await balancer.states(), {
                maint: `UP 1 ${port}`,
                drained: `UP 1 ${port}`,
                weighed: `UP 10 ${port}`,
                ready: `MAINT 1 ${port}`,
                down: `UP 1 ${port}`,
                unchecked: `UP 1 ${port}`,
            });
        });

        onAll("are not kept if our notes about this worker say so", async (balancer) => {
            const note = (worker: string) =>
                balancer.shell(
                    `printf '%s\\n' ${worker} 'drain hand/drained' 'up hand/down' >/run/haproxy-fleet/server-notes`,
                );
            await balancer.set("drained state drain", "down health down");
            await note("1");
            await balancer.reload();
            assert.equal(await balancer.status("drained"), "DRAIN");
            assert.equal(await balancer.status("down"), "DOWN");
            await note('"$(pid)"');
            await balancer.reload();
            assert.equal(await balancer.status("drained"), "UP");
            assert.equal(await balancer.status("down"), "UP");
        });
    });

    describe("that are old are never read", () => {
        beforeEach(() => Promise.all(balancers.map((balancer) => balancer.set("maint state ready"))));

        onAll("by a bare signal after a reload", async (balancer) => {
            await balancer.set("maint state maint");
            await balancer.reload();
            assert.equal(await balancer.status("maint"), "MAINT");
            await until("the file is empty", async () => (await balancer.shell(`cat ${FILE}`)) === "1");
            await balancer.shell("renew signal");
            assert.equal(await balancer.status("maint"), "UP");
        });

        const steps: [step: string, before: string][] = [
            ["before the dump", "my $lines = eval"],
            ["before the file is written", 'syswrite($file, $lines // "")'],
            ["before the signal", 'kill "USR2", $pid or die'],
            ["right after the signal", "syswrite $tell"],
        ];
        for (const [step, text] of steps)
            onAll(`by a bare signal after a reload that was killed ${step}`, async (balancer) => {
                await balancer.set("maint state maint");
                const line = `kill 9, $$;`;
                await balancer.shell(`cp -p ${PROGRAM} /root/kept
                    perl -pi -e 'BEGIN { $at = shift } s/^(?=\\s*\\Q$at\\E)/${line.replaceAll("$", "\\$")}/' '${text}' ${PROGRAM}
                    grep -c '^${line.replaceAll("$", "\\$")}' ${PROGRAM}`);
                // Killed after its signal, too, it has failed for systemd.
                await balancer.shell("! systemctl reload haproxy");
                await balancer.shell(`cp -p /root/kept ${PROGRAM}`);
                await until("the file is empty", async () => (await balancer.shell(`cat ${FILE}`)) === "1", 1000);
                await balancer.set("maint state ready");
                await balancer.shell("renew signal");
                assert.equal(await balancer.status("maint"), "UP");
                await balancer.shell("test ! -e /run/haproxy-fleet/server-states.new");
            });

        /** As if nothing had emptied the file: with it, the next worker has a server in maintenance. */
        const STALE = `{ echo 1; ${ADMIN} 'show servers state' | awk '$4 == "maint" { $7 = 1; print }'; } >${FILE}`;

        onAll("(such a file would be read by a bare signal)", async (balancer) => {
            await balancer.shell(`${STALE}; renew signal; echo 1 >${FILE}`);
            assert.equal(await balancer.status("maint"), "MAINT");
        });

        const starts: [title: string, shell: string][] = [
            ["systemctl restart", "renew systemctl restart haproxy"],
            ["stop and start", "systemctl stop haproxy; systemctl start haproxy"],
            ["a crash of the worker", 'renew kill -KILL "$(pid)"'],
            ["a crash of the master", "renew systemctl kill --kill-who=main -s KILL haproxy"],
        ];
        for (const [title, shell] of starts)
            onAll(`by a start after ${title}`, async (balancer) => {
                await balancer.shell(`${STALE}; ${shell}`);
                await until("it serves", async () => (await balancer.status("maint")) === "UP", 15_000);
                assert.equal(await balancer.shell(`cat ${FILE}`), "1");
            });

        onAll("by a start after a reboot", async (balancer) => {
            await balancer.shell(STALE);
            await balancer.host.reboot();
            await until("it serves", async () => (await balancer.status("maint")) === "UP");
            assert.equal(await balancer.shell(`cat ${FILE}`), "1");
        });
    });

    describe("with other units", () => {
        const keeps = async (balancer: Balancer) => {
            await balancer.set("maint state maint");
            await balancer.reload();
            return (await balancer.status("maint")) === "MAINT";
        };
        const dropIn = (name: string, ...lines: string[]) =>
            `printf '%s\\n' '[Service]' ${lines.map((line) => `'${line}'`).join(" ")} >${DROP_INS}/${name}; systemctl daemon-reload`;
        afterEach(() =>
            Promise.all(
                balancers.map((balancer) =>
                    balancer.shell(
                        `rm -f ${DROP_INS}/override.conf /opt/haproxy; systemctl daemon-reload; systemctl reset-failed haproxy; systemctl restart haproxy`,
                    ),
                ),
            ),
        );

        onAll("a reload of files that the check refuses fails, and says why", async (balancer) => {
            await balancer.shell(
                "cp -p /etc/haproxy/haproxy.cfg /root; echo 'nonsense here' >>/etc/haproxy/haproxy.cfg",
            );
            const before = await balancer.shell("pid");
            await balancer.shell("! systemctl reload haproxy");
            await balancer.shell("cp -p /root/haproxy.cfg /etc/haproxy");
            assert.equal(await balancer.shell("pid"), before);
            assert.match(
                await balancer.shell("journalctl --sync; journalctl -u haproxy -o cat"),
                /unknown keyword 'nonsense'/,
            );
        });

        onAll("a user's own ExecReload counts, and nothing differs for an up", async (balancer) => {
            await balancer.shell(dropIn("override.conf", "ExecReload=", "ExecReload=/bin/kill -USR2 $MAINPID"));
            assert.equal(await keeps(balancer), false);
            assert.equal((await balancer.converged().preview()).text, "");
        });

        onAll("a start needs no state file even if warnings are errors", async (balancer) => {
            await balancer.shell(`${dropIn("override.conf", 'Environment="EXTRAOPTS=-S /run/haproxy-master.sock -dW"')}
                rm ${FILE}; systemctl restart haproxy`);
            await until("it serves", async () => (await balancer.status("maint")) !== "none");
            assert.match(
                await balancer.shell('tr "\\0" " " </proc/$(systemctl show -p MainPID --value haproxy)/cmdline'),
                / -dW( |$)/,
            );
        });

        onAll("they are kept though nothing in /usr/local may be executed", async (balancer) => {
            await balancer.shell("mount --bind /usr/local /usr/local; mount -o remount,noexec,bind /usr/local");
            try {
                assert.ok(await keeps(balancer));
            } finally {
                await balancer.shell("umount /usr/local");
            }
        });

        onAll("they are kept with another path of the program", async (balancer) => {
            await balancer.shell(`ln -s "$(readlink -f /usr/sbin/haproxy)" /opt/haproxy
                start=$(systemctl cat haproxy | sed -n 's|^ExecStart=/usr/sbin/|ExecStart=/opt/|p' | tail -n 1)
                printf '%s\\n' '[Service]' ExecStart= "$start" >${DROP_INS}/override.conf
                systemctl daemon-reload; systemctl restart haproxy`);
            await until("it serves", async () => (await balancer.status("maint")) !== "none");
            assert.match(
                await balancer.shell('tr "\\0" " " </proc/$(systemctl show -p MainPID --value haproxy)/cmdline'),
                /^\/opt\/haproxy /,
            );
            assert.ok(
                await keeps(balancer),
                await balancer.shell("journalctl --sync; journalctl -u haproxy -n 40 -o cat"),
            );
        });

        onAll("they are kept in a sandbox", async (balancer) => {
            await balancer.shell(`${dropIn("override.conf", "ProtectSystem=strict", "PrivateTmp=yes", "ProtectHome=yes", "ReadWritePaths=/run/haproxy /run")}
                systemctl restart haproxy`);
            await until("it serves", async () => (await balancer.status("maint")) !== "none");
            assert.ok(
                await keeps(balancer),
                await balancer.shell("journalctl --sync; journalctl -u haproxy -n 40 -o cat"),
            );
        });
    });
});
