import assert from "node:assert/strict";
import type { Resource } from "../../components/convergence/kinds/index";
import type { Host } from "../../lab/host";
import { Convergence } from "../support/converge";
import { describeLab, withLab } from "../support/lab";
import { smallLoadBalancer } from "../support/smallLoadBalancer";
import { sshTargetOf } from "../support/sshTarget";

const SLEEPER = "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n";
const CONFFILE = "/etc/ssh/moduli";
const PROFILE = "/etc/profile.d/kept.sh";

/** The resources that leave the run list. */
const leaving: Resource[] = [
    { kind: "packages", names: ["socat"] },
    { kind: "group", name: "crew" },
    { kind: "user", name: "sailor", group: "crew" },
    { kind: "file", path: "/etc/plain", content: "ours\n" },
    { kind: "file", path: PROFILE, content: "ours\n" },
    { kind: "file", path: CONFFILE, content: "ours\n", mode: "0600" },
    { kind: "directory", path: "/srv/emptied" },
    { kind: "file", path: "/srv/emptied/file", content: "ours\n" },
    { kind: "directory", path: "/srv/used" },
    { kind: "file", path: "/srv/used/file", content: "ours\n" },
    { kind: "systemdUnit", name: "sleeper.service", content: SLEEPER },
    { kind: "service", name: "sleeper.service" },
    { kind: "systemdUnit", name: "ssh.service.d/10-nice.conf", content: "[Service]\nNice=5\n" },
    { kind: "service", name: "theirs1.service", removed: "stop" },
    { kind: "service", name: "theirs2.service", removed: "restart" },
    { kind: "systemdUnit", name: "theirs2.service.d/10-nice.conf", content: "[Service]\nNice=5\n" },
    { kind: "service", name: "theirs3.service", running: false, removed: "restart" },
];

describeLab("prune: resources that leave the run list are undone", () => {
    const lab = withLab([{ name: "lb1", image: "bare" }]);
    let host: Host;
    let convergence: Convergence;
    const out = async (command: string) => (await host.exec(command, { check: false })).stdout.trim();
    const up = async (resources: Resource[]) => {
        convergence.resources = resources;
        const { code, stderr } = await convergence.up();
        assert.equal(code, 0, stderr);
        assert.equal((await convergence.preview()).text, "");
    };
    const previewOf = async (resources: Resource[]) => {
        convergence.resources = resources;
        return (await convergence.preview()).text;
    };

    before("a host", () => {
        host = lab().host("lb1");
        convergence = new Convergence(sshTargetOf(lab(), host), []);
    });

    describe("resources of every kind", () => {
        let original: string;
        let said: string;

        before("they are converged, used and removed", async () => {
            await host.exec(`echo theirs >${PROFILE}; chmod 0640 ${PROFILE}; chown daemon:mail ${PROFILE}`);
            for (const n of [1, 2, 3])
                await host.writeFile(`/etc/systemd/system/theirs${n}.service`, SLEEPER.replace("infinity", "86400"));
            await host.exec("systemctl daemon-reload");
            original = await out(`stat -c '%a %U:%G' ${CONFFILE}; md5sum <${CONFFILE}`);
            await up(leaving);
            assert.equal(
                await out(`cat ${PROFILE} ${CONFFILE}; systemctl is-active sleeper; systemctl show -P Nice ssh`),
                "ours\nours\nactive\n5",
            );
            await host.exec("echo >/srv/used/somebody-elses");
            await host.exec("systemctl restart theirs2");
            assert.equal(await niceOf("theirs2"), "5");
            said = await previewOf([]);
            await up([]);
        });

        const niceOf = (unit: string) => out(`cut -d' ' -f19 /proc/$(systemctl show -P MainPID ${unit})/stat`);

        it("are named in the preview", () => {
            const undone = said.split("\n").flatMap((line) => / (\S+) has left the run list/.exec(line)?.[1] ?? []);
            assert.deepEqual(
                undone.sort(),
                [
                    "directory[/srv/emptied]",
                    `file[${CONFFILE}]`,
                    "file[/etc/plain]",
                    `file[${PROFILE}]`,
                    "file[/srv/emptied/file]",
                    "file[/srv/used/file]",
                    "systemdUnit[sleeper.service]",
                    "service[theirs1.service]",
                    "service[theirs2.service]",
                    "systemdUnit[ssh.service.d/10-nice.conf]",
                    "systemdUnit[theirs2.service.d/10-nice.conf]",
                ].sort(),
            );
        });

        it("a plain file is removed", async () => assert.equal(await out("ls /etc/plain /srv/used/file"), ""));

        it("an earlier file comes back unchanged", async () =>
            assert.equal(await out(`cat ${PROFILE}; stat -c '%a %U:%G' ${PROFILE}`), "theirs\n640 daemon:mail"));

        it("a package's configuration file goes back to the package's version", async () =>
            assert.equal(await out(`stat -c '%a %U:%G' ${CONFFILE}; md5sum <${CONFFILE}`), original));

        it("a unit is stopped, disabled and removed", async () => {
            assert.equal(await out("systemctl is-active sleeper; pgrep -fx '/bin/sleep infinity'"), "inactive");
            assert.equal(await out("find /etc/systemd/system -name '*sleeper*'"), "");
        });

        it("a drop-in is removed, and systemd reloads its units", async () => {
            assert.equal(await out("ls -d /etc/systemd/system/ssh.service.d"), "");
            assert.equal(await out("systemctl show -P Nice -P NeedDaemonReload ssh"), "0\nno");
        });

        it("a service stops or restarts if it says so, after what was declared later", async () => {
            assert.match(said, /service\[theirs1.service\] has left the run list, would be stopped and disabled/);
            assert.match(said, /service\[theirs2.service\] has left the run list, would be restarted/);
            assert.equal(await out("systemctl is-active theirs1; systemctl is-enabled theirs1"), "inactive\ndisabled");
            assert.equal(await niceOf("theirs2"), "0");
            assert.equal(await out("systemctl is-active theirs3"), "inactive");
        });

        it("a directory is removed if it is empty, and stays if it is used", async () =>
            assert.equal(await out("ls -d /srv/emptied /srv/used/*"), "/srv/used/somebody-elses"));

        it("packages and accounts stay", async () => {
            assert.match(await out("dpkg-query -W -f '${Status}' socat"), /^install ok installed$/);
            assert.equal(await out("id -gn sailor"), "crew");
        });

        it("the records of undone resources are removed", async () => {
            assert.equal(await out("cat /var/lib/haproxy-fleet/manifest; find /var/lib/haproxy-fleet/original"), "");
        });
    });

    describe("special cases", () => {
        it("a file that is declared a second time goes back to its content before that", async () => {
            await host.exec(`echo second >${PROFILE}`);
            await up([{ kind: "file", path: PROFILE, content: "ours\n" }]);
            await up([]);
            assert.equal(await out(`cat ${PROFILE}`), "second");
        });

        it("a configuration file that was edited before goes back to the package's version", async () => {
            const shipped = await out(`md5sum <${CONFFILE}`);
            await host.exec(`echo edited >${CONFFILE}`);
            await up([{ kind: "file", path: CONFFILE, content: "ours\n" }]);
            await up([]);
            assert.equal(await out(`md5sum <${CONFFILE}; stat -c '%a %U:%G' ${CONFFILE}`), `${shipped}\n644 root:root`);
        });

        it("a configuration file without a kept original goes back to the package's version, too", async () => {
            const shipped = await out(`md5sum <${CONFFILE}`);
            await up([{ kind: "file", path: CONFFILE, content: "ours\n" }]);
            await host.exec("rm -r /var/lib/haproxy-fleet/original");
            await up([]);
            assert.equal(await out(`md5sum <${CONFFILE}; stat -c '%a %U:%G' ${CONFFILE}`), `${shipped}\n644 root:root`);
        });

        it("a file that was removed by hand is neither undone nor recorded", async () => {
            await up([{ kind: "file", path: "/etc/plain", content: "ours\n" }]);
            await host.exec("rm /etc/plain");
            assert.match(await previewOf([]), /would be rewritten/);
            await up([]);
            await host.exec("echo theirs >/etc/plain");
            assert.equal(await previewOf([]), "");
        });

        it("an earlier file comes back even if ours was removed by hand", async () => {
            await host.exec(`echo third >${PROFILE}`);
            await up([{ kind: "file", path: PROFILE, content: "ours\n" }]);
            await host.exec(`rm ${PROFILE}`);
            assert.match(await previewOf([]), /profile.d\/kept.sh\] has left the run list/);
            await up([]);
            assert.equal(await out(`cat ${PROFILE}`), "third");
        });

        it("a package's script goes back with its mode", async () => {
            const script = "/etc/init.d/ssh";
            const shipped = await out(`stat -c '%a %U:%G' ${script}; md5sum <${script}`);
            assert.match(shipped, /^755 /);
            await host.exec(`echo edited >>${script}`);
            await up([{ kind: "file", path: script, content: "ours\n" }]);
            await up([]);
            assert.equal(await out(`stat -c '%a %U:%G' ${script}; md5sum <${script}`), shipped);
        });

        it("a path that another kind of resource now has is left to it", async () => {
            await up([{ kind: "file", path: "/etc/systemd/system/sleeper.service", content: SLEEPER }]);
            await up([{ kind: "systemdUnit", name: "sleeper.service", content: SLEEPER }]);
            assert.equal(await out("cat /etc/systemd/system/sleeper.service"), SLEEPER.trim());
            await up([]);
            assert.equal(await out("ls /etc/systemd/system/sleeper.service"), "");
        });

        it("an administrator's unit comes back and goes on running", async () => {
            const unit = "/etc/systemd/system/theirs.service";
            await host.exec(
                `printf '${SLEEPER.replaceAll("\n", "\\n")}# theirs' >${unit}; systemctl -q enable --now theirs`,
            );
            const pid = await out("systemctl show -P MainPID theirs");
            // The same path as a unit, then as a file: the first original is kept.
            await up([{ kind: "systemdUnit", name: "theirs.service", content: SLEEPER }]);
            await up([{ kind: "file", path: unit, content: `${SLEEPER}# ours\n` }]);
            await up([{ kind: "systemdUnit", name: "theirs.service", content: SLEEPER }]);
            assert.equal(await out(`cat ${unit}`), SLEEPER.trim());
            assert.match(await previewOf([]), /systemdUnit\[theirs.service\] has left the run list/);
            await up([]);
            assert.match(await out(`cat ${unit}`), /# theirs$/);
            assert.equal(
                await out("systemctl show -P MainPID -P UnitFileState -P NeedDaemonReload theirs"),
                `${pid}\nenabled\nno`,
            );
        });

        it("a converge killed after it has removed a drop-in: the next run makes systemd reload its units", async () => {
            await up([{ kind: "systemdUnit", name: "ssh.service.d/10-nice.conf", content: "[Service]\nNice=5\n" }]);
            await host.exec("rm /etc/systemd/system/ssh.service.d/10-nice.conf");
            assert.match(await previewOf([]), /systemdUnit\[ssh.service.d\/10-nice.conf\] has left the run list/);
            await up([]);
            assert.equal(await out("systemctl show -P Nice ssh; ls -d /etc/systemd/system/ssh.service.d"), "0");
        });

        it("haproxy's configuration goes back to its package's, and the service goes on", async () => {
            await up(smallLoadBalancer());
            const pid = await out("systemctl show -P MainPID haproxy");
            await up([]);
            assert.equal(await out("dpkg --verify haproxy"), "");
            assert.equal(await out("systemctl show -P MainPID haproxy"), pid);
        });
    });
});
