import assert from "node:assert/strict";
import { redefine } from "../support/converge";
import { H2Load } from "../support/h2Load";
import { describeLab, withLab } from "../support/lab";
import { TlsLoad } from "../support/tlsLoad";
import { until } from "../support/traffic";
import { type Certificate, Issuer, TlsHost } from "./tls/tlsHost";
import { atStart } from "./transaction/edit";

const ROTATIONS = 20;
const MANY = 500;

describeLab("certificates of haproxy", () => {
    const lab = withLab([{ name: "lb1", image: "haproxy" }]);
    const host = () => new TlsHost(lab());
    let issuer: Issuer;
    let first: Record<"shop" | "rsa" | "wild", Certificate>;

    before(async () => {
        issuer = await Issuer.make("Tests");
        first = {
            shop: await issuer.certificate("shop.test"),
            rsa: await issuer.certificate("shop.test", { key: "rsa" }),
            wild: await issuer.certificate("*.test"),
        };
    });

    /** A new certificate in place of the first one. */
    const rotated = async () => ({ ...first, shop: await issuer.certificate("shop.test") });

    it("are served to clients after a first converge, and proven", async () => {
        const { text } = await host().declare({ certificates: first, roots: issuer.root.pem }).preview();
        assert.match(text, /openssl|fleet\/shop\.pem/);
        const said = await host().converge({ certificates: first, roots: issuer.root.pem });
        assert.match(said, /certificates as declared: 3 by fingerprint, 4 by handshake$/m);
        assert.equal(await host().served("shop.test"), first.shop.facts.sha1);
        assert.equal(await host().served("other.test"), first.wild.facts.sha1);
        assert.equal(await host().served(), first.shop.facts.sha1);
        const modes = await host().shell("stat -c '%a %U %n' /etc/haproxy/fleet/*.pem | sort");
        assert.match(modes, /^(600 root \S+\n?){3}$/);
        const again = await host().declare({ certificates: first, roots: issuer.root.pem }).preview();
        assert.equal(again.text, "");
    });

    it("are rotated by a reload, and the new one is proven", async () => {
        await host().converge({ certificates: first });
        const process = await host().mainProcess();
        const certificates = await rotated();
        const { text } = await host().declare({ certificates }).preview();
        assert.match(text, /reload: no connection is lost/);
        const said = await host().converge({ certificates });
        assert.match(said, /reload \(no connection is lost\)/);
        // The default, and the one that has changed; both are this one.
        assert.match(said, /certificates as declared: 3 by fingerprint, 2 by handshake$/m);
        assert.equal(await host().mainProcess(), process);
        assert.equal(await host().served("shop.test"), certificates.shop.facts.sha1);
    });

    it("are drift if HAProxy serves another one, which an up repairs", async () => {
        const variation = { certificates: first };
        await host().converge(variation);
        const other = await issuer.certificate("shop.test");
        await host().setByHand("shop", other);
        assert.equal(await host().served("shop.test"), other.facts.sha1);
        const { text } = await host().declare(variation).preview();
        const words = new RegExp(
            `certificate shop: HAProxy serves /CN=shop\\.test until .* GMT, SHA-1 ${other.facts.sha1}, ` +
                `not the declared one, SHA-1 ${first.shop.facts.sha1}`,
        );
        assert.match(text, words);
        assert.match(text, /drift: certificate shop/);
        assert.match(text, /reload: no connection is lost/);
        const process = await host().mainProcess();
        await host().converge(variation);
        assert.equal(await host().mainProcess(), process);
        assert.equal(await host().served("shop.test"), first.shop.facts.sha1);
        assert.equal((await host().declare(variation).preview()).text, "");
    });

    it("replace a file that was changed by hand", async () => {
        const variation = { certificates: first };
        await host().converge(variation);
        const other = await issuer.certificate("shop.test");
        await host().host.writeFile("/etc/haproxy/fleet/shop.pem", other.pem);
        await host().shell("systemctl reload haproxy");
        const { text } = await host().declare(variation).preview();
        assert.match(text, /\/etc\/haproxy\/fleet\/shop\.pem/);
        await host().converge(variation);
        assert.equal(await host().served("shop.test"), first.shop.facts.sha1);
        assert.equal((await host().declare(variation).preview()).text, "");
    });

    it("leave the host when they leave the stack", async () => {
        await host().converge({ certificates: first });
        const { wild, ...others } = first;
        await host().converge({ certificates: others });
        assert.equal(await host().shell("ls /etc/haproxy/fleet"), "rsa.pem\nshop.pem\nweb.crt-list");
        assert.equal(await host().served("other.test"), first.shop.facts.sha1);
        assert.doesNotMatch(await host().master("@1 show ssl cert"), /wild/);
        assert.notEqual(wild.facts.sha1, first.shop.facts.sha1);
    });

    it("go back to the last good ones if the proof fails", async () => {
        await host().converge({ certificates: first });
        const certificates = await rotated();
        const back = async (said: string) => {
            assert.match(said, /not proven to have the new configuration; last good files are back and active/);
            // A process that is about to end may still accept a connection.
            await until(
                "clients get the last good one",
                async () => (await host().served("shop.test")) === first.shop.facts.sha1,
            );
            assert.doesNotMatch((await host().declare({ certificates: first }).preview()).text, /certificate |reload:/);
        };
        const known = { ...first, shop: first.rsa };
        const facts = Object.fromEntries(Object.entries(known).map(([name, one]) => [name, one.facts]));
        const fingerprint = await host().fails(host().declare({ certificates, facts }));
        assert.match(
            fingerprint,
            new RegExp(
                `certificate shop: HAProxy serves /CN=shop\\.test .*, SHA-1 ${certificates.shop.facts.sha1}, ` +
                    `not the declared one, SHA-1 ${first.rsa.facts.sha1}`,
            ),
        );
        await back(fingerprint);

        const { root } = await Issuer.make("Others");
        const roots = await host().fails(host().declare({ certificates, roots: root.pem }));
        assert.match(
            roots,
            /certificate shop: 127\.0\.0\.1:443 serves a chain that does not lead to the declared roots \(/,
        );
        await back(roots);

        // A list that gives the names of one certificate to another.
        const unlisted = await host().fails(
            host().declare({ certificates }, (transaction) => ({
                ...transaction,
                files: transaction.files.map((file) =>
                    file.path.endsWith(".crt-list")
                        ? {
                              ...file,
                              content:
                                  "/etc/haproxy/fleet/wild.pem *\n/etc/haproxy/fleet/wild.pem shop.test\n" +
                                  "/etc/haproxy/fleet/shop.pem x.test\n/etc/haproxy/fleet/rsa.pem x.test\n",
                          }
                        : file,
                ),
            })),
        );
        assert.match(unlisted, /certificate shop: 127\.0\.0\.1:443 serves another for clients that ask for no name/);
        assert.match(unlisted, new RegExp(`served: .*\\*\\.test, SHA-256 ${first.wild.facts.sha256}`));
        assert.match(unlisted, new RegExp(`declared: .*shop\\.test, SHA-256 ${certificates.shop.facts.sha256}`));
        await back(unlisted);
    });

    it("are asked for by handshakes only where HAProxy answers", async () => {
        const certificates = await rotated();
        const said = await host().converge({
            certificates,
            raw: ["tcp-request connection reject if { src 127.0.0.0/8 }"],
        });
        assert.match(said, /0 by handshake, not shop at 127\.0\.0\.1:443 \(closed\)/);
    });

    it("are proven, without another reload, if a converge was killed before", async () => {
        await host().converge({ certificates: first });
        const certificates = await rotated();
        const killed = atStart("attempt", '[ "$1" != prove ] || kill -KILL $$');
        assert.match(await host().fails(host().declare({ certificates }), killed), /ended by SIGKILL/);
        const said = await host().converge({ certificates });
        assert.doesNotMatch(said, /reload \(/);
        assert.match(said, /certificates as declared: 3 by fingerprint/);
        assert.equal(await host().served("shop.test"), certificates.shop.facts.sha1);

        const before = atStart("change_file", '[ "$field_path" != /etc/haproxy/fleet/shop.pem ] || kill -KILL $$');
        assert.match(await host().fails(host().declare({ certificates: first }), before), /ended by SIGKILL/);
        assert.equal(await host().served("shop.test"), certificates.shop.facts.sha1);
        await host().converge({ certificates: first });
        assert.equal(await host().served("shop.test"), first.shop.facts.sha1);

        const unproven = redefine("haproxy_make_handshakes() { echo not shown; return 1; }");
        await host().fails(host().declare({ certificates }), unproven);
        assert.equal(await host().served("shop.test"), first.shop.facts.sha1);
    });

    it(`are rotated ${ROTATIONS} times under load without a failed handshake or request`, async function () {
        await host().converge({ certificates: first });
        const { address } = host();
        const ca = issuer.root.pem;
        const loads = [true, false].map((resumes) => new TlsLoad(address, "shop.test", ca, resumes, 4));
        const h2 = new H2Load(`https://${address}`, 10, { ca, servername: "shop.test" });
        for (let n = 0; n < ROTATIONS; n++) {
            const certificates = await rotated();
            await host().converge({ certificates });
            assert.equal(await host().served("shop.test"), certificates.shop.facts.sha1);
        }
        const [resuming, fresh] = await Promise.all(loads.map((load) => load.stop()));
        const { answered, repeated, failures } = await h2.stop();
        assert.deepEqual([resuming?.failures, fresh?.failures, failures], [[], [], []]);
        for (const count of [resuming?.answered, fresh?.answered, answered])
            assert.ok((count ?? 0) > 200, `only ${count} requests`);
        assert.ok((resuming?.resumed ?? 0) > 100, `only ${resuming?.resumed} sessions were resumed`);
        assert.equal(fresh?.resumed, 0);
        if (this.test)
            this.test.title += ` (${resuming?.answered} with resumption, ${fresh?.answered} without, HTTP/2: ${answered}, ${repeated} repeated)`;
    });

    it(`load, rotate and are proven when there are ${MANY}`, async function () {
        const made = async (name: string) => issuer.certificate(name);
        const entries = await Promise.all(
            Array.from({ length: MANY }, async (_, n) => [`c${n}`, await made(`c${n}.test`)] as const),
        );
        const certificates = Object.fromEntries(entries);
        const times: string[] = [];
        const timed = async <T>(what: string, act: () => Promise<T>) => {
            const since = Date.now();
            const result = await act();
            times.push(`${what} ${((Date.now() - since) / 1000).toFixed(1)} s`);
            return result;
        };
        const said = await timed("load", () => host().converge({ certificates }));
        assert.match(said, new RegExp(`certificates as declared: ${MANY} by fingerprint, 20 by handshake`));
        const { text } = await timed("preview", () => host().declare({ certificates }).preview());
        assert.equal(text, "");
        const others = { ...certificates, c499: await made("c499.test") };
        const rotation = await timed("rotate", () => host().converge({ certificates: others }));
        assert.match(rotation, new RegExp(`certificates as declared: ${MANY} by fingerprint, 2 by handshake`));
        assert.equal(await host().served("c499.test"), others.c499?.facts.sha1);
        if (this.test) this.test.title += ` (${times.join(", ")})`;
    });
});
