import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { HaproxyConfig } from "../../components/haproxy/model";
import { LoadBalancer, type LoadBalancerArgs } from "../../components/loadBalancer";
import { LoadBalancerFleet } from "../../components/loadBalancerFleet";
import { encryptDataBag } from "../../components/tls";
import { type MadeCertificate, makeCertificate, makeRevocationList } from "../support/certificates";
import { decoded } from "../support/decoded";
import {
    failuresOf,
    type MockOptions,
    mockEngine,
    promiseOf,
    type Recording,
    registered,
    settled,
} from "../support/mocks";
import { assertHidden } from "../support/planted";
import { COMMAND, connection, FLEET, HOST, withProbeReplies } from "../support/probeReplies";

const DAY = 24 * 60 * 60 * 1000;
const inDays = (days: number) => new Date(Date.now() + days * DAY).toISOString();
const valid = { from: inDays(-30), to: inDays(60) };

const server = { name: "shop1", address: "192.0.2.21" };
const shop = { name: "shop", hosts: ["shop.test"], port: 8080, servers: [server], tls: true as const };
const model: HaproxyConfig = {
    version: "2.6",
    frontends: [{ name: "https", binds: [{ port: 443, ssl: { certificates: ["shop"] } }], defaultBackend: "shop" }],
    backends: [{ name: "shop", servers: [{ ...server, port: 8080 }] }],
};

describe("certificates of load balancers", function () {
    this.timeout(20_000);
    const hosts = withProbeReplies();
    let root: MadeCertificate;
    let issuer: MadeCertificate;
    let leaf: MadeCertificate;
    let old: MadeCertificate;
    /** PEM without a key. */
    let chain: string;

    before(async () => {
        root = await makeCertificate("Root", { authority: true, ...valid });
        issuer = await makeCertificate("Issuer", { authority: true, issuer: root, ...valid });
        leaf = await makeCertificate("shop.test", { names: ["shop.test"], issuer, ...valid });
        old = await makeCertificate("old.test", { names: ["old.test"], issuer, from: inDays(-90), to: inDays(-3) });
        chain = leaf.pem + issuer.pem;
    });

    const secretly = (text: string) => pulumi.secret(text);
    const shopSource = () => ({ pem: chain, key: secretly(leaf.key) });
    const bundle = () => chain + leaf.key;

    async function balancer(args: Partial<LoadBalancerArgs>, options: MockOptions = {}) {
        const recording = await mockEngine({ preview: true, ...options });
        let made: LoadBalancer | undefined;
        const failures = await failuresOf(() => {
            const services = args.model === undefined ? [shop] : undefined;
            try {
                made = new LoadBalancer("lb1", { connection, services, ...args });
            } catch (error) {
                Promise.reject(error);
            }
        }, 300);
        if (failures.length === 0) await settled();
        // One failure rejects several inputs, not all at once.
        else await new Promise((resolve) => setTimeout(resolve, 50));
        return { ...recording, made: made as LoadBalancer, failures, lines: failures.flatMap(linesOf) };
    }
    /** The errors that one report lists. */
    const linesOf = (failure: string) => failure.split("\n  ").slice(1);
    const warningsOf = ({ messages }: Recording) =>
        messages.filter(({ severity }) => severity === "warn").map(({ text }) => text);
    const infosOf = ({ messages }: Recording) =>
        messages.filter(({ severity }) => severity === "info").map(({ text }) => text);
    const payloads = () => hosts.asked.map(({ payload }) => decoded(payload));

    it("reach hosts as bundles, and neither the engine's inputs and outputs nor its messages", async () => {
        const recording = await mockEngine();
        const fleet = new LoadBalancerFleet<string>("edge", {
            hosts: { lb1: { connection }, lb2: { connection: { ...connection, address: "192.0.2.2" } } },
            services: [shop],
            certificates: { shop: shopSource() },
        });
        await settled();
        assert.equal(hosts.asked.length, 2);
        for (const payload of payloads()) assert.ok(payload.includes(bundle()));
        const known = { inputs: recording.registrations, outputs: await promiseOf(pulumi.output(fleet.hosts)) };
        assertHidden(JSON.stringify(known), { key: leaf.key }, "the engine");
        assert.deepEqual(
            recording.registrations.map(({ type, name }) => `${type} ${name}`).sort(),
            [
                `${COMMAND} edge-lb1-converge`,
                `${COMMAND} edge-lb2-converge`,
                `${HOST} edge-lb1`,
                `${HOST} edge-lb2`,
                `${FLEET} edge`,
            ].sort(),
        );
        const { files } = registered(recording, FLEET, "edge").inputs as { files: Record<string, string> };
        assert.match(files["/etc/haproxy/fleet/https.crt-list"] ?? "", /^\/etc\/haproxy\/fleet\/shop\.pem \*$/m);
        assert.deepEqual(recording.messages, []);
    });

    it("are wrong together: every fault of certificates, authorities and services is in one error, with names", async () => {
        const item = JSON.stringify(encryptDataBag("shop", { cert: chain, key: leaf.key }, "a shared secret"));
        const { lines, failures } = await balancer({
            certificates: {
                shop: { pem: chain, key: secretly(issuer.key) },
                old: { pem: old.pem + issuer.pem, key: secretly(old.key) },
                bag: { dataBag: item, sharedSecret: secretly("planted-secret") },
                leaf: { issuedBy: "partners", names: ["leaf.test"] },
            },
            authorities: { partners: { pem: leaf.key } },
            roots: "no certificate",
            services: [shop, { ...shop, name: "docs", hosts: ["docs.test"], tls: { certificates: ["shpo"] } }],
        });
        assert.equal(failures.length, 1);
        const wanted = [
            /^certificate shop: its key belongs to the authority CN=Issuer/,
            /^certificate old: it expired on .*, 3 days ago; give a new one$/,
            /^certificate bag: key cert of data bag item shop cannot be decrypted/,
            /^certificate leaf: it is issued by partners, which is no private authority/,
            /^authority partners: PEM block 1 \(PRIVATE KEY\) is a private key/,
            /^roots: no certificate; give them in PEM/,
            /certificate "shpo": not declared; did you mean shop\?$/,
        ];
        for (const words of wanted)
            assert.ok(
                lines.some((line) => words.test(line)),
                `${words}\n${lines.join("\n")}`,
            );
        assertHidden(failures.join("\n"), { key: leaf.key, issuer: issuer.key, secret: "planted-secret" }, "the error");
        assert.deepEqual(hosts.asked, []);
    });

    it("must cover the hosts of services, also those of another port", async () => {
        const docs = { ...shop, name: "docs", hosts: ["docs.test", "bücher.test"] };
        const { lines } = await balancer({ certificates: { shop: shopSource() }, services: [shop, docs] });
        assert.deepEqual(lines, [
            "services[1].tls: service docs: no certificate of port 443 is valid for docs.test; add one, or have one issued with that name: the nearest is shop (shop.test)",
            "services[1].tls: service docs: no certificate of port 443 is valid for xn--bcher-kva.test; add one, or have one issued with that name: the nearest is shop (shop.test)",
        ]);
        const { lines: other } = await balancer({
            certificates: { shop: shopSource() },
            services: [shop, { ...docs, hosts: ["docs.test"], listen: 8443 }],
        });
        assert.match(other.join("\n"), /^services\[1\]\.tls: service docs: no certificate of port 8443/);
    });

    it("have their days judged, and shown in a preview", async () => {
        const short = await makeCertificate("shop.test", { names: ["shop.test"], issuer, ...valid, to: inDays(12.5) });
        const certificates = { shop: { pem: short.pem + issuer.pem, key: secretly(short.key) } };
        const warned = await balancer({ certificates });
        assert.deepEqual(warned.failures, []);
        assert.deepEqual(warningsOf(warned), ["certificate shop: it has 12 days left; renew it"]);
        assert.match(infosOf(warned).join("\n"), /^certificates: shop 12 days \(\d{4}-\d\d-\d\d\)$/m);
        const { lines } = await balancer({ certificates, minimumDays: 14 });
        assert.deepEqual(lines, ["certificate shop: it has 12 days left, and minimumDays is 14; renew it"]);
        const ignored = await balancer({ certificates, ignoreIssues: ["certificate-expires"] });
        assert.deepEqual(warningsOf(ignored), []);
        const wrong = await balancer({ certificates, ignoreIssues: ["certificate-dates"] });
        assert.match(wrong.lines.join("\n"), /certificate-dates/);
    });

    it("may be made after the program has begun, and be valid only from then on", async () => {
        await mockEngine({ preview: true });
        const failures = await failuresOf(() => {
            const later = new Promise((resolve) => setTimeout(resolve, 1100)).then(() =>
                makeCertificate("shop.test", { names: ["shop.test"], from: new Date().toISOString(), to: inDays(60) }),
            );
            const [pem, key] = [later.then((made) => made.pem), pulumi.secret(later.then((made) => made.key))];
            new LoadBalancer("lb1", { connection, services: [shop], certificates: { shop: { pem, key } } });
        }, 1500);
        assert.deepEqual(failures, []);
        await settled();
    });

    it("that an up renews are no warning before it would", async () => {
        const short = await makeCertificate("shop.test", { names: ["shop.test"], ...valid, to: inDays(12.5) });
        const warnings = async (days: number, renewDays: number) => {
            const certificates = { shop: { selfSigned: { names: ["shop.test"], days, renewDays } } };
            const outputs = () => ({ privateKeyPem: short.key, certPem: short.pem });
            return warningsOf(await balancer({ certificates }, { preview: false, outputs }));
        };
        assert.deepEqual(await warnings(14, 3), []);
        assert.deepEqual(await warnings(90, 30), ["certificate shop: it has 12 days left; renew it"]);
    });

    it("warn of what nothing needs, in a model and in services", async () => {
        const unused = await balancer({ certificates: { shop: shopSource(), more: shopSource() }, model });
        assert.match(warningsOf(unused).join("\n"), /^certificate more: /);
        const idleAuthority = await balancer({
            certificates: { shop: shopSource() },
            authorities: { partners: { pem: root.pem } },
        });
        assert.match(warningsOf(idleAuthority).join("\n"), /^authority partners: nothing uses it/);
        const other = await makeCertificate("x.test", { names: ["x.test"], issuer, ...valid });
        const idle = await balancer({
            certificates: { shop: shopSource(), x: { pem: other.pem + issuer.pem, key: secretly(other.key) } },
        });
        assert.deepEqual(warningsOf(idle), ["certificate x: no host of port 443 needs it; remove it"]);
    });

    it("are of a hand-written model, which names them, and of what customize makes of it", async () => {
        const { failures } = await balancer({ certificates: { shop: shopSource() }, model });
        assert.deepEqual(failures, []);
        assert.ok(payloads()[0]?.includes(bundle()));
        assert.ok(payloads()[0]?.includes("/etc/haproxy/fleet/shop.pem *\n"));
        hosts.asked.length = 0;
        let seen = "";
        const customized = await balancer({
            certificates: { shop: shopSource() },
            customize: (config) => {
                seen = JSON.stringify(config);
                const frontends = config.frontends.map((frontend) => ({
                    ...frontend,
                    binds: frontend.binds.map((bind) =>
                        bind.ssl ? { ...bind, ssl: { ...bind.ssl, strictSni: true } } : bind,
                    ),
                }));
                return { ...config, frontends };
            },
        });
        assert.deepEqual(customized.failures, []);
        assert.ok(seen.includes("certificate.shop"));
        assertHidden(seen, { key: leaf.key }, "customize");
        assert.match(payloads()[0] ?? "", /crt-list \S+https\.crt-list \S*.*strict-sni/);
        const missing = await balancer({ certificates: { shp: shopSource() }, model });
        assert.deepEqual(missing.lines, [
            'frontends[0].binds[0].ssl.certificates[0]: certificate "shop": not declared; declared are shp',
        ]);
    });

    it("are unknown in a preview that would make them, and everything else is asked", async () => {
        const recording = await balancer({
            certificates: {
                shop: { selfSigned: { names: ["shop.test"] } },
                leaf: { issuedBy: "own", names: ["docs.test"] },
            },
            authorities: { own: { private: { commonName: "Own" } } },
            services: [shop, { ...shop, name: "docs", hosts: ["docs.test"] }],
        });
        assert.deepEqual(recording.failures, []);
        assert.deepEqual(warningsOf(recording), []);
        assert.equal(hosts.asked.length, 1);
        assert.match(infosOf(recording).join("\n"), /shop known after up/);
        // Names that a source declares are judged before there is a certificate.
        const { lines } = await balancer({
            certificates: { shop: { selfSigned: { names: ["shp.test"] } } },
        });
        assert.match(
            lines.join("\n"),
            /^services\[0\]\.tls: service shop: no certificate of port 443 is valid for shop\.test/,
        );
    });

    it("lead to roots, if these are given", async () => {
        const certificates = { shop: shopSource() };
        assert.deepEqual((await balancer({ certificates, roots: root.pem })).failures, []);
        const { lines } = await balancer({ certificates, roots: old.pem });
        assert.match(lines.join("\n"), /^certificate shop: neither its chain nor the roots have CN=Root/);
        const later = await balancer({ certificates, roots: pulumi.output(pulumi.unknown) as never });
        assert.deepEqual(later.failures, []);
    });

    it("need not lead to roots if the program makes them; a proof then verifies them by themselves", async () => {
        const own = await makeCertificate("shop.test", { names: ["shop.test"], ...valid });
        const certificates = { shop: { selfSigned: { names: ["shop.test"] } } };
        const outputs = (_: string, name: string): Record<string, unknown> =>
            name.endsWith("-cert") ? { certPem: own.pem } : { privateKeyPem: own.key };
        const { failures } = await balancer({ certificates, roots: root.pem }, { preview: false, outputs });
        assert.deepEqual(failures, []);
        assert.ok(payloads()[0]?.includes(root.pem + own.pem));
    });

    it("have authorities, which are outputs, and lists that are judged", async () => {
        const revocations = await makeRevocationList(root, { from: inDays(-9), to: inDays(21) });
        const args = (list: string) => ({
            certificates: { shop: shopSource() },
            authorities: { partners: { pem: root.pem, revocations: list } },
            services: [{ ...shop, tls: { clients: { authority: "partners" } } }],
        });
        const { made, failures } = await balancer(args(revocations));
        assert.deepEqual(failures, []);
        assert.equal(await promiseOf(made.authorities.partners as pulumi.Output<string>), root.pem);
        assert.ok(payloads()[0]?.includes(revocations));
        const expired = await makeRevocationList(root, { from: inDays(-9), to: inDays(-1) });
        const { lines } = await balancer(args(expired));
        assert.match(lines.join("\n"), /^authority partners: the revocation list of CN=Root expired/);
    });

    it("may come from providers in a fleet, which is registered without waiting for them", async () => {
        const direct = await makeCertificate("shop.test", { names: ["shop.test"], issuer: root, ...valid });
        const certOf = {
            "tls:index/locallySignedCert:LocallySignedCert": direct,
            "tls:index/selfSignedCert:SelfSignedCert": root,
        };
        const keyOf = (name: string) => (name === "edge-shop-key" ? direct.key : root.key);
        await mockEngine({
            outputs: (type, name) => {
                const made = certOf[type as keyof typeof certOf];
                if (made) return { certPem: made.pem };
                return type === "tls:index/privateKey:PrivateKey"
                    ? { privateKeyPem: keyOf(name) }
                    : { certRequestPem: "x" };
            },
            call: () => ({ secretString: JSON.stringify({ cert: leaf.pem, chain: issuer.pem, key: leaf.key }) }),
        });
        const declared = (name: string, address: string, certificates: object) =>
            new LoadBalancerFleet<string>(name, {
                hosts: { lb1: { connection: { ...connection, address } } },
                services: [shop],
                certificates: certificates as never,
                authorities: { own: { private: { commonName: "Own" } } },
                ignoreIssues: ["incomplete-chain", "unused-authority"],
            });
        const failures = await failuresOf(() => {
            declared("edge", "192.0.2.1", { shop: { issuedBy: "own", names: ["shop.test"] } });
            declared("aws", "192.0.2.2", { shop: { secretsManager: "shop", region: "eu-central-1" } });
        }, 1000);
        assert.deepEqual(failures, []);
        const sent = payloads().join("");
        assert.equal(hosts.asked.length, 2);
        for (const one of [direct.pem + direct.key, bundle()]) assert.ok(sent.includes(one));
    });

    it("may be different ones in two fleets of one program, under one name", async () => {
        const other = await makeCertificate("docs.test", { names: ["docs.test"], issuer, ...valid });
        const recording = await mockEngine({ preview: true });
        const fleet = (name: string, address: string, host: string, one: MadeCertificate) =>
            new LoadBalancerFleet<string>(name, {
                hosts: { lb1: { connection: { ...connection, address } } },
                services: [{ ...shop, hosts: [host] }],
                certificates: {
                    shop: { pem: one.pem + issuer.pem, key: secretly(one.key) },
                    own: { selfSigned: { names: [host] } },
                },
            });
        const failures = await failuresOf(() => {
            fleet("edge", "192.0.2.1", "shop.test", leaf);
            fleet("inner", "192.0.2.2", "docs.test", other);
        }, 1000);
        assert.deepEqual(failures, []);
        const sent = new Map(hosts.asked.map(({ target, payload }) => [target.address, decoded(payload)]));
        assert.ok(sent.get("192.0.2.1")?.includes(bundle()) && !sent.get("192.0.2.1")?.includes(other.key));
        assert.ok(sent.get("192.0.2.2")?.includes(other.key) && !sent.get("192.0.2.2")?.includes(leaf.key));
        const keys = recording.registrations.filter(({ type }) => type === "tls:index/privateKey:PrivateKey");
        assert.deepEqual(keys.map(({ name }) => name).sort(), ["edge-own-key", "inner-own-key"]);
    });

    it("have a clear error for texts without a value, or that are none", async () => {
        for (const [pem, words] of [
            [undefined, /certificates\.shop/],
            [pulumi.output(undefined), /certificate shop: its `pem` has no value; check the output or the setting/],
            [pulumi.output({ planted: 1 }), /certificate shop: its `pem` is of type object; use text/],
            [secretly(""), /certificate shop: it has no certificate/],
            [secretly("planted text"), /certificate shop: it has no certificate/],
        ] as [never, RegExp][]) {
            const { failures } = await balancer({ certificates: { shop: { pem } } });
            assert.equal(failures.length, 1, failures.join("\n---\n"));
            assert.match(failures[0] ?? "", words);
            assert.doesNotMatch(failures[0] ?? "", /planted/);
        }
    });

    it("of a wrong form are named, with what was meant", async () => {
        const { lines } = await balancer({
            certificates: {
                shop: { pem: "x", chian: "y" },
                Shop: { pem: "x" },
                none: {},
                late: { selfSigned: { names: ["a.test"], days: 3, renewDays: 3 } },
                odd: {
                    issuedBy: "x",
                    names: ["*.a.test", "bücher.test.", "::1", "192.0.2.1", "http://a.test", "*.*.test"],
                },
            } as never,
            authorities: { partners: { pem: "x", revocation: "y" } } as never,
            minimumDays: -1,
        });
        assert.deepEqual(lines, [
            'certificates.shop: unknown key "chian"; did you mean chain?',
            'certificates.Shop: expected a name of 1 to 40 lower-case letters, digits, dots and hyphens, with a letter or digit first, got "Shop"',
            "certificates.none: expected a source: pem, dataBag, secretsManager, selfSigned or issuedBy, got an object",
            "certificates.late.selfSigned.renewDays: expected renewDays to be less than days, got 3",
            'certificates.odd.names[4]: expected a host name, such as "*.example.com", or an IP address, got "http://a.test"',
            'certificates.odd.names[5]: expected a host name, such as "*.example.com", or an IP address, got "*.*.test"',
            'authorities.partners: unknown key "revocation"; did you mean revocations?',
            "minimumDays: expected a whole number from 0 to 3650, got -1",
        ]);
    });
});
