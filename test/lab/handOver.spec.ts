import assert from "node:assert/strict";
import type { Resource } from "../../components/convergence/kinds/index";
import { DIGEST_SLOT, slot } from "../../components/convergence/slots";
import type { Host } from "../../lab/host";
import { Convergence, redefine } from "../support/converge";
import { killAt } from "../support/killAt";
import { describeLab, withLab } from "../support/lab";
import { sshTargetOf } from "../support/sshTarget";
import { until } from "../support/traffic";

/** A daemon that reads its file when it starts. */
const UNIT =
    "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sh -c 'cp /etc/served/conf /run/served; exec sleep infinity'\n";
const DAEMON = `
served_installed() { :; }
served_validate() { :; }
served_preflight() { :; }
served_running() {
    running_digest= running_since=
    systemctl is-active --quiet served || return 0
    running_since=9999999999
    read -r running_digest </run/served
}
served_activation() {
    activation=restart activation_reason="it reads its file only then"
    systemctl is-active --quiet served || activation=start
}
served_activate() { systemctl "$1" served && sleep 0.2; }
served_prove() { served_running; [ "$running_digest" = "$1" ]; }
`;

/** Notes in a file whether clients are on another host, and refuses with the text of another file. */
const KEEPER = `
keeper_installed() { :; }
keeper_validate() { :; }
keeper_preflight() { :; }
keeper_running() { running_digest=$tx_digest running_since=9999999999; }
keeper_activation() { activation=none activation_reason=; }
keeper_activate() { :; }
keeper_prove() { :; }
keeper_yield() { cat /run/refusal 2>/dev/null && return 1; echo away >/run/clients; echo "handed over to lb2"; }
keeper_resume() { echo here >/run/clients; }
`;

const transaction = (name: string, script: string, content: string): Resource => ({
    kind: "transaction",
    name,
    directory: `/etc/${name}`,
    files: [{ path: `/etc/${name}/conf`, content }],
    adapter: { name, script, parameters: {} },
});
const declared = (mark: string): Resource[] => [
    { kind: "systemdUnit", name: "served.service", content: UNIT },
    transaction("served", DAEMON, `${slot(DIGEST_SLOT)}\n${mark}\n`),
    transaction("keeper", KEEPER, "same\n"),
];

describeLab("what a converge hands over", () => {
    const lab = withLab([{ name: "lb1", image: "bare" }]);
    let host: Host;
    const converge = (mark: string) => new Convergence(sshTargetOf(lab(), host), declared(mark));
    const shell = async (script: string) => (await host.exec(script)).stdout.trim();
    const clients = () => shell("cat /run/clients");
    const mark = () => shell("tail -n 1 /run/served");
    const up = async (text: string) => {
        const { code, stderr } = await converge(text).up();
        assert.equal(code, 0, stderr);
        return stderr;
    };

    before(async () => {
        host = lab().host("lb1");
        await host.exec("echo here >/run/clients");
        await up("first");
    });

    it("is away while the daemon restarts, and here when the converge has ended", async () => {
        const notes = redefine("served_activate() { cp /run/clients /run/seen; systemctl restart served; sleep 0.2; }");
        const { code, stderr } = await converge("second").up(notes);
        assert.equal(code, 0, stderr);
        assert.match(stderr, /^transaction\[served\]: handed over to lb2$/m);
        assert.deepEqual([await shell("cat /run/seen"), await clients(), await mark()], ["away", "here", "second"]);
    });

    it("stays here if that is refused, and neither files nor the process change", async () => {
        await host.exec("echo 'lb2 does not serve; repair it' >/run/refusal");
        const before = await shell("systemctl show -p InvocationID served; cat /etc/served/conf");
        const { code, stderr } = await converge("third").up();
        assert.equal(code, 1);
        assert.match(
            stderr,
            /served\] failed: its clients cannot be handed over before the restart; .* untouched\n {4}lb2 does not serve; repair it/,
        );
        assert.equal(await shell("systemctl show -p InvocationID served; cat /etc/served/conf"), before);
        assert.equal(await clients(), "here");
        await host.exec("rm /run/refusal");
    });

    it("is here if the change fails, and the last good files are back", async () => {
        const { code } = await converge("third").up(redefine("served_prove() { ! grep -q third /etc/served/conf; }"));
        assert.equal(code, 1);
        assert.deepEqual([await clients(), await mark()], ["here", "second"]);
    });

    it("is here after SIGKILL before each step, and the next converge hands over again", async () => {
        let n = 1;
        for (let killed = true; killed; n++) {
            const to = `killed${n}`;
            const { code, stderr } = await converge(to).up(killAt(n, "before", "transaction[served]"));
            killed = code !== 0;
            if (killed) assert.match(stderr, /the converge was ended by SIGKILL/);
            assert.equal(await clients(), "here", `step ${n}`);
            await up(to);
            assert.deepEqual([await clients(), await mark()], ["here", to]);
        }
        assert.ok(n > 5, `${n} steps`);
    });

    it("is here at the deadline, also if the hand-over itself lasts too long", async () => {
        const slow = redefine("keeper_yield() { echo away >/run/clients; sleep 600; }");
        const { code, stderr } = await converge("late").up(slow, 3);
        assert.equal(code, 1);
        assert.match(stderr, /was ended at its deadline/);
        assert.equal(await clients(), "here");
        assert.notEqual(await mark(), "late");
    });

    it("is here again after the next converge, if even the end of a converge was killed", async () => {
        const abandons = redefine("served_activate() { kill -KILL $$; }\nresume() { :; }");
        const { code } = await converge("abandoned").up(abandons);
        assert.equal(code, 1);
        assert.equal(await clients(), "away");
        await up("abandoned");
        await until("clients are here", async () => (await clients()) === "here");
    });
});
