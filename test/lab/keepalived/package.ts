import assert from "node:assert/strict";
import { providePackages } from "../packageVersions/ownPackages";
import type { Name, PairOfHosts } from "./pairOfHosts";

const OWN = "1:99.1";
/** Its program does not know a word of the declared files. */
const REFUSING = "1:99.2";

/** Another version of keepalived's package. */
export function packageOfKeepalived(pair: () => PairOfHosts): void {
    const installed = (name: Name) => pair().shell(name, "dpkg-query -W -f '${Version}' keepalived");
    let debian: string;

    before("packages of our own", async () => {
        debian = await installed("lb1");
        for (const name of ["lb1", "lb2"] as const) {
            await providePackages(
                pair().host(name),
                "keepalived",
                debian,
                `build ${OWN}
                sed -i s/garp_lower_prio_repeat/garp_lower_priX_repeat/g root/usr/sbin/keepalived
                build ${REFUSING}`,
            );
        }
    });

    it("that refuses the files is refused by a preview, in its own words", async () => {
        const master = await pair().settle();
        const { text, severity } = await pair().declare(master, { version: REFUSING }).preview();
        assert.equal(severity, "refusal");
        assert.match(text, /keepalived\.conf:\d+: .*garp_lower_prio_repeat/);
        const { code, stderr } = await pair().declare(master, { version: REFUSING }).up();
        assert.equal(code, 1);
        assert.match(stderr, /refused at validation; its files and its running process are untouched/);
        assert.equal(await installed(master), debian);
        await pair().settle(master);
    });

    it("is installed on the BACKUP without a move, and on the MASTER after a hand-over", async () => {
        const master = await pair().settle();
        const backup = pair().other(master);
        const onBackup = await pair().watch(() => pair().converge(backup, { version: OWN }));
        assert.deepEqual([onBackup.nobody, onBackup.both], [0, 0]);
        await pair().settle(master);
        const { text } = await pair().declare(master, { version: OWN }).preview();
        assert.match(
            text,
            /restart: another keepalived is installed; if this host is MASTER, it hands the addresses over/,
        );
        let said = "";
        const onMaster = await pair().watch(async () => {
            said = await pair().converge(master, { version: OWN });
        });
        assert.match(said, new RegExp(`handed over to ${backup}`));
        assert.ok(onMaster.nobody < 2 && onMaster.both === 0, JSON.stringify(onMaster));
        await pair().settle(backup);
        for (const name of [master, backup]) {
            assert.equal(await installed(name), OWN);
            assert.equal((await pair().declare(name, { version: OWN }).preview()).text, "");
            // The running process is the installed program.
            const process = "$(systemctl show -p MainPID --value keepalived)";
            assert.equal(await pair().shell(name, `readlink /proc/${process}/exe`), "/usr/sbin/keepalived");
        }
    });

    it("is not installed on the MASTER if the other host stands by", async () => {
        const master = await pair().settle();
        const backup = pair().other(master);
        const settings = { standby: backup };
        await pair().converge(backup, { settings });
        await pair().converge(master, { settings });
        const { text, severity } = await pair().declare(master, { settings, version: debian }).preview();
        assert.equal(severity, "refusal");
        assert.match(
            text,
            new RegExp(
                `would hand the addresses over before keepalived is restarted, but ${backup} stands by; remove standby`,
            ),
        );
        // What needs no restart is taken.
        assert.equal((await pair().declare(master, { settings }).preview()).text, "");
        await pair().converge(backup);
        await pair().converge(master);
        await pair().settle(master);
    });
}
