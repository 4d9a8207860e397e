import assert from "node:assert/strict";
import { until } from "../../support/traffic";
import type { Name, PairOfHosts, Variation } from "./pairOfHosts";

/** Router id, password and addresses: what both hosts must have alike. */
export function identity(pair: () => PairOfHosts): void {
    /** Changes BACKUP, then MASTER, as a roll does, and returns how long nobody had the address. Never do both. */
    const change = async (variation: Variation, what: string, watched = true) => {
        const master = await pair().settle();
        const backup: Name = pair().other(master);
        const work = async () => {
            const first = await pair().converge(backup, variation);
            assert.match(
                first,
                new RegExp(`restart \\(with another ${what}, this host waits until the other one has it, too`),
            );
            assert.match(first, new RegExp(`this host waits: ${master} is MASTER with another `));
            // What waits is converged.
            assert.equal((await pair().declare(backup, variation).preview()).text, "");
            const second = await pair().converge(master, variation);
            assert.match(second, new RegExp(`reload \\(this host is MASTER and stays it with another ${what}`));
            if (watched) await pair().settle(master);
        };
        const { both, nobody } = await pair().watch(work);
        assert.equal(both, 0);
        return nobody;
    };

    it("with another password never makes two MASTERs, and leaves the address where it is", async () => {
        assert.equal(await change({ password: "planted2" }, "password"), 0);
        assert.equal(await change({ password: "planted1" }, "password"), 0);
    });

    it("whose proof fails on the MASTER never makes two MASTERs: with the former one it waits for the other host", async () => {
        const master = await pair().settle();
        const backup = pair().other(master);
        const edit: Variation["edit"] = (transaction) => {
            const { adapter } = transaction;
            const begins = "keepalived_prove() {\n";
            assert.ok(adapter.script.includes(begins));
            const script = adapter.script.replace(
                begins,
                `${begins}    [ -n "$tx_restoring" ] || { sleep 3; echo planted; return 1; }\n`,
            );
            return { ...transaction, adapter: { ...adapter, script } };
        };
        const password = "planted4";
        await pair().converge(backup, { password });
        const { both, nobody } = await pair().watch(async () => {
            const { code, stderr } = await pair().declare(master, { password, edit }).up();
            assert.equal(code, 1);
            assert.match(stderr, /restart \(.*may know the password|last good files are back and active/);
            await until("the other host has it", async () => (await pair().owners()).join() === backup);
            assert.equal(await pair().state(master), "WAITING\tnone");
        });
        assert.equal(both, 0);
        assert.ok(nobody < 2, `nobody for ${nobody} s`);
        await pair().converge(master, { password });
        await pair().settle(backup);
        await change({}, "password");
    });

    it("does not change while the MASTER is to stand by", async () => {
        const master = await pair().settle();
        const backup = pair().other(master);
        const variation = { password: "planted4", settings: { standby: master } };
        const { text, severity } = await pair().declare(master, variation).preview();
        assert.equal(severity, "refusal");
        const waits = `${backup} waits until the password changes here, too`;
        assert.match(text, new RegExp(`would hand the addresses over before it stands by, but ${waits}; make two ups`));
        // As if no preview had been seen.
        await pair().converge(backup, variation);
        const { both, nobody } = await pair().watch(async () => {
            const { code, stderr } = await pair().declare(master, variation).up();
            assert.equal(code, 1);
            assert.match(stderr, new RegExp(`cannot be handed over, because ${waits}; .* untouched; make two ups`));
        });
        assert.deepEqual([both, nobody], [0, 0]);
        await pair().converge(backup);
        await pair().settle(master);
    });

    it("with another router id never makes two MASTERs, and the address is away for 5 s at most", async () => {
        const nobody = await change({ settings: { routerId: 77 } }, "router id");
        assert.ok(nobody < 5, `nobody for ${nobody} s`);
        await change({}, "router id");
    });

    it("with another interval of adverts never makes two MASTERs, and leaves the address where it is", async () => {
        assert.equal(await change({ settings: { advertise: 2 } }, "interval of adverts"), 0);
        assert.equal(await change({}, "interval of adverts"), 0);
    });

    it("with one more address never makes two MASTERs", async () => {
        const settings = { addresses: [`${pair().address}/24`, `${pair().lab.address(101)}/24`, "2001:db8::100/64"] };
        assert.equal(await change({ settings }, "list of addresses"), 0);
        const master = await pair().settle();
        const has = await pair().shell(master, "ip -o addr show dev eth0");
        for (const address of settings.addresses) assert.ok(has.includes(` ${address} `), has);
        assert.equal(await pair().state(master), "MASTER\tall");
        assert.equal(await change({}, "list of addresses"), 0);
    });

    it("of a new member waits until the other one knows it", async () => {
        await pair().make("lb1");
        const own = { lb2: pair().lab.address(177) };
        await pair().shell("lb2", `ip addr add ${own.lb2}/24 dev eth0; rm /var/lib/haproxy-fleet/pair-identity`);
        // lb1 still sends to the other address.
        const said = await pair().converge("lb2", { own });
        assert.match(said, /this host waits: lb1 is MASTER with another address of this host; converge it, too/);
        const { both } = await pair().watch(async () => {
            assert.match(await pair().converge("lb1", { own }), /another address of the peer/);
            await pair().settle("lb1");
        });
        assert.equal(both, 0);
        await change({}, "[a-z ,]*address[a-z ,]*", false);
        await pair().settle("lb1");
        await pair().shell("lb2", `ip addr del ${own.lb2}/24 dev eth0`);
    });

    it("that waits takes over if the MASTER dies", async () => {
        await pair().make("lb1");
        await pair().converge("lb2", { password: "planted3" });
        assert.equal(await pair().state("lb2"), "WAITING\tnone");
        await pair().shell("lb1", "systemctl stop keepalived");
        await pair().shell(
            "lb2",
            "for i in $(seq 100); do ip -o addr show dev eth0 | grep -q '\\.100/' && break; sleep 0.1; done",
        );
        assert.deepEqual(await pair().owners(), ["lb2"]);
        // lb1 comes back with the old identity: it is converged, and waits for nothing, because lb2 knows it.
        await pair().converge("lb1", { password: "planted3" });
        await pair().settle("lb2");
        await change({}, "password");
    });

    it("leaves the password in keepalived's own files only, which only root reads", async () => {
        const found = async (name: Name) =>
            pair().shell(
                name,
                `word=planted; word=$word""1
                { grep -rlsF $word /etc /run /tmp /var/tmp /var/lib /var/log /root /usr/local
                for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do tr '\\0' ' ' <$file 2>/dev/null | grep -qF $word && echo $file; done
                journalctl --no-pager | grep -F $word; } | grep -v '^/proc/self' | sort`,
            );
        for (const name of ["lb1", "lb2"] as const) {
            const files = (await found(name)).split("\n");
            assert.deepEqual(files, [
                "/etc/keepalived/keepalived.conf",
                "/var/lib/haproxy-fleet/last-good/keepalived/tree/keepalived.conf",
            ]);
            const readers = await pair().shell(
                name,
                `stat -c '%U %a' ${files[0]}; stat -c '%U %a' /var/lib/haproxy-fleet`,
            );
            assert.equal(readers, "root 600\nroot 700");
            const { text } = await pair().declare(name, { password: "planted4" }).preview();
            assert.match(text, /auth_pass/);
            assert.doesNotMatch(text, /planted/);
            const why = await pair().declare(name, { password: "planted4" }).whyRun();
            assert.doesNotMatch(JSON.stringify(why), /planted/);
            assert.deepEqual(why.together, "the password of the pair changes");
        }
    });
}
