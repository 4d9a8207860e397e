import assert from "node:assert/strict";
import type { DeclaredFile } from "../../../components/convergence/kinds/kind";
import { run } from "../../../lab/machine/exec";
import type { PairOfHosts, Variation } from "./pairOfHosts";

/** A change of keepalived.conf's text. */
const edited = (change: (text: string) => string): Variation => ({
    edit: (transaction) => ({
        ...transaction,
        files: transaction.files.map(
            (file): DeclaredFile =>
                file.path === "/etc/keepalived/keepalived.conf"
                    ? { ...file, content: change(String(file.content)) }
                    : file,
        ),
    }),
});

/** What is wrong on lb2, and the words that say it. */
const faults: {
    name: string;
    words: RegExp;
    prepare?: string;
    undo?: string;
    vary?: (pair: PairOfHosts) => Variation;
}[] = [
    {
        name: "a keyword that keepalived does not know, with its line",
        vary: () => edited((text) => text.replace("    state BACKUP", "    stat BACKUP")),
        words: /validation:\n +\/etc\/keepalived\/keepalived\.conf:(\d+): Unknown keyword 'stat'\n +line \1: +stat BACKUP/,
    },
    {
        name: "an empty file",
        vary: () => edited(() => ""),
        words: /validation:\n +\/etc\/keepalived\/keepalived\.conf: is missing or empty/,
    },
    {
        name: "an own address on the loopback interface",
        prepare: "one=ADDRESS; ip addr add ${one%.*}.67/32 dev lo",
        undo: "ip addr del $(ip -o -4 addr show dev lo | grep -o '[0-9.]*\\.67/32') dev lo",
        vary: (pair) => ({ own: { lb2: pair.host("lb2").address.replace(/\d+$/, "67") } }),
        words: /10\.99\.\d+\.67: it is on lo, where VRRP reaches no other host; set hosts\.lb2\.address to one of its own: 10\.99\./,
    },
    {
        name: "an own address that is on no interface",
        vary: (pair) => ({ own: { lb2: pair.lab.address(177) } }),
        words: /10\.99\.\d+\.177: no interface of this host has it; set hosts\.lb2\.address to one of its own: 10\.99\./,
    },
    {
        name: "a peer that is this host",
        prepare: "one=ADDRESS; ip addr add ${one%.*}.66/32 dev eth0",
        undo: "ip addr del $(ip -o -4 addr show dev eth0 | grep -o '[0-9.]*\\.66/32') dev eth0",
        vary: (pair) => ({ own: { lb1: pair.host("lb2").address.replace(/\d+$/, "66") } }),
        words: /it is an address of this host, but declared as that of lb1; correct hosts\.lb1\.address/,
    },
    {
        name: "a service address of netplan",
        prepare: "mkdir -p /etc/netplan; printf 'addresses: [10.99.1.1/24, ADDRESS/24]\\n' >/etc/netplan/50-cloud.yaml",
        undo: "rm -r /etc/netplan",
        words: /10\.99\.\d+\.100: \/etc\/netplan\/50-cloud\.yaml gives it to this host, .*; remove it from that file/,
    },
    {
        name: "a service address on another interface",
        prepare: "ip link add other type bridge && ip link set other up && ip addr add ADDRESS/32 dev other",
        undo: "ip link del other",
        words: /10\.99\.\d+\.100: it is on other, where keepalived would leave it/,
    },
    {
        name: "a service address in the network of another interface",
        prepare: "ip link add other type bridge && ip link set other up && ip addr add 198.51.100.11/24 dev other",
        undo: "ip link del other",
        vary: () => ({ settings: { addresses: ["198.51.100.100/24"] } }),
        words: /198\.51\.100\.100: it is in the network of other \(198\.51\.100\.11\/24\), but the pair uses eth0, the interface of 10\.99\.\d+\.\d+; set hosts\.lb2\.address to 198\.51\.100\.11/,
    },
    {
        name: "programs that others than root may replace",
        prepare: "chmod g+w /usr/local",
        undo: "chmod g-w /usr/local",
        words: /\/usr\/local: others than root may write there, .*; chown root:root \/usr\/local, chmod go-w/,
    },
    {
        name: "a unit that reads another file",
        prepare:
            "cp /etc/default/keepalived /root/; echo 'DAEMON_ARGS=\"-D -f /etc/keepalived/own.conf\"' >/etc/default/keepalived",
        undo: "cp /root/keepalived /etc/default/",
        words: /keepalived\.service: it reads \/etc\/keepalived\/own\.conf instead of \/etc\/keepalived\/keepalived\.conf \(set in \/etc\/default\/keepalived\)/,
    },
    {
        name: "a check every part of a second on a release that counts whole ones",
        vary: () => ({ settings: { check: { interval: 0.5 } } }),
        words: /check\.interval: keepalived 2\.2\.7 of this host knows whole seconds only; set 1 or more/,
    },
];

/** What is refused before anything is touched. */
export function refusals(pair: () => PairOfHosts): void {
    // The MASTER has the address.
    before(() => pair().make("lb1"));

    for (const { name, words, prepare = ":", undo = ":", vary = (): Variation => ({}) } of faults) {
        it(`names ${name}, and touches nothing`, async () => {
            const shell = (text: string) => pair().shell("lb2", text);
            const state = () =>
                shell("cd /etc/keepalived; sha256sum *; systemctl show -p InvocationID keepalived; pgrep keepalived");
            const before = await state();
            const put = await pair().host("lb2").exec(prepare.replaceAll("ADDRESS", pair().address));
            assert.equal(put.code, 0, put.stderr);
            try {
                // A change, so that the files are checked.
                const variation = { ...vary(pair()) };
                variation.settings = { priorities: [103, 102], ...variation.settings };
                const preview = await pair().declare("lb2", variation).preview();
                assert.ok(preview.refused, preview.text);
                assert.match(preview.text, words);
                const { code, stderr } = await pair().declare("lb2", variation).up();
                assert.equal(code, 1, stderr);
                assert.match(stderr, /its files and its running process are untouched/);
            } finally {
                await shell(undo);
            }
            assert.equal(await state(), before);
        });
    }

    it("takes no comment and no longer address in a file of the network for the service address", async () => {
        const { address } = pair();
        const lines = [
            `# ${address} is keepalived's`,
            `address ${address}7/24`,
            "address 2001:db8::100:11/64 # 2001:db8::100",
        ];
        await pair()
            .host("lb2")
            .writeFile("/etc/network/interfaces.d/other", `${lines.join("\n")}\n`);
        const settings = { addresses: [`${address}/24`, "2001:db8::100/64"] };
        const { text, refused } = await pair().declare("lb2", { settings }).preview();
        await pair().shell("lb2", "rm /etc/network/interfaces.d/other");
        assert.equal(refused, false, text);
    });

    it("names another host that has the address before the pair does", async () => {
        const taken = pair().lab.address(178);
        const variation: Variation = { settings: { addresses: [`${taken}/24`] } };
        // The machine itself stands for another host.
        const bridge = pair().host("lb2").namespace.replace(/-lb2$/, "");
        await run("ip", ["addr", "add", `${taken}/32`, "dev", bridge]);
        const identity = "/var/lib/haproxy-fleet/pair-identity";
        try {
            // In the first up of a pair, and when its address changes.
            for (const prepare of [`mv ${identity} ${identity}.kept`, `mv ${identity}.kept ${identity}`]) {
                await pair().shell("lb2", prepare);
                const { text, refused } = await pair().declare("lb2", variation).preview();
                assert.ok(refused, text);
                assert.match(
                    text,
                    /10\.99\.\d+\.178: it answers at [0-9a-f:]{17}, which is neither this host nor lb1; choose a free address/,
                );
            }
        } finally {
            await run("ip", ["addr", "del", `${taken}/32`, "dev", bridge]);
        }
    });
}
