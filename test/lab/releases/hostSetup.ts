import assert from "node:assert/strict";
import { buildPayload } from "../../../components/convergence/payload/payload";
import { makePlan } from "../../../components/convergence/payload/plan";
import type { Lab } from "../../../lab/lab";
import { assertHidden } from "../../support/planted";
import type { Connection } from "../../support/reachable";
import { releases } from "../../support/releases";
import { until } from "../../support/traffic";
import { Destinations } from "./destinations";
import { driftsOf } from "./drifts";
import { differences, FullHost, LOG, planted } from "./fullHost";

/**
 * Limit for the processes that a why-run with nothing to do starts if all is on. Those that the budget of payloadCost.spec.ts does not have
 * show where secrets are, which a host without secrets does not do, look for logs, and list the packet filter: our table and all tables,
 * or five more with ufw, whose rules are those of iptables.
 */
const PROCESS_BUDGET = 32;

/**
 * Limit for the bytes of its payload. Beside the budget of payloadCost.spec.ts, which every host needs, these are about 31 KiB for logs and
 * metrics, 20 for alerts, 16 for the firewall, 11 for versions of packages, and 8 for tuning.
 */
const PAYLOAD_BUDGET = 236 * 1024;

const ON = { metrics: true, groups: "adm dd-agent", connections: 1, states: "active active active" };
const OFF = { metrics: false, groups: "none", connections: 0, states: "active inactive inactive" };

/** What becomes of connections without our firewall, and with it. */
const OPEN: Record<string, Connection> = {
    web: "accepted",
    other: "accepted",
    forApp1: "accepted",
    ofApp1: "accepted",
};
const GUARDED: Record<string, Connection> = { ...OPEN, other: "dropped", forApp1: "dropped" };

/** Packages on hold. */
const HELD = "haproxy rsyslog";

/** Shell that prints the files that hold secrets. */
const HOLDING = `grep -rslE '${Object.values(planted).join("|")}' /etc /var /run /root /tmp /opt /usr/local /dev/shm | sort`;
const HOLDERS = "/etc/datadog-agent/datadog.yaml\n/usr/local/lib/haproxy-fleet/alert-command";

/** Tests of load balancers that have all of it, one of each release, on hosts that are there. They run on all hosts at once. */
export function hostSetupTests(lab: () => Lab, nameOf: (version: string) => string, receiver: string): void {
    describe("with everything that a stack may declare for its host", () => {
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

        before("a receiver and a repository", async () => {
            destinations = await Destinations.create(lab(), lab().host(receiver));
            hosts = releases.map(({ version }) => new FullHost(lab(), nameOf(version), version, destinations));
        });
        after(() => destinations?.stop());

        it(
            "forwards the line of a request, shows metrics to an agent that may read the log, and drops what is not declared",
            everywhere(async (host) => {
                // Not in a hook, where all would wait for the one that installs ufw.
                await host.prepare();
                await host.reaches(OPEN);
                const said = host === hosts[1] ? await host.switchOnByProgram() : await host.switchOn();
                assert.match(said, /the line of a request to 127\.0\.0\.1 port 80 is in \/var\/log\/haproxy\.log/);
                await host.logs("/first", "file and receiver");
                assert.deepEqual(await host.sees(), ON);
                await host.reaches(GUARDED);
                assert.deepEqual(await host.warnings(), []);
                assert.equal(await host.held(), HELD);
                assert.equal(await host.shell(`stat -c '%U %G %a' ${LOG}`), "root adm 640");
                assert.equal(await host.shell(HOLDING), HOLDERS);
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
                const drifts = driftsOf(host.release);
                await host.shell(drifts.map(([command]) => command).join("\n"));
                const { preview } = await host.switch("on");
                for (const [, ...says] of drifts) for (const words of says) assert.match(preview, words);
                assertHidden(preview, planted, "the preview");
                assert.deepEqual(differences(host.full, await host.everything()), []);
                await host.logs("/repaired", "file and receiver");
                assert.deepEqual(await host.sees(), ON);
                await host.reaches(GUARDED);
            }),
        );

        it(
            "sends a word when HAProxy dies, and has it back",
            everywhere(async (host) => {
                assert.equal(await host.words(), "");
                await host.shell('kill -KILL "$(systemctl show -P MainPID haproxy.service)"');
                await until("a word arrives", async () => (await host.words()) !== "");
                await until("HAProxy answers", async () => (await host.answer()) === "app1");
                assert.match(
                    await host.words(),
                    /^died of haproxy\.service: haproxy\.service on \S+ died: it was killed by SIGKILL$/,
                );
                await host.isConverged("on");
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
                await host.reaches(GUARDED);
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
                    /firewall\[host\] has left the run list/,
                    /sysctl.*somaxconn.* has left the run list/,
                ])
                    assert.match(preview, gone);
                assert.deepEqual(await host.left(), []);
                assert.deepEqual(await host.sees(), OFF);
                await host.reaches(OPEN);
                await host.logs("/off", "file");
                assert.equal(await host.shell(HOLDING), "");
                assert.equal(await host.held(), "");
            }),
        );
    });
}
