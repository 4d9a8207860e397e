import assert from "node:assert/strict";
import { sleep } from "../../../lab/machine/exec";
import { until } from "../../support/traffic";
import type { LoggingHost } from "./loggingHost";

const ROTATED = "/var/log/haproxy.log*";

/** Tests of the rotation on a host with a load. */
export function rotationTests(host: () => LoggingHost): void {
    const list = () => host().shell(`stat -c '%n %U:%G %a' ${ROTATED} | sed 's|.*/||'`);
    const hourly = () => host().shell("systemctl start haproxy-logrotate.service");

    describe("rotation", () => {
        before(() => host().converge());

        it("loses no line and doubles none at 5,000 requests in a second, and keeps owner, group and mode", async function () {
            const logs = host();
            await logs.ask("exists");
            const loading = logs.load("rotated", 5, 18);
            for (let n = 0; n < 4; n++) {
                await sleep(1000);
                await logs.shell("logrotate -f /etc/logrotate.d/haproxy");
            }
            const { requests } = await loading;
            await logs.ask("rotated-end");
            await until("the last line is there", async () => {
                return (await logs.shell("grep -c rotated-end-1 /var/log/haproxy.log || :")) === "1";
            });
            const numbers = await logs.numbers("rotated", ROTATED);
            assert.equal(numbers.length, requests);
            assert.equal(new Set(numbers).size, requests);
            const files = (await list()).split("\n");
            assert.deepEqual(
                files.slice(0, 3).map((line) => line.split(" ")[0]),
                ["haproxy.log", "haproxy.log.1", "haproxy.log.2.gz"],
            );
            for (const line of files) assert.match(line, / root:adm 640$/);
            if (this.test) this.test.title += ` (${Math.round(requests / 5)}/s)`;
        });

        it("rotates a large file in the hourly run, once, and not again in the daily run", async () => {
            const logs = host();
            await logs.ask("first");
            await hourly();
            const names = await list();
            await hourly();
            assert.equal(await list(), names);
            await logs.shell("head -c 2000000 /dev/zero | tr '\\0' x >>/var/log/haproxy.log");
            await hourly();
            const rotated = await list();
            assert.equal(rotated.split("\n").length, names.split("\n").length + 1);
            await logs.ask("second");
            await hourly();
            await logs.shell("systemctl start logrotate.service");
            assert.equal(await list(), rotated);
        });

        it("never keeps the daily run from its work: it waits, and an hourly run beside it is no failure", async () => {
            const logs = host();
            await logs.shell(`
                mkdir -p /run/systemd/system/haproxy-logrotate.service.d
                printf '[Service]\\nExecStartPost=/bin/sleep 1\\n' >/run/systemd/system/haproxy-logrotate.service.d/slow.conf
                systemctl daemon-reload
                flock /var/lib/logrotate/status systemctl start haproxy-logrotate.service
                systemctl --no-block start haproxy-logrotate.service
                until [ "$(systemctl show -p ActiveState --value haproxy-logrotate.service)" = activating ]; do sleep 0.02; done
                systemctl start logrotate.service
                rm -r /run/systemd/system/haproxy-logrotate.service.d
                systemctl daemon-reload`);
            const times = await logs.shell(
                "systemctl show -p ExecMainStartTimestampMonotonic -p ExecMainExitTimestampMonotonic --value logrotate.service; systemctl show -p InactiveEnterTimestampMonotonic --value haproxy-logrotate.service",
            );
            const [started = 0, , ended = 0] = times.split("\n").map(Number);
            assert.ok(ended <= started, times);
            const state = "systemctl show -p NextElapseUSecRealtime --value haproxy-logrotate.timer";
            assert.notEqual(await logs.shell(state), "");
        });

        it("refuses a second file with the log in a preview, and shows and repairs drift", async () => {
            const logs = host();
            await logs.shell("sed -i 's/daily/weekly/' /etc/logrotate.d/haproxy");
            const drift = await logs.declare().preview();
            assert.equal(drift.severity, "warning");
            assert.match(
                drift.text,
                /drift: \/etc\/logrotate\.d\/haproxy: content differs[\s\S]*- {4}weekly\n[\s\S]*\+ {4}daily/,
            );
            await logs.shell("printf '/var/log/*.log {\\n weekly\\n}\\n' >/etc/logrotate.d/all");
            const refused = await logs.declare().preview();
            assert.ok(refused.refused);
            assert.match(refused.text, /all:1 rotates \/var\/log\/haproxy\.log, too/);
            await logs.shell("rm /etc/logrotate.d/all");
            await logs.converge();
            assert.equal((await logs.declare().preview()).severity, "none");
        });

        it("leaves the rotation of the package behind when it goes", async () => {
            const logs = host();
            const gone = /^(logrotate|haproxy-logrotate\.(service|timer))$/;
            const left = logs.resources().filter((resource) => !("name" in resource && gone.test(resource.name)));
            await logs.converge(left);
            const after = await logs.shell(`
                grep -c rsyslog-rotate /etc/logrotate.d/haproxy
                systemctl is-active haproxy-logrotate.timer || :
                ls /etc/systemd/system/*/haproxy-logrotate* /etc/systemd/system/haproxy-logrotate* 2>/dev/null || :`);
            assert.deepEqual(after.split("\n"), ["1", "inactive"]);
        });
    });
}
