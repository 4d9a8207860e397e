import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { adapterScript } from "../../../../components/scripts";
import { has, Sandbox, SHELLS } from "../../../support/sandbox";

/** The adapter, on a host where tests replace systemd and HAProxy. */
const ADAPTER = `${adapterScript("haproxy")}
label=transaction
polls=0
running_worker=100 running_failed=0 running_digest=old running_old=
haproxy_old_workers=5 haproxy_hard_stop=600 haproxy_unit=haproxy.service haproxy_config=/etc/haproxy/haproxy.cfg
sleep() { :; }
systemctl() { :; }`;

describe("the Perl programs of the adapter", () => {
    const folder = join(__dirname, "../../../../components/recipes/haproxy");
    const programs = ["", "certificates/"].flatMap((part) =>
        readdirSync(join(folder, part)).flatMap((file) => (file.endsWith(".pl") ? [part + file] : [])),
    );

    it("compile", function () {
        if (!has("perl")) this.skip();
        assert.deepEqual(programs.sort(), [
            "ask_master.pl",
            "ask_master.shared.pl",
            "ask_ports.pl",
            "busy_servers.pl",
            "certificates/make_handshakes.pl",
            "judge_servers.pl",
            "watch_servers.pl",
        ]);
        for (const program of programs) {
            const { status, stderr } = spawnSync("perl", ["-c", join(folder, program)], { encoding: "utf8" });
            assert.equal(status, 0, stderr);
        }
    });
});

for (const [name, ...shell] of SHELLS) {
    describe(`the adapter of haproxy under ${name}`, () => {
        let sandbox: Sandbox;
        before(function () {
            if (!has(shell[0] ?? "")) this.skip();
        });
        beforeEach(() => {
            sandbox = new Sandbox(shell);
        });
        afterEach(() => sandbox.remove());

        /** The log of an apply that runs these lines instead of a run list. */
        const said = (redefined: string, lines: string): string => {
            const payload = sandbox.payload([], { shell: `${ADAPTER}\n${redefined}\nrun_list() { ${lines}\n}` });
            sandbox.run(payload, "apply");
            return readFileSync(sandbox.path("run/log.test"), "utf8");
        };

        it("asks the check for the cause of a failure unless the daemon's alerts name one", () => {
            const reasons = (alerts: string) =>
                said(
                    `
                    haproxy_undo() { :; }
                    haproxy_validate() { echo "the check's words"; }
                    journalctl() { [ "$1" = --sync ] || printf '%s\\n' ${alerts}; }`,
                    `activated_at=1 tx_directory=/x; haproxy_reason >&2`,
                )
                    .split("\n")
                    .filter((line) => /words|ALERT|log/.test(line));
            const ended = "[ALERT] (1) : Current worker (2) exited with code 143 (Terminated)";
            const cause = "[ALERT] (1) : config : could not resolve address";
            assert.deepEqual(reasons(`"${ended}" "an access log"`), [ended, "the check's words"]);
            assert.deepEqual(reasons(`"${cause}" "${ended}"`), [cause, ended]);
            assert.deepEqual(reasons('"an access log"'), ["the check's words"]);
        });

        it("leaves out of a refusal what says only that there is an error, unless nothing else is said", () => {
            const words = (...printed: string[]) => {
                const redefined = `
                    haproxy_command() { haproxy_program=sh; }
                    haproxy_unit_files() { return 1; }
                    haproxy_version_fits() { :; }
                    haproxy_check() { printf '%s\\n' ${printed.map((line) => `"${line}"`).join(" ")}; return 1; }`;
                const lines = `stage=${sandbox.path("run")} tx_allowed=; haproxy_validate x >&2`;
                return said(redefined, lines)
                    .split("\n")
                    .filter((line) => line.startsWith("["));
            };
            const cause = "[ALERT] (12) : config : parsing [/etc/haproxy/haproxy.cfg:3] : unknown keyword 'x'";
            const fatal = "[ALERT] (12) : config : Fatal errors found in configuration.";
            const summary = "[ALERT] (12) : config : Error(s) found in configuration file : /etc/haproxy/haproxy.cfg";
            assert.deepEqual(words("[NOTICE] (12) : haproxy version is 2.6", cause, summary, fatal), [
                cause.replace(" (12) :", ""),
            ]);
            assert.deepEqual(words(fatal), [fatal.replace(" (12) :", "")]);
        });

        it("waits equally long for a new worker if the time of day is changed", () => {
            const redefined = `
                date() { printf '%s\\n' "$((polls * 1000))"; }
                haproxy_running() {
                    polls=$((polls + 1))
                    [ "$polls" -lt 5 ] || running_worker=200 running_digest=new
                }
                haproxy_is_installed() { :; }
                haproxy_listens() { :; }
                haproxy_answers() { :; }
                haproxy_reason() { :; }`;
            const lines = `activation=reload tx_digest=new running_others= haproxy_certificates= haproxy_handshakes=; haproxy_prove new >&2; say "proof: $? after $polls polls"`;
            assert.match(said(redefined, lines), /^proof: 0 after 5 polls$/m);
        });

        it("takes a running program for another one only if it is not the installed one", async () => {
            const directory = mkdtempSync("/tmp/installed");
            mkdirSync(`${directory}/haproxy`);
            for (const installed of ["same", "other"]) copyFileSync("/bin/sleep", `${directory}/${installed}`);
            const verdict = async (argv0: string, worker?: number) => {
                const running = spawn(`${directory}/same`, ["60"], { argv0 });
                await once(running, "spawn");
                const lines = `answer="x\${NL}${running.pid} master" running_worker=${worker ?? running.pid}
                    haproxy_is_installed && say installed || say "not $program"`;
                const log = said("", lines);
                running.kill();
                return /^(installed|not .*)$/m.exec(log)?.[0];
            };
            assert.equal(await verdict(`${directory}/same-`), "installed");
            assert.equal(await verdict(`${directory}/other-`), `not ${directory}/other`);
            assert.equal(await verdict(`${directory}/haproxy-2.8/haproxy`), "installed");
            // As if root might not look at it, like no process.
            assert.equal(await verdict(`${directory}/same-`, 99_999_999), "installed");
            rmSync(directory, { recursive: true });
        });

        it("removes what differs between hosts from the checker's words", () => {
            const checked = [
                "[ALERT]    (1196) : config : parsing [/etc/haproxy/haproxy.cfg:4] : unknown keyword 'x'",
                "[ALERT] 332/122516 (7) : parsing [/etc/haproxy/haproxy.cfg:4] : unknown keyword 'x'",
                "[WARNING]  (1196) : config : (2) : odd",
                "    | (1196) : as it is",
            ];
            writeFileSync(sandbox.path("check.out"), checked.map((line) => `${line}\n`).join(""));
            const words = said("", `stage=${sandbox.directory}; haproxy_check_words >&2; say done`);
            assert.deepEqual(words.split("\n").slice(0, 5), [
                "[ALERT] config : parsing [/etc/haproxy/haproxy.cfg:4] : unknown keyword 'x'",
                "[ALERT] parsing [/etc/haproxy/haproxy.cfg:4] : unknown keyword 'x'",
                "[WARNING] config : (2) : odd",
                "    | (1196) : as it is",
                "done",
            ]);
        });

        describe("with a thousand ports", () => {
            const ports = Array.from({ length: 1000 }, (_, n) => 10_000 + n);
            const binds = ports.map((port) => `* ${port} tcp -`).join("\n");
            const held = (pid: number) => (port: number) =>
                `LISTEN 0 4096 0.0.0.0:${port} 0.0.0.0:* users:(("haproxy",pid=${pid},fd=${port}))`;
            const listening = (lines: string[]) => `
                haproxy_binds='${binds}'
                ip() { :; }
                ss() { printf '%s\\n' '${lines.join("\n")}'; }
                cat() { case $1 in /proc/100/*) echo 0::/system.slice/haproxy.service ;; esac; }`;

            it("looks at each once before a reload, and names the process that holds one", function () {
                this.timeout(10_000);
                assert.match(said(listening(ports.map(held(100))), "haproxy_preflight_binds >&2; say done"), /^done$/m);
                const taken = (pid: number) => {
                    const others = [...ports.slice(1).map(held(100)), held(pid)(10_000)];
                    return said(listening(others), "haproxy_preflight_binds >&2; say done");
                };
                assert.ok(
                    taken(process.pid).startsWith(
                        `port 10000 is taken by haproxy (pid ${process.pid}), which is not haproxy.service; stop it`,
                    ),
                );
                // An old worker may end after ss has seen it; no process has this number.
                assert.match(taken(99_999_999), /^done$/m);
            });

            it("looks at each once after a reload, and names the one that the new worker lacks", function () {
                this.timeout(10_000);
                const proof = "worker_before=99; haproxy_listens >&2; say done";
                assert.match(said(listening(ports.map(held(100))), proof), /^done$/m);
                assert.match(
                    said(listening(ports.slice(0, -1).map(held(100))), proof),
                    /^the new worker does not listen on \*:10999$/m,
                );
                assert.match(
                    said(listening([...ports.map(held(100)), held(99)(10_500)]), proof),
                    /^the old worker still listens on \*:10500$/m,
                );
            });
        });

        describe("with a limit of file descriptors", () => {
            const everything = "000001ffffffffff";
            /** As in the lab, where containers have no CAP_SYS_RESOURCE. */
            const container = "00000000fcecbfff";
            const first = "         0          0 4294967295\n";
            const container1000 = "         0     100000      65536\n";

            /** A process whose files in /proc are these; its number leads to them. */
            const processWith = (name: string, capabilities: string, users: string, hard: number) => {
                mkdirSync(sandbox.path(name));
                const files = {
                    status: `Name:\thaproxy\nCapPrm:\t${everything}\nCapEff:\t${capabilities}\nCapBnd:\t${capabilities}\n`,
                    uid_map: users,
                    limits: `Max open files            1024                 ${hard}               files     \n`,
                };
                for (const [file, text] of Object.entries(files)) {
                    writeFileSync(sandbox.path(`${name}/${file}`), text);
                }
                return `..${sandbox.path(name)}`;
            };

            it("knows whether the running process can raise it", () => {
                const limited = (capabilities: string, users: string, hard: number) => {
                    const lines = `main=${processWith("main", capabilities, users, hard)} haproxy_fds=4004
                        ! haproxy_is_limited || echo "limited to $hard" >&2`;
                    const log = said("", lines);
                    rmSync(sandbox.path("main"), { recursive: true });
                    return /limited to \d+/.exec(log)?.[0];
                };
                assert.equal(limited(container, first, 4003), "limited to 4003");
                assert.equal(limited(container, first, 4004), undefined);
                assert.equal(limited(everything, first, 100), undefined);
                // In a user namespace of its own, the capability counts for nothing.
                assert.equal(limited(everything, container1000, 100), "limited to 100");
            });

            it("knows what a process can have that is started now", () => {
                const limit = (unit: string, capabilities = everything, users = first) => {
                    const init = processWith("init", capabilities, users, 20_000);
                    const redefined = `
                        systemctl() { printf '%s\\n' ${unit}; }
                        cat() { case $1 in /proc/sys/fs/nr_open) echo 1048576 ;; *) command cat "$@" ;; esac; }
                        grep() { case $* in *" /proc/1/"*) command grep "$1" "$2" "$3" "$4" "$5" "$6" \
                            "/proc/${init}/status" "/proc/${init}/uid_map" ;; *) command grep "$@" ;; esac; }
                        haproxy_hard_limit() { hard=20000; }`;
                    const log = said(
                        redefined,
                        `haproxy_descriptor_limit; echo "have $descriptor_limit $limited_by" >&2`,
                    );
                    rmSync(sandbox.path("init"), { recursive: true });
                    return /have (.*?) ?$/m.exec(log)?.[1];
                };
                const bounded = "CapabilityBoundingSet=cap_chown MainPID=1";
                const whole = "'CapabilityBoundingSet=cap_chown cap_sys_resource' MainPID=1";
                assert.equal(limit(`LimitNOFILE=100 ${whole}`), "1048576");
                assert.equal(limit(`LimitNOFILE=100 ${bounded}`), "100 systemdUnit");
                assert.equal(limit(`LimitNOFILE=infinity ${bounded}`), "1048576");
                assert.equal(limit(`LimitNOFILE=65536 ${whole}`, container), "20000");
                assert.equal(limit(`LimitNOFILE=100 ${whole}`, container), "100 systemdUnit");
                assert.equal(limit(`LimitNOFILE=65536 ${whole}`, everything, container1000), "20000");
                assert.equal(limit("LimitNOFILE=18446744073709551615 MainPID=0", everything), "1048576");
            });
        });

        it("counts connections with TLS as more than those without", () => {
            const [plain, clients, servers] = [
                "bind :80",
                "bind :443 ssl crt x.pem",
                "server a 192.0.2.1:443 check ssl",
            ];
            const refused = (live: string, staged: string): boolean => {
                const [config, stage] = [sandbox.path("haproxy.cfg"), sandbox.path("run")];
                writeFileSync(config, `frontend web\n    ${live}\n`);
                writeFileSync(`${stage}/haproxy.cfg`, `frontend web\n    ${staged}\n`);
                const redefined = `
                    tx_directory=${sandbox.directory} haproxy_config=${config} haproxy_maxconn=50000 haproxy_memory=6250000
                    haproxy_memory_limit() { memory=4000000 memory_owner="this host has" memory_remedy="give it more"; }
                    haproxy_running_maxconn() { printf 50000; }`;
                const words = said(redefined, `haproxy_preflight_memory ${stage} >&2; say done`);
                assert.match(words, /^done$/m);
                return /needs 6103 MB of memory/.test(words);
            };
            assert.equal(refused(plain, plain), false);
            assert.equal(refused(plain, clients), true);
            assert.equal(refused(clients, clients), false);
            assert.equal(refused(clients, servers), true);
            assert.equal(refused(servers, `${servers}\n    ${clients}`), true);
            assert.equal(refused(`${plain} name ssl-less`, "bind :80 name ssl-more"), false);
        });

        describe("with old workers", () => {
            const answer = (old: string) => `
                haproxy_master=${sandbox.path("run/socket")} haproxy_certificates= haproxy_bundles=
                perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1)' "$haproxy_master"
                haproxy_ask_master() { printf '%s\\n' '# workers' '100 worker' '# old workers' ${old} 'value=<d>'; }
                process_started() { started=$(($1 * 10)); }`;
            const sorted = (redefined: string, owned: string) =>
                /old:(.*) older:(.*)$/m
                    .exec(said(redefined, `${owned}; haproxy_running; say "old:$running_old older:$running_older"`))
                    ?.slice(1);

            it("recognizes those that may never end, because they started before the host had its owner", () => {
                assert.deepEqual(
                    sorted(answer("'101 worker' '102 worker' '103 worker'"), 'touch -d @1020 "$lib/owner"'),
                    [" 102 103", " 101"],
                );
            });

            it("counts all as such if the running configuration is not ours, or the host has no owner", () => {
                const foreign = answer("'101 worker' '102 worker'");
                assert.deepEqual(sorted(foreign.replace("value=<d>", "No variable"), 'touch -d @1 "$lib/owner"'), [
                    "",
                    " 101 102",
                ]);
                assert.deepEqual(sorted(foreign, 'rm -f "$lib/owner"'), ["", " 101 102"]);
            });
        });
    });
}
