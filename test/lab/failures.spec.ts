import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Resource } from "../../components/convergence/kinds/index";
import { askCommand } from "../../components/convergence/payload/commands";
import { probeOverSsh } from "../../components/convergence/preview/probe";
import { parseWhyRun } from "../../components/convergence/preview/whyRun";
import { atNaps, Convergence, redefine, withinDeadline } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";

describeLab("a failure", () => {
    const lab = withLab([{ name: "lb1", image: "bare" }]);
    const host = () => lab().host("lb1");
    const target = () => sshTargetOf(lab(), host());

    const earlier: Resource = { kind: "file", path: "/srv/before", content: "x\n" };
    const later: Resource = { kind: "file", path: "/srv/after", content: "x\n" };

    /** Converges a failing resource between two files, then again without the cause. */
    async function fails(failing: Resource, edit?: (body: string) => string): Promise<string> {
        await host().exec("rm -f /srv/before /srv/after");
        const { code, stdout, stderr } = await new Convergence(target(), [earlier, failing, later]).up(edit);
        assert.equal(code, 1, stderr);
        assert.equal(stdout, "");
        assert.equal((await host().exec("cd /srv; ls before after 2>/dev/null || :")).stdout, "before\n");
        for (const line of stderr.split("\n")) assert.match(line, /^[ -~]{0,300}$/);
        return stderr;
    }

    async function succeeds(resource: Resource, edit?: (body: string) => string): Promise<void> {
        const { code, stderr } = await new Convergence(target(), [earlier, resource, later]).up(edit);
        assert.equal(code, 0, stderr);
    }

    describe("on the host is reported with cause and remedy:", () => {
        it("an unknown package", async () => {
            const said = await fails({ kind: "packages", names: ["no-such-package"] });
            assert.match(
                said,
                /^packages\[no-such-package\] failed: the package manager does not know this package; check its name/m,
            );
            assert.match(said, /^ {4}E: Unable to locate package no-such-package$/m);
            assert.match(said, /^before that: file\[\/srv\/before\] \(missing\)$/m);
            assert.match(said, /^the resources after packages\[no-such-package\] were not attempted; running again/m);
        });

        it("an unknown version", async () => {
            assert.match(
                await fails({ kind: "packages", names: ["tree=0.0.1"] }),
                /^packages\[tree=0.0.1\] failed: the package manager does not have this version; declare one/m,
            );
        });

        it("a package manager that another process has locked", async () => {
            const packages: Resource = { kind: "packages", names: ["tree"] };
            for (const lock of ["/var/lib/dpkg/lock-frontend", "/var/cache/apt/archives/lock"]) {
                await host().exec("apt-get -qq purge -y tree >/dev/null 2>&1");
                await host().exec("rm -f /run/waits");
                const { release } = await holdLock(lock);
                const impatient = redefine("lock_timeout=1");
                assert.match(
                    await fails(packages, impatient),
                    /^packages\[tree\] failed: another process holds the package manager's lock; wait for it to end/m,
                );
                const patient = succeeds(packages, atNaps("touch /run/waits"));
                await until("it waits", async () => (await host().exec("ls /run/waits")).code === 0);
                await release();
                await patient;
            }
        });

        it("a virtual package, with one provider or with several", async () => {
            const { stdout } = await host().exec(
                "dpkg-query -W -f '${Provides}' perl-base | grep -om1 'perlapi-5[0-9.]*'",
            );
            const name = stdout.trim().split("\n")[0] ?? "";
            const said = await fails({ kind: "packages", names: [name] });
            assert.ok(
                said.includes(`failed: ${name} is a virtual package; declare one that provides it, such as perl-base`),
                said,
            );
            assert.match(
                await fails({ kind: "packages", names: ["awk"] }),
                /^packages\[awk\] failed: the package manager has no version of this package; .* declare one that provides it$/m,
            );
        });

        it("an unreadable package source, if the package is available all the same", async () => {
            await host().exec(`
                apt-get -qq purge -y tree >/dev/null 2>&1
                echo 'deb file:/nowhere stable main' >/etc/apt/sources.list.d/broken.list
                find /var/lib/apt/lists \\( -name '*Packages*' -o -name partial \\) -exec touch -d '2 days ago' {} +`);
            const { code, stderr } = await new Convergence(target(), [{ kind: "packages", names: ["tree"] }]).up();
            await host().exec("rm /etc/apt/sources.list.d/broken.list");
            assert.equal(code, 0, stderr);
            assert.match(stderr, /^packages\[tree\]: warning: some package sources could not be read; continuing/m);
            assert.match(stderr, /^ {4}E: .*file:\/nowhere stable Release/m);
        });

        it("a package on hold", async () => {
            await host().exec("apt-get -qq purge -y tree >/dev/null 2>&1; apt-mark hold tree curl");
            const said = await fails({ kind: "packages", names: ["tree"] });
            assert.match(
                said,
                /^packages\[tree\] failed: a package is on hold, so the package manager does not touch it; release it/m,
            );
            assert.match(said, /^ {4}on hold: curl tree $/m);
            const other: Resource = { kind: "packages", names: ["curl=0.0.1"] };
            const words = /^curl is on hold at 7\S+; release it \(apt-mark unhold curl\), or declare that version$/;
            const { refused } = await new Convergence(target(), [other]).whyRun();
            assert.match(refused.map((judgement) => judgement.words).join("\n"), words);
            await fails(other);
            await host().exec("apt-mark unhold tree curl");
        });

        it("package sources out of reach, until /etc/environment names a proxy that reaches them", async () => {
            const { stdout } = await host().exec(`
                mkdir -p /srv/deb/DEBIAN; cd /srv
                printf 'Package: proxied\nVersion: 1\nArchitecture: all\nMaintainer: x\nDescription: x\n' >deb/DEBIAN/control
                dpkg-deb -b deb proxied.deb >/dev/null
                dpkg-deb -f proxied.deb
                printf 'Filename: ./proxied.deb\nSize: %s\nSHA256: ' "$(stat -c %s proxied.deb)"
                sha256sum <proxied.deb | cut -d' ' -f1
                mkdir /srv/apt; mv /etc/apt/sources.list.d /var/lib/apt/lists apt; mkdir /etc/apt/sources.list.d
                echo 'deb [trusted=yes] http://packages.invalid/ ./' >/etc/apt/sources.list.d/lab.list
                echo 'Acquire::Retries "0";' >/etc/apt/apt.conf.d/no-retries`);
            const deb = await host().readFile("/srv/proxied.deb");
            const answers: Record<string, string | Buffer> = { Packages: stdout, "proxied.deb": deb };
            const proxy = createServer(({ url }, answer) => {
                const content = answers[url?.replace("http://packages.invalid/./", "") ?? ""];
                answer.writeHead(content ? 200 : 404).end(content);
            });
            await new Promise<void>((listens) => proxy.listen(0, lab().gateway, listens));
            const { port } = proxy.address() as AddressInfo;
            const packages: Resource = { kind: "packages", names: ["proxied"] };
            const fetches = async () => {
                const said = await fails(packages);
                assert.match(said, /^ {4}W: Failed to fetch http:\/\/packages.invalid\/\S+ {2}\w.* resolv/m);
                assert.match(
                    said,
                    /^packages\[proxied\] failed: the package manager does not know this package, and cannot read all package sources; check the host's network, resolver, proxy/m,
                );
                assert.doesNotMatch(said, /interrupted/);
            };
            try {
                await fetches();
                await host().writeFile(
                    "/etc/environment",
                    `HTTP_PROXY="http://${lab().gateway}:${port}" # the way out\n`,
                );
                await host().writeFile("/etc/apt/apt.conf.d/direct", 'Acquire::http::Proxy "DIRECT";\n');
                await fetches();
                await host().exec("rm /etc/apt/apt.conf.d/direct");
                await succeeds(packages);
            } finally {
                proxy.close();
                await host().exec(`
                    dpkg --purge proxied
                    rm -rf /etc/apt/sources.list.d /var/lib/apt/lists /etc/environment /etc/apt/apt.conf.d/direct /etc/apt/apt.conf.d/no-retries
                    mv /srv/apt/sources.list.d /etc/apt; mv /srv/apt/lists /var/lib/apt; rm -r /srv/apt`);
            }
        });

        it("a full disk", async () => {
            await host().exec("mkdir -p /srv/small && mount -t tmpfs -o size=64k tmpfs /srv/small");
            const file: Resource = { kind: "file", path: "/srv/small/file", content: "x".repeat(100_000) };
            assert.match(
                await fails(file),
                /^file\[\/srv\/small\/file\] failed: the disk is full; free some space, then run again$/m,
            );
            assert.equal((await host().exec("ls /srv/small")).stdout, "", "half a file");
            await host().exec("umount /srv/small");
            await succeeds(file);
        });

        describe("a check of files that is impossible, as", () => {
            const script = `
                daemon_installed() { :; }
                daemon_validate() { :; }
                daemon_preflight() { :; }
                daemon_running() { running_digest= running_since=; }
                daemon_activation() { activation=start activation_reason=always; }`;
            const transaction: Resource = {
                kind: "transaction",
                name: "daemon",
                directory: "/srv/daemon",
                files: [{ path: "/srv/daemon/declared", content: "x\n" }],
                adapter: { name: "daemon", script, parameters: {} },
            };
            before(() => host().exec("mkdir -p /srv/daemon"));
            after(() => host().exec("rm -rf /srv/daemon"));

            it("the directory does not fit into /run", async () => {
                const room = "/run/haproxy-fleet";
                await host().exec(`
                    head -c 3000000 /dev/zero >/srv/daemon/core
                    mkdir -p ${room}; mount -t tmpfs -o size=2m tmpfs ${room}`);
                try {
                    const words =
                        /\/srv\/daemon has \d+ KiB, and the copy that the daemon checks does not fit into \/run, in memory; move/;
                    const { refused } = await new Convergence(target(), [transaction]).whyRun();
                    assert.match(refused.map((judgement) => `${judgement.stage}: ${judgement.words}`).join(), words);
                    assert.match(await fails(transaction), words);
                } finally {
                    await host().exec(`rm /srv/daemon/core; umount ${room}`);
                }
            });

            it("the container has no mount namespaces", async () => {
                const payload = new Convergence(target(), [transaction]).payload();
                await host().writeFile("/run/payload", payload);
                const { stdout } = await host().exec(
                    "systemd-run --quiet --pipe --wait -p RestrictNamespaces=yes /bin/sh /run/payload why-run",
                );
                const [judgement] = parseWhyRun(stdout).refused;
                assert.match(
                    `${judgement?.stage}: ${judgement?.words}`,
                    /^stage: unshare: .*Operation not permitted\nthis host does not let root mount in a namespace .* or use a virtual machine$/,
                );
                assert.deepEqual((await new Convergence(target(), [transaction]).whyRun()).refused, []);
            });
        });

        it("a read-only file system", async () => {
            await host().exec("mkdir -p /srv/fixed && mount -t tmpfs -o ro tmpfs /srv/fixed");
            const file: Resource = { kind: "file", path: "/srv/fixed/file", content: "x" };
            assert.match(
                await fails(file),
                /^file\[\/srv\/fixed\/file\] failed: the file system is mounted read-only; look for disk errors/m,
            );
            await host().exec("umount /srv/fixed");
            await succeeds(file);
        });

        it("a deadline that has passed", async () => {
            const command = "touch /run/begun; sleep infinity";
            const slow: Resource = { kind: "execute", name: "slow", command, creates: "/srv/never" };
            await withinDeadline(async (seconds) => {
                const { code, stderr } = await new Convergence(target(), [slow]).up(undefined, seconds);
                assert.equal(code, 1, stderr);
                if ((await host().exec("rm /run/begun", { check: false })).code !== 0) return false;
                assert.match(
                    stderr,
                    /^the converge was ended at its deadline, after \d+ s; .* its last words: execute\[slow\]: run$/m,
                );
                return true;
            });
        });

        it("a step with too much output, and with output that is not text", async () => {
            const commands = [
                "head -c 1000000 /dev/zero | tr '\\0' a",
                "head -c 200000 /dev/urandom",
                "head -c 100000 /dev/zero",
                "printf '\\377\\376 \\033[2J\\033]0;title\\007 \\r \\303\\n'",
                "yes line | head -n 100000",
            ];
            for (const command of commands) {
                const said = await fails({
                    kind: "execute",
                    name: "noise",
                    command: `${command}; ${command} >&2; exit 3`,
                    creates: "/srv/never",
                });
                assert.match(said, /^execute\[noise\] failed: the last step failed$/m);
                assert(said.length < 6000, `${said.length} characters`);
            }
        });

        it("errors of a condition and of a shell", async () => {
            const { code, stderr } = await new Convergence(target(), [
                { kind: "execute", name: "noise", command: "true", onlyIf: "head -c 300000 /dev/urandom >&2; false" },
            ]).up(
                redefine("report_changes() { head -c 300000 /dev/zero >&2; yes | head -c 300000 | tr -d '\\n' >&2; }"),
            );
            assert.equal(code, 0);
            for (const line of stderr.split("\n")) assert.match(line, /^[ -~]{0,300}$/);
        });

        it("an operating system that is too old", async () => {
            const old = redefine("find_systemd_version() { systemd_version=229; }");
            const converge = new Convergence(target(), [earlier]);
            const { code, stderr } = await converge.up(old);
            assert.deepEqual(
                { code, stderr },
                { code: 1, stderr: "refused: this host is too old: systemd 229, needed is 237 or newer\n" },
            );
            const { answer, close } = await probeOverSsh(target(), converge.payload(old), undefined);
            close();
            assert.deepEqual(
                answer.refused.map(({ words }) => words),
                ["this host is too old: systemd 229, needed is 237 or newer"],
            );
        });
    });

    it("is not caused by a package that lacks its dependencies, nor said to be an interruption", async () => {
        await host().exec(`
            apt-get -qq purge -y tree >/dev/null 2>&1; apt-get -qq install -y jq >/dev/null
            dpkg --force-depends --purge libonig5 2>/dev/null`);
        const { code, stderr } = await new Convergence(target(), [{ kind: "packages", names: ["tree"] }]).up();
        assert.equal(code, 0, stderr);
        assert.doesNotMatch(stderr, /interrupted/);
        await host().exec("dpkg --audit; jq --version");
    });

    for (const become of [undefined, "sudo"] as const)
        it(`of the connection leaves nothing of a why-run behind${become ? ", under sudo" : ""}`, async () => {
            await lab().addSudoUser("lb1");
            const onlyIf = "sleep 86411 & timeout 86412 sh -c 'sleep 86413; :'";
            const slow: Resource = { kind: "execute", name: "slow", command: ":", onlyIf };
            const payload = new Convergence(target(), [slow]).payload();
            const [ssh = "", ...args] = host().ssh(become ? "ops" : "root", askCommand("why-run", become));
            const client = spawn(ssh, args, { stdio: ["pipe", "ignore", "ignore"] });
            client.stdin.end(payload);
            const left = async () =>
                (await host().exec("pgrep -f '[s]leep 8641'; ls -d /run/haproxy-fleet/in.*", { check: false })).stdout;
            await until("the condition runs", async () => (await left()).split("\n").length > 5);
            client.kill("SIGKILL");
            await until("it has ended", async () => (await left()) === "", 10_000);
        });

    it("is not caused by needrestart, which restarts what uses an old library", async () => {
        const waits = "touch /run/waits; until [ -e /run/go ]; do sleep 0.1; done; touch /srv/waited";
        await host().exec(`
            apt-get -qq purge -y tree >/dev/null 2>&1
            apt-get -qq install -y needrestart >/dev/null 2>&1
            echo '$nrconf{restart} = "a";' >/etc/needrestart/conf.d/a.conf
            rm -f /run/waits /run/go
            printf '[Service]\nExecStart=sleep infinity\n' >/run/systemd/system/bystander.service
            systemctl start bystander`);
        const bystander = async () => (await host().exec("systemctl show -P MainPID bystander")).stdout;
        const upgradeLibrary = () => host().exec("cd /lib/*-linux-gnu; cp libc.so.6 new; mv new libc.so.6");
        const converged = new Convergence(target(), [
            { kind: "execute", name: "waits", command: waits, creates: "/srv/waited" },
            { kind: "packages", names: ["tree"] },
        ]).up();
        try {
            await until("it runs", async () => (await host().exec("ls /run/waits", { check: false })).code === 0);
            await upgradeLibrary();
            const first = await bystander();
            const { stdout } = await host().exec("needrestart -l || [ $? = 141 ]");
            assert.match(stdout, /refused by systemd:\n haproxy-fleet-converge\.service/);
            const second = await bystander();
            assert.notEqual(second, first, "needrestart restarts nothing");
            await upgradeLibrary();
            await host().exec("touch /run/go");
            const { code, stderr } = await converged;
            assert.equal(code, 0, stderr);
            assert.equal(await bystander(), second, "the converge's own package manager has restarted it");
        } finally {
            // Else the next tests wait for its converge, and their packages for needrestart.
            await host().exec("touch /run/go");
            await converged.catch(() => undefined);
            await host().exec("systemctl stop bystander; dpkg --purge needrestart 2>&1");
        }
    });

    /** Locks the package manager like another one. Has the lock when it returns. */
    async function holdLock(path: string): Promise<{ release(): Promise<unknown> }> {
        await host().exec(`systemd-run -q --unit=holder --service-type=notify perl -MFcntl -MSocket -e '
            open(F, ">>", "${path}"); my $lock = pack("ssqql", F_WRLCK, 0, 0, 0, 0);
            fcntl(F, F_SETLKW, $lock) or die; socket(S, AF_UNIX, SOCK_DGRAM, 0);
            send(S, "READY=1", 0, sockaddr_un($ENV{NOTIFY_SOCKET})) or die; sleep'`);
        return { release: () => host().exec("systemctl stop holder") };
    }
});
