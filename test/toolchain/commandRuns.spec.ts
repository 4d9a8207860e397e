// What the stand-in for the command plugin does on a host, against a real sshd. PULUMI_FULL=1 tests the real plugin.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { pulumiInstall } from "../../toolchain/environment.mjs";
import { isSecret, type Properties, secret, unknown } from "../../toolchain/offline/provider/values";
import { skip } from "../support/skip";
import { until } from "../support/traffic";
import { Plugin, urn } from "./plugin";
import { freePort, Sshd, whyNoSshd } from "./sshd";

describe("remote.Command on a host", () => {
    const sshd = new Sshd();
    const plugin = new Plugin();
    const inputs = (more: Properties): Properties => ({ connection: sshd.connection(), ...more });

    before(async function () {
        if (whyNoSshd) return this.skip();
        await sshd.start();
        await plugin.start();
    });
    beforeEach(() => {
        plugin.logs.length = 0;
    });
    after(() => {
        plugin.stop();
        sshd.stop();
    });

    const run = async (more: Properties) => (await plugin.create(inputs(more))).state;

    it("returns stdout and stderr, without their last newline", async () => {
        const state = await run({ create: "printf 'a\\n\\n'; printf 'b\\n' >&2" });
        assert.equal(state.stdout, "a\n");
        assert.equal(state.stderr, "b");
    });

    it("makes the id of the resource name and eight hexadecimal digits", async () => {
        assert.match((await plugin.create(inputs({ create: "true" }))).id, /^cmd[0-9a-f]{8}$/);
    });

    it("passes stdin unchanged, and ends it", async () => {
        const stdin = `quote " \\ $(x)\r\n\u00e9 ${"x".repeat(1 << 20)}`;
        assert.equal((await run({ create: "cat", stdin, logging: "none" })).stdout, stdin);
    });

    it("gives a command without stdin an empty one", async () => {
        assert.equal((await run({ create: "cat; echo done" })).stdout, "done");
    });

    it("accepts a command that leaves its stdin unread", async () => {
        assert.equal((await run({ create: "exec 0<&-; echo fine", stdin: "x".repeat(1 << 20) })).stdout, "fine");
    });

    it("fails with exit status, quoted command and all output", async () => {
        await assert.rejects(
            run({ create: 'echo "out"; echo err >&2; exit 3' }),
            // stdout and stderr come in any order.
            /^Error: Process exited with status 3: running "echo \\"out\\"; echo err >&2; exit 3":\n(out\nerr|err\nout)\n$/,
        );
    });

    it("names the signal that ended a command", async () => {
        await assert.rejects(run({ create: "kill -KILL $$" }), /^Error: Process .* signal (SIG)?KILL: running /);
    });

    it("shows the start and the end of a long error", async () => {
        // Three times as long in the header of the answer, which is over our limit and under that of HTTP/2 libraries.
        const create = "head -c 20000 /dev/zero | tr '\\0' '%'; echo ' the reason'; exit 1";
        await assert.rejects(
            run({ create, logging: "none" }),
            /^Error: Process exited with status 1: running "head .*%%%.* the reason\n$/s,
        );
    });

    for (const [logging, expected] of [
        [null, ["e", "o"]],
        ["stdoutAndStderr", ["e", "o"]],
        ["stdout", ["o"]],
        ["stderr", ["e"]],
        ["none", []],
    ] as const) {
        it(`logging ${logging ?? "unset"} shows ${expected.join(" and ") || "nothing"}`, async () => {
            const state = await run({ create: "echo o; echo e >&2", ...(logging ? { logging } : {}) });
            assert.deepEqual(plugin.logs.map(({ message }) => message).sort(), expected);
            assert.deepEqual([state.stdout, state.stderr], ["o", "e"]);
            for (const line of plugin.logs) {
                assert.deepEqual(
                    { urn: line.urn, ephemeral: line.ephemeral, severity: line.severity },
                    { urn, ephemeral: true, severity: 1 },
                );
            }
        });
    }

    it("shows lines while the command runs", async () => {
        const go = sshd.file("go");
        const running = run({ create: `echo early; until [ -e ${go} ]; do sleep 0.1; done; echo late` });
        await until("the first line is shown", async () => plugin.logs[0]?.message === "early");
        writeFileSync(go, "");
        await running;
        assert.deepEqual(
            plugin.logs.map(({ message }) => message),
            ["early", "late"],
        );
    });

    it("returns the exit status of a command that ends at once", async () => {
        for (let times = 0; times < 20; times++) await run({ create: ":" });
    });

    it("returns lines of any length, if they are not logged, and logs any number of lines", async () => {
        const create = "head -c 300000 /dev/zero | tr '\\0' x";
        assert.equal(String((await run({ create, logging: "none" })).stdout).length, 300_000);
        await run({ create: "seq 1 5000; printf end" });
        assert.equal(plugin.logs.length, 5001);
        assert.equal(plugin.logs.at(-1)?.message, "end");
    });

    it("fails on a logged line over 64 KiB", async function () {
        if (pulumiInstall().full) return skip(this, "the real plugin hangs on such a line");
        const create = (bytes: number) => `head -c ${bytes} /dev/zero | tr '\\0' x; echo`;
        await run({ create: create(65_535) });
        await assert.rejects(run({ create: create(65_536) }), /65535 bytes/);
    });

    it("fails on output that is not UTF-8, after the command has run", async () => {
        const file = sshd.file("ran");
        await assert.rejects(run({ create: `printf '\\377'; touch ${file}` }), /UTF-8/);
        assert.ok(existsSync(file));
    });

    it("sets environment variables that the server accepts", async () => {
        assert.equal(
            (await run({ create: "echo $GREETING", environment: { GREETING: "hello you" } })).stdout,
            "hello you",
        );
    });

    it("runs update, with the last output in its environment only if asked", async () => {
        const first = await run({ create: "echo one; echo two >&2" });
        const show = 'echo "[$PULUMI_COMMAND_STDOUT|$PULUMI_COMMAND_STDERR]"';
        const update = (more: Properties) => plugin.update(first, inputs({ create: "false", update: show, ...more }));
        assert.equal((await update({})).stdout, "[one|two]");
        assert.equal((await update({ addPreviousOutputInEnv: false })).stdout, "[|]");
    });

    it("runs create if update is unset, and keeps the output if both are", async () => {
        const first = await run({ create: "echo one" });
        assert.equal((await plugin.update(first, inputs({ create: "echo again" }))).stdout, "again");
        assert.equal((await plugin.update(first, inputs({}))).stdout, "one");
    });

    it("runs nothing if create is unset", async () => {
        const { stdout } = await run({ update: "echo never" });
        assert.equal(stdout, "");
    });

    it("runs delete of the state over its connection, or nothing if delete is unset", async () => {
        const file = sshd.file("deleted");
        const state = await run({ create: "true", delete: `echo gone >${file}` });
        await plugin.delete(state);
        assert.equal(readFileSync(file, "utf8"), "gone\n");
        await plugin.delete(await run({ create: "true" }));
        await assert.rejects(plugin.delete(await run({ create: "true", delete: "exit 7" })), /status 7/);
    });

    it("runs nothing in a preview, and has unknown outputs", async () => {
        const file = sshd.file("previewed");
        const { state } = await plugin.create(inputs({ create: `touch ${file}` }), true);
        assert.deepEqual([state.stdout, state.stderr], [unknown, unknown]);
        const updated = await plugin.update(state, inputs({ create: "x", update: `touch ${file}` }), true);
        assert.deepEqual([updated.stdout, updated.stderr], [unknown, unknown]);
        assert.equal(existsSync(file), false);
    });

    it("accepts unknown values in a preview", async () => {
        const { failures } = await plugin.check({ connection: { host: unknown }, create: unknown, stdin: unknown });
        assert.deepEqual(failures, []);
    });

    it("returns the unchanged state on read", async () => {
        const state = await run({ create: "echo kept", stdin: secret("s") });
        assert.deepEqual(await plugin.read(state), state);
    });

    it("keeps secrets secret, and always the connection", async () => {
        const state = await run({ create: secret("cat"), stdin: secret("word"), update: "true" });
        assert.deepEqual(state.create, secret("cat"));
        assert.deepEqual(state.stdin, secret("word"));
        assert.equal(state.update, "true");
        assert.ok(isSecret(state.connection));
    });

    it("waits for a running command after an interrupt", async () => {
        const other = new Plugin();
        await other.start();
        const go = sshd.file("after-interrupt");
        try {
            const running = other.create(
                inputs({ create: `echo runs; until [ -e ${go} ]; do sleep 0.1; done; echo ended` }),
            );
            await until("the command runs", async () => other.logs.length > 0);
            await other.cancel();
            writeFileSync(go, "");
            assert.equal((await running).state.stdout, "runs\nended");
        } finally {
            other.stop();
        }
    });

    it("waits no longer for a host after an interrupt", async () => {
        const other = new Plugin();
        await other.start();
        try {
            const port = await freePort();
            const unreachable = { ...sshd.connection(), port, dialErrorLimit: -1 };
            const dialling = assert.rejects(other.create({ connection: unreachable, create: "true" }), /cancel/);
            await until("an attempt fails", async () => other.logs.length > 0);
            await other.cancel();
            await dialling;
        } finally {
            other.stop();
        }
    });
});
