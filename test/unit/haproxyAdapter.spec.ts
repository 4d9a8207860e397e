import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { adapterScript } from "../../components/scripts";
import { has, Sandbox, SHELLS } from "../support/sandbox";

/** The adapter, on a host where systemd and HAProxy say what a test lets them. */
const ADAPTER = `${adapterScript("haproxy", "haproxyPreflight", "haproxyServers", "haproxyProof")}
label=transaction
polls=0
running_worker=100 running_failed=0 running_digest=old running_old=0
haproxy_old_workers=5 haproxy_hard_stop=600 haproxy_unit=haproxy.service
sleep() { :; }
systemctl() { :; }`;

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

        /** What is said while these lines run in the place of a run list. */
        const said = (redefined: string, lines: string): string => {
            const payload = sandbox.payload([], { shell: `${ADAPTER}\n${redefined}\nrun_list() { ${lines}\n}` });
            sandbox.run(payload, "apply");
            return readFileSync(sandbox.path("run/log.test"), "utf8");
        };

        it("waits for a new worker as long, wherever somebody sets the time of day to", () => {
            const redefined = `
                date() { printf '%s\\n' "$((polls * 1000))"; }
                haproxy_running() {
                    polls=$((polls + 1))
                    [ "$polls" -lt 5 ] || running_worker=200 running_digest=new
                }
                haproxy_listens() { :; }
                haproxy_answers() { :; }
                haproxy_reason() { :; }`;
            const lines = `activation=reload tx_digest=new; haproxy_prove new >&2; say "proof: $? after $polls polls"`;
            assert.match(said(redefined, lines), /^proof: 0 after 5 polls$/m);
        });
    });
}
