// What our SSH client says of logins that a real sshd refuses, or that run something else than our command.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import { untilBooted } from "../../components/convergence/ssh/booting";
import { runOverSsh, SshError, type SshTarget } from "../../components/convergence/ssh/ssh";
import { until } from "../support/traffic";
import { freePort, Sshd, whyNoSshd } from "./sshd";

describe("a login", () => {
    const sshd = new Sshd();
    const agent = process.env.SSH_AUTH_SOCK;
    let target: SshTarget;

    before(async function () {
        if (whyNoSshd) return this.skip();
        await sshd.start();
        const hostKey = sshd.read("host_ed25519.pub");
        target = { address: "127.0.0.1", port: sshd.port, user: sshd.user, hostKey, privateKey: sshd.read("client") };
    });
    beforeEach(() => {
        delete process.env.SSH_AUTH_SOCK;
    });
    after(() => {
        if (agent !== undefined) process.env.SSH_AUTH_SOCK = agent;
        sshd.stop();
    });

    const runs = async (change: Partial<SshTarget> = {}, timeout?: number) =>
        (
            await runOverSsh({ ...target, ...change }, "exec /bin/sh -c 'echo ours; cat'", "in", timeout)
        ).stdout.toString();

    async function fails(change: Partial<SshTarget>, words: RegExp, timeout?: number): Promise<void> {
        await assert.rejects(runs(change, timeout), (error: Error) => {
            assert.ok(error instanceof SshError, error.stack);
            assert.match(error.message, words);
            return true;
        });
    }

    /** A new key, with options in authorized_keys. */
    function keyWith(name: string, options: string): Partial<SshTarget> {
        sshd.keygen(name, "ed25519");
        appendFileSync(sshd.file("authorized_keys"), `${options} ${sshd.read(`${name}.pub`)}`);
        return { privateKey: sshd.read(name) };
    }

    describe("that runs something before our command", () => {
        it("is left out of what our command prints", async () => {
            for (const [name, noise] of [
                ["lines", "echo hello; echo"],
                ["glued", "printf welcome"],
                ["large", "seq 20000"],
                ["command", "echo $SSH_ORIGINAL_COMMAND"],
            ] as const) {
                const login = keyWith(name, `command="${noise}; exec sh -c \\"$SSH_ORIGINAL_COMMAND\\""`);
                assert.equal(await runs(login), "ours\nin");
            }
        });
    });

    describe("that runs something else than our command", () => {
        const cause =
            /look for a forced command \(ForceCommand, or command= in authorized_keys\), for a login shell such as nologin, and for exec or exit in its profile$/;
        for (const [name, command, said] of [
            ["forced", "echo go away", 'it ended with status 0 and printed "go away";'],
            ["echoing", "echo no: $SSH_ORIGINAL_COMMAND", "it ended with status 0 and printed "],
            ["nologin", "/usr/sbin/nologin", 'status 1 and printed "This account is currently not available."'],
            ["sftp", "internal-sftp", 'status 1 and printed "This service allows sftp connections only."'],
            ["false", "false", "it ended with status 1 and printed nothing;"],
        ] as const) {
            it(`is named with what it printed: ${name}`, async () => {
                const login = keyWith(name, `command="${command}"`);
                await fails(
                    login,
                    new RegExp(`^127.0.0.1: the login of "${sshd.user}" runs something else than our command: `),
                );
                await fails(login, new RegExp(said.replace(/[.[\]]/g, "\\$&")));
                await fails(login, cause);
            });
        }

        it("is given up if it never comes to our command", async () => {
            await fails(
                keyWith("waiting", 'command="echo one moment; exec sleep 60"'),
                /^127.0.0.1: the login of \S+ has not come to our command within 2 s, and has printed "one moment"; look for something that waits in its profile/,
                2_000,
            );
        });
    });

    describe("with an agent", () => {
        const keyless = { privateKey: undefined };
        let env: NodeJS.ProcessEnv;
        let socket: string;
        let process_: ReturnType<typeof spawn>;
        const add = (...args: string[]) => execFileSync("ssh-add", ["-q", ...args], { env, stdio: "ignore" });

        before(async () => {
            socket = sshd.file("agent");
            process_ = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
            env = { ...process.env, SSH_AUTH_SOCK: socket };
            await until("the agent answers", async () => spawnSync("ssh-add", ["-l"], { env }).status === 1);
        });
        beforeEach(() => {
            process.env.SSH_AUTH_SOCK = socket;
            add("-D");
        });
        after(() => process_?.kill());

        it("succeeds with a key of each type", async () => {
            for (const type of ["ed25519", "ecdsa", "rsa"]) {
                sshd.keygen(`agent-${type}`, type);
                appendFileSync(sshd.file("authorized_keys"), sshd.read(`agent-${type}.pub`));
                add("-D");
                add(sshd.file(`agent-${type}`));
                assert.equal(await runs(keyless), "ours\nin");
            }
        });

        it("is refused if the agent has no keys, or not the right one", async () => {
            await fails(keyless, /^the ssh agent at \S+ has no keys; load the key for 127\.0\.0\.1:\d+ with ssh-add/);
            add(sshd.file("stranger"));
            await fails(
                keyless,
                /refuses the login of \S+; check the user, that ssh-add -l shows the key, and that its authorized_keys has it$/,
            );
        });

        it("is refused if the agent has certificates, which are not supported", async () => {
            sshd.keygen("authority", "ed25519");
            sshd.keygen("certified", "ed25519");
            const name = ["-I", "test", "-n", sshd.user];
            execFileSync("ssh-keygen", ["-q", "-s", sshd.file("authority"), ...name, sshd.file("certified.pub")]);
            appendFileSync(sshd.file("authorized_keys"), `cert-authority ${sshd.read("authority.pub")}`);
            add(sshd.file("certified"));
            await fails(
                keyless,
                /its authorized_keys has it; the agent's certificates are not used, because they are not supported$/,
            );
            add("-d", sshd.file("certified.pub"));
            await fails(
                keyless,
                /refuses the login of \S+: the ssh agent has certificates only, and logins by SSH certificates are not supported; load a key/,
            );
        });

        it("is refused if the agent has many keys, and their number is named", async () => {
            for (let n = 0; n < 8; n++) {
                sshd.keygen(`many${n}`, "ed25519");
                add(sshd.file(`many${n}`));
            }
            add(sshd.file("client"));
            await fails(
                keyless,
                /refuses the login of \S+: the ssh agent has 9 keys, and sshd ends a login after a few that it does not know \(MaxAuthTries\); leave only the right one/,
            );
        });

        it("needs an agent that answers even with a private key, as the command plugin does", async () => {
            assert.equal(await runs(), "ours\nin");
            process.env.SSH_AUTH_SOCK = "/nowhere/agent";
            await fails({}, /^the ssh agent at \/nowhere\/agent cannot be reached; start it, or unset SSH_AUTH_SOCK/);
        });
    });

    describe("to a host that is still booting", () => {
        it("succeeds as soon as the host accepts connections, and says once what it waits for", async () => {
            const port = await freePort();
            const reasons: string[] = [];
            const login = untilBooted(
                () => runs({ port }),
                ({ message }) => reasons.push(message),
            );
            await setTimeout(1_000);
            const relay = createServer((socket) => {
                socket.pipe(connect(sshd.port, "127.0.0.1")).pipe(socket);
            }).listen(port, "127.0.0.1");
            try {
                assert.equal(await login, "ours\nin");
                assert.deepEqual(reasons, [
                    `127.0.0.1:${port} refuses connections; check that sshd is running and that this is its port`,
                ]);
            } finally {
                relay.close();
            }
        });

        it("fails with the last reason if the host stays away", async () => {
            const began = performance.now();
            const port = await freePort();
            await assert.rejects(
                untilBooted(
                    () => runs({ port }),
                    () => {},
                    1,
                ),
                /refuses connections/,
            );
            assert.ok(performance.now() - began >= 1_000);
        });

        it("fails at once for any other reason", async () => {
            const waits = () => assert.fail("it waits");
            for (const login of [
                { privateKey: sshd.read("stranger") },
                { hostKey: sshd.read("host_ecdsa.pub").replace(/ \S+/, (key) => key.replace(/.{4}$/, "AAA=")) },
                keyWith("booting-elsewhere", 'command="false"'),
            ]) {
                await assert.rejects(
                    untilBooted(() => runs(login), waits),
                    SshError,
                );
            }
        });
    });

    describe("through a bastion", () => {
        const through = (bastion: Partial<SshTarget>) => ({ bastion: { ...target, ...bastion } });

        it("succeeds", async () => {
            assert.equal(await runs(through({})), "ours\nin");
        });

        it("fails if the bastion forbids connections to the host, and says what to allow", async () => {
            for (const option of ["no-port-forwarding", "restrict", 'permitopen="127.0.0.1:1"']) {
                const name = option.replace(/\W/g, "-");
                await fails(
                    through(keyWith(name, option)),
                    /^the bastion 127\.0\.0\.1:\d+ forbids connections to 127\.0\.0\.1:\d+; allow them in its sshd_config \(AllowTcpForwarding, PermitOpen/,
                );
            }
        });

        it("fails if the host refuses connections of the bastion", async () => {
            await fails(
                { ...through({}), port: 1 },
                /^127\.0\.0\.1:1 cannot be reached from the bastion \(Connection refused\); check the address/,
            );
        });
    });
});
