import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Resource, Transaction } from "../../../../components/convergence/kinds/index";
import { parseWhyRun } from "../../../../components/convergence/preview/whyRun";
import { describeShells, lines } from "../../../support/sandbox";

/** A daemon that notes what it is asked in the file `did`. Files `runs`, `activates` and `proves` say what differs from a restart that works. */
const DAEMON = `
daemon_installed() { :; }
daemon_validate() { :; }
daemon_preflight() { :; }
daemon_running() {
    running_digest=old
    running_since=1
    [ ! -s "$lib/../digest" ] || { read -r running_digest && running_since=9999999999; } <"$lib/../digest"
}
daemon_activation() { activation=restart activation_reason="it is too old"; . "$lib/../runs"; }
daemon_activate() { echo "activate $1 with $(cat "$tx_directory/one")" >>"$lib/../did"; rm -f "$lib/../digest"; . "$lib/../activates"; }
daemon_prove() { . "$lib/../proves" && echo "$1" >"$lib/../digest"; }
`;

/** A daemon that clients can be handed over by; a file `peer` says why they cannot. */
const KEEPER = `
keeper_installed() { :; }
keeper_validate() { :; }
keeper_preflight() { :; }
keeper_running() { running_digest=$tx_digest running_since=9999999999; }
keeper_activation() { activation=none activation_reason=; }
keeper_activate() { :; }
keeper_prove() { :; }
keeper_role() { . "$lib/../seen"; }
keeper_yield() {
    echo "yield for $tx_adapter: $1; $(cat "$lib/../etc/daemon/one" 2>/dev/null)" >>"$lib/../did"
    cat "$lib/../peer"
    ! grep -q "does not serve" "$lib/../peer"
}
keeper_resume() { echo resume >>"$lib/../did"; . "$lib/../resumes"; }
`;

describeShells("handing over", (sandbox) => {
    const path = (name: string) => sandbox().path(name);
    const log = () => readFileSync(path("run/log.test"), "utf8");
    const did = () => (existsSync(path("did")) ? lines(readFileSync(path("did"), "utf8")) : []);
    const daemon = (name: "daemon" | "keeper", script: string, content: string): Transaction => ({
        kind: "transaction",
        name,
        directory: path(`etc/${name}`),
        files: [{ path: path(`etc/${name}/one`), content: `${content}\n`, ...sandbox().account }],
        adapter: { name, script, parameters: {} },
    });
    /** The keeper comes later in the run list. */
    const declared = (content: string, ...more: Resource[]) => [
        daemon("daemon", DAEMON, content),
        ...more,
        daemon("keeper", KEEPER, "same"),
    ];
    const apply = (resources: Resource[], shell = "") => {
        rmSync(path("did"), { force: true });
        return sandbox().run(sandbox().payload(resources, { shell }), "apply").code;
    };
    const say = (name: string, text: string) => writeFileSync(path(name), text);

    beforeEach(() => {
        for (const name of ["runs", "activates", "proves", "peer", "seen", "resumes"]) say(name, "");
        say("runs", "activation=start\n");
        assert.equal(apply(declared("first")), 0, log());
        assert.deepEqual(did(), ["activate start with first"]);
        say("runs", "");
    });

    it("precedes a restart, and ends with the converge", () => {
        say("peer", "handed over to lb2\n");
        assert.equal(apply(declared("second")), 0, log());
        assert.deepEqual(did(), [
            "yield for daemon: transaction[daemon]: restart (it is too old); first",
            "activate restart with second",
            "resume",
        ]);
        assert.match(log(), /^transaction\[daemon\]: handed over to lb2$/m);
        assert.equal(sandbox().exists("run/yielding"), false);
    });

    it("does not precede a reload, and the daemon that hands over does not ask itself", () => {
        say("runs", "activation=reload\n");
        assert.equal(apply(declared("second")), 0, log());
        assert.deepEqual(did(), ["activate reload with second"]);
        const restarts = KEEPER.replace("running_digest=$tx_digest", "running_digest=old").replace(
            "activation=none",
            "activation=restart",
        );
        assert.equal(apply([daemon("keeper", restarts, "b")]), 0);
        assert.deepEqual(did(), []);
    });

    it("refuses the change if it is refused, before anything is written", () => {
        say("peer", "lb2 does not serve: 503 from its health page; repair lb2\n");
        assert.equal(apply(declared("second")), 1);
        assert.deepEqual(did(), ["yield for daemon: transaction[daemon]: restart (it is too old); first", "resume"]);
        assert.equal(readFileSync(path("etc/daemon/one"), "utf8"), "first\n");
        const words =
            "transaction[daemon] failed: its clients cannot be handed over before the restart; its files and its running process are untouched\n" +
            "    lb2 does not serve: 503 from its health page; repair lb2\n";
        assert.ok(log().includes(words), log());
        assert.equal(sandbox().exists("lib/last-good/daemon/digest"), true);
    });

    it("lasts while the last good files come back", () => {
        say("proves", '! grep -q second "$tx_directory/one"\n');
        assert.equal(apply(declared("second")), 1);
        assert.deepEqual(did(), [
            "yield for daemon: transaction[daemon]: restart (it is too old); first",
            "activate restart with second",
            "activate restart with first",
            "resume",
        ]);
    });

    it("ends before a daemon that is proven is watched, and precedes a restart with the last good files again", () => {
        const watched = `${DAEMON}
daemon_gate() { echo prove >>"$lib/../did"; resume; echo watch >>"$lib/../did"; ! grep -q second "$tx_directory/one"; }
`;
        const [, keeper] = declared("first");
        const resources = (content: string) => [daemon("daemon", watched, content), ...(keeper ? [keeper] : [])];
        assert.equal(apply(resources("third")), 0, log());
        const third = ["yield", "activate restart with third", "prove", "resume", "watch"];
        const short = () => did().map((line) => line.replace(/^yield .*/, "yield"));
        assert.deepEqual(short(), third);
        assert.equal(apply(resources("second")), 1);
        const restored = ["yield", "activate restart with third", "prove", "resume", "watch"];
        assert.deepEqual(short(), ["yield", "activate restart with second", "prove", "resume", "watch", ...restored]);
        assert.equal(sandbox().exists("run/yielding"), false);
    });

    it("precedes a restart with the last good files, even if it is refused", () => {
        say("peer", "lb2 does not serve\n");
        say("runs", '[ -n "$tx_restoring" ] || activation=reload\n');
        say("activates", '! grep -q second "$tx_directory/one" \n');
        assert.equal(apply(declared("second")), 1);
        assert.deepEqual(did(), [
            "activate reload with second",
            "yield for daemon: transaction[daemon]: last good files; first",
            "activate restart with first",
            "resume",
        ]);
    });

    it("happens once, however many daemons restart", () => {
        const other = daemon("daemon", DAEMON, "second");
        const script = DAEMON.replaceAll("daemon_", "other_").replaceAll("/digest", "/other");
        const more: Transaction = {
            ...other,
            name: "other",
            directory: path("etc/other"),
            files: [{ path: path("etc/other/one"), content: "x\n", ...sandbox().account }],
            adapter: { name: "other", script, parameters: {} },
        };
        assert.equal(apply(declared("second", more)), 0, log());
        assert.deepEqual(
            did().map((line) => line.split(" ")[0]),
            ["yield", "activate", "activate", "resume"],
        );
    });

    it("is undone when a converge has been killed, by its last process or by the next converge", () => {
        const killed = "daemon_activate() { kill -KILL $$; }";
        apply(declared("second"), killed);
        assert.deepEqual(did(), ["yield for daemon: transaction[daemon]: restart (it is too old); first"]);
        assert.equal(sandbox().exists("run/yielding"), true);
        const alone = "lock() { :; }\nsystemctl() { :; }";
        const end = () => {
            rmSync(path("did"), { force: true });
            say("run/began.test", "alice@laptop\troot\n100\n");
            sandbox().run(sandbox().payload(declared("second"), { shell: `${alone}\nresume_seconds=1` }), "result");
        };
        say("resumes", "sleep 600\n");
        const began = Date.now();
        end();
        assert.deepEqual(did(), ["resume"]);
        assert.ok(Date.now() - began < 10_000);
        assert.equal(sandbox().exists("run/result.test"), true);
        assert.equal(sandbox().exists("run/yielding"), true);
        say("resumes", "echo the daemon does not answer; false\n");
        end();
        assert.match(log(), /^warning: what was handed over is not taken back yet:\n {4}the daemon does not answer$/m);
        assert.equal(sandbox().exists("run/yielding"), true);
        say("resumes", "");
        assert.equal(apply(declared("second")), 0, log());
        assert.deepEqual(
            did().map((line) => line.split(" ")[0]),
            ["resume", "yield", "activate", "resume"],
        );
        apply(declared("third"), killed);
        end();
        assert.deepEqual(did(), ["resume"]);
        assert.equal(sandbox().exists("run/yielding"), false);
    });

    it("is known to be possible by what the adapter says of its role, also if nothing differs", () => {
        const asked = (resources: Resource[]) =>
            parseWhyRun(sandbox().run(sandbox().payload(resources), "why-run").stdout);
        say("seen", "role=MASTER role_holds=all\n");
        const { role, together } = asked(declared("first"));
        assert.deepEqual([role, together], [{ role: "MASTER", holds: "all" }, undefined]);
        say("seen", 'role=WAITING role_holds=none together="the password of Päir changes"\n');
        const changing = asked(declared("second"));
        assert.deepEqual(
            [changing.role, changing.together],
            [{ role: "WAITING", holds: "none" }, "the password of Päir changes"],
        );
        say("seen", "");
        assert.deepEqual(asked(declared("first")).role, undefined);
    });
});
