import assert from "node:assert/strict";
import type { PackageVersions } from "../../components/hostSetup/packageVersions";
import { withPackageVersions } from "../../components/hostSetup/packageVersions";
import { haproxy } from "../../components/recipes/haproxy/index";
import { Convergence, redefine } from "../support/converge";
import { killAt } from "../support/killAt";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";
import { FIRST, OTHERS, OWN, provideOwnPackages, REFUSING, SECURE } from "./packageVersions/ownPackages";
import { bothLoads } from "./transaction/load";
import { LoadBalancerHost } from "./transaction/loadBalancerHost";

describeLab("versions of packages", () => {
    const lab = withLab([
        { name: "lb1", image: "haproxy" },
        { name: "lb2", image: "bare" },
        { name: "app1", image: "app", tags: ["one::app"] },
    ]);
    const on = (name = "lb1") => new LoadBalancerHost(lab(), name);

    /** The load balancer with these versions. `port`: where its server is. */
    function declare(packages: PackageVersions, port = 80, name = "lb1"): Convergence {
        const config = on(name).config();
        const [backend] = config.backends ?? [];
        const servers = [{ name: "app1", address: lab().host("app1").address, port, check: true, inter: "500ms" }];
        const resources = haproxy({ ...config, backends: [{ ...backend, name: "app", servers }] });
        return new Convergence(sshTargetOf(lab(), lab().host(name)), withPackageVersions(resources, packages));
    }
    async function up(declared: Convergence): Promise<string> {
        const { code, stderr } = await declared.up();
        assert.equal(code, 0, stderr);
        assert.equal((await declared.preview()).text, "");
        return stderr;
    }
    const installed = (name = "lb1", of = "haproxy") =>
        on(name).shell(`dpkg-query -W -f '\${Status} \${Version}' ${of} || true`);
    const versions = async () => [...(await on().master("show proc")).matchAll(/ (2\.6\S+)/g)].map(([, one]) => one);
    /** What a restart changes, and how often the unit was reloaded. */
    const service = () =>
        on().shell(`systemctl show -p InvocationID -p NRestarts haproxy
            journalctl -q -o cat -u haproxy | grep -c '^Reloaded '`);

    before("HAProxy, and packages of our own", async () => {
        await provideOwnPackages(on().host);
        await up(declare({}));
    });

    it("downgrades and upgrades under load with one reload each, and then finds nothing to do", async () => {
        const load = await bothLoads(on().url);
        const [invocation, restarts, reloads] = (await service()).split("\n");
        const down = declare({ haproxy: FIRST });
        const { text, severity } = await down.preview();
        assert.equal(severity, "info");
        assert.match(
            text,
            /declared anew: installed is haproxy \S+u4, declared \S+u3\n +reload: no connection is lost/,
        );
        await up(down);
        assert.equal(await installed(), `install ok installed ${FIRST}`);
        assert.deepEqual(await versions(), [FIRST, FIRST]);
        await up(declare({ haproxy: { version: SECURE, hold: true } }));
        assert.equal(await installed(), `hold ok installed ${SECURE}`);
        assert.deepEqual(await versions(), [SECURE, SECURE]);
        assert.equal(await service(), [invocation, restarts, Number(reloads) + 2].join("\n"));
        const { requests, ...lost } = await load.stop();
        assert.deepEqual(lost, { refused: 0, socketErrors: 0 });
        assert.ok(requests > 1000, `only ${requests} requests`);
    });

    it("keeps a hold, and releases it when it leaves the run list", async () => {
        await on().shell("apt-mark unhold haproxy");
        const held = declare({ haproxy: { version: SECURE, hold: true } });
        assert.match((await held.preview()).text, /drift: haproxy is not on hold/);
        await up(held);
        assert.equal(await on().shell("apt-mark showhold"), "haproxy");
        const free = declare({ haproxy: SECURE });
        assert.match((await free.preview()).text, /hold\[haproxy\] has left the run list, would be undone/);
        await up(free);
        assert.equal(await on().shell("apt-mark showhold"), "");
    });

    it("ends the same after it was killed while a package was half installed, and at each step from there on", async () => {
        const [invocation, restarts, reloads] = (await service()).split("\n");
        const declared = declare({ haproxy: OWN });
        await on().shell("touch /root/slow");
        const killed = declared.up();
        await until("it is half installed", async () => (await on().shell("ls /root")).includes("half"));
        await on().shell("systemctl kill -s KILL haproxy-fleet-converge; rm /root/slow");
        assert.notEqual((await killed).code, 0);
        assert.match(await installed(), /half-configured/);
        assert.match((await declared.preview()).text, /an installation was interrupted: haproxy half-configured/);
        let steps = 0;
        while ((await declared.up(killAt(++steps, "after", "transaction[haproxy]"))).code !== 0) {
            assert.equal(await on().answer(), "app1");
        }
        assert.ok(steps > 5, `only ${steps} steps`);
        assert.equal((await declared.preview()).text, "");
        assert.equal(await installed(), `install ok installed ${OWN}`);
        assert.deepEqual(await versions(), [SECURE, SECURE]);
        assert.equal(await service(), [invocation, restarts, Number(reloads) + 1].join("\n"));
        assert.equal(await on().shell("ls /var/lib/haproxy-fleet/packages"), "");
    });

    it("reports what others upgrade, and reloads if they have not", async () => {
        const declared = declare({ haproxy: OWN });
        const install = `apt-get -qq --yes -o Dpkg::Use-Pty=0 install haproxy=${OTHERS} 2>&1`;
        const before = await on().processes();
        await on().shell(`SYSTEMD_OFFLINE=1 ${install}`);
        assert.match(
            (await declared.preview()).text,
            /drift: HAProxy runs, but not as the program \/usr\/sbin\/haproxy that is installed now\n +reload:/,
        );
        const said = await up(declared);
        assert.notEqual(await on().processes(), before);
        assert.equal(await installed(), `install ok installed ${OTHERS}`);
        const words = /haproxy is \S+u9, newer than the declared \S+u8; somebody else has upgraded it/;
        assert.match(said, words);
        const { warnings, differences } = await declared.whyRun();
        assert.match(warnings.join("\n"), words);
        assert.deepEqual(differences, []);
        // Debian's own scripts reload.
        await on().shell(`${install.replace("install", "--reinstall install")}`);
        await until("the new program runs", async () => (await declared.preview()).text === "");
    });

    it("refuses a program that refuses the files, and a version that nothing has, and changes nothing", async () => {
        const state = async () => `${await on().state()}\n${await installed()}`;
        const before = await state();
        const refusing = declare({ haproxy: REFUSING });
        const { text, refused } = await refusing.preview();
        assert.ok(refused, text);
        assert.match(text, /refused at validation:\n[\s\S]*haproxy\.cfg:\d+\].*unknown option 'redispatch'/);
        const { code, stderr } = await refusing.up();
        assert.notEqual(code, 0);
        assert.match(stderr, /refused at validation; its files and its running process are untouched/);
        const unknown = await declare({ haproxy: "3.9.9-1" }).preview();
        assert.ok(unknown.refused, unknown.text);
        assert.match(
            unknown.text,
            /haproxy has no version 3\.9\.9-1 in the package lists .*; they have .*u9 .*u4 .*u3 /,
        );
        assert.equal(await state(), before);
    });

    it("previews without a check if the package source does not answer", async () => {
        const proxy = "/etc/apt/apt.conf.d/99proxy";
        await on().shell(`echo 'Acquire::http::Proxy "http://127.0.0.1:3128";' >${proxy}
            systemd-run -q --unit=silent perl -MIO::Socket::INET -e '
                $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:3128", Listen => 9); push @kept, $s->accept while 1'`);
        const declared = declare({ haproxy: FIRST });
        const payload = declared.payload.bind(declared);
        declared.payload = () => payload(redefine("package_seconds=4"));
        const { text, refused } = await declared.preview();
        await on().shell(`systemctl stop silent; rm ${proxy}`);
        assert.ok(!refused, text);
        assert.match(text, /the package could not be downloaded: its source did not send it within 4 s/);
    });

    it("brings the old package and the old files back if the gate fails", async () => {
        const files = await on().files();
        const state = await installed();
        const invocation = (await service()).split("\n")[0];
        const { code, stderr } = await declare({ haproxy: FIRST }, 81).up();
        assert.notEqual(code, 0);
        assert.match(
            stderr,
            /with the new configuration, .*; the old packages and last good files are back and active/,
        );
        assert.equal(await on().files(), files);
        assert.equal(await installed(), state);
        // The program of Debian's package, which says that it is that version.
        assert.deepEqual(await versions(), [SECURE, SECURE]);
        assert.equal((await service()).split("\n")[0], invocation);
        assert.equal((await declare({}).preview()).text, "");
        assert.equal(await on().answer(), "app1");
    });

    it("installs a bare host in a declared version, and finds the newest one although its lists are old", async () => {
        await up(declare({ haproxy: FIRST }, 80, "lb2"));
        assert.equal(await installed("lb2"), `install ok installed ${FIRST}`);
        await on("lb2").shell("find /var/lib/apt/lists -exec touch -d '2 days ago' {} +");
        const newest = declare({ haproxy: "newest" }, 80, "lb2");
        const { text } = await newest.preview();
        assert.match(text, /the package lists are older than a day, would be read anew/);
        assert.match(text, /installed is haproxy \S+u3, the newest is \S+u4\n +reload:/);
        await up(newest);
        assert.equal(await installed("lb2"), `install ok installed ${SECURE}`);
    });
});
