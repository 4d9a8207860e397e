import assert from "node:assert/strict";
import {
    askCommand,
    causeCommand,
    launchCommand,
    launchOf,
    reportOf,
} from "../../../../components/convergence/payload/commands";

describe("askCommand", () => {
    it("keeps the payload from others, and runs a verb of it", () => {
        const file = "/run/haproxy-fleet/in.$$";
        assert.equal(
            askCommand("why-run"),
            `exec env LC_ALL=C /bin/sh -c 'umask 077; mkdir -p /run/haproxy-fleet && cat >${file} && exec /bin/sh ${file} "$@"; rm -f ${file}; exit 1' sh why-run`,
        );
        assert.match(
            askCommand("leave", "sudo", "t1", "alice@laptop"),
            /^exec env LC_ALL=C sudo -n \/bin\/sh -c .* exit 1' sh leave t1 alice@laptop$/,
        );
    });
});

describe("launchCommand", () => {
    it("is short and constant but for the token, because the engine stores and prints it", () => {
        assert.equal(
            launchCommand("t1"),
            `exec env LC_ALL=C /bin/sh -c 'cd /run/haproxy-fleet && exec /bin/sh launch "$0"; echo "restarted since it was asked: run again" >&2; exit 1' t1`,
        );
        assert.equal(launchCommand("t1", "sudo"), launchCommand("t1").replace("LC_ALL=C ", "LC_ALL=C sudo -n "));
    });
});

describe("launchOf", () => {
    it("reads the token and the login of a launch, and of nothing else", () => {
        assert.deepEqual(launchOf(launchCommand("t1")), { token: "t1" });
        assert.deepEqual(launchOf(launchCommand("t1", "sudo")), { token: "t1", become: "sudo" });
        for (const text of [
            "",
            "t1",
            "sudo -n true",
            askCommand("why-run"),
            `${launchCommand("t1")} t2`,
            `x; ${launchCommand("t1")}`,
        ])
            assert.equal(launchOf(text), undefined, text);
    });
});

describe("reportOf", () => {
    it("leaves out what a login has printed before the report", () => {
        const report = "changed: file[/etc/x] (content)\n";
        for (const noise of ["", "welcome\n", "welcome", "changed: your mind\n"]) {
            assert.equal(reportOf(`${noise}haproxy-fleet reports:\n${report}`), report);
        }
        // What a version before this one has left in the state.
        assert.equal(reportOf(report), report);
    });
});

describe("causeCommand", () => {
    it("prints the first line of the log that says what failed", () => {
        const command = causeCommand("t1", "sudo");
        assert.equal(
            command,
            `exec env LC_ALL=C sudo -n /bin/sh -c 'sed -n "/ failed: /{p;q;}" /run/haproxy-fleet/log.$0' t1`,
        );
    });
});
