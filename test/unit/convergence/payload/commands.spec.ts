import assert from "node:assert/strict";
import { askCommand, launchCommand } from "../../../../components/convergence/payload/commands";

describe("askCommand", () => {
    it("keeps the payload from others, and runs a verb of it", () => {
        const file = "/run/haproxy-fleet/in.$$";
        assert.equal(
            askCommand("why-run"),
            `exec /bin/sh -c 'umask 077; mkdir -p /run/haproxy-fleet && cat >${file} && exec /bin/sh ${file} "$@"; rm -f ${file}; exit 1' sh why-run`,
        );
        assert.match(askCommand("leave", "sudo", "t1"), /^exec sudo -n \/bin\/sh -c .* exit 1' sh leave t1$/);
    });
});

describe("launchCommand", () => {
    it("is short and constant but for the token, because the engine stores and prints it", () => {
        assert.equal(
            launchCommand("t1"),
            `exec /bin/sh -c 'cd /run/haproxy-fleet && exec /bin/sh launch "$0"; echo "restarted since it was asked: run again" >&2; exit 1' t1`,
        );
        assert.equal(launchCommand("t1", "sudo"), launchCommand("t1").replace("exec ", "exec sudo -n "));
    });
});
