// The real engine rolls a real pair, while clients make requests to the service address. The tests share the hosts, and each begins where
// the one before has ended.
import assert from "node:assert/strict";
import type { Host } from "../../lab/host";
import { describeLab, withLab } from "../support/lab";
import { mainProcess, markOf, NAMES, RolledPair, type Watched } from "./pairRoll/pair";

const UP = ["up", "--yes", "--skip-preview"];
/** Of the default interval of adverts, 1 s. */
const FOUR_ADVERTS = 4000;
/** In milliseconds. */
const LOST = 100;
/** For programs that start on a busy machine, in milliseconds. */
const SLACK = 1500;

describeLab("a roll of a pair", () => {
    const lab = withLab(NAMES.map((name) => ({ name, image: "haproxy" })));
    let pair: RolledPair;
    let master: Host;
    let backup: Host;

    before(async () => {
        pair = new RolledPair(lab());
        await pair.run("stack", "init", "dev");
    });
    after(() => pair?.remove());

    const served = ({ code, text, failed, requests }: Watched) => {
        assert.equal(code, 0, text);
        assert.deepEqual(failed, []);
        assert.ok(requests > 50, String(requests));
    };
    /** An answer or two may get lost on a busy machine. */
    const stays = ({ owners, gap }: Watched) => {
        assert.deepEqual([...new Set(owners.filter((names) => names !== ""))], [master.name]);
        assert.ok(gap <= LOST, `${gap} ms without an owner`);
    };
    const neverTwo = ({ owners }: Watched) =>
        assert.deepEqual(
            owners.filter((names) => names.includes(",")),
            [],
        );
    const marks = async () => Promise.all([markOf(master), markOf(backup)]);
    /** Refuses a plan that would change something. */
    const isCurrent = async () => {
        const { code, text } = await pair.run("preview", "--expect-no-changes");
        assert.equal(code, 0, text);
    };

    it("converges two new hosts, of which one gets the address", async () => {
        pair.declare({ mark: "first", password: "s3cret-1" });
        await pair.up();
        [master, backup] = await pair.settled();
        assert.deepEqual(await marks(), ["first", "first"]);
        await isCurrent();
    });

    it("changes the BACKUP first, then the MASTER, by reloads, without a failed request", async () => {
        pair.declare({ mark: "second" });
        const { text } = await pair.run("preview");
        const order = `edge: an up changes edge-${backup.name}, then edge-${master.name}, which has the service address, and stops if one fails`;
        assert.ok(text.includes(order), text);
        const up = await pair.watched(...UP);
        served(up);
        stays(up);
        const [first, last] = [await pair.times(backup), await pair.times(master)];
        assert.ok(first.ended <= last.written, JSON.stringify([first, last]));
        assert.deepEqual(await marks(), ["second", "second"]);
    });

    it("leaves the MASTER as it is if the BACKUP fails", async () => {
        const dropIn = "/run/systemd/system/haproxy.service.d/50-test.conf";
        await backup.writeFile(dropIn, "[Service]\nExecReload=\nExecReload=/bin/false\n");
        await backup.exec("systemctl daemon-reload");
        const before = await pair.times(master);
        pair.declare({ mark: "third" });
        const up = await pair.watched(...UP);
        assert.notEqual(up.code, 0);
        assert.deepEqual(up.failed, []);
        stays(up);
        const left = `edge: edge-${backup.name} failed, so edge-${master.name} was not changed`;
        assert.ok(up.text.includes(left), up.text);
        assert.deepEqual(await pair.times(master), before);
        assert.deepEqual(await marks(), ["second", "second"]);
        await backup.exec(`rm ${dropIn}; systemctl daemon-reload`);
        await pair.up();
        assert.deepEqual(await marks(), ["third", "third"]);
    });

    it("hands the address over before it restarts HAProxy on the MASTER, without a failed request", async () => {
        const processes = () => Promise.all([master, backup].map((host) => mainProcess(host, "haproxy")));
        const before = await processes();
        for (const [n, host] of [master, backup].entries())
            await host.exec(`prlimit --pid ${before[n]} --nofile=3300:3300`);
        pair.declare({ mark: "fourth", maxconn: 1500, restart: "now" });
        const up = await pair.watched(...UP);
        served(up);
        neverTwo(up);
        assert.equal(up.owners.at(0), master.name);
        assert.equal(up.owners.at(-1), backup.name);
        assert.match(up.text, new RegExp(`handed over to (edge-)?${backup.name}`));
        assert.ok((await processes()).every((process, n) => process !== before[n]));
        const was = master;
        [master, backup] = await pair.settled();
        assert.equal(backup, was);
        pair.declare({ restart: undefined });
        await isCurrent();
    });

    it("changes how keepalived checks by a reload: the address stays where it is", async () => {
        const before = await mainProcess(master, "keepalived");
        pair.declare({ check: { interval: 1, fall: 3 } });
        const up = await pair.watched(...UP);
        served(up);
        stays(up);
        assert.equal(await mainProcess(master, "keepalived"), before);
        await pair.settled();
    });

    it("hands the address over before it restarts keepalived on the MASTER, without a failed request", async () => {
        // The program that runs is no longer the one that is installed.
        const replaced = "cp -p /usr/sbin/keepalived /root/keepalived; mv /root/keepalived /usr/sbin/keepalived";
        await Promise.all(pair.hosts.map((host) => host.exec(replaced)));
        const { text } = await pair.run("preview");
        const order = `an up changes edge-${backup.name}, then edge-${master.name}, which has the service address`;
        assert.ok(text.includes(order), text);
        const up = await pair.watched(...UP);
        served(up);
        neverTwo(up);
        assert.equal(up.owners.at(-1), backup.name);
        [master, backup] = await pair.settled();
        await isCurrent();
    });

    it("does not change the password on one host alone", async () => {
        const before = await pair.times(master);
        pair.declare({ password: "s3cret-2", away: backup.name });
        const up = await pair.watched(...UP);
        assert.notEqual(up.code, 0);
        assert.deepEqual(up.failed, []);
        stays(up);
        const why = `edge-${master.name}: nothing changes here, because the password of the pair changes, which all hosts must get in one up`;
        assert.ok(up.text.includes(why), up.text);
        assert.deepEqual(await pair.times(master), before);
        pair.declare({ away: undefined });
    });

    it("changes the password: never two have the address, and it stays where it is", async () => {
        const up = await pair.watched(...UP);
        served(up);
        stays(up);
        assert.deepEqual(await pair.settled(), [master, backup]);
        await isCurrent();
    });

    it("adds an address: never two have the first one, and it stays where it is", async () => {
        pair.declare({ addresses: [`${pair.address}/24`, `${lab().address(101)}/24`] });
        const up = await pair.watched(...UP);
        served(up);
        stays(up);
        assert.deepEqual(await pair.settled(), [master, backup]);
        const answer = await fetch(`http://${lab().address(101)}/`);
        assert.equal(answer.headers.get("x-balancer"), master.name);
        await isCurrent();
    });

    it("changes the router id: never two have the address, and none for at most four adverts", async () => {
        pair.declare({ routerId: 77 });
        const up = await pair.watched(...UP);
        assert.equal(up.code, 0, up.text);
        neverTwo(up);
        assert.ok(up.gap <= FOUR_ADVERTS + SLACK, `${up.gap} ms without an owner`);
        await pair.settled();
        await isCurrent();
    });
});
