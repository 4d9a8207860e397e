import assert from "node:assert/strict";
import type { Resource } from "../../components/convergence/kinds/index";
import { probeOverSsh } from "../../components/convergence/preview/probe";
import { SshError, type SshTarget } from "../../components/convergence/ssh/ssh";
import { Convergence } from "../support/converge";
import { hostsProgram, type ProgramHost } from "../support/hostsProgram";
import { describeLab, withLab } from "../support/lab";
import { newKeyPair } from "../support/sshKeys";
import { sshTargetOf } from "../support/sshTarget";
import { Project } from "../toolchain/project";

describeLab("a host that cannot be converged", () => {
    const lab = withLab([
        { name: "lb1", image: "bare" },
        { name: "lb2", image: "bare" },
    ]);
    const host = () => lab().host("lb1");
    const target = () => sshTargetOf(lab(), host());

    describe("is reported with cause and remedy, as", () => {
        const resources: Resource[] = [{ kind: "file", path: "/srv/x", content: "x\n" }];
        const probe = async (changes: Partial<SshTarget>, become?: "sudo") => {
            const payload = new Convergence(target(), resources).payload();
            const { answer, close } = await probeOverSsh({ ...target(), ...changes }, payload, become);
            close();
            return answer;
        };
        const rejects = (asked: Promise<unknown>, words: RegExp) =>
            assert.rejects(asked, (error) => {
                assert(error instanceof SshError, String(error));
                assert.match(error.message, words);
                assert(!error.message.includes("\n"), error.message);
                return true;
            });

        it("a host key that is not the pinned one", async () => {
            await rejects(
                probe({ hostKey: lab().host("lb2").hostKey }),
                /is not the pinned host: its key is SHA256:\S+, the pinned key is SHA256:\S+; if the host was rebuilt, put its new key/,
            );
        });

        it("a refused login, with user and key", async () => {
            await rejects(
                probe({ user: "nobody-here" }),
                /refuses the login of "nobody-here"; check the user, and that/,
            );
            await rejects(
                probe({ privateKey: newKeyPair().private }),
                /refuses the login of "root"; check the user, and that its authorized_keys/,
            );
        });

        it("sshd on another port", () =>
            rejects(
                probe({ port: 2222 }),
                /:2222 refuses connections; check that sshd is running and that this is its port$/,
            ));

        it("an account that is not root", async () => {
            await lab().addSudoUser("lb1");
            await rejects(probe({ user: "ops" }), /"ops" is not root; log in as root, or set become to "sudo"$/);
        });

        it("sudo that asks for a password", async () => {
            await lab().addSudoUser("lb1");
            assert.equal((await probe({ user: "ops" }, "sudo")).refused.length, 0);
            await host().exec("rm /etc/sudoers.d/ops");
            await rejects(
                probe({ user: "ops" }, "sudo"),
                /does not let "ops" use sudo without a password; add a NOPASSWD rule, or log in as root$/,
            );
        });

        it("a host without sudo", async () => {
            await lab().addSudoUser("lb1");
            await host().exec("mv /usr/bin/sudo /usr/bin/sudo.away");
            await rejects(probe({ user: "ops" }, "sudo"), /has no sudo; install it, or log in as root$/);
            await host().exec("mv /usr/bin/sudo.away /usr/bin/sudo");
        });

        it("a /run without room for the payload", async () => {
            const room = "/run/haproxy-fleet";
            await host().exec(`mkdir -p ${room}; mount -t tmpfs -o size=4k tmpfs ${room}`);
            await rejects(
                probe({}),
                /: the file system of \/run, in memory, is full; see what fills it .*, then run again$/,
            );
            // A process of the why-run may still be there for a moment.
            await host().exec(`umount --lazy ${room}`);
        });

        it("a cable that is cut", async () => {
            await host().cutCable();
            // Which of the two depends on the machine's neighbour table.
            const asked = rejects(
                probe({ loginTimeout: 2000 }),
                /(cannot be reached \(EHOSTUNREACH\)|did not answer within 2 s); check the network, and firewalls in between$/,
            );
            await asked.finally(() => host().plugCable());
        });

        it("a host that hangs", async () => {
            await host().freeze();
            const asked = rejects(
                probe({ loginTimeout: 2000 }),
                /did not answer within 2 s; check the network, and firewalls in between$/,
            );
            await asked.finally(() => host().thaw());
        });
    });

    describe("is reported once by the engine, and the other host is converged:", () => {
        const project = new Project();
        let run = 0;

        before(async () => void (await project.succeed("stack", "init", "dev")));
        after(() => project.remove());

        /** Converges both hosts to a new file, one of them with a change, and checks the result. */
        async function upWith(broken: Partial<ProgramHost>): Promise<{ said: string; good: string; bad: string }> {
            const content = `run ${++run}\n`;
            const [good, bad] = ["lb1", "lb2"].map((name) => ({
                name,
                target: sshTargetOf(lab(), lab().host(name)),
                resources: [{ kind: "file" as const, path: "/srv/run", content }],
            })) as [ProgramHost, ProgramHost];
            project.program(hostsProgram([good, { ...bad, ...broken }]));
            const { code, stdout, stderr } = await project.run(["up", "--yes", "--skip-preview", "--color=never"]);
            assert.notEqual(code, 0, stdout);
            const [onGood, onBad] = await Promise.all(
                ["lb1", "lb2"].map((name) => lab().host(name).exec("cat /srv/run 2>/dev/null || :")),
            );
            assert.equal(onGood?.stdout, content, `${stdout}${stderr}`);
            assert.equal(stderr, "");
            return { said: stdout.slice(stdout.indexOf("Diagnostics:")), good: content, bad: onBad?.stdout ?? "" };
        }

        const times = (words: string, text: string) => text.split(words).length - 1;

        it("a wrong host key", async () => {
            const target = { ...sshTargetOf(lab(), lab().host("lb2")), hostKey: host().hostKey };
            const { said, bad } = await upWith({ target });
            assert.equal(times("is not the pinned host: its key is", said), 1, said);
            assert.equal(bad, "");
            assert.doesNotMatch(said, /\n {4}at /, "a stack trace");
        });

        it("a refused connection", async () => {
            const target = { ...sshTargetOf(lab(), lab().host("lb2")), port: 2222 };
            const { said } = await upWith({ target });
            assert.equal(
                times("refuses connections; check that sshd is running and that this is its port", said),
                1,
                said,
            );
        });

        it("an unknown package", async () => {
            const { said } = await upWith({ resources: [{ kind: "packages", names: ["no-such-package"] }] });
            const cause = "packages[no-such-package] failed: the package manager does not know this package";
            assert.equal(times(`error: lb2: ${cause}`, said), 1, said);
            assert.equal(times(cause, said), 2, "as the host's error, and below the text of the command");
        });

        it("a preview only warns of an unreachable host", async () => {
            const target = { ...sshTargetOf(lab(), lab().host("lb2")), port: 2222 };
            const resources = [{ kind: "file" as const, path: "/srv/run", content: `run ${run}\n` }];
            const good = { name: "lb1", target: sshTargetOf(lab(), host()), resources };
            project.program(hostsProgram([good, { name: "lb2", target, resources }]));
            const { code, stdout, stderr } = await project.run(["preview", "--diff", "--color=never"]);
            const said = stdout + stderr;
            assert.equal(code, 0, said);
            assert.match(said, /warning: lb2 could not be asked what differs: \S+:2222 refuses connections/);
            assert.match(said, /\[unknown\]/);
            assert.doesNotMatch(said, /delete/);
        });
    });
});
