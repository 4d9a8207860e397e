// A new host gets a login and a host key to pin: by prepare-host.sh, or by user data through the real cloud-init.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { Resource } from "../../components/convergence/kinds/index";
import type { SshTarget } from "../../components/convergence/ssh/ssh";
import { userData } from "../../components/hostPreparation";
import { firstBoot } from "../../lab/firstBoot";
import type { Host } from "../../lab/host";
import { run } from "../../lab/machine/exec";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { promiseOf } from "../support/mocks";
import { listenOn } from "../support/reachable";
import { newKeyPair } from "../support/sshKeys";
import { until } from "../support/traffic";

const script = readFileSync("components/hostPreparation/prepare-host.sh", "utf8");
const packet: Resource[] = [
    { kind: "packages", names: ["nftables"] },
    { kind: "firewall", rules: [{ protocol: "tcp", port: 80 }], default: "drop" },
];
const METADATA = ["169.254.169.254", "fd00:ec2::254"];

describeLab("a new host", function () {
    this.timeout(240_000);
    const lab = withLab([
        { name: "byhand", image: "bare" },
        { name: "cloud", image: "bare", release: "3.0" },
    ]);
    const login = newKeyPair();
    const other = newKeyPair();
    const minted = newKeyPair();
    /** The two words that are compared when a key is pinned. */
    const pinned = (publicKey: string) => publicKey.trim().split(" ").slice(0, 2).join(" ");
    const targetOf = (host: Host, user: string, hostKey: string): SshTarget => ({
        address: host.address,
        port: 22,
        user,
        hostKey,
        privateKey: login.private,
    });
    /** What only a converge can show: the login, the pinned key, and sudo. */
    const converge = async (
        target: SshTarget,
        resources: Resource[] = [{ kind: "file", path: "/etc/proof", content: "" }],
    ) => {
        const { code, stderr } = await new Convergence(target, resources, {}, "sudo").up();
        assert.equal(code, 0, stderr);
    };
    /** Runs prepare-host.sh by ssh, as root and as people would. */
    const prepare = async (host: Host, user: string, keys: string[], shell = "sh") => {
        const words = keys.flatMap((key) => ["--key", key.trim()]);
        const [ssh = "", ...args] = host.ssh("root", shell, "-s", "--", "--user", user, ...words);
        return run(ssh, args, { stdin: script, check: false });
    };
    /** Every file that the script may touch, with time and mode. */
    const files = async (host: Host) =>
        (await host.exec("find /etc /home /root /usr/local -printf '%p %y %m %u %T@\\n' | sort")).stdout;
    /** Connects to the metadata service as each user. */
    const metadata = async (host: Host) => {
        const tries = METADATA.flatMap((address) =>
            ["root", "ops", "nobody"].map(
                (user) =>
                    `runuser -u ${user} -- timeout 2 bash -c 'exec 3<>/dev/tcp/${address}/80' 2>/dev/null; echo ${user} $?`,
            ),
        );
        return (await host.exec(tries.join("\n"))).stdout.trim().split("\n");
    };
    const rootOnly = METADATA.flatMap(() => ["root 0", "ops 1", "nobody 1"]);
    /** A metadata service on the host itself: the packets of clients take the same way out. */
    const serveMetadata = async (host: Host) => {
        await host.exec(METADATA.map((address) => `ip addr replace ${address} dev lo`).join("; "));
        await listenOn(host, [80]);
        await until("it listens", async () => (await metadata(host))[0] === "root 0");
    };

    describe("by prepare-host.sh", () => {
        let host: Host;
        let hostKey: string;
        before(() => {
            host = lab().host("byhand");
            hostKey = host.hostKey;
        });

        it("gets what a converge needs, prints the key to pin, and has nothing to do the second time", async () => {
            // sshd takes it.
            const key = login.public.replace(" ", "  ");
            const first = await prepare(host, "deploy", [key]);
            assert.equal(first.code, 0, first.stderr);
            assert.match(first.stdout, /^changed: made the login deploy$/m);
            const printed = /hostKey: "([^"]+)"/.exec(first.stdout)?.[1] ?? "";
            assert.equal(printed, pinned(hostKey));
            assert.ok(first.stdout.includes(`{ name: "byhand", address: "${host.address}", `), first.stdout);
            const before = await files(host);
            const second = await prepare(host, "deploy", [key]);
            assert.deepEqual([second.code, second.stderr], [0, ""]);
            assert.match(second.stdout, /^nothing to do: this host is prepared\n/);
            assert.doesNotMatch(second.stdout, /changed/);
            assert.equal(await files(host), before);
            await converge(targetOf(host, "deploy", printed));
            // No password: it is neither empty nor one that could be guessed.
            assert.match((await host.exec("getent shadow deploy")).stdout, /^deploy:\*:/);
        });

        it("repairs what keeps the login out, and leaves keys and rules of others", async () => {
            await host.exec(`
                printf '# mine\\n${other.public.trim()}' >/home/deploy/.ssh/authorized_keys
                chown root:root /home/deploy/.ssh/authorized_keys
                chmod 777 /home/deploy /home/deploy/.ssh
                rm /etc/sudoers.d/haproxy-fleet-deploy
                echo 'deploy ALL=(ALL) ALL' >/etc/sudoers.d/aaa && chmod 440 /etc/sudoers.d/aaa`);
            const { code, stderr } = await prepare(host, "deploy", [login.public, other.public]);
            assert.equal(code, 0, stderr);
            assert.equal(
                (await host.readFile("/home/deploy/.ssh/authorized_keys")).toString(),
                `# mine\n${other.public.trim()}\n${login.public.trim()}\n`,
            );
            await converge(targetOf(host, "deploy", hostKey));
            await host.exec("rm /etc/sudoers.d/aaa");
        });

        it("is refused before anything is changed if the login could not work", async () => {
            await host.exec("ssh-keygen -q -t ecdsa -N '' -f /etc/ssh/ssh_host_ecdsa_key");
            await host.exec("useradd --non-unique --uid 0 --no-create-home toor");
            const before = await files(host);
            const settings = "/etc/ssh/sshd_config.d/test.conf";
            const cases: [setting: string, user: string, words: RegExp][] = [
                ["AllowUsers root admin@192.0.2.1", "fresh", /add it to AllowUsers \(root admin@192\.0\.2\.1\)/],
                ["AllowGroups root", "fresh", /add it to AllowGroups/],
                ["DenyUsers fr*", "fresh", /correct DenyUsers/],
                ["PubkeyAuthentication no", "fresh", /set PubkeyAuthentication yes/],
                ["AuthorizedKeysFile /etc/ssh/keys/%u", "fresh", /does not read \.ssh\/authorized_keys of its users/],
                ["HostKey /etc/ssh/ssh_host_ecdsa_key", "fresh", /no host key of type ed25519/],
                ["HostKey /etc/ssh/none", "fresh", /none of the host keys that its settings name/],
                ["Nonsense", "fresh", /sshd does not accept its own settings: .*Nonsense/],
                ["", "www-data", /service account/],
                ["", "toor", /another name of root/],
                ["", "root", /needs no preparation/],
            ];
            for (const [setting, user, words] of cases) {
                await host.exec(`echo '${setting}' >${settings}`);
                const { code, stdout, stderr } = await prepare(host, user, [login.public]);
                await host.exec(`rm ${settings}`);
                assert.deepEqual([code, stdout], [1, ""], setting);
                assert.match(stderr, words);
                assert.match(stderr, /^prepare-host: /);
            }
            // Programs of another kind of host, and an older systemd.
            for (const [path, words] of [
                ["/opt/few", /^prepare-host: this host lacks: apt-get dpkg-query systemctl .*needed: Debian or Ubuntu/],
                ["/opt/old:$PATH", /^prepare-host: this host is too old: systemd 236, needed is 237 or newer/],
            ] as const) {
                const { code, stderr } = await host.exec(
                    `mkdir -p /opt/few /opt/old; ln -sf /usr/bin/id /opt/few
                    printf '#!/bin/sh\necho systemd 236\n' >/opt/old/systemctl; chmod +x /opt/old/systemctl
                    PATH=${path} /bin/sh -s -- --user fresh --key '${login.public.trim()}'`,
                    { stdin: script, check: false },
                );
                assert.equal(code, 1);
                assert.match(stderr, words);
            }
            const withoutTimes = (text: string) => text.replace(/^(\/etc\/ssh\/sshd_config\.d .*) [\d.]+$/m, "$1");
            assert.equal(withoutTimes(await files(host)), withoutTimes(before));
        });

        it("is refused, without a rule left behind, if another rule of sudo comes after its own", async () => {
            const rules = "ls /etc/sudoers.d";
            await host.exec(
                "echo '%late ALL=(ALL) ALL' >/etc/sudoers.d/zzz && chmod 440 /etc/sudoers.d/zzz && groupadd late",
            );
            const before = (await host.exec(rules)).stdout;
            const { code, stderr } = await prepare(host, "late", [login.public]);
            assert.equal(code, 1);
            assert.match(stderr, /sudo still wants a password of late, so .* is away again/);
            assert.equal((await host.exec(rules)).stdout, before);
            await host.exec("rm /etc/sudoers.d/zzz");
        });

        it("gets sudo and a host key if it has none, by another shell, too", async () => {
            await host.exec(`
                apt-get -qq update && apt-get -qq install --yes --no-install-recommends busybox >/dev/null 2>&1
                SUDO_FORCE_REMOVE=yes dpkg --purge sudo >/dev/null 2>&1
                rm /etc/ssh/ssh_host_*`);
            const key = `from="${lab().gateway},fe80::/10" ${login.public.trim()}`;
            const { stdout } = await host.exec(`busybox sh -s -- --user ops-2 --key '${key}'`, { stdin: script });
            assert.match(stdout, /^changed: made the host key \/etc\/ssh\/ssh_host_ed25519_key$/m);
            assert.match(stdout, /^changed: installed sudo$/m);
            hostKey = /hostKey: "([^"]+)"/.exec(stdout)?.[1] ?? "";
            assert.notEqual(hostKey, pinned(host.hostKey));
            await converge(targetOf(host, "ops-2", hostKey));
        });
    });

    describe("by user data", () => {
        let host: Host;
        let text: string;
        const hostKey = pinned(minted.public);
        const keys = [login.public.trim(), `from="192.0.2.0/24",no-pty ${other.public.trim()} ü "x": #'`];
        before("cloud-init, as an image has it", async function () {
            this.timeout(600_000);
            host = lab().host("cloud");
            text = await promiseOf(userData({ user: "ops", authorizedKeys: keys, hostKey: minted.private }));
            await host.exec(
                "apt-get -qq update && apt-get -qq install --yes --no-install-recommends cloud-init >/dev/null 2>&1 && ssh-keygen -A",
                { timeout: 500_000 },
            );
            await host.shutdown();
            // Otherwise sshd punishes a client that only looks at its keys.
            await host.place("/etc/ssh/sshd_config.d/lab.conf", "PerSourcePenalties no\n");
            await host.place("/var/lib/cloud/seed/nocloud/user-data", text);
            await host.place("/var/lib/cloud/seed/nocloud/meta-data", "instance-id: i-1\n");
            await host.place(
                "/etc/cloud/cloud.cfg.d/99-lab.cfg",
                "datasource_list: [NoCloud]\nnetwork: {config: disabled}\n",
            );
        });

        it("shows no host key but the minted one, and lets the login in as soon as it shows it", async () => {
            const shown = new Set<string>();
            const booting = host.boot();
            let first: Promise<void> | undefined;
            await until("cloud-init is done", async () => {
                const { stdout } = await run("ssh-keyscan", ["-T", "1", host.address], { check: false });
                for (const line of stdout.split("\n").filter((each) => each !== "" && !each.startsWith("#"))) {
                    shown.add(line.slice(line.indexOf(" ") + 1));
                    first ??= converge(targetOf(host, "ops", hostKey));
                }
                return (await host.exec("cloud-init status", { check: false })).stdout.includes("done");
            });
            await booting;
            await first;
            assert.deepEqual([...shown], [hostKey]);
        });

        it("leaves the host as the lab's own first boot does, and the key where only root reads it", async () => {
            const state = async (each: Host) =>
                (
                    await each.exec(`
                        getent passwd ops | cut -d: -f1,6,7; getent shadow ops | cut -d: -f2
                        cd /etc/ssh && stat -c '%n %a %U' ssh_host_* && cat ssh_host_ed25519_key && cut -d' ' -f1,2 ssh_host_ed25519_key.pub
                        cd /home/ops/.ssh && stat -c '%n %a %U:%G' . authorized_keys && sort authorized_keys
                        runuser -u ops -- sudo -k -n id -u
                        systemctl is-enabled haproxy-fleet-metadata; nft list table inet haproxy_fleet_metadata | sed s/filter/0/`)
                ).stdout;
            const byHand = lab().host("byhand");
            await firstBoot(byHand, text);
            assert.equal(await state(host), await state(byHand));
            assert.match(await state(host), /^0\nenabled\ntable inet/m);
            const secret = minted.private.split("\n")[1] ?? "";
            await host.exec("rm -r /var/lib/cloud/seed");
            const open = `find /etc /home /run /tmp /var ! -path '/run/systemd/*' -type f -perm /077 -exec grep -lF ${secret} {} +`;
            assert.equal((await host.exec(`${open}; grep -rlF ${secret} /var/log`, { check: false })).stdout, "");
        });

        it("lets only root reach the metadata service, also beside packet filters, and after a reboot", async () => {
            // Which has booted as the other one has, and boots faster.
            const byHand = lab().host("byhand");
            const target = targetOf(byHand, "ops", hostKey);
            await Promise.all([host, byHand].map(serveMetadata));
            await converge(target, packet);
            // This deletes the rules of others.
            await byHand.exec("systemctl --quiet enable --now nftables");
            for (const commands of [["reload"], ["restart"], ["stop", "start"]]) {
                await byHand.exec(commands.map((command) => `systemctl ${command} nftables`).join("; "));
                await until(`the rule is loaded after ${commands}`, async () =>
                    isDeepStrictEqual(await metadata(byHand), rootOnly),
                );
            }
            await byHand.reboot();
            await serveMetadata(byHand);
            assert.deepEqual(await metadata(byHand), rootOnly);
            assert.equal((await new Convergence(target, packet, {}, "sudo").preview()).text, "");

            await host.exec(
                "apt-get -qq install --yes --no-install-recommends ufw >/dev/null 2>&1; ufw allow 22/tcp; ufw --force enable; ufw reload",
            );
            assert.deepEqual(await metadata(host), rootOnly);
        });
    });
});
