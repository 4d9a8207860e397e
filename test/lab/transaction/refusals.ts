import assert from "node:assert/strict";
import { atStart } from "./edit";
import { type Fault, faults, repair } from "./faults";
import { load } from "./load";
import type { LoadBalancerHost } from "./loadBalancerHost";

const ready = async (loadBalancer: LoadBalancerHost, fault: Fault, struck: boolean) => {
    await loadBalancer.shell(repair);
    await loadBalancer.shell(fault.prepare?.(loadBalancer) ?? "");
    if (struck) await loadBalancer.shell(fault.strike?.(loadBalancer) ?? "");
};

/** Faults that exist before the converge. */
export function refusals(loadBalancer: () => LoadBalancerHost): void {
    before(() => loadBalancer().converge());
    afterEach(() => loadBalancer().shell(repair));

    for (const fault of faults) {
        it(`reports ${fault.name} in a preview, and changes nothing`, async () => {
            await ready(loadBalancer(), fault, true);
            const [state, leftovers] = [await loadBalancer().state(), await loadBalancer().leftovers()];
            const { text, refused } = await loadBalancer().declare(fault.variation(loadBalancer())).preview();
            assert.ok(refused, text);
            assert.match(text, fault.words);
            assert.equal(await loadBalancer().state(), state);
            assert.equal(await loadBalancer().leftovers(), leftovers);
        });
    }

    it("shows the declared line that HAProxy refuses", async () => {
        const { text } = await loadBalancer()
            .declare({ raw: ["http-request nonsense"] })
            .preview();
        assert.match(text, /\[\/etc\/haproxy\/haproxy\.cfg:(\d+)\].*\n +line \1: http-request nonsense\n/);
    });

    it("refuses more connections than memory allows, unless the running process already allows them", async () => {
        const preview = (maxconn: number, memory?: number) =>
            loadBalancer()
                .declare({ global: { maxconn }, mark: "much" }, ({ adapter, ...transaction }) => ({
                    ...transaction,
                    adapter: {
                        ...adapter,
                        parameters: { ...adapter.parameters, ...(memory && { memory: String(memory) }) },
                    },
                }))
                .preview();
        const { text, refused } = await preview(1001, 250_000_000);
        assert.ok(refused, text);
        assert.match(
            text,
            /maxconn 1001 needs 244140 MB of memory at its busiest, (this host|the service may) ha(s|ve) \d+ MB; lower maxconn to \d+,/,
        );
        assert.equal((await preview(1000, 250_000_000)).refused, false);

        // The unit's limit: 50 kB for each of 5000 connections.
        await loadBalancer().shell(`mkdir -p /run/systemd/system/haproxy.service.d
            printf '[Service]\\nMemoryMax=150M\\n' >/run/systemd/system/haproxy.service.d/90-memory.conf
            systemctl daemon-reload`);
        const limited = await preview(5000);
        await loadBalancer().shell("rm /run/systemd/system/haproxy.service.d/90-memory.conf; systemctl daemon-reload");
        assert.match(
            limited.text,
            /maxconn 5000 needs 244 MB of memory at its busiest, the service may have 150 MB; lower maxconn to 3072, or raise/,
        );
        assert.equal((await preview(5000)).refused, false);
    });

    it("refuses a change for a masked unit", async () => {
        await loadBalancer().shell("systemctl --quiet mask haproxy");
        const { text } = await loadBalancer().declare({ mark: "masked" }).preview();
        const { code, stderr } = await loadBalancer().declare({ mark: "masked" }).up();
        await loadBalancer().shell("systemctl --quiet unmask haproxy");
        assert.match(text, /refused at preflight:\n +haproxy\.service is masked, .*unmask it/);
        assert.equal(code, 1);
        assert.match(stderr, /refused at preflight; its files.* untouched\n +haproxy\.service is masked, .*unmask it/);
        assert.doesNotMatch(text + stderr, /EXTRAOPTS/);
    });

    it("refuses a file that is a mount, which no rename can replace", async () => {
        await loadBalancer().shell(
            "cp -p /etc/haproxy/haproxy.cfg /srv; mount --bind /srv/haproxy.cfg /etc/haproxy/haproxy.cfg",
        );
        try {
            const { text, refused } = await loadBalancer().declare({ mark: "mount" }).preview();
            assert.ok(refused, text);
            assert.match(
                text,
                /\/etc\/haproxy\/haproxy\.cfg is a mount of its own, .*; unmount it \(umount \/etc\/haproxy/,
            );
            const { code, stderr } = await loadBalancer().declare({ mark: "mount" }).up();
            assert.equal(code, 1);
            assert.match(stderr, /haproxy\.cfg is a mount of its own/);
            assert.equal((await loadBalancer().declare().preview()).text, "");
        } finally {
            await loadBalancer().shell("umount /etc/haproxy/haproxy.cfg; rm /srv/haproxy.cfg");
        }
    });

    it("says how to make the package's socket directory again", async () => {
        await loadBalancer().shell("mv /run/haproxy /run/gone");
        const { text, refused } = await loadBalancer().declare({ mark: "socket" }).preview();
        await loadBalancer().shell("mv /run/gone /run/haproxy");
        assert.ok(refused, text);
        assert.match(
            text,
            /the directory \/run\/haproxy of a stats socket does not exist; make it again \(systemd-tmpfiles --create \/usr\/lib\/tmpfiles\.d\/haproxy\.conf\)/,
        );
    });

    it("asks a resolver that does not answer for only one name", async () => {
        const names = "one.test two.test three.test";
        await loadBalancer().shell(`
            systemd-run -q --unit=squatter perl -MIO::Socket::INET -e '
                my $silent = IO::Socket::INET->new(LocalAddr => "127.0.0.1:53", Proto => "udp") or die $!; sleep'
            until ss -Hlun | grep -q -F '127.0.0.1:53 '; do sleep 0.02; done
            cp /etc/resolv.conf /srv/resolv.conf; echo nameserver 127.0.0.1 >/etc/resolv.conf`);
        const { text, refused } = await loadBalancer()
            .declare({ mark: "names" }, ({ adapter, ...transaction }) => ({
                ...transaction,
                adapter: { ...adapter, parameters: { ...adapter.parameters, names } },
            }))
            .preview();
        await loadBalancer().shell("cat /srv/resolv.conf >/etc/resolv.conf");
        assert.ok(refused, text);
        assert.match(text, /the resolver of this host does not answer within 5 s, asked for the server name one\.test/);
        assert.doesNotMatch(text, /two\.test|three\.test/);
    });

    it("refuses a stage without one of several files", async () => {
        const { code, stderr } = await loadBalancer()
            .declare({}, (transaction) => ({
                ...transaction,
                files: [{ path: "/etc/haproxy/a.map", content: "one\n" }, ...transaction.files],
            }))
            .up(atStart("stage_file", "case $field_path in */a.map) echo cannot be staged; return 1 ;; esac"));
        assert.equal(code, 1);
        assert.match(stderr, /refused at stage; its files and its running process are untouched\n +cannot be staged/);
        await loadBalancer().converge();
    });

    it("refuses each fault in an up without a preview, and no request is lost", async () => {
        const running = await load(loadBalancer().url);
        for (const fault of faults) {
            await ready(loadBalancer(), fault, false);
            const convergence = loadBalancer().declare(fault.variation(loadBalancer()));
            if (fault.strike) assert.equal((await convergence.preview()).refused, false, fault.name);
            const state = await loadBalancer().state();
            const { code, stderr } = await convergence.up(
                atStart("transaction_check", fault.strike?.(loadBalancer()) ?? ""),
            );
            assert.equal(code, 1, fault.name);
            assert.match(stderr, fault.words);
            assert.match(stderr, /refused at (validation|preflight); its files and its running process are untouched/);
            assert.equal(await loadBalancer().state(), state, fault.name);
            assert.equal(
                await loadBalancer().leftovers(),
                "began launch lock log report result server-states stamp step token",
                fault.name,
            );
        }
        const { requests, ...lost } = await running.stop();
        assert.ok(requests > 1000, `only ${requests} requests`);
        assert.deepEqual(lost, { refused: 0, socketErrors: 0 });
    });
}
