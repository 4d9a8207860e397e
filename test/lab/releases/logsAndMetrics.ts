import assert from "node:assert/strict";
import { buildPayload } from "../../../components/convergence/payload/payload";
import { makePlan } from "../../../components/convergence/payload/plan";
import type { Lab } from "../../../lab/lab";
import { assertHidden } from "../../support/planted";
import { releases } from "../../support/releases";
import { until } from "../../support/traffic";
import { Destinations, differences, FullHost, LOG } from "./fullHost";

/** Limit for the processes that a why-run with nothing to do starts if logs and metrics are on. */
const PROCESS_BUDGET = 25;

/** Limit for the bytes of its payload. */
const PAYLOAD_BUDGET = 170 * 1024;

const KEY = "planted0api0key0of0releases";

const ON = { metrics: true, groups: "adm dd-agent", connections: 1, states: "active active active" };
const OFF = { metrics: false, groups: "none", connections: 0, states: "active inactive inactive" };

/** Shell that prints the files that hold the key. */
const HOLDING = "grep -rsl planted0api0key /etc /var /run /root /tmp /opt /usr/local /dev/shm || :";

/** Drift of each kind of thing: what is done by hand, and what a preview then says. */
const drifts: [command: string, ...says: RegExp[]][] = [
    [
        "sed -i 's/^    log 127.0.0.1:514 .*/    log \\/dev\\/log local0/' /etc/haproxy/haproxy.cfg",
        /^ {6}\+ {4}log 127\.0\.0\.1:514 len 8192 format rfc5424 local0 info$/m,
    ],
    [
        'sed -i \'s/protocol="tcp"/protocol="udp"/; s/port="6514"/port="514"/\' /etc/rsyslog.d/49-haproxy.conf',
        /^ {6}- .*protocol="udp"/m,
        /^ {6}\+ .*port="6514" protocol="tcp"/m,
    ],
    ["systemctl stop rsyslog.service syslog.socket", /service\[rsyslog\.service\]\n.*is inactive, would be started/],
    ["chown daemon:adm /etc/logrotate.d/haproxy", /logrotate\.d\/haproxy: owner is daemon:adm, declared root:root/],
    ["dpkg --remove rsyslog-gnutls >/dev/null", /rsyslog-gnutls is not installed/],
    ["rm /etc/systemd/system/haproxy-logrotate.service", /\[haproxy-logrotate\.service\]\n.*does not exist/],
    [
        "sed -i 's/^OnCalendar=.*/OnCalendar=weekly/' /etc/systemd/system/haproxy-logrotate.timer",
        /systemdUnit\[haproxy-logrotate\.timer\]/,
        /^ {6}-OnCalendar=weekly$/m,
    ],
    [
        "systemctl disable --quiet --now haproxy-logrotate.timer",
        /service\[haproxy-logrotate\.timer\]\n.*is disabled, would be enabled/,
    ],
    ["rm /etc/apt/keyrings/datadog.gpg", /packageRepository\[datadog\]\n.*keyring/],
    ["echo 'Enabled: no' >>/etc/apt/sources.list.d/datadog.sources", /^ {6}-Enabled: no$/m],
    [
        "sed -i 's/^api_key: .*/api_key: other/' /etc/datadog-agent/datadog.yaml",
        /^ {6}\+api_key: "‹datadog\.api-key›"$/m,
    ],
    [
        "chmod 0644 /etc/datadog-agent/conf.d/haproxy.d/conf.yaml",
        /haproxy\.d\/conf\.yaml\]\n.*mode is 0644, declared 0640/,
    ],
    ["rm /etc/datadog-agent/conf.d/process.d/conf.yaml", /process\.d\/conf\.yaml\]\n.*does not exist/],
    [
        "echo SupplementaryGroups=daemon >>/etc/systemd/system/datadog-agent.service.d/10-haproxy-fleet.conf",
        /^ {6}-SupplementaryGroups=daemon$/m,
    ],
    ["systemctl stop datadog-agent.service", /service\[datadog-agent\.service\]\n.*is inactive, would be started/],
    ["rm -r /var/lib/haproxy-fleet/forwards", /execute\[prove the connection to logs1:6514\]/],
];

/** Tests of load balancers that have all of it, one of each release, on hosts that are there. They run on all hosts at once. */
export function logsAndMetricsTests(lab: () => Lab, nameOf: (version: string) => string, receiver: string): void {
    describe("with Papertrail, logrotate and Datadog", () => {
        let destinations: Destinations;
        let hosts: FullHost[] = [];

        /** Does the work on the hosts of all releases, and says of which release an error is. */
        const everywhere = (work: (host: FullHost) => Promise<unknown>) => async () => {
            const ends = await Promise.allSettled(hosts.map(work));
            const errors = ends.flatMap((end, n) =>
                end.status === "rejected" ? [`${hosts[n]?.release}: ${end.reason?.stack ?? end.reason}`] : [],
            );
            if (errors.length > 0) throw new Error(errors.join("\n\n"));
        };

        before("a receiver and a repository; HAProxy alone", async () => {
            destinations = await Destinations.create(lab(), lab().host(receiver));
            hosts = releases.map(({ version }) => new FullHost(lab(), nameOf(version), version, destinations, KEY));
            await everywhere((host) => host.prepare())();
        });
        after(() => destinations?.stop());

        it(
            "writes and forwards the line of a request, and shows metrics to an agent that may read the log",
            everywhere(async (host) => {
                const said = host === hosts[1] ? await host.switchOnByProgram() : await host.switchOn();
                assert.match(said, /the line of a request to 127\.0\.0\.1 port 80 is in \/var\/log\/haproxy\.log/);
                await host.logs("/first", "file and receiver");
                assert.deepEqual(await host.sees(), ON);
                assert.equal(await host.shell(`stat -c '%U %G %a' ${LOG}`), "root adm 640");
                assert.equal(await host.shell(HOLDING), "/etc/datadog-agent/datadog.yaml");
                host.full = await host.everything();
            }),
        );

        it(
            "changes nothing in a second run",
            everywhere(async (host) => {
                const before = await host.traces();
                const { code, stdout, stderr } = await host.convergence("on").again();
                assert.equal(code, 0, stderr);
                assert.match(stdout, /nothing to do/);
                assert.equal(await host.traces(), before);
                await host.isConverged("on");
            }),
        );

        it(`takes at most ${PAYLOAD_BUDGET / 1024} KiB and ${PROCESS_BUDGET} processes to see that nothing is to be done`, async function () {
            const counts = await Promise.all(hosts.map((host) => host.processesOfWhyRun()));
            const { resources, slots } = (hosts[0] as FullHost).convergence("on");
            const size = Buffer.byteLength(buildPayload(makePlan(resources), { slots }));
            assert.ok(size <= PAYLOAD_BUDGET, `${size} bytes`);
            if (this.test) this.test.title += ` (${size} bytes; ${counts})`;
            assert.ok(Math.max(...counts) <= PROCESS_BUDGET && Math.min(...counts) > 3, `${counts} processes`);
        });

        it(
            "shows every drift, and repairs all in one up",
            everywhere(async (host) => {
                await host.shell(drifts.map(([command]) => command).join("\n"));
                const { preview } = await host.switch("on");
                for (const [, ...says] of drifts) for (const words of says) assert.match(preview, words);
                assertHidden(preview, { KEY }, "the preview");
                assert.deepEqual(differences(host.full, await host.everything()), []);
                await host.logs("/repaired", "file and receiver");
                assert.deepEqual(await host.sees(), ON);
            }),
        );

        it(
            "is all there after a reboot",
            everywhere(async (host) => {
                await host.host.reboot();
                await host.shell("systemctl is-system-running --wait || :");
                await until("HAProxy answers", async () => (await host.answer()) === "app1");
                await host.logs("/rebooted", "file and receiver");
                await host.isConverged("on");
                assert.deepEqual(await host.sees(), ON);
            }),
        );

        it(
            "is as it was once all is switched off",
            everywhere(async (host) => {
                const { preview } = await host.switch("off");
                for (const gone of [
                    /file\[\/etc\/rsyslog\.d\/49-haproxy\.conf\] has left the run list, would be undone/,
                    /service\[datadog-agent\.service\] has left the run list, would be stopped/,
                    /service\[rsyslog\.service\] has left the run list, would be restarted/,
                ])
                    assert.match(preview, gone);
                assert.deepEqual(await host.left(), []);
                assert.deepEqual(await host.sees(), OFF);
                await host.logs("/off", "file");
                assert.equal(await host.shell(HOLDING), "");
            }),
        );
    });
}
