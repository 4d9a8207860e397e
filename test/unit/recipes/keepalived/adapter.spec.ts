import assert from "node:assert/strict";
import { adapterScript } from "../../../../components/scripts";
import { describeShells } from "../../../support/sandbox";

/** The adapter with stubs of what it calls: the role is what `now` says, and the identity changes by what `changes` says. */
const ADAPTER = `${adapterScript("keepalived")}
keepalived_settings=$run/none
keepalived_programs=$run/none
keepalived_installed() { :; }
keepalived_find_role() { role=$now holds=none; }
keepalived_read_identity() { keepalived_changes=$changes; }
step() { echo "$1"; }
`;

describeShells("the adapter of keepalived", (sandbox) => {
    /** What the steps before new files say, if this was the role when the host was asked; \`undefined\` if it was not asked. */
    function awaits(asked: string | undefined, now: string, changes: string) {
        const why = asked === undefined ? ":" : `now=${asked} keepalived_role`;
        const script = `
            tx_digest=1 changes=
            ${why}
            now=${now} changes="${changes}"
            keepalived_find_role
            keepalived_read_identity
            activation=restart label=pair
            [ "$role" != MASTER ] || activation=reload
            keepalived_leaves() { false; }
            keepalived_await`;
        const { code, stdout, stderr } = sandbox().run(
            sandbox().payload([], { shell: `${ADAPTER}\ndispatch() { ${script}\n}` }),
            "apply",
        );
        return { code, stdout: stdout.trim(), stderr };
    }

    for (const [asked, now] of [
        ["BACKUP", "MASTER"],
        ["MASTER", "BACKUP"],
        ["", "MASTER"],
    ] as const) {
        it(`refuses a new identity if the role was "${asked}" and is ${now}`, () => {
            const { code, stdout, stderr } = awaits(asked, now, "password");
            assert.equal(code, 1, stderr);
            assert.equal(stdout, "");
            const was = `is ${now} now, and was ${asked || "STOPPED"} when it was asked`;
            assert.ok(
                stderr.startsWith(`pair failed: the password of the pair changes, but this host ${was}; `),
                stderr,
            );
            assert.match(stderr, /; run up again$/m);
        });

        it(`takes other changes if the role was "${asked}" and is ${now}`, () => {
            assert.deepEqual(awaits(asked, now, ""), { code: 0, stdout: "", stderr: "" });
        });
    }

    it("does not hand over to a peer that waits for its new identity", () => {
        const script = `
            tx_digest=1 now=MASTER changes=password activation=reload label=pair peer_name=lb2
            keepalived_settings=/dev/null
            keepalived_find_role() { role=$now holds=all; }
            keepalived_find_role
            keepalived_read_identity
            keepalived_asked=$run/asked
            echo MASTER >"$keepalived_asked"
            keepalived_leaves() { :; }
            keepalived_await`;
        const { code, stdout, stderr } = sandbox().run(
            sandbox().payload([], { shell: `${ADAPTER}\ndispatch() { ${script}\n}` }),
            "apply",
        );
        assert.deepEqual([code, stdout], [1, ""], stderr);
        assert.match(stderr, /because lb2 waits until the password changes here, too; .* untouched; make two ups/);
    });

    it("restarts in a restore of another identity, because the peer may know the failed one", () => {
        const script = `
            keepalived_running() { :; }
            now=MASTER changes=password running_since=1 running_other= tx_target= tx_restoring=yes
            keepalived_activation
            echo "$activation: $activation_reason"`;
        const { stdout } = sandbox().run(
            sandbox().payload([], { shell: `${ADAPTER}\ndispatch() { ${script}\n}` }),
            "apply",
        );
        assert.match(
            stdout,
            /^restart: the other host may know the password of the files that failed, so this host waits/,
        );
    });

    const files = (port: number, priority: number, failback = "never") =>
        `port=${port}\nfailback=${failback}\n    priority ${priority}\n`;
    const stays = "the addresses stay where they are";
    for (const [name, role, had, wanted, outlook] of [
        ["another check", "MASTER", files(8407, 101), files(8407, 101), stays],
        ["no earlier files", "BACKUP", "", files(8407, 100), stays],
        ["another port", "MASTER", files(8407, 101), files(8408, 101), `checks fail .* have port 8408 .*; ${stays} .*`],
        [
            "a priority that rises",
            "BACKUP",
            files(8407, 100),
            files(8407, 253, "immediate"),
            "the addresses may come .*",
        ],
        ["a priority that falls", "BACKUP", files(8407, 253), files(8407, 100, "immediate"), stays],
        ["a priority that rises without failback", "BACKUP", files(8407, 100), files(8407, 253), stays],
        ["a priority of the MASTER that rises", "MASTER", files(8407, 100), files(8407, 253, "immediate"), stays],
    ] as const) {
        it(`says what a reload means for the addresses: ${name}`, () => {
            const script = `
                keepalived_running() { :; }
                keepalived_leaves() { false; }
                keepalived_print_declared() { mkdir -p "$stage"; printf '${wanted}' >"$stage/keepalived-declared"; }
                keepalived_config=$run/had
                keepalived_settings=$run/had
                printf '${had}' >"$run/had"
                stage=$run/stage now=${role} changes= running_since=1 running_other= tx_target= tx_restoring=
                keepalived_activation
                echo "$activation: $activation_reason"`;
            const { stdout, stderr } = sandbox().run(
                sandbox().payload([], { shell: `${ADAPTER}\ndispatch() { ${script}\n}` }),
                "apply",
            );
            assert.match(stdout, new RegExp(`^reload: no advert is missed, and ${outlook}\n$`), stderr);
        });
    }

    for (const [asked, now, steps] of [
        ["MASTER", "MASTER", ""],
        ["BACKUP", "BACKUP", "note that this host joins the pair"],
        ["MASTER", "WAITING", "note that this host joins the pair"],
        [undefined, "MASTER", ""],
    ] as const) {
        it(`takes a new identity if the role was ${asked} and is ${now}`, () => {
            assert.deepEqual(awaits(asked, now, "password"), { code: 0, stdout: steps, stderr: "" });
        });
    }
});
