import assert from "node:assert/strict";
import type { Transaction } from "../../components/convergence/kinds/index";
import { logrotate } from "../../components/recipes/logrotate/index";
import { inRelease, needsReleases, type Release, releases } from "../support/releases";

const [transaction = assert.fail()] = logrotate({ keep: 3, maxSize: "500M" }).filter(
    (resource): resource is Transaction => resource.kind === "transaction",
);
const { content } = transaction.files[0] ?? assert.fail();

/** Shell that installs logrotate from the packages that the image has downloaded. */
const install = `
set -euf
set +f
for package in logrotate libpopt0; do dpkg-deb -x /var/cache/apt/archives/\${package}_*.deb /x; done
cp /x/usr/sbin/logrotate /usr/sbin
find /x -name 'libpopt.so*' -exec cp -P {} /usr/lib ';'
cp -rn /x/etc/. /etc || [ -e /etc/logrotate.conf ]
mkdir -p /var/lib/logrotate /var/log
set -f
`;

/** Shell that runs the adapter's check with our file staged, as a converge does. */
const validate = (parameters: Record<string, string>) => `
${Object.entries(parameters)
    .map(([key, value]) => `logrotate_${key}='${value}'`)
    .join("\n")}
NL='
' stage=/stage tx_directory=/etc/logrotate.d
split_lines() { IFS=$NL; }
unsplit() { unset IFS; }
${transaction.adapter.script}
verdict() {
    rm -rf /stage
    mkdir -p /stage/logrotate
    cp -a /etc/logrotate.d/. /stage/logrotate
    cp /ours /stage/logrotate/haproxy
    logrotate_validate /stage/logrotate && echo accepted
    cmp -s /etc/logrotate.d/haproxy /packaged || echo "the live file has changed"
}
cp /etc/logrotate.d/haproxy /packaged
`;

async function inImage(release: Release, script: string): Promise<string> {
    const command = ["sh", "-c", `${install}${script}`];
    const { stdout, stderr, code } = await inRelease(release, command, { "/ours": String(content) });
    assert.equal(code, 0, stderr);
    return stdout;
}

for (const release of releases) {
    describe(`logrotate beside HAProxy ${release.version}`, () => {
        needsReleases();
        it("accepts the file, and the adapter refuses it only for its own faults and for its log", async () => {
            const say = await inImage(
                release,
                `${validate(transaction.adapter.parameters)}
                set +e
                verdict
                printf 'nonsense\\n/var/log/other { \\n frob 1 \\n}\\n' >/etc/logrotate.d/broken
                echo "== broken: $(verdict)"
                printf '/var/log/apt/*.log {\\n daily\\n}\\n' >/etc/logrotate.d/elsewhere
                echo "== elsewhere: $(verdict)"
                printf '/var/log/*.log {\\n daily\\n}\\n' >/etc/logrotate.d/all
                echo "== after: $(verdict)"
                rm /etc/logrotate.d/all
                printf '\\n/var/log/haproxy.log {\\n daily\\n}\\n' >>/etc/logrotate.conf
                echo "== main: $(verdict)"
                mv /etc/logrotate.conf /away
                echo "== none: $(verdict)"
                sed -i 's/daily/dialy/' /ours
                echo "== mistake: $(verdict)"
                logrotate_preflight
                ln -s /srv/haproxy.log /var/log/haproxy.log
                echo "== linked: $(logrotate_preflight)"`,
            );
            const remedy =
                "rotates /var/log/haproxy.log, too, and logrotate skips the second file with a log; take the log out of that file";
            const [plain, ...others] = say.trim().split(/\n== /);
            assert.equal(plain, "accepted");
            assert.match(
                others.pop() ?? "",
                /^linked: \/var\/log\/haproxy\.log is a symbolic link, which logrotate never/,
            );
            assert.match(others.pop() ?? "", /^mistake: \/etc\/logrotate\.d\/haproxy:\d+ unknown option 'dialy'/);
            const main = /^main: \/etc\/logrotate\.conf:\d+ rotates/;
            assert.match(others[3] ?? "", main);
            others[3] = (others[3] ?? "").replace(main, "main: rotates");
            assert.deepEqual(others, [
                "broken: accepted",
                "elsewhere: accepted",
                `after: all:1 ${remedy}`,
                `main: ${remedy}`,
                "none: accepted",
            ]);
        });

        it("rotates the same way whatever the settings for all logs are, and keeps owner, group and mode", async () => {
            const say = await inImage(
                release,
                `
                sed 's/systemctl kill.*/true/' /ours >/etc/logrotate.d/haproxy
                printf 'dateext\\nolddir /var/log/old\\ncopytruncate\\nrotate 1\\ncreate 0600 root root\\ninclude /etc/logrotate.d/haproxy\\n' \\
                    >/etc/logrotate.conf
                mkdir /var/log/old
                # As on Ubuntu, where syslog writes the log.
                chgrp 1234 /var/log
                chmod 775 /var/log
                log=/var/log/haproxy.log
                : >$log
                for n in 1 2 3 4 5; do
                    chown 1234:4 $log
                    chmod 640 $log
                    echo $n >$log
                    case $n in [13]) logrotate -f /etc/logrotate.conf ;; *) logrotate -f /etc/logrotate.d/haproxy ;; esac
                done
                ls /var/log/old
                set +f
                cd /var/log
                stat -c '%n %u:%g %a' haproxy.log*
                zcat -f haproxy.log.3.gz haproxy.log.2.gz haproxy.log.1`,
            );
            assert.deepEqual(say.trim().split("\n"), [
                "haproxy.log 1234:4 640",
                "haproxy.log.1 1234:4 640",
                "haproxy.log.2.gz 1234:4 640",
                "haproxy.log.3.gz 1234:4 640",
                ...["3", "4", "5"],
            ]);
        });

        it("writes all entries of the state in a run for one log, and ends with status 3 if another run has it locked", async () => {
            const say = await inImage(
                release,
                `
                sed 's/systemctl kill.*/true/' /ours >/run/ours
                cd /var/lib/logrotate
                printf 'logrotate state -- version 2\\n"/var/log/other" 2026-11-1-1:0:0\\n' >status
                chmod 640 status
                : >/var/log/other
                echo line >/var/log/haproxy.log
                flock status logrotate /run/ours 2>/dev/null || echo "status $?"
                logrotate -f /run/ours
                grep -c haproxy.log status
                grep other status`,
            );
            assert.deepEqual(say.trim().split("\n"), ["status 3", "1", '"/var/log/other" 2026-11-1-1:0:0']);
        });
    });
}
