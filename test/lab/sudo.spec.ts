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
        assert.match(journal, /haproxy-fleet by ops from /);
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
        await program.nothingToDo();
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
        const target = { ...sshTargetOf(lab(), host), user: "ops" };
        const probe = () => probeOverSsh(target, new Convergence(target, []).payload(), "sudo");
        await host.exec("echo 'Defaults:ops requiretty' >>/etc/sudoers.d/ops");
        await assert.rejects(probe(), /lets "ops" use sudo on a terminal only; remove requiretty from its sudoers/);
        await host.exec("echo 'ops ALL=(ALL) NOPASSWD: /bin/true' >/etc/sudoers.d/ops");
        await assert.rejects(probe(), /does not let "ops" use sudo without a password/);
    });
});
