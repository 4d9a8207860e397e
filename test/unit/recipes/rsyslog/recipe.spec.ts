import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Resource, Transaction } from "../../../../components/convergence/kinds/index";
import { papertrail } from "../../../../components/recipes/papertrail/index";
import { rsyslog } from "../../../../components/recipes/rsyslog/index";
import { has } from "../../../support/sandbox";

const transactionOf = (resources: Resource[]) =>
    resources.find((resource): resource is Transaction => resource.kind === "transaction") ?? assert.fail();

describe("the recipe of rsyslog", () => {
    it("undoes its files before it restarts the service", () => {
        const kinds = rsyslog().map(({ kind }) => kind);
        assert.deepEqual(kinds, ["packages", "service", "transaction"]);
        const [, service] = rsyslog();
        assert.deepEqual(service, { kind: "service", name: "rsyslog.service", removed: "restart" });
    });

    it("hands the listeners to the adapter", () => {
        const { adapter } = transactionOf(
            rsyslog({
                requests: [
                    { address: "*", port: 80, ask: "http" },
                    { address: "2001:db8::1", port: 443, ask: "tcp" },
                ],
            }),
        );
        assert.equal(adapter.parameters.requests, "* 80 http\n2001:db8::1 443 tcp");
        assert.equal(adapter.parameters.ca, "");
    });

    it("refuses what is no listener", () => {
        for (const [requests, words] of [
            [
                [{ address: "web", port: 80, ask: "http" }],
                /^Error: rsyslog: requests\[0\]\.address: expected an IP address/,
            ],
            [[{ address: "*", port: 0, ask: "http" }], /requests\[0\]\.port/],
            [[{ address: "*", port: 80, ask: "tls" }], /requests\[0\]\.ask/],
        ] as const)
            assert.throws(() => rsyslog({ requests } as never), words);
    });
});

describe("the recipe of papertrail", () => {
    const golden = (name: string) => readFileSync(join(__dirname, `../../../golden/rsyslog/${name}.conf`), "utf8");
    const usual = { host: "logs2.papertrailapp.com", port: 12345 };
    const fileOf = (resources: Resource[]) => String(transactionOf(resources).files[0]?.content);

    it("has the whole file of the goldens, which test/lab/rsyslog.spec.ts has judged by rsyslogd", () => {
        assert.equal(fileOf(rsyslog()), golden("file"));
        assert.equal(fileOf(papertrail(usual)), golden("forward"));
    });

    it("expects the name of Papertrail's certificates there, and elsewhere the host", () => {
        assert.match(fileOf(papertrail(usual)), /PermittedPeers="\*\.papertrailapp\.com"/);
        const other = { host: "logs.example.com", port: 6514 };
        assert.match(fileOf(papertrail(other)), /PermittedPeers="logs\.example\.com"/);
        assert.match(fileOf(papertrail({ ...other, peer: "*.logs.example.com" })), /Peers="\*\.logs\.example\.com"/);
    });

    it("sends nothing in clear text, whatever the arguments are", () => {
        const text = fileOf(papertrail({ ...usual, peer: "a.b.c", caFile: "/etc/ssl/x.pem", diskSpace: "1m" }));
        assert.equal(text.match(/omfwd/g)?.length, 1);
        assert.match(
            text,
            /protocol="tcp" .*\n\s+streamDriver="gtls" streamDriverMode="1" streamDriverAuthMode="x509\/name"/,
        );
    });

    it("proves the connection last, and again for another receiver", () => {
        const proofOf = (args: Parameters<typeof papertrail>[0]) => {
            const last = papertrail(args).at(-1);
            assert.ok(last?.kind === "execute");
            return last;
        };
        const { name, command, creates } = proofOf(usual);
        assert.equal(name, "prove the connection to logs2.papertrailapp.com:12345");
        assert.match(command, / logs2\.papertrailapp\.com 12345 514 \/var\/lib\//);
        assert.match(creates ?? "", /^\/var\/lib\/haproxy-fleet\/forwards\/[0-9a-f]{16}$/);
        assert.equal(proofOf({ ...usual, diskSpace: "2g" }).creates, creates);
        for (const other of [{ port: 1 }, { host: "a.b" }, { peer: "a.b" }, { caFile: "/etc/x.pem" }])
            assert.notEqual(proofOf({ ...usual, ...other }).creates, creates);
    });

    it("refuses what rsyslog would read as something else, or could not read", () => {
        for (const [args, words] of [
            [{ host: 'x" port="1' }, /^Error: papertrail: host: expected a host name/],
            [{ host: "a;b" }, /host/],
            [{ peer: "*" }, /peer: expected the name of a certificate/],
            [{ peer: "*.com" }, /peer/],
            [{ peer: 'a"b' }, /peer/],
            [{ caFile: "ca.pem" }, /caFile: expected an absolute path/],
            [{ caFile: "/etc/ca 1.pem" }, /caFile/],
            [{ caFile: "/tmp/ca.pem" }, /caFile/],
            [{ caFile: "/etc/../home/ca.pem" }, /caFile/],
            [{ diskSpace: "1T" }, /diskSpace: expected a size/],
            [{ diskSpace: "0g" }, /diskSpace/],
            [{ port: 70_000 }, /port/],
            [{ tls: false }, /tls/],
        ] as const)
            assert.throws(() => papertrail({ ...usual, ...args } as never), words);
    });
});

describe("the Perl programs of the adapter of rsyslog", () => {
    const folder = join(__dirname, "../../../../components/recipes");
    before(function () {
        if (!has("perl")) this.skip();
    });

    it("compile", () => {
        for (const program of ["rsyslog/find_conflicts", "rsyslog/find_line", "papertrail/programs/prove-forward"]) {
            const { status, stderr } = spawnSync("perl", ["-c", join(folder, `${program}.pl`)], { encoding: "utf8" });
            assert.equal(status, 0, stderr);
        }
    });

    describe("find_conflicts", () => {
        const ours = "/etc/rsyslog.d/49-haproxy.conf";
        const log = "/var/log/haproxy.log";

        /** What it says of a main file with these lines, and ours in it. */
        const said = (lines: string, ca = "/etc/ssl/ca.pem", before = "", read = ours): string => {
            const text = readFileSync(join(__dirname, "../../../golden/rsyslog/forward.conf"), "utf8");
            const input = [
                "##### BEGIN CONFIG: /etc/rsyslog.conf (put on stack)",
                before,
                `##### BEGIN CONFIG: ${read}`,
                text,
                `##### END   CONFIG: ${read}`,
                lines,
                "##### END   CONFIG: /etc/rsyslog.conf",
                "",
            ].join("\n");
            const args = [join(folder, "rsyslog/find_conflicts.pl"), ours, log, "514", ca];
            return spawnSync("perl", args, { input, encoding: "utf8" }).stdout;
        };

        it("finds every notation of a writer of the log", () => {
            for (const lines of [
                `local0.* ${log}`,
                `local0.*\t-${log}`,
                `local0.* ${log};RSYSLOG_FileFormat`,
                `:programname, startswith, "haproxy" {\n  ${log}\n  stop\n}`,
                `:programname, isequal, "haproxy" -${log}`,
                `action(type="omfile" file="${log}")`,
                `if $programname == 'haproxy' then ${log}`,
                `if $programname == 'haproxy' and $syslogseverity <= 4 then -${log}`,
                `if $programname == "haproxy" then {\n  action(type="omfile"\n    File="${log}" template="x")\n}`,
            ])
                assert.match(
                    said(lines),
                    /^\/etc\/rsyslog\.conf writes to \/var\/log\/haproxy\.log, too; remove/,
                    lines,
                );
        });

        it("says nothing of readers, comments, other files, and what agrees", () => {
            for (const lines of [
                "",
                `# local0.* ${log}`,
                `/* local0.*\n ${log}\n*/`,
                `input(type="imfile" File="${log}" Tag="x")`,
                `$InputFileName ${log}`,
                `local0.* ${log}.old`,
                `local0.* /srv${log}`,
                `action(type="omfile" file="${log}.json")`,
                '$DefaultNetstreamDriverCAFile /etc/ssl/ca.pem\nglobal(DefaultNetstreamDriverCAFile="/etc/ssl/ca.pem")',
                "$MaxMessageSize 8k",
                'global(maxMessageSize="8192")',
            ])
                assert.equal(said(lines), "", lines);
            assert.equal(said("$DefaultNetstreamDriverCAFile /etc/other", ""), "");
            // The last one counts, which is ours.
            assert.equal(said("", "/etc/ssl/ca.pem", "$MaxMessageSize 4k"), "");
        });

        it("knows our file by an include with two slashes", () => {
            assert.equal(said("", "/etc/ssl/ca.pem", "", "/etc/rsyslog.d//49-haproxy.conf"), "");
        });

        it("finds another listener of the same address and port, but no other one", () => {
            for (const lines of [
                "$ModLoad imudp\n$UDPServerAddress 127.0.0.1\n$UDPServerRun 514",
                'input(type="imudp" address="127.0.0.1" port="514" ruleset="x")',
                'input(type="imudp"\n  port=["514", "515"] address="localhost")',
            ])
                assert.match(said(lines), /^\/etc\/rsyslog\.conf listens on UDP port 514 of 127\.0\.0\.1, too/, lines);
            for (const lines of [
                "$UDPServerRun 514",
                'input(type="imudp" port="514")',
                "$UDPServerAddress 127.0.0.1\n$UDPServerRun 5140",
                'input(type="imudp" address="192.0.2.1" port="514")',
                'input(type="imtcp" address="127.0.0.1" port="514")',
            ])
                assert.equal(said(lines), "", lines);
        });

        it("finds other certificates, and sizes that cut lines", () => {
            assert.match(
                said("$defaultnetstreamdrivercafile /etc/other"),
                /sets DefaultNetstreamDriverCAFile to \/etc\/other,/,
            );
            assert.match(said('global(workDirectory="/x"\n DefaultNetstreamDriverCAFile="/y")'), /CAFile to \/y,/);
            assert.match(said("$MaxMessageSize 8191"), /sets maxMessageSize to 8191, so long lines/);
            assert.match(said('global(maxmessagesize="2K")'), /sets maxMessageSize to 2K/);
        });

        it("says that our file is not read", () => {
            const args = [join(folder, "rsyslog/find_conflicts.pl"), "/etc/rsyslog.d/50-x.conf", log, "514", ""];
            const input = "##### BEGIN CONFIG: /etc/rsyslog.conf\n*.* /x\n##### END   CONFIG: /etc/rsyslog.conf\n";
            const { stdout } = spawnSync("perl", args, { input, encoding: "utf8" });
            assert.match(stdout, /^rsyslog does not read \/etc\/rsyslog\.d\/50-x\.conf; include its directory/);
        });
    });
});
