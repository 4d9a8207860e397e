import assert from "node:assert/strict";
import type { DeclaredFile } from "../../../components/convergence/kinds/kind";
import { until } from "../../support/traffic";
import type { PairOfHosts } from "./pairOfHosts";

/** What breaks, and what is left then. */
export function failures(pair: () => PairOfHosts): void {
    it("repairs a file that was edited by hand by a reload, with the address where it is", async () => {
        await pair().make("lb1");
        const process = await pair().process("lb1");
        await pair().shell(
            "lb1",
            "sed -i 's/priority 101/priority 99/' /etc/keepalived/keepalived.conf; systemctl reload keepalived",
        );
        const { text } = await pair().declare("lb1").preview();
        assert.match(text, /- +priority 99\n.*\+ +priority 101[\s\S]*reload: no advert is missed/);
        const missed = await pair().watch(async () => {
            assert.match(await pair().converge("lb1"), /this host is MASTER, and has 10\.99\.\d+\.100\/24/);
        });
        assert.deepEqual([missed.nobody, await pair().process("lb1")], [0, process]);
        assert.equal((await pair().declare("lb1").preview()).text, "");
    });

    it("reloads a process that has not read the files", async () => {
        await pair().shell(
            "lb1",
            "rm /run/haproxy-fleet-pair/digest; sleep 3; sleep 1.1; touch /etc/keepalived/keepalived.conf",
        );
        assert.match((await pair().declare("lb1").preview()).text, /the running process does not have these files/);
        await pair().converge("lb1");
        assert.equal((await pair().declare("lb1").preview()).text, "");
    });

    it("puts the last good files back if no process has the new ones, and the MASTER goes on", async () => {
        await pair().make("lb1");
        const state = () => pair().shell("lb1", "cd /etc/keepalived; sha256sum *; pgrep keepalived");
        const before = await state();
        const convergence = pair().declare("lb1", {
            settings: { priorities: [120, 110] },
            edit: (transaction) => ({
                ...transaction,
                // The process can then not say which files it has.
                files: transaction.files.map(
                    (file): DeclaredFile => ({
                        ...file,
                        content: String(file.content).replace(/(check-haproxy) .*"/, '$1"'),
                    }),
                ),
            }),
        });
        const missed = await pair().watch(async () => {
            const { code, stderr } = await convergence.up();
            assert.equal(code, 1, stderr);
            assert.match(stderr, /was not proven to have the new configuration; last good files are back and active/);
            assert.match(stderr, /no process of keepalived has read these files within \d+ s/);
        });
        assert.deepEqual([missed.nobody, await state()], [0, before]);
        assert.equal((await pair().declare("lb1").preview()).text, "");
    });

    it("takes the address from a host whose keepalived is killed, and keepalived comes back by itself", async () => {
        await pair().make("lb1");
        await pair().shell("lb1", "pkill -9 -x keepalived");
        await until("the address is off", async () => !(await pair().owners()).includes("lb1"), 2000);
        await pair().settle("lb2");
        assert.equal(await pair().shell("lb1", "systemctl is-active keepalived"), "active");
        // Only the process that speaks VRRP: keepalived starts it anew.
        await pair().shell("lb2", "kill -9 $(pgrep -P $(systemctl show -p MainPID --value keepalived))");
        await pair().settle();
        // Only the main one: systemd ends the other.
        const master = await pair().settle();
        await pair().shell(master, "kill -9 $(systemctl show -p MainPID --value keepalived)");
        await pair().settle(pair().other(master));
    });

    it("hands over if HAProxy hangs", async () => {
        await pair().make("lb1");
        await pair().shell("lb1", "pkill -STOP -x haproxy");
        try {
            await until("lb2 has it", async () => (await pair().owners()).join() === "lb2");
            assert.equal(await pair().state("lb1"), "FAULT\tnone");
        } finally {
            await pair().shell("lb1", "pkill -CONT -x haproxy");
        }
        // It stays there: failback is never.
        await pair().settle("lb2");
    });

    it("keeps the address where it is if neither serves, and where one serves again after that", async () => {
        await pair().make("lb1");
        await Promise.all([
            pair().shell("lb1", "systemctl stop haproxy"),
            pair().shell("lb2", "systemctl stop haproxy"),
        ]);
        try {
            // Three checks.
            await pair().shell("lb1", "sleep 7");
            assert.deepEqual(await pair().owners(), ["lb1"]);
            await pair().shell("lb2", "systemctl start haproxy");
            await until("lb2 has it", async () => (await pair().owners()).join() === "lb2");
        } finally {
            await pair().shell("lb2", "systemctl start haproxy");
            await pair().shell("lb1", "systemctl start haproxy");
        }
        await pair().settle("lb2");
    });

    it("leaves one owner if the peer does not hear the MASTER, and says why", async () => {
        await pair().make("lb1");
        const from = pair().host("lb1").address;
        await pair().shell(
            "lb2",
            `nft 'table inet cut { chain in { type filter hook input priority 0; ip saddr ${from} ip protocol 112 drop; }; }'`,
        );
        try {
            await until("both have it", async () => (await pair().owners()).length === 2);
            await until("lb2 alone has it", async () => (await pair().owners()).join() === "lb2", 10_000);
            await pair().settle("lb2");
            assert.match(
                await pair().shell("lb1", "journalctl -u keepalived -o cat --no-pager"),
                /Received advert from .* with lower priority 100, ours 101/,
            );
        } finally {
            await pair().shell("lb2", "nft delete table inet cut");
        }
        await pair().settle("lb2");
    });

    it("never starts keepalived on a host without its own address, and starts it when that is there", async () => {
        const { address } = pair().host("lb2");
        await pair().make("lb1");
        await pair().shell("lb2", `systemctl stop keepalived; ip addr add ${pair().lab.address(179)}/24 dev eth0`);
        await pair().shell("lb2", `ip addr del ${address}/24 dev eth0; systemctl --no-block start keepalived`);
        try {
            await until("it waits", async () => (await pair().state("lb2")) === "WAITING\tnone");
            assert.match(
                await pair().shell("lb2", "/usr/local/libexec/haproxy-fleet/pair role"),
                new RegExp(`^waits\t${address} is on no interface of this host$`, "m"),
            );
        } finally {
            await pair().shell(
                "lb2",
                `ip addr flush dev eth0 scope global; ip addr add ${address}/24 dev eth0; ip route add default via ${pair().lab.gateway}`,
            );
        }
        await pair().settle("lb1");
    });
}
