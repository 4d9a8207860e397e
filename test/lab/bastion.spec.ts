// The program and the real CLI probe and converge a host through a bastion, with both host keys pinned and a login with sudo.
import assert from "node:assert/strict";
import type { Resource } from "../../components/convergence/kinds/index";
import { probeOverSsh } from "../../components/convergence/preview/probe";
import type { SshTarget } from "../../components/convergence/ssh/ssh";
import type { Host } from "../../lab/host";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { ProcessWatch } from "../support/processWatch";
import { Program } from "../support/program";
import { restartTraces } from "../support/smallLoadBalancer";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";

const CONFIG = "/etc/haproxy/haproxy.cfg";
const PASSWORD = "bastion-planted-91d4";

/** How many logins sshd has accepted so far. */
async function logins(host: Host): Promise<number> {
    const { stdout } = await host.exec("journalctl --sync; journalctl -q -o cat -t sshd | grep -c '^Accepted' || true");
    return Number(stdout);
}

describeLab("a host behind a bastion", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy", tags: ["haproxy::lb"] },
        { name: "jump", image: "bare" },
    ]);
    let host: Host;
    let jump: Host;
    let program: Program;
    const shell = async (script: string, on = host) => (await on.exec(script)).stdout.trim();

    const target = (): SshTarget => ({ ...sshTargetOf(lab(), host), user: "ops" });

    /** The stack, with the bastion's key pinned or another. */
    const declare = (bastionKey = jump.hostKey, changes: Record<string, unknown> = {}) =>
        program.stack({
            ...changes,
            ssh: {
                user: "ops",
                become: "sudo",
                privateKeyFile: lab().privateKeyPath,
                bastion: { user: "root", address: jump.address, hostKey: bastionKey },
            },
            stats: {
                bind: { address: "127.0.0.1", port: 8404 },
                auth: { user: "ops", passwordSecret: "stats-password" },
            },
        });
    before(async () => {
        host = lab().host("lb1");
        jump = lab().host("jump");
        await lab().addSudoUser("lb1");
        await host.hideBehind(jump);
        await jump.exec("apt-get -qq install --yes --no-install-recommends nftables");
        program = new Program(lab());
        program.nodes([
            {
                name: "lb1",
                address: host.address,
                environment: "local",
                runList: ["haproxy::lb"],
                ssh: { hostKey: host.hostKey },
            },
            ...["ecom-platform", "ecom-docs"].map((service, n) => ({
                name: `app${n + 1}`,
                address: lab().address(101 + n),
                environment: "local",
                runList: [`${service}::app`],
            })),
        ]);
        declare();
        await program.init();
        await program.succeed("config", "set", "--secret", "stats-password", PASSWORD);
    });
    after(() => program?.remove());

    it("is converged without a secret in any process or log of either", async () => {
        const watch = new ProcessWatch("bastion-planted");
        const texts = await Promise.resolve()
            .then(async () => [await program.preview("--diff"), await program.up("--diff", "--skip-preview")])
            .catch((error) => {
                watch.remove();
                throw error;
            });
        assert.equal(await watch.end(jump), "");
        for (const text of [...texts, await program.succeed("stack", "export")])
            assert.doesNotMatch(text, /bastion-planted/);
        for (const on of [host, jump])
            assert.equal(
                await shell("journalctl --sync; journalctl -q --no-pager | grep bastion-planted || true", on),
                "",
            );
        assert.match(await shell(`cat ${CONFIG}`), new RegExp(`stats auth ops:'?${PASSWORD}'?$`, "m"));
        assert.equal(await shell(`stat -c '%a %U:%G' ${CONFIG}`), "640 root:haproxy");
        assert.equal(await shell("curl -s -o /dev/null -w %{http_code} http://127.0.0.1:8404/stats"), "401");
    });

    it("leaves no trace on the bastion", async () => {
        assert.equal(await shell("ls -d /run/haproxy-fleet* /var/lib/haproxy-fleet* 2>/dev/null || true", jump), "");
        assert.equal(await shell("grep -rl bastion-planted /tmp /run /root /home /var 2>/dev/null || true", jump), "");
    });

    it("is probed over one connection to each, and converged again", async () => {
        const before = [await logins(jump), await logins(host)];
        await program.nothingToDo();
        assert.deepEqual(
            [await logins(jump), await logins(host)],
            before.map((count) => count + 1),
        );
        await host.exec(`echo '# edited' >>${CONFIG}`);
        await program.up("--skip-preview");
        assert.doesNotMatch(await shell(`cat ${CONFIG}`), /edited/);
    });

    it("gets a firewall that lets its bastion in, and needs one login more to confirm it", async () => {
        declare(undefined, { firewall: { default: "drop", ssh: [jump.address] } });
        const before = [await logins(jump), await logins(host)];
        await program.up("--skip-preview");
        // The probe, the command, and the login that proves that logins still work.
        assert.deepEqual(
            [await logins(jump), await logins(host)],
            before.map((count) => count + 3),
        );
        assert.match(
            await shell("nft list table inet haproxy_fleet"),
            new RegExp(`ip saddr ${jump.address} tcp dport 22 accept`),
        );
        await program.nothingToDo();
        declare();
        await program.up("--skip-preview");
        assert.equal(await shell("nft list tables | grep haproxy || true"), "");
    });

    it("is not changed if the bastion's key is not the pinned one", async () => {
        const words = new RegExp(
            `${jump.address}:22 is not the pinned host: its key is SHA256:\\S+, the pinned key is SHA256:`,
        );
        const before = await restartTraces(host);
        declare(host.hostKey);
        assert.match(await program.preview(), words);
        const failed = await program.pulumi("up", "--yes", "--skip-preview");
        assert.notEqual(failed.code, 0, failed.text);
        assert.match(failed.text, words);
        declare();
        assert.equal(await restartTraces(host), before);
        await program.nothingToDo();
    });

    describe("is not probed, and the error names the cause,", () => {
        const probe = async (on: Partial<SshTarget> = {}, bastion: Partial<SshTarget> = {}) => {
            const asked = await probeOverSsh(
                { ...target(), ...on, bastion: { ...sshTargetOf(lab(), jump), ...bastion } },
                new Convergence(target(), []).payload(),
                "sudo",
            );
            asked.close();
        };
        const named = (of: Host) => `${of === jump ? "the bastion " : ""}${of.address}:22`;
        /** Expects this error about this host in the given state, and none after its end. */
        async function fails(of: Host, words: string, spoil: () => Promise<unknown>, mend: () => Promise<unknown>) {
            await spoil();
            await assert.rejects(probe(), { message: new RegExp(`^${named(of)} ${words}`) }).finally(mend);
            await probe();
        }

        it("if one of the host keys is not the pinned one", async () => {
            const message = (of: Host) => ({
                message: new RegExp(`^${named(of)} is not the pinned host: its key`),
            });
            await assert.rejects(probe({}, { hostKey: host.hostKey }), message(jump));
            await assert.rejects(probe({ hostKey: jump.hostKey }), message(host));
        });

        it("if the bastion has no sshd or refuses the login", async () => {
            await assert.rejects(
                probe({}, { port: 2222 }),
                /the bastion \S+:2222 refuses connections; check that sshd is running/,
            );
            await assert.rejects(probe({}, { user: "nobody-here" }), {
                message: new RegExp(`^${named(jump)} refuses the login of "nobody-here"; check the user`),
            });
        });

        it("if the bastion is silent for 5 s", async () => {
            const drop = "table inet lab { chain in { type filter hook input priority -10; tcp dport 22 drop; }; }";
            const silence = "did not answer within 5 s; check the network, and firewalls in between$";
            await fails(
                jump,
                silence,
                () => jump.exec(`echo '${drop}' | nft -f -`),
                () => jump.exec("nft delete table inet lab"),
            );
        });

        it("if the bastion is down", () =>
            fails(
                jump,
                "(refuses connections|cannot be reached|did not answer within 5 s)",
                () => jump.powerCut(),
                () => jump.boot(),
            ));

        it("if the bastion forbids connections", async () => {
            const settings = "/etc/ssh/sshd_config.d/forbid.conf";
            await jump.exec(`echo 'AllowTcpForwarding no' >${settings}; systemctl restart ssh`);
            await assert
                .rejects(probe(), {
                    message: new RegExp(
                        `^the bastion ${jump.address}:22 forbids connections to ${host.address}:22; allow them in its sshd_config`,
                    ),
                })
                .finally(() => jump.exec(`rm ${settings}; systemctl restart ssh`));
            await probe();
        });

        it("if the bastion cannot reach the host or waits 5 s for it", async () => {
            const unreachable = (why: string) =>
                `cannot be reached from the bastion \\(.*(${why}).*\\); check the address`;
            await fails(
                host,
                unreachable("refused"),
                () => host.exec("systemctl stop ssh"),
                () => host.exec("systemctl start ssh"),
            );
            await fails(
                host,
                unreachable("within 5 s|[Nn]o route"),
                () => host.cutCable(),
                () => host.plugCable(),
            );
        });
    });

    it("is waited for by an up if it still boots, and not by a preview", async () => {
        await host.exec(`echo '# edited' >>${CONFIG}; systemctl stop ssh`);
        assert.match(
            await program.preview(),
            /lb1 could not be asked what differs: .* cannot be reached from the bastion/,
        );
        await host.exec("systemd-run --quiet --on-active=3 --timer-property=AccuracySec=100ms systemctl start ssh");
        await program.up("--skip-preview");
        assert.doesNotMatch(await shell(`cat ${CONFIG}`), /edited/);
    });

    it("is named while an up waits for it, if it no longer answers", async () => {
        await host.exec(`echo '# edited' >>${CONFIG}`);
        // Its name is the host's lock, so the up waits.
        await host.exec("systemd-run --quiet --unit=haproxy-fleet-converge --description=test sleep 600");
        let text = "";
        const up = program.watch(["up", "--yes", "--skip-preview"], (more) => {
            text += more;
        });
        try {
            await until("the up waits", async () => /another converge holds this host/.test(text));
            await host.cutCable();
            await until("the host is named", async () => /lb1 no longer answers/.test(text));
        } finally {
            await host.plugCable();
            await host.exec("systemctl stop haproxy-fleet-converge");
        }
        const { code, text: all } = await up;
        const diagnostics = all.slice(all.indexOf("Diagnostics:"));
        const words =
            /lb1 no longer answers; its converge goes on or ends there by itself; .* \^C twice ends the wait/g;
        assert.equal(diagnostics.match(words)?.length, 1, all);
        // TCP has outlasted the cut.
        assert.equal(code, 0, all);
        assert.doesNotMatch(await shell(`cat ${CONFIG}`), /edited/);
    });

    it("is converged to the end if the bastion dies meanwhile, and the next run finds it converged", async () => {
        const throughBastion = { ...target(), bastion: sshTargetOf(lab(), jump) };
        const slow: Resource = {
            kind: "execute",
            name: "slow",
            command: "touch /run/slow; until [ -e /run/on ]; do sleep 0.05; done; touch /srv/slow",
            creates: "/srv/slow",
        };
        const converge = new Convergence(
            throughBastion,
            [slow, { kind: "file", path: "/srv/last", content: "there\n" }],
            {},
            "sudo",
        );
        converge.takeOver = true;
        const cut = assert.rejects(converge.up(), /closed the connection before the command ended/);
        await host.exec("until [ -e /run/slow ]; do sleep 0.05; done");
        await jump.powerCut();
        await cut;
        await host.exec("touch /run/on; until [ -e /srv/last ]; do sleep 0.05; done");
        await jump.boot();
        const { code, stderr } = await converge.up();
        assert.equal(code, 0, stderr);
        assert.equal((await converge.preview()).text, "");
    });
});
