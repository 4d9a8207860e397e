// How the stand-in for the command plugin connects: login, host keys, retries, bastion.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { Server } from "ssh2";
import { pulumiInstall } from "../../toolchain/environment.mjs";
import type { Properties } from "../../toolchain/offline/provider/values";
import { skip } from "../support/skip";
import { until } from "../support/traffic";
import { Plugin } from "./plugin";
import { freePort, Sshd, whyNoSshd } from "./sshd";

describe("connection of remote.Command", () => {
    const sshd = new Sshd();
    const plugin = new Plugin();

    before(async function () {
        if (whyNoSshd) return this.skip();
        await sshd.start();
        await plugin.start();
    });
    after(() => {
        plugin.stop();
        sshd.stop();
    });

    const over = async (change: Properties, create = "echo ok") =>
        (await plugin.create({ connection: { ...sshd.connection(), ...change }, create })).state.stdout;

    it("accepts the pinned host key, of either kind", async () => {
        assert.equal(await over({ hostKey: sshd.read("host_ed25519.pub") }), "ok");
        assert.equal(await over({ hostKey: sshd.read("host_ecdsa.pub") }), "ok");
    });

    it("refuses another host key", async () => {
        await assert.rejects(over({ hostKey: sshd.read("stranger.pub") }), /host key mismatch/);
    });

    it("offers only the pinned key's algorithm", async () => {
        const rsa = sshd.file("rsa");
        execFileSync("ssh-keygen", ["-q", "-t", "rsa", "-N", "", "-f", rsa]);
        await assert.rejects(over({ hostKey: sshd.read("rsa.pub") }), /handshake.* host key/);
    });

    it("fails if the pinned host key cannot be read", async () => {
        await assert.rejects(over({ hostKey: "nonsense" }), /host key: /);
    });

    it("accepts any host key if none is pinned", async () => {
        const { hostKey: _, ...unpinned } = sshd.connection();
        const { state } = await plugin.create({ connection: unpinned, create: "echo ok" });
        assert.equal(state.stdout, "ok");
    });

    it("unlocks a private key with its password", async () => {
        const privateKey = sshd.read("locked");
        assert.equal(await over({ privateKey, privateKeyPassword: "open sesame" }), "ok");
        await assert.rejects(over({ privateKey }), /passphrase/);
        await assert.rejects(over({ privateKey, privateKeyPassword: "wrong" }), /passphrase|password/);
    });

    it("fails if a private key cannot be read, without showing it", async () => {
        await assert.rejects(over({ privateKey: "planted word" }), (error: Error) => {
            assert.doesNotMatch(error.message, /planted/);
            return /key/.test(error.message);
        });
    });

    it("fails if the host refuses the key", async () => {
        await assert.rejects(over({ privateKey: sshd.read("stranger") }), /authenticat/);
    });

    it("uses an agent, from agentSocketPath or SSH_AUTH_SOCK", async () => {
        const socket = sshd.file("agent");
        const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
        const other = new Plugin();
        try {
            const env = { ...process.env, SSH_AUTH_SOCK: socket };
            const add = () => spawnSync("ssh-add", ["-q", sshd.file("client")], { env }).status === 0;
            await until("the agent has the key", async () => add());
            const { privateKey: _, ...keyless } = sshd.connection();
            const byField = await plugin.create({
                connection: { ...keyless, agentSocketPath: socket },
                create: "echo ok",
            });
            assert.equal(byField.state.stdout, "ok");
            await other.start({ SSH_AUTH_SOCK: socket });
            const byEnvironment = await other.create({ connection: keyless, create: "echo ok" });
            assert.equal(byEnvironment.state.stdout, "ok");
        } finally {
            other.stop();
            agent.kill();
        }
    });

    it("fails if the agent is missing, even with a key", async () => {
        await assert.rejects(over({ agentSocketPath: "/nowhere/agent" }), /\/nowhere\/agent/);
    });

    for (const method of ["password", "keyboard-interactive"] as const) {
        it(`logs in by ${method}`, async () => {
            const server = new Server({ hostKeys: [sshd.read("host_ed25519")] }, (client) => {
                client.on("error", () => {});
                client.on("authentication", (attempt) => {
                    if (attempt.method !== method) return attempt.reject([method]);
                    if (attempt.method === "password") {
                        return attempt.password === "s3cret" ? attempt.accept() : attempt.reject();
                    }
                    if (attempt.method === "keyboard-interactive") {
                        attempt.prompt("Password: ", ([answer]) =>
                            answer === "s3cret" ? attempt.accept() : attempt.reject(),
                        );
                    }
                });
                client.on("session", (accept) =>
                    accept().on("exec", (acceptExec) => {
                        const channel = acceptExec();
                        channel.write("welcome\n");
                        channel.exit(0);
                        channel.end();
                    }),
                );
            }).listen(0, "127.0.0.1");
            try {
                await new Promise((resolve) => server.on("listening", resolve));
                const { port } = server.address() as { port: number };
                const connection = { host: "127.0.0.1", port, user: "me", dialErrorLimit: 0 };
                const { state } = await plugin.create({
                    connection: { ...connection, password: "s3cret" },
                    create: "x",
                });
                assert.equal(state.stdout, "welcome");
                await assert.rejects(
                    plugin.create({ connection: { ...connection, password: "no" }, create: "x" }),
                    /authenticat/,
                );
            } finally {
                server.close();
            }
        });
    }

    it("retries until the host is up, after 0.1 s and then longer", async () => {
        const port = await freePort();
        plugin.logs.length = 0;
        const started = Date.now();
        await assert.rejects(over({ port, dialErrorLimit: 3 }), new RegExp(`127.0.0.1:${port}`));
        const ms = Date.now() - started;
        assert.ok(ms >= 470, `${ms} ms; 100 + 150 + 225 are waited`);
        assert.deepEqual(
            plugin.logs.map(({ message }) => message),
            ["Dial 1/3 failed: retrying", "Dial 2/3 failed: retrying", "Dial 3/3 failed: retrying"],
        );
    });

    it("connects as soon as a later attempt succeeds", async () => {
        const port = await freePort();
        plugin.logs.length = 0;
        const result = over({ port, dialErrorLimit: -1 });
        await until("an attempt fails", async () => plugin.logs.length > 0);
        const relay = createServer((socket) => {
            socket.pipe(connect(sshd.port, "127.0.0.1").on("error", () => socket.destroy())).pipe(socket);
            socket.on("error", () => {});
        }).listen(port, "127.0.0.1");
        try {
            assert.equal(await result, "ok");
        } finally {
            relay.close();
        }
    });

    it("gives up an unanswered connection after perDialTimeout seconds", async function () {
        // The queue of this listener is full, so further connections are neither accepted nor refused.
        const script =
            "import socket,sys,time; s=socket.socket(); s.bind(('127.0.0.1',0)); s.listen(0); print(s.getsockname()[1],flush=True); time.sleep(600)";
        const full = spawn("python3", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
        const port = await new Promise<number>((resolve) => {
            full.on("error", () => resolve(0));
            full.stdout.once("data", (text) => resolve(Number(text)));
        });
        if (!port) return this.skip();
        const first = connect(port, "127.0.0.1");
        try {
            await once(first, "connect");
            const ended: number[] = [];
            const dials = [4, 1].map(async (perDialTimeout) => {
                await assert.rejects(over({ port, perDialTimeout }), new RegExp(`127.0.0.1:${port}`));
                ended.push(perDialTimeout);
            });
            await Promise.all(dials);
            assert.deepEqual(ended, [1, 4]);
        } finally {
            first.destroy();
            full.kill();
        }
    });

    it("goes through a bastion, each with its own host key", async () => {
        const proxy = sshd.connection();
        assert.equal(await over({ proxy, hostKey: sshd.read("host_ecdsa.pub") }), "ok");
        const stranger = sshd.read("stranger.pub");
        await assert.rejects(over({ proxy: { ...proxy, hostKey: stranger } }), /proxy: .*host key mismatch/);
        await assert.rejects(over({ proxy, hostKey: stranger }), /proxy: .*host key mismatch/);
    });

    it("asks the system to notice a host that is gone", async () => {
        plugin.logs.length = 0;
        const go = sshd.file("asked");
        const running = over({}, `echo runs; until [ -e ${go} ]; do sleep 0.1; done`);
        await until("the command runs", async () => plugin.logs.length > 0);
        const filter = ["state", "established", `( dport = :${sshd.port} )`];
        const sockets = execFileSync("ss", ["-Htno", ...filter], { encoding: "utf8" });
        writeFileSync(go, "");
        await running;
        assert.match(sockets, /timer:\(keepalive,/);
    });

    it("leaves no connection behind", async function () {
        if (pulumiInstall().full) return skip(this, "the real command plugin closes its connections only when it ends");
        await over({ proxy: sshd.connection() });
        const filter = ["state", "established", `( sport = :${sshd.port} )`];
        const open = () => execFileSync("ss", ["-Htn", ...filter], { encoding: "utf8" }).trim();
        await until("all connections are closed", async () => open() === "");
    });
});
