import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostProgram } from "../../../../components/scripts";
import { describeUnderShells } from "../../../support/sandbox";
import { until } from "../../../support/traffic";

/** lb1 with stubs of what its program `pair` calls. The health page of lb2 answers what the file `answer` says. */
class Lb1 {
    readonly #directory = mkdtempSync(join(tmpdir(), "haproxy-fleet-pair-"));

    constructor(private readonly shell: string[]) {
        mkdirSync(this.path("run"));
        writeFileSync(
            this.path("pair.conf"),
            "pair=edge\nhost=lb1\nmode=vip\nfailback=immediate\naddress=192.0.2.11\npeer=192.0.2.12\n" +
                "peer_name=lb2\nrouter_id=51\naddresses=192.0.2.100/24\nport=9000\nadvertise=1\n",
        );
        this.stub("systemctl", '[ "$1" != show ] || echo active');
        for (const name of ["systemd-run", "journalctl", "ip", "nft", "pair-warnings"]) this.stub(name, ":");
        this.stub("check-haproxy", `cat ${this.path("answer")}; grep -q " 200 " ${this.path("answer")}`);
        const text = hostProgram("keepalived", "pair.sh")
            .replace(/^settings=.*$/m, `settings=${this.path("pair.conf")}`)
            .replace(/^run=.*$/m, `run=${this.path("run")}`)
            .replace(/^programs=.*$/m, `programs=${this.#directory}`)
            .replace(/^standby=.*$/m, `standby=${this.path("standby")}`)
            .replace(/^PATH=/m, `PATH=${this.#directory}:`);
        writeFileSync(this.path("pair"), text);
    }

    path = (name: string) => join(this.#directory, name);

    stub(name: string, script: string): void {
        writeFileSync(this.path(name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }

    /** Gives the pair an elastic IP address. The file `owner` says who has it. A sleep lasts a second, and takes no time. */
    makeElastic(): void {
        const edit = (name: string, change: (text: string) => string) =>
            writeFileSync(this.path(name), change(readFileSync(this.path(name), "utf8")));
        edit("pair.conf", (text) => text.replace("mode=vip", "mode=elastic"));
        edit("pair", (text) => text.replaceAll("/proc/uptime", this.path("uptime")));
        writeFileSync(this.path("uptime"), "1000.00 0\n");
        this.stub(
            "sleep",
            `read -r up _ <${this.path("uptime")}; echo "$((\${up%.*} + 1)).00 0" >${this.path("uptime")}`,
        );
        this.stub("move-address", `cat ${this.path("owner")}`);
    }

    /** Calls it while the page says this; its output. */
    call(answer: string, ...args: string[]): string {
        return this.run(answer, ...args).stdout;
    }

    /** Calls it while the page says this. */
    run(answer: string, ...args: string[]): { status: number | null; stdout: string } {
        writeFileSync(this.path("answer"), `${answer}\n`);
        const [program = "", ...words] = [...this.shell, this.path("pair"), ...args];
        const { status, stdout, stderr } = spawnSync(program, words, { encoding: "utf8" });
        assert.equal(stderr, "");
        return { status, stdout };
    }

    /** Calls it and does not wait; resolves when it has ended. */
    async start(...args: string[]): Promise<void> {
        const [program = "", ...words] = [...this.shell, this.path("pair"), ...args];
        await once(spawn(program, words, { stdio: "ignore" }), "close");
    }

    remove(): void {
        rmSync(this.#directory, { recursive: true });
    }
}

describeUnderShells(
    "the program pair",
    (shell) => new Lb1(shell),
    (lb1) => {
        /** The warnings of a host that has been in a state for so many seconds. */
        const warnings = (answer: string, state: string, seconds: number) => {
            const up = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
            writeFileSync(lb1().path("run/state"), `${state} ${Math.round((up - seconds) * 100)}\n`);
            return [
                ...lb1()
                    .call(answer, "role")
                    .matchAll(/^warning\t(.*)$/gm),
            ].map(([, text]) => text);
        };

        it("warns of a health page that cannot be reached although adverts arrive", () => {
            for (const answer of ["no connection in time", "No route to host"]) {
                assert.deepEqual(warnings(answer, "BACKUP", 5), [
                    `adverts of lb2 arrive, but its health page cannot be reached (${answer}), so that a host whose HAProxy fails may keep the addresses; let TCP port 9000 through between both hosts, both ways\t0`,
                ]);
            }
            for (const answer of ["HTTP/1.0 200 OK", "HTTP/1.0 503 Service Unavailable", "Connection refused"]) {
                assert.deepEqual(warnings(answer, "BACKUP", 5), [], answer);
            }
            // No adverts prove that the other host is there.
            assert.deepEqual(warnings("no connection in time", "BACKUP", 2), []);
            assert.deepEqual(warnings("no connection in time", "FAULT", 5), []);
        });

        it("keeps the state of the notification that was started last, even if an earlier one ends after it", async () => {
            const slow = lb1().path("slow");
            writeFileSync(slow, "");
            lb1().stub("flock", `[ ! -e ${slow} ] || { rm ${slow}; sleep 1; }`);
            const earlier = lb1().start("notify", "INSTANCE", "pair", "MASTER", "101");
            await until("the earlier one waits", () => !existsSync(slow));
            lb1().call("", "notify", "INSTANCE", "pair", "BACKUP", "101");
            await earlier;
            assert.match(readFileSync(lb1().path("run/state"), "utf8"), /^BACKUP \d+\n$/);
            lb1().call("", "notify", "INSTANCE", "pair", "MASTER", "101");
            assert.match(readFileSync(lb1().path("run/state"), "utf8"), /^MASTER \d+\n$/);
        });

        it("keeps the state although no new file can be written, as on a full disk", () => {
            lb1().call("", "notify", "INSTANCE", "pair", "BACKUP", "101");
            for (const file of ["state", "order"]) mkdirSync(lb1().path(`run/${file}.new`));
            lb1().call("", "notify", "INSTANCE", "pair", "MASTER", "101");
            assert.match(readFileSync(lb1().path("run/state"), "utf8"), /^MASTER \d+\n/);
            lb1().call("", "notify", "INSTANCE", "pair", "BACKUP", "101");
            assert.match(readFileSync(lb1().path("run/state"), "utf8"), /^BACKUP \d+\n/);
        });

        it("takes addresses off by hand, and does not touch the state of a keepalived that runs", () => {
            const state = (unit: string) => {
                lb1().stub("systemctl", `[ "$1" != show ] || echo ${unit}`);
                lb1().call("", "notify", "INSTANCE", "pair", "BACKUP", "101");
                lb1().call("", "release");
                return readFileSync(lb1().path("run/state"), "utf8").split(" ")[0];
            };
            assert.equal(state("active"), "BACKUP");
            assert.equal(state("deactivating"), "STOPPED");
        });

        /** What a hand-over says if the service address does not answer by HTTP, and this by ARP; the peer's page says this. */
        const yields = (holders: string, page: string) => {
            writeFileSync(lb1().path("run/state"), "MASTER 1\n");
            lb1().stub("systemd-run", `echo FAULT 1 >${lb1().path("run/state")}; echo ${page} >${lb1().path("peer")}`);
            writeFileSync(lb1().path("peer"), "200\n");
            lb1().stub(
                "check-haproxy",
                `[ "$2" = 192.0.2.12 ] || { echo Network is unreachable; exit 1; }
                echo "HTTP/1.0 $(cat ${lb1().path("peer")})"; grep -q 200 ${lb1().path("peer")}`,
            );
            lb1().stub("await-peer", `[ "$2 $3" != "192.0.2.12 192.0.2.100/24" ] || echo "${holders}"`);
            return lb1().call("", "yield", "a test");
        };

        it("hands over to a peer that has an address which this host cannot reach, as ARP says", () => {
            assert.equal(yields("peer 192.0.2.100 02:00:00:00:00:0c", "200"), "handed over to lb2\n");
        });

        for (const [name, holders, page] of [
            ["nobody", "", "200"],
            ["another host", "other 192.0.2.100 02:00:00:00:00:0d", "200"],
            ["a peer that does not serve any more", "peer 192.0.2.100 02:00:00:00:00:0c", "503"],
        ] as const) {
            it(`takes the addresses back from ${name}`, () => {
                assert.equal(
                    yields(holders, page),
                    "lb2 has not taken the addresses over: 192.0.2.100: Network is unreachable; see whether keepalived runs there and is BACKUP; this host takes part again\n",
                );
            });
        }

        it("lets the check of HAProxy know that it has stepped back, until that ends or a hand-over replaces it", () => {
            const serves = "HTTP/1.0 200 OK";
            const back = () => existsSync(lb1().path("run/stepped-back"));
            const stepBack = () => {
                for (let n = 0; n < 3; n++) {
                    assert.equal(back(), false);
                    lb1().call(serves, "notify", "INSTANCE", "pair", "MASTER_RX_LOWER_PRI", "0");
                }
                assert.equal(readFileSync(lb1().path("run/yield"), "utf8"), "1\n");
                assert.equal(readFileSync(lb1().path("run/stepped-back"), "utf8"), "0\n");
            };
            stepBack();
            lb1().call(serves, "resume");
            assert.equal(readFileSync(lb1().path("run/yield"), "utf8"), "0\n");
            stepBack();
            writeFileSync(lb1().path("run/state"), "MASTER 1\n");
            lb1().stub("systemd-run", `echo FAULT 1 >${lb1().path("run/state")}`);
            assert.equal(lb1().call(serves, "yield", "a test"), "handed over to lb2\n");
            assert.equal(readFileSync(lb1().path("run/yield"), "utf8"), "1\n");
            assert.equal(back(), false);
        });

        describe("with an elastic IP address", () => {
            const serves = "HTTP/1.0 200 OK";
            const journal = "see journalctl -t haproxy-fleet-address on lb2";
            beforeEach(() => lb1().makeElastic());

            /** Yields in a role, while the page of both hosts says this, and the address leads there. */
            const yields = (role: string, owner: string, answer = serves) => {
                writeFileSync(lb1().path("run/state"), `${role} 1\n`);
                writeFileSync(lb1().path("owner"), `${owner}\n`);
                const before = Number.parseInt(readFileSync(lb1().path("uptime"), "utf8"), 10);
                const { status, stdout } = lb1().run(answer, "yield", "a test");
                const seconds = Number.parseInt(readFileSync(lb1().path("uptime"), "utf8"), 10) - before;
                return { status, stdout, seconds };
            };

            it("hands nothing over on a host that is not MASTER, if the address leads elsewhere", () => {
                for (const role of ["BACKUP", "FAULT"]) {
                    for (const owner of ["peer", "nobody", "other eni-3 10.0.3.3"]) {
                        assert.deepEqual(yields(role, owner), { status: 0, stdout: "", seconds: 0 }, owner);
                    }
                }
            });

            it("refuses on a BACKUP to which the address still leads after a minute", () => {
                assert.deepEqual(yields("BACKUP", "own"), {
                    status: 1,
                    stdout: `lb2 did not take the elastic IP address in time: lb2 is MASTER, and it leads to this host; ${journal}\n`,
                    seconds: 60,
                });
                assert.match(yields("FAULT", "own").stdout, /: this host is FAULT, and it leads to this host; /);
            });

            it("waits on a BACKUP until the MASTER has taken the address", () => {
                lb1().stub(
                    "move-address",
                    `read -r up _ <${lb1().path("uptime")}; [ "\${up%.*}" -ge 1030 ] && echo peer || echo own`,
                );
                assert.deepEqual(yields("BACKUP", "own"), { status: 0, stdout: "", seconds: 30 });
            });

            it("does not keep a host from being repaired", () => {
                assert.deepEqual(yields("BACKUP", "own", "Connection refused"), { status: 0, stdout: "", seconds: 0 });
                assert.deepEqual(yields("BACKUP", "unknown DescribeAddresses: curl: (28)"), {
                    status: 0,
                    stdout: "nothing is handed over: this host is BACKUP, and does not know where the elastic IP address leads: DescribeAddresses: curl: (28)\n",
                    seconds: 5,
                });
                lb1().stub("systemctl", '[ "$1" != show ] || echo inactive');
                assert.deepEqual(yields("BACKUP", "own"), {
                    status: 0,
                    stdout: "nothing is handed over: the elastic IP address leads to this host, which is STOPPED\n",
                    seconds: 0,
                });
            });

            it("says after a failed hand-over who is MASTER, and where the address leads", () => {
                const state = lb1().path("run/state");
                lb1().stub("systemd-run", `echo FAULT 1 >${state}`);
                const resumed = (role: string) =>
                    lb1().stub("systemctl", `if [ "$1" = show ]; then echo active; else echo ${role} 1 >${state}; fi`);
                const began = `lb2 did not take the elastic IP address in time:`;
                const ended = `${journal}; this host takes part again\n`;
                resumed("BACKUP");
                const { status, stdout } = yields("MASTER", "own");
                assert.deepEqual([status, stdout], [1, `${began} lb2 is MASTER, and it leads to this host; ${ended}`]);
                assert.equal(
                    yields("MASTER", "unknown no answer").stdout,
                    `${began} lb2 is MASTER, and this host does not know where it leads (no answer); ${ended}`,
                );
                resumed("MASTER");
                assert.equal(
                    yields("MASTER", "own").stdout,
                    `${began} this host is MASTER, and it leads to this host; ${ended}`,
                );
            });
        });
    },
);
