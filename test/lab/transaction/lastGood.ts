import assert from "node:assert/strict";
import { redefine } from "../../support/converge";
import { until } from "../../support/traffic";
import { atStart } from "./edit";
import type { LoadBalancerHost } from "./loadBalancerHost";

const GOOD = "/var/lib/haproxy-fleet/last-good/haproxy";
const MAPS = "/etc/haproxy/maps";
const CONFIG = "/etc/haproxy/haproxy.cfg";

/** A daemon that has read the new configuration but does not serve. */
const unproven = redefine("haproxy_prove() { echo not proven; return 1; }");

/** The configuration with maps, which all change with the text. */
const withMaps = (loadBalancer: LoadBalancerHost, maps: Record<string, string>, mark?: string) =>
    loadBalancer.declare({ mark }, (transaction) => ({
        ...transaction,
        files: [
            ...Object.entries(maps).map(([name, content]) => ({ path: `${MAPS}/${name}`, content })),
            ...transaction.files,
        ],
    }));

/** The files to which a failed converge goes back. */
export function lastGood(loadBalancer: () => LoadBalancerHost): void {
    /** All steps of the last converge: its output has only the last one. */
    const newestLog = () => loadBalancer().shell('cat "$(ls -t /run/haproxy-fleet/log.* | head -n 1)"');
    const fails = async (convergence: ReturnType<LoadBalancerHost["declare"]>, edit = unproven) => {
        const { code, stderr } = await convergence.up(edit);
        assert.equal(code, 1, stderr);
        return stderr;
    };

    it("proves what a killed converge has activated, without another reload, before it becomes last good", async () => {
        const [before, after] = [{ mark: "proven" }, { mark: "not-proven" }];
        const killed = atStart("attempt", '[ "$1" != prove ] || kill -KILL $$');
        const killedHavingActivated = async () => {
            assert.match(await fails(loadBalancer().declare(after), killed), /the converge was ended by SIGKILL/);
            await until("it is activated", async () => (await loadBalancer().answer()) === "app1 not-proven");
        };
        await loadBalancer().converge(before);
        await killedHavingActivated();
        assert.match(
            await fails(loadBalancer().declare(after)),
            /the daemon was not proven.*; last good files are back/,
        );
        assert.equal(await loadBalancer().answer(), "app1 proven");

        await killedHavingActivated();
        const processes = await loadBalancer().processes();
        await loadBalancer().converge(after);
        assert.equal(await loadBalancer().processes(), processes);
        assert.match(await loadBalancer().shell(`cat ${GOOD}/tree/haproxy.cfg`), /X-Mark not-proven/);
    });

    it("does not include the files before a failed first converge, once they are back", async () => {
        await loadBalancer().converge();
        await loadBalancer().shell(`rm -rf ${GOOD}`);
        await fails(loadBalancer().declare({ mark: "first" }));
        await loadBalancer().shell(`echo '# by hand' >>${CONFIG}`);
        const files = await loadBalancer().files();
        await fails(loadBalancer().declare({ mark: "second" }));
        assert.equal(await loadBalancer().files(), files);
        await fails(
            loadBalancer().declare({ mark: "third" }),
            atStart("put_file", 'echo "No space left on device"; return 1'),
        );
        assert.equal(await loadBalancer().files(), files);
        await loadBalancer().shell(`ls ${GOOD} && exit 1 || exit 0`);
        await loadBalancer().converge();
    });

    it("is a copy of the live files, not a link", async () => {
        await loadBalancer().converge();
        await loadBalancer().shell(`rm -rf ${GOOD}/tree && ln -s /etc/haproxy ${GOOD}/tree`);
        const files = await loadBalancer().files();
        await fails(loadBalancer().declare({ mark: "linked" }));
        assert.equal(await loadBalancer().files(), files);
        await loadBalancer().converge();
        assert.equal(await loadBalancer().shell(`stat -c %F ${GOOD}/tree`), "directory");
    });

    it("is on the disk before it replaces the previous one", async () => {
        await loadBalancer().converge({ mark: "older" });
        const older = await loadBalancer().shell(`cat ${GOOD}/digest`);
        const spy = `#!/bin/sh\necho "$(cat ${GOOD}/digest) $*" >>/run/synced\nexec /usr/bin/sync "$@"\n`;
        await loadBalancer().host.writeFile("/usr/local/sbin/sync", spy, 0o755);
        try {
            await loadBalancer().converge({ mark: "newer" });
        } finally {
            await loadBalancer().shell("rm /usr/local/sbin/sync");
        }
        const synced = (await loadBalancer().shell("cat /run/synced; rm /run/synced")).split("\n");
        for (const file of ["", "/digest", "/tree", "/tree/haproxy.cfg"]) {
            assert.ok(
                synced.some((line) => line.startsWith(`${older} `) && `${line} `.includes(`${GOOD}.new${file} `)),
                `${file} in\n${synced.join("\n")}`,
            );
        }
    });

    it("does not touch files that have not changed", async () => {
        const first = await withMaps(loadBalancer(), { "a.map": "one\n", "z.map": "one\n" }).up();
        assert.equal(first.code, 0, first.stderr);
        const inodes = () => loadBalancer().shell(`stat -c '%n %i %y' ${MAPS}/*`);
        const before = await inodes();
        await fails(withMaps(loadBalancer(), { "a.map": "one\n", "z.map": "one\n" }, "other"));
        const log = await newestLog();
        assert.match(log, /put back \/etc\/haproxy\/haproxy\.cfg/);
        assert.equal(await inodes(), before);
        // The same content with another mode is a change.
        await fails(
            withMaps(loadBalancer(), { "a.map": "one\n", "z.map": "one\n" }, "other"),
            atStart(
                "haproxy_prove",
                `! grep -q other ${CONFIG} || chmod 0600 ${MAPS}/a.map; echo not proven; return 1`,
            ),
        );
        assert.equal(await loadBalancer().shell(`stat -c %a ${MAPS}/a.map`), "644");
    });

    it("gives an administrator's files back that were taken over since", async () => {
        await loadBalancer().converge();
        await loadBalancer().shell(`mkdir -p ${MAPS}; rm -rf ${MAPS}/*; cd ${MAPS}
            echo theirs >file; chmod 0640 file; ln -s ../haproxy.cfg link; ln -s nowhere dangling`);
        const theirs = () => loadBalancer().shell(`cd ${MAPS}; cat file; stat -c '%a %N' * `);
        const before = await theirs();
        const declared = { file: "ours\n", link: "ours\n", dangling: "ours\n", added: "ours\n" };
        const stderr = await fails(withMaps(loadBalancer(), declared, "taking"));
        assert.match(await newestLog(), /write \/etc\/haproxy\/maps\/dangling/);
        assert.equal(await theirs(), before, stderr);

        // The same after a successful converge, once they leave the run list.
        const { code, ...said } = await withMaps(loadBalancer(), declared, "taking").up();
        assert.equal(code, 0, said.stderr);
        assert.equal(await loadBalancer().shell(`cat ${MAPS}/* | sort -u`), "ours");
        await loadBalancer().converge();
        assert.equal(await theirs(), before);
        await loadBalancer().shell(`rm -r ${MAPS}`);
    });

    it("leaves no partial file on a full disk", async () => {
        await loadBalancer().converge();
        const files = await loadBalancer().files();
        await loadBalancer().shell(`mkdir -p ${MAPS}; mount -t tmpfs -o size=64k tmpfs ${MAPS}`);
        try {
            const stderr = await fails(withMaps(loadBalancer(), { "large.map": "x\n".repeat(50_000) }), (body) => body);
            assert.match(stderr, /the disk is full.*; last good files are back/);
            assert.equal(await loadBalancer().shell(`ls -A ${MAPS}`), "");
            assert.equal(await loadBalancer().files(), files);
        } finally {
            await loadBalancer().shell(`umount ${MAPS}; rmdir ${MAPS}`);
        }
    });
}
