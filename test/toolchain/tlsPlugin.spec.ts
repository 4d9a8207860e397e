// What the stand-in for the tls plugin makes and plans, over gRPC, judged by openssl and ssh-keygen. PULUMI_FULL=1 tests the real plugin.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pulumiInstall } from "../../toolchain/environment.mjs";
import { type Properties, reveal, unknown } from "../../toolchain/offline/provider/values";
import { skip } from "../support/skip";
import { Plugin } from "./plugin";

const types = {
    key: "tls:index/privateKey:PrivateKey",
    request: "tls:index/certRequest:CertRequest",
    own: "tls:index/selfSignedCert:SelfSignedCert",
    signed: "tls:index/locallySignedCert:LocallySignedCert",
};
const hourMs = 3_600_000;
const start = Date.parse("2030-03-01T12:00:00Z");
const at = (hours: number) => new Date(start + hours * hourMs).toISOString();

describe("stand-in for the tls plugin", () => {
    const directory = mkdtempSync(join(tmpdir(), "tls-plugin-"));
    const lab = { HAPROXY_FLEET_LAB: "1", PULUMI_BACKEND_URL: `file://${directory}` };
    const plugin = new Plugin("tls");
    before(() => plugin.start(lab));
    after(() => {
        plugin.stop();
        rmSync(directory, { recursive: true, force: true });
    });

    const file = (name: string, text: unknown) => {
        writeFileSync(join(directory, name), String(text), { mode: 0o600 });
        return join(directory, name);
    };
    const run = (command: string, ...args: string[]) =>
        execFileSync(command, args, { encoding: "utf8", stdio: "pipe" });
    const openssl = (...args: string[]) => run("openssl", ...args);
    const text = (pem: unknown) => openssl("x509", "-noout", "-text", "-in", file("cert.pem", pem));

    async function create(
        type: keyof typeof types,
        inputs: Properties,
        on = plugin,
    ): Promise<{ readonly [name: string]: string }> {
        on.type = types[type];
        const { id, state } = await on.create(inputs);
        return { ...(reveal(state) as Record<string, string>), id };
    }
    const key = (algorithm: string, more: Properties = {}) => create("key", { algorithm, ...more });

    for (const [algorithm, more, kind] of [
        ["ECDSA", { ecdsaCurve: "P256" }, "256 .*\\(ECDSA\\)"],
        ["ECDSA", { ecdsaCurve: "P521" }, "521 .*\\(ECDSA\\)"],
        ["RSA", {}, "2048 .*\\(RSA\\)"],
        ["ED25519", {}, "256 .*\\(ED25519\\)"],
    ] as const) {
        it(`makes a key ${algorithm} ${Object.values(more)}, in all formats the same`, async () => {
            const made = await key(algorithm, more);
            const ssh = file("ssh", made.privateKeyOpenssh);
            assert.equal(
                run("ssh-keygen", "-y", "-P", "", "-f", ssh).split(" ").slice(0, 2).join(" ").trim(),
                made.publicKeyOpenssh?.trim(),
            );
            const line = run("ssh-keygen", "-l", "-f", file("ssh.pub", made.publicKeyOpenssh));
            assert.match(line, new RegExp(kind));
            assert.ok(line.includes(` ${made.publicKeyFingerprintSha256} `), line);
            const old = run("ssh-keygen", "-l", "-E", "md5", "-f", file("ssh.pub", made.publicKeyOpenssh));
            assert.ok(old.includes(` MD5:${made.publicKeyFingerprintMd5} `), old);
            for (const name of ["privateKeyPem", "privateKeyPemPkcs8"] as const) {
                assert.equal(openssl("pkey", "-pubout", "-in", file("key.pem", made[name])), made.publicKeyPem, name);
            }
            assert.match(String(made.privateKeyPemPkcs8), /^-----BEGIN PRIVATE KEY-----\n/);
            const der = execFileSync("openssl", [
                "pkey",
                "-pubin",
                "-outform",
                "der",
                "-in",
                file("pub.pem", made.publicKeyPem),
            ]);
            assert.equal(
                execFileSync("openssl", ["dgst", "-sha1", "-r"], { input: der, encoding: "utf8" }).slice(0, 40),
                made.id,
            );
        });
    }

    it("makes keys of curve P224 if no curve is given, which SSH does not have", async () => {
        const made = await key("ECDSA");
        assert.deepEqual([made.ecdsaCurve, made.privateKeyOpenssh, made.publicKeyOpenssh], ["P224", "", ""]);
        assert.match(openssl("pkey", "-noout", "-text", "-in", file("key.pem", made.privateKeyPem)), /P-224|secp224r1/);
    });

    it("makes an authority and a certificate that it signs, as openssl judges them", async () => {
        const [root, leaf] = [await key("ECDSA", { ecdsaCurve: "P256" }), await key("RSA")];
        const authority = await create("own", {
            privateKeyPem: root.privateKeyPem ?? "",
            subject: { commonName: "Example internal", organization: "Example Ltd", country: "DE" },
            isCaCertificate: true,
            allowedUses: ["cert_signing", "crl_signing"],
            validityPeriodHours: 100,
        });
        const shown = text(authority.certPem);
        assert.match(shown, /Subject: C ?= ?DE, O ?= ?Example Ltd, CN ?= ?Example internal/);
        assert.match(shown, /Key Usage: critical\s+Certificate Sign, CRL Sign/);
        assert.match(shown, /Basic Constraints: critical\s+CA:TRUE\n/);
        assert.match(shown, /Subject Key Identifier:/);
        const request = await create("request", {
            privateKeyPem: leaf.privateKeyPem ?? "",
            dnsNames: ["shop.example.com", "*.example.net"],
            ipAddresses: ["192.0.2.7", "2001:db8::7"],
            uris: ["spiffe://example.com/shop"],
        });
        openssl("req", "-verify", "-noout", "-in", file("request.pem", request.certRequestPem));
        const signed = await create("signed", {
            certRequestPem: request.certRequestPem ?? "",
            caCertPem: authority.certPem ?? "",
            caPrivateKeyPem: root.privateKeyPem ?? "",
            allowedUses: ["digital_signature", "key_encipherment", "server_auth"],
            validityPeriodHours: 10,
            setSubjectKeyId: true,
        });
        const ca = ["-CAfile", file("ca.pem", authority.certPem)];
        for (const name of ["shop.example.com", "any.example.net"])
            openssl(
                "verify",
                ...ca,
                "-purpose",
                "sslserver",
                "-verify_hostname",
                name,
                file("leaf.pem", signed.certPem),
            );
        openssl("verify", ...ca, "-verify_ip", "2001:db8::7", file("leaf.pem", signed.certPem));
        assert.throws(() =>
            openssl("verify", ...ca, "-verify_hostname", "example.net", file("leaf.pem", signed.certPem)),
        );
        const own = text(signed.certPem);
        assert.match(own, /Subject Alternative Name: critical/, "the subject is empty");
        assert.match(own, /URI:spiffe:/);
        assert.match(own, /Key Usage: critical\s+Digital Signature, Key Encipherment/);
        const idOf = (name: string, of: string) =>
            new RegExp(`${name} Key Identifier:\\s+(?:keyid:)?(\\S+)`).exec(of)?.[1];
        assert.equal(idOf("Authority", own), idOf("Subject", shown));
        assert.equal(openssl("x509", "-noout", "-pubkey", "-in", file("leaf.pem", signed.certPem)), leaf.publicKeyPem);
        const serial = openssl("x509", "-noout", "-serial", "-in", file("leaf.pem", signed.certPem)).trim().slice(7);
        assert.equal(BigInt(`0x${serial}`).toString(), signed.id);
        const end = openssl("x509", "-noout", "-enddate", "-in", file("leaf.pem", signed.certPem)).trim().slice(9);
        assert.equal(Math.floor(Date.parse(String(signed.validityEndTime)) / 1000), Date.parse(end) / 1000);
        assert.deepEqual([signed.caKeyAlgorithm, signed.readyForRenewal], ["ECDSA", false]);
    });

    it("replaces a certificate on every change but that of its renewal", async () => {
        const { privateKeyPem = "" } = await key("ED25519");
        const inputs = {
            privateKeyPem,
            dnsNames: ["a.example"],
            allowedUses: ["server_auth"],
            validityPeriodHours: 10,
        };
        const state = await create("own", inputs);
        const diff = (changed: Properties) => plugin.diff(state as Properties, { ...inputs, ...changed });
        assert.deepEqual(await diff({}), { changes: false, diffs: [], details: [], replaces: [] });
        for (const [changed, property] of [
            [{ dnsNames: ["b.example"] }, "dnsNames"],
            [{ dnsNames: ["a.example", "b.example"] }, "dnsNames"],
            [{ subject: { commonName: "a" } }, "subject"],
            [{ validityPeriodHours: 11 }, "validityPeriodHours"],
            [{ allowedUses: ["server_auth", "client_auth"] }, "allowedUses"],
            [{ privateKeyPem: unknown }, "privateKeyPem"],
            [{ isCaCertificate: true }, "isCaCertificate"],
        ] as const) {
            const found = await diff(changed as unknown as Properties);
            assert.deepEqual([found.diffs, [...new Set(found.replaces)]], [[property], [property]]);
        }
        const renewal = await diff({ earlyRenewalHours: 2 });
        assert.deepEqual([renewal.diffs, renewal.replaces], [["earlyRenewalHours"], []]);
        const updated = await plugin.update(state as Properties, { ...inputs, earlyRenewalHours: 2 });
        assert.deepEqual([updated.certPem, updated.earlyRenewalHours], [state.certPem, 2]);
    });

    it("replaces a certificate from the early renewal on, and says so in a refresh", async function () {
        if (pulumiInstall().full) return skip(this, "the real plugin has the machine's clock only");
        const { privateKeyPem = "" } = await key("ECDSA", { ecdsaCurve: "P384" });
        const inputs = { privateKeyPem, allowedUses: ["server_auth"], validityPeriodHours: 24, earlyRenewalHours: 8 };
        let state: Properties = {};
        for (const [hours, due] of [
            [0, false],
            [15.9, false],
            [16, true],
            [25, true],
        ] as const) {
            const later = new Plugin("tls");
            await later.start({ ...lab, HAPROXY_FLEET_LAB_CLOCK: at(hours) });
            try {
                if (hours === 0) state = (await create("own", inputs, later)) as Properties;
                assert.equal(state.validityEndTime, at(24));
                later.type = types.own;
                const { replaces, details } = await later.diff(state, inputs);
                const expected = due ? ["readyForRenewal"] : [];
                assert.deepEqual([replaces, details], [expected, expected], `after ${hours} h`);
                assert.equal((await later.read(state)).readyForRenewal, due);
            } finally {
                later.stop();
            }
        }
    });

    it("knows nothing of what it would make in a preview", async () => {
        plugin.type = types.key;
        const { state } = await plugin.create({ algorithm: "ED25519" }, true);
        assert.deepEqual([state.algorithm, state.privateKeyPem, state.publicKeyPem], ["ED25519", unknown, unknown]);
    });

    it("names every input that is wrong", async () => {
        const failures = async (type: keyof typeof types, inputs: Properties) => {
            plugin.type = types[type];
            return (await plugin.check(inputs)).failures
                .map(([property, reason]) => `${property}: ${reason}`)
                .join("\n");
        };
        assert.match(await failures("key", {}), /algorithm/);
        assert.match(await failures("key", { algorithm: "DSA" }), /DSA/);
        const wrong = { privateKeyPem: "k", allowedUses: ["serve"], validityPeriodHours: -1 };
        const all = await failures("own", wrong);
        assert.match(all, /serve/);
        assert.match(all, /validityPeriodHours/i);
        await assert.rejects(
            create("own", { privateKeyPem: "planted", allowedUses: ["server_auth"], validityPeriodHours: 1 }),
            (error: Error) => /private key/i.test(error.message) && !error.message.includes("planted"),
        );
    });

    it("has no other resources", async function () {
        if (pulumiInstall().full) return skip(this, "the real plugin has other functions, too");
        await assert.rejects(
            plugin.invoke("tls:index/getCertificate:getCertificate"),
            /^Error: tls:index\/getCertificate:getCertificate: the stand-in for the tls plugin has tls:index\/privateKey:PrivateKey, .* only; install Pulumi/,
        );
    });
});
