import assert from "node:assert/strict";
import { quote } from "../../../lab/machine/exec";
import { redefine } from "../../support/converge";
import { atStart } from "./edit";
import { repair } from "./faults";
import type { LoadBalancerHost } from "./loadBalancerHost";

/** Settings of the systemd unit: which program, arguments, files and environment the service has. */
export function unitSettings(loadBalancer: () => LoadBalancerHost): void {
    before(() => loadBalancer().converge());
    afterEach(() =>
        loadBalancer().shell(`${repair}; rm -rf /srv/extra /usr/local/sbin/haproxy
            sed -i '/^EXTRAOPTS=/d; /^CONFIG=/d' /etc/default/haproxy
            ${dropIn()}`),
    );

    const declared = (refusal: RegExp, variation: Parameters<LoadBalancerHost["declare"]>[0]) =>
        loadBalancer()
            .declare(variation)
            .preview()
            .then(({ text, refused }) => {
                assert.ok(refused, text);
                assert.match(text, refusal);
                return text;
            });
    const setting = (line: string) => loadBalancer().shell(`echo ${quote(line)} >>/etc/default/haproxy`);
    const START = "/usr/sbin/haproxy -Ws -p $PIDFILE $EXTRAOPTS";

    const otherFiles: [name: string, prepare: string, words: string][] = [
        [
            "CONFIG in /etc/default/haproxy",
            "echo 'CONFIG=/srv/extra/other.cfg' >>/etc/default/haproxy",
            "reads /srv/extra/other.cfg, as /etc/default/haproxy says, not /etc/haproxy/haproxy.cfg; correct or remove that setting\n",
        ],
        [
            "Environment in a drop-in",
            dropIn('Environment="CONFIG=/srv/extra/other.cfg"'),
            "reads /srv/extra/other.cfg, as /run/systemd/system/haproxy.service.d/90-test.conf says, not /etc/haproxy/haproxy.cfg; correct or remove that setting, then run systemctl daemon-reload\n",
        ],
        [
            "files in a drop-in's command line",
            dropIn("ExecStart=", `ExecStart=${START} -f /srv/extra/other.cfg -C /srv -- extra/more.cfg`),
            "reads /srv/extra/other.cfg, /srv/extra/more.cfg, as /run/systemd/system/haproxy.service.d/90-test.conf says, not",
        ],
        [
            "a command line without a file",
            dropIn("ExecStart=", `ExecStart=${START}`),
            "names no file for HAProxy to read (see /run/systemd/system/haproxy.service.d/90-test.conf); add -f /etc/haproxy/haproxy.cfg",
        ],
    ];
    for (const [name, prepare, words] of otherFiles)
        it(`refuses ${name} that makes the service read another file`, async () => {
            await loadBalancer().shell(
                `mkdir -p /srv/extra; sed s/app1/other/ /etc/haproxy/haproxy.cfg | tee /srv/extra/more.cfg >/srv/extra/other.cfg; ${prepare}`,
            );
            const wrong = { mark: "elsewhere", raw: ["http-request nonsense"] };
            const state = await loadBalancer().state();
            assert.ok((await declared(/refused at preflight/, wrong)).includes(`haproxy.service ${words}`), words);
            const began = Date.now();
            const { code, stderr } = await loadBalancer().declare(wrong).up();
            assert.equal(code, 1);
            assert.ok(stderr.includes(`haproxy.service ${words.split(";")[0]}`), stderr);
            assert.ok(Date.now() - began < 30_000, "the up waited");
            assert.equal(await loadBalancer().state(), state);
        });

    it("refuses that on a host that was never converged, too", async () => {
        await loadBalancer().shell(`cp -r /var/lib/haproxy-fleet /etc/systemd/system/haproxy.service.d /srv
            rm -r /var/lib/haproxy-fleet /etc/systemd/system/haproxy.service.d; systemctl daemon-reload`);
        await setting("CONFIG=/srv/other.cfg");
        const { text, refused } = await loadBalancer().declare({ mark: "taken" }).preview();
        await loadBalancer().shell(`mv /srv/haproxy-fleet /var/lib; mv /srv/haproxy.service.d /etc/systemd/system
            systemctl daemon-reload`);
        assert.ok(refused, text);
        assert.match(text, /refused at preflight:\n +haproxy\.service reads \/srv\/other\.cfg, as \/etc\/default/);
    });

    const sameFile: [name: string, line: string][] = [
        ["its directory", "/etc/haproxy"],
        ["another notation", '"/etc//haproxy/./haproxy.cfg"  '],
        ["a link to it", "/srv/extra/link.cfg"],
        ["a link to its directory", "/srv/extra/haproxy/haproxy.cfg"],
    ];
    for (const [name, path] of sameFile)
        it(`accepts ${name} as the service's file, and checks what it would read`, async () => {
            await loadBalancer().shell(
                "mkdir -p /srv/extra; ln -s /etc/haproxy/haproxy.cfg /srv/extra/link.cfg; ln -s /etc/haproxy /srv/extra/haproxy",
            );
            await setting(`CONFIG=${path}`);
            await declared(/refused at validation:[\s\S]*expects .* but got 'nonsense'/, {
                raw: ["http-request nonsense"],
            });
            const { text, refused } = await loadBalancer().declare({ mark: "same" }).preview();
            assert.ok(!refused, text);
            assert.match(text, /reload: no connection is lost/);
        });

    it("restarts a process that was started with another file, since a reload would read that again", async () => {
        await loadBalancer().shell(
            "mkdir -p /srv/extra; sed s/app1/other/ /etc/haproxy/haproxy.cfg >/srv/extra/other.cfg",
        );
        await setting("CONFIG=/srv/extra/other.cfg");
        await loadBalancer().shell("systemctl restart haproxy; sed -i /^CONFIG=/d /etc/default/haproxy");
        const { text } = await loadBalancer().declare({ mark: "back" }).preview();
        assert.match(
            text,
            /restart: the running process was started with other files \(\/srv\/extra\/other\.cfg\), which a reload would read again/,
        );
        await loadBalancer().converge({ mark: "back" });
        assert.equal(await loadBalancer().answer(), "app1 back");
        assert.equal((await loadBalancer().declare({ mark: "back" }).preview()).text, "");
    });

    it("restarts a service that cannot be reloaded, and says so in the preview", async () => {
        await loadBalancer().converge();
        await loadBalancer().shell(dropIn("ExecReload="));
        const { text, refused } = await loadBalancer().declare({ mark: "unit" }).preview();
        assert.ok(!refused, text);
        assert.match(text, /an up would converge it and restart\n/);
        assert.match(
            text,
            /restart: haproxy\.service has no ExecReload, so connections are lost; .*kill -USR2 \$MAINPID/,
        );
        const [master] = (await loadBalancer().processes()).split(" ");
        await loadBalancer().converge({ mark: "unit" });
        assert.equal(await loadBalancer().answer(), "app1 unit");
        assert.notEqual((await loadBalancer().processes()).split(" ")[0], master);
        // A failed restart, too, ends with the last good files.
        const { code, stderr } = await loadBalancer()
            .declare({ mark: "lost" })
            .up(
                atStart(
                    "haproxy_activate",
                    "[ -e /run/struck ] || { touch /run/struck; echo 'nonsense here' >>/etc/haproxy/haproxy.cfg; }",
                ),
            );
        await loadBalancer().shell("rm /run/struck");
        assert.equal(code, 1);
        assert.match(stderr, /last good files are back and active/);
        assert.equal(await loadBalancer().answer(), "app1 unit");
    });

    it("finds HAProxy behind a program that starts it", async () => {
        await loadBalancer().shell(
            dropIn(
                "ExecStart=",
                "ExecStart=/usr/bin/nice -n 0 /usr/sbin/haproxy -Ws -f $CONFIG -p $PIDFILE $EXTRAOPTS",
            ),
        );
        const { text, refused } = await loadBalancer().declare({ mark: "nice" }).preview();
        assert.ok(!refused, text);
        await declared(/refused at validation:[\s\S]*expects .* but got 'nonsense'/, {
            raw: ["http-request nonsense"],
        });
    });

    it("asks the program that the unit runs for its version, not the one on PATH", async () => {
        const old = "printf '#!/bin/sh\\necho HA-Proxy version 1.8.0; exit 1\\n'";
        await loadBalancer().shell(`${old} >/usr/local/sbin/haproxy; chmod +x /usr/local/sbin/haproxy`);
        const { text, refused } = await loadBalancer().declare({ mark: "path" }).preview();
        assert.ok(!refused, text);
        await loadBalancer().shell(`mkdir /srv/extra; cp -p /usr/local/sbin/haproxy /srv/extra/old; rm /usr/local/sbin/haproxy
            ${dropIn("ExecStart=", `ExecStart=/srv/extra/old -f $CONFIG ${START.slice(START.indexOf("-Ws"))}`)}`);
        await declared(/this host has haproxy 1\.8\.0, the configuration is for 2\.6 or newer; upgrade the host/, {
            mark: "path",
        });
        await loadBalancer().shell("rm /srv/extra/old");
        await declared(
            /haproxy\.service runs \/srv\/extra\/old \(see .*90-test\.conf\), which does not exist; install it, or correct the unit/,
            { mark: "path" },
        );
    });

    it("checks with the unit's options from /etc/default/haproxy", async () => {
        await loadBalancer().host.writeFile("/srv/extra/more.cfg", "frontend more\n    nonsense more\n");
        await setting('EXTRAOPTS="-S /run/haproxy-master.sock -f /srv/extra/more.cfg"');
        await declared(/more\.cfg:2.*unknown keyword 'nonsense'/, { mark: "extra" });
        // systemd does not read the file as shell: without quotes it is one value, too.
        await loadBalancer().shell("sed -i /EXTRAOPTS=/d /etc/default/haproxy");
        await setting("EXTRAOPTS=-S /run/haproxy-master.sock -f /srv/extra/more.cfg");
        await declared(/more\.cfg:2.*unknown keyword 'nonsense'/, { mark: "extra" });
    });

    it("checks with the unit's environment even if an old systemd does not print it", async () => {
        const old = redefine(
            `systemctl() { command systemctl "$@" | sed '/^Environment=/s/"[^"]* [^"]*"/[unprintable]/g'; }`,
        );
        const { code, stderr } = await loadBalancer().declare({ mark: "old" }).up(old);
        assert.equal(code, 0, stderr);
        await loadBalancer().shell(dropIn('Environment="EXTRAOPTS=-S /run/$(id)/"'));
        const refused = await loadBalancer().declare({ mark: "older" }).up(old);
        assert.match(refused.stderr, /no master socket/);
    });

    it("reports the shell's words about an unreadable command line", async () => {
        await loadBalancer().shell(
            dropIn("ExecStart=", "ExecStart=/usr/sbin/haproxy -Ws -f $CONFIG -p /run/(pid) $EXTRAOPTS"),
        );
        await declared(/refused at validation:\n.*Syntax error: "\(" unexpected/, { mark: "brackets" });
    });

    it("restarts a process without the master socket, since its reload could not be proven", async () => {
        await loadBalancer().shell(`${dropIn('Environment="EXTRAOPTS=-q"')}; systemctl restart haproxy; ${dropIn()}`);
        const { text } = await loadBalancer().declare({ mark: "mute" }).preview();
        assert.match(text, /restart: the running process has no master socket, which reloads are proven with/);
        await loadBalancer().converge({ mark: "mute" });
        assert.equal(await loadBalancer().answer(), "app1 mute");
        assert.equal((await loadBalancer().declare({ mark: "mute" }).preview()).text, "");
    });

    it("refuses a unit without the master socket, on which all proof depends", async () => {
        await loadBalancer().shell("echo 'EXTRAOPTS=-q' >>/etc/default/haproxy");
        await declared(/no master socket, which reloads are proven with; add -S \/run\/haproxy-master\.sock/, {
            mark: "blind",
        });
    });
}

/** Shell that gives the unit a drop-in with these lines, or removes it if there are none. */
function dropIn(...lines: string[]): string {
    const directory = "/run/systemd/system/haproxy.service.d";
    const file = `${directory}/90-test.conf`;
    const text = ["[Service]", ...lines, ""].join("\n");
    if (lines.length === 0) return `[ ! -e ${file} ] || { rm ${file}; systemctl daemon-reload; }`;
    return `mkdir -p ${directory}; printf %s ${quote(text)} >${file}; systemctl daemon-reload`;
}
