import assert from "node:assert/strict";
import { redefine } from "../../support/converge";
import { atStart } from "./edit";
import { faults, repair } from "./faults";
import { bothLoads } from "./load";
import { ASK_MASTER, type LoadBalancerHost, squat } from "./loadBalancerHost";

/** Faults between the check and the reload, which only the running process reveals. */
export function restores(loadBalancer: () => LoadBalancerHost): void {
    afterEach(async () => {
        await loadBalancer().shell(repair);
        // A process keeps its limit and counts failed reloads.
        await loadBalancer().shell("systemctl reset-failed haproxy; systemctl restart haproxy");
    });

    for (const fault of faults) {
        it(`puts everything back after ${fault.name} at the reload`, async function () {
            await loadBalancer().converge();
            await loadBalancer().shell(fault.prepare?.(loadBalancer()) ?? "");
            const variation = fault.variation(loadBalancer());
            const strike = fault.late.strike?.(loadBalancer()) ?? fault.strike?.(loadBalancer()) ?? "";
            // Without `strike`, the declared configuration itself is wrong.
            const declared = loadBalancer().declare(fault.strike ? variation : { mark: "new" });
            const [files, processes] = [await loadBalancer().files(), await loadBalancer().processes()];
            const running = await bothLoads(loadBalancer().url);
            const started = Date.now();
            const { code, stderr } = await declared.up(atStart("haproxy_activate", strike));
            const seconds = ((Date.now() - started) / 1000).toFixed(1);
            const { requests, refused, socketErrors } = await running.stop();
            assert.equal(code, 1);
            // If journald has dropped the daemon's words, those of the preflight name the cause.
            assert.match(stderr, new RegExp(`${fault.late.words.source}|${fault.words.source}`));
            assert.match(
                stderr,
                fault.late.survives
                    ? /last good files are back, the old process keeps serving/
                    : /last good files are back and active/,
            );
            assert.equal(await loadBalancer().files(), files);
            assert.equal(await loadBalancer().answer(), "app1");
            if (fault.late.survives) assert.equal(await loadBalancer().processes(), processes);
            if (fault.late.hitless) assert.deepEqual({ refused, socketErrors }, { refused: 0, socketErrors: 0 });
            else
                report(
                    this,
                    `${refused + socketErrors} attempts failed, each tried again at once, ${requests} requests were answered, in an up of ${seconds} s`,
                );
        });
    }

    it("recognizes a process that systemd has restarted with the last good files as a new one", async () => {
        await loadBalancer().converge();
        await loadBalancer().shell("mkdir /srv/jail");
        const gone = atStart("haproxy_activate", "rmdir /srv/jail");
        const again = "systemctl reset-failed haproxy; systemctl start haproxy";
        const meanwhile = atStart("read_good_digest", `[ -z "\${refusal-}" ] || { ${again}; }`);
        const { code, stderr } = await loadBalancer()
            .declare({ global: { chroot: "/srv/jail" } })
            .up((body) => meanwhile(gone(body)));
        assert.equal(code, 1);
        assert.match(stderr, /last good files are back and active/);
        assert.equal(await loadBalancer().answer(), "app1");
    });

    it("names the cause even if journald has dropped the daemon's words", async () => {
        await loadBalancer().converge();
        const deaf = redefine("journalctl() { :; }");
        const [, port] = faults;
        const strike = atStart("haproxy_activate", port?.strike?.(loadBalancer()) ?? "");
        const { stderr } = await loadBalancer()
            .declare(port?.variation(loadBalancer()))
            .up((body) => deaf(strike(body)));
        assert.match(stderr, /port 8081 is taken by systemd-socket-/);
    });

    it("reports the daemon's words about this reload, not those about an earlier one", async () => {
        await loadBalancer().converge();
        // The journal is queried by seconds.
        await loadBalancer().shell(`echo 'earlier mistake' >>/etc/haproxy/haproxy.cfg; systemctl reload haproxy || true
            second=$(date +%s); until [ "$(date +%s)" -gt "$second" ]; do sleep 0.05; done`);
        await loadBalancer().converge();
        const { stderr } = await loadBalancer()
            .declare({ mark: "later" })
            .up(atStart("haproxy_activate", "echo 'later mistake' >>/etc/haproxy/haproxy.cfg"));
        assert.match(stderr, /unknown keyword 'later'/);
        assert.doesNotMatch(stderr, /earlier/);
    });

    it("is not misled by an earlier failed reload", async () => {
        await loadBalancer().converge();
        await loadBalancer().shell(`${squat("0.0.0.0:8081")}
            cp -a /etc/haproxy/haproxy.cfg /run/kept
            sed -i 's/bind .*:80$/bind *:80,*:8081/' /etc/haproxy/haproxy.cfg; systemctl reload haproxy
            until ${ASK_MASTER} 'show proc' 2>&1 | grep -q -F '[failed: 1]'; do sleep 0.05; done
            mv /run/kept /etc/haproxy/haproxy.cfg; systemctl stop squatter`);
        // Delays the signal, so that the proof first sees the old count.
        const late = redefine('haproxy_activate() { (sleep 1; systemctl "$1" haproxy) >/dev/null 2>&1 & }');
        const { code, stderr } = await loadBalancer().declare({ app: "app2" }).up(late);
        assert.equal(code, 0, stderr);
        assert.equal(await loadBalancer().answer(), "app2");
        assert.match(await loadBalancer().master("show proc"), /\[failed: 0\]/);
    });

    it("restores all files if one of them cannot be written", async () => {
        await loadBalancer().converge();
        const maps = ["/etc/haproxy/maps/a.map", "/etc/haproxy/maps/z.map"];
        const withMaps = (text: string, variation = {}) =>
            loadBalancer().declare(variation, (transaction) => ({
                ...transaction,
                files: [...maps.map((path) => ({ path, content: text })), ...transaction.files],
            }));
        const first = await withMaps("one\n").up();
        assert.equal(first.code, 0, first.stderr);
        const [files, processes] = [await loadBalancer().files(), await loadBalancer().processes()];
        const full = atStart("put_file", 'case $1 in */haproxy.cfg) echo "No space left on device"; return 1 ;; esac');
        const { code, stderr } = await withMaps("two\n", { mark: "two" }).up(full);
        assert.equal(code, 1);
        assert.match(stderr, /the disk is full.*last good files are back, the running process is untouched/);
        assert.equal(await loadBalancer().files(), files);
        assert.equal(await loadBalancer().processes(), processes);
    });
}

/** Shows figures in the title without judging them, since they depend on HAProxy. */
function report(context: Mocha.Context, figure: string): void {
    if (context.test) context.test.title += ` (${figure})`;
}
