// The program and the real CLI probe and converge a host with a login other than root, by a key with a passphrase.
import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { probeOverSsh } from "../../components/convergence/preview/probe";
import type { Host } from "../../lab/host";
import { run } from "../../lab/machine/exec";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { ProcessWatch } from "../support/processWatch";
import { Program } from "../support/program";
import { restartTraces } from "../support/smallLoadBalancer";
import { sshTargetOf } from "../support/sshTarget";

const CONFIG = "/etc/haproxy/haproxy.cfg";
const PASSWORD = "sudo-planted-37c1";
const PASSPHRASE = "sudo-planted-passphrase";

describeLab("a sudo user", () => {
    const lab = withLab([{ name: "lb1", image: "bare", tags: ["haproxy::lb"] }]);
    let host: Host;
    let program: Program;
    const hidden = (text: string) => assert.doesNotMatch(text, /sudo-planted/);
    /** Asks the host once. */
    const probe = async () => {
        const target = { ...sshTargetOf(lab(), host), user: "ops" };
        const convergence = new Convergence(target, []);
        // Otherwise the host would only say that it is another program's.
        convergence.takeOver = true;
        const asked = await probeOverSsh(target, convergence.payload(), "sudo");
        asked.close();
        return asked.answer;
    };
    const shell = async (script: string) => (await host.exec(script)).stdout.trim();

    before(async () => {
        host = lab().host("lb1");
        await lab().addSudoUser("lb1");
        // Root cannot log in.
        await host.exec("mv /root/.ssh/authorized_keys /root/.ssh/away");
        const key = join(lab().dir, "locked");
        copyFileSync(lab().privateKeyPath, key);
        await run("ssh-keygen", ["-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", key]);
        program = new Program(lab());
        program.nodes([
            ...program.labNodes().map((node) => ({ ...node, ssh: { hostKey: host.hostKey } })),
            ...["ecom-platform", "ecom-docs"].map((service, n) => ({
                name: `app${n + 1}`,
                address: lab().address(101 + n),
                environment: "local",
                runList: [`${service}::app`],
            })),
        ]);
        program.stack({
            ssh: { user: "ops", become: "sudo", privateKeyFile: key },
            stats: {
                bind: { address: "127.0.0.1", port: 8404 },
                auth: { user: "ops", passwordSecret: "stats-password" },
            },
        });
        await program.init();
        await program.succeed("config", "set", "--secret", "stats-password", PASSWORD);
    });
    after(() => program?.remove());

    it("gets an error if the key needs a passphrase", async () => {
        assert.match(
            await program.preview(),
            /lb1 could not be asked what differs: the private key for \S+ has a passphrase; set/,
        );
    });

    it("converges a bare host like root, without a secret in any process, log or output", async () => {
        await program.succeed("config", "set", "--secret", "sshPrivateKeyPassword", PASSPHRASE);
        const watch = new ProcessWatch("sudo-planted");
        const texts = await Promise.resolve()
            .then(async () => [await program.preview("--diff"), await program.up("--diff", "--skip-preview")])
            .catch((error) => {
                watch.remove();
                throw error;
            });
        assert.equal(await watch.end(host), "");
        for (const text of [...texts, await program.succeed("stack", "export")]) hidden(text);
        hidden(await shell("journalctl --sync; journalctl -q --no-pager | grep -v planted-37c1.*watched || true"));
        assert.match(await shell(`cat ${CONFIG}`), new RegExp(`stats auth ops:'?${PASSWORD}'?$`, "m"));
        assert.match(await shell("curl -s -o /dev/null -w %{http_code} http://127.0.0.1:8404/stats"), /^401$/);
    });

    it("leaves the same files as root, and none of its own", async () => {
        const modes =
            await shell(`stat -c '%n %a %U:%G' ${CONFIG} /etc/systemd/system/haproxy.service.d/10-limits.conf \
            /var/lib/haproxy-fleet /var/lib/haproxy-fleet/last-good/haproxy/tree/haproxy.cfg /run/haproxy-fleet`);
        assert.deepEqual(modes.split("\n"), [
            `${CONFIG} 640 root:haproxy`,
            "/etc/systemd/system/haproxy.service.d/10-limits.conf 644 root:root",
            "/var/lib/haproxy-fleet 700 root:root",
            "/var/lib/haproxy-fleet/last-good/haproxy/tree/haproxy.cfg 640 root:haproxy",
            "/run/haproxy-fleet 700 root:root",
        ]);
        assert.equal(await shell("find / -xdev -user ops -not -path '/home/ops*' -not -path '/proc/*'"), "");
        assert.equal(await shell("find /home/ops /tmp -newer /etc/sudoers.d/ops -type f"), "");
    });

    it("is named to a converge that waits", async () => {
        const journal = await shell(
            "journalctl --sync; journalctl -q -o cat --no-pager -u haproxy-fleet-converge.service",
        );
        assert.match(journal, /haproxy-fleet by \S+@\S+ as ops from /);
    });

    it("finds nothing to do, then finds drift and repairs it", async () => {
        await program.nothingToDo();
        await host.exec(`echo '# edited' >>${CONFIG}`);
        const [text, before] = [await program.preview(), await restartTraces(host)];
        assert.match(text, /^ +- *# edited$/m);
        hidden(text);
        assert.equal(await restartTraces(host), before);
        hidden(await program.up("--skip-preview"));
        assert.doesNotMatch(await shell(`cat ${CONFIG}`), /edited/);
    });

    it("gets an error if sudo asks for a password, and the host is not touched", async () => {
        const words = /does not let "ops" use sudo without a password; add a NOPASSWD rule/;
        await host.exec("echo 'ops ALL=(ALL) ALL' >/etc/sudoers.d/ops");
        const before = await restartTraces(host);
        assert.match(await program.preview(), words);
        const failed = await program.pulumi("up", "--yes", "--skip-preview");
        assert.notEqual(failed.code, 0);
        assert.match(failed.text, words);
        assert.equal(await restartTraces(host), before);
        await lab().addSudoUser("lb1");
        await program.nothingToDo();
    });

    it("gets an error if sudo wants a terminal or allows too little", async () => {
        await host.exec("echo 'Defaults:ops requiretty' >>/etc/sudoers.d/ops");
        await assert.rejects(probe(), /lets "ops" use sudo on a terminal only; remove requiretty from its sudoers/);
        await host.exec("echo 'ops ALL=(ALL) NOPASSWD: /bin/true' >/etc/sudoers.d/ops");
        await assert.rejects(probe(), /does not let "ops" use sudo without a password/);
        await lab().addSudoUser("lb1");
    });

    it("gets the same errors if sudo speaks another language", async () => {
        const german = "LANG=C.UTF-8\nLANGUAGE=de\n";
        await host.exec(`printf '${german}' >/etc/environment; echo 'ops ALL=(ALL) ALL' >/etc/sudoers.d/ops`);
        try {
            // Otherwise this test tests nothing.
            const own = await host.exec("runuser -u ops -- env LANG=C.UTF-8 LANGUAGE=de sudo -n true 2>&1 || true");
            assert.match(own.stdout, /Passwort/);
            await assert.rejects(probe(), /does not let "ops" use sudo without a password; add a NOPASSWD rule/);
        } finally {
            await host.exec("rm /etc/environment");
            await lab().addSudoUser("lb1");
        }
    });

    it("gets the words of a host on which only root may log in, as while it boots", async () => {
        await host.exec("echo 'booting up, planted' >/run/nologin");
        try {
            await assert.rejects(
                probe(),
                /closed the connection during the login of "ops" \(it said "booting up, planted"\); check that the account may log in/,
            );
        } finally {
            await host.exec("rm /run/nologin");
        }
        await probe();
    });

    it("is warned if sudo logs what it is sent, and only then", async () => {
        const words =
            /sudo logs its input, and the secrets in it \(log_input, in \/var\/log\/sudo-io\); add Defaults:ops !log_input/;
        const warnings = async () => (await probe()).warnings.join("\n");
        assert.doesNotMatch(await warnings(), words);
        for (const rules of [
            "Defaults log_input",
            "Defaults:ops log_stdin",
            "ops ALL=(ALL) NOPASSWD: LOG_INPUT: ALL",
        ]) {
            await host.exec(`echo '${rules}' >>/etc/sudoers.d/ops`);
            assert.match(await warnings(), words, rules);
            if (rules === "Defaults log_input") assert.match(await program.preview(), words);
            await lab().addSudoUser("lb1");
        }
        await host.exec("printf '%s\\n' 'Defaults log_input' 'Defaults:ops !log_input' >>/etc/sudoers.d/ops");
        const { stdout } = await host.exec("rm -rf /var/log/sudo-io; sudo -l -U ops");
        assert.doesNotMatch(await warnings(), words, stdout);
        assert.equal(await shell("ls /var/log/sudo-io 2>/dev/null || true"), "", stdout);
        await lab().addSudoUser("lb1");
    });

    describe("whose login runs something of its own", () => {
        const shellOf = (path: string) => host.exec(`usermod --shell ${path} ops`);
        after(() => shellOf("/bin/bash"));

        it("is converged though the login prints something, which no output shows", async () => {
            await host.exec(`cp /home/ops/.bashrc /home/ops/away
                printf '%s\\n' 'echo greeting-planted' 'printf unfinished-planted' >/home/ops/.bashrc
                echo 'echo sshrc-planted' >/etc/ssh/sshrc`);
            try {
                await host.exec(`echo '# edited' >>${CONFIG}`);
                await program.up("--skip-preview");
                await program.nothingToDo();
                assert.doesNotMatch(await program.succeed("stack", "output", "--json"), /planted/);
            } finally {
                await host.exec("mv /home/ops/away /home/ops/.bashrc; rm /etc/ssh/sshrc");
            }
        });

        it("reads that its login shell lets no command run", async () => {
            await shellOf("/usr/sbin/nologin");
            await assert.rejects(
                probe(),
                /the login of "ops" runs something else than our command: it ended with status 1 and printed "This account is currently not available."; look for .* a login shell such as nologin/,
            );
            await shellOf("/bin/rbash");
            await assert.rejects(
                probe(),
                /the login shell of "ops" is restricted \(rbash\); give it another one \(chsh -s \/bin\/bash ops\)/,
            );
        });

        it("reads that its profile ends the login", async () => {
            await shellOf("/bin/bash");
            await host.exec("cp /home/ops/.bashrc /home/ops/away; echo 'exec date +%F' >/home/ops/.bashrc");
            try {
                await assert.rejects(probe(), /runs something else than our command: .* exec or exit in its profile$/);
            } finally {
                await host.exec("mv /home/ops/away /home/ops/.bashrc");
            }
            await probe();
        });
    });
});
