import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type BundleParts, readBundle, readRoots } from "../../../components/tls";
import { type CertificateOptions, type MadeCertificate, makeCertificate } from "../../support/certificates";

const now = new Date("2026-06-01T00:00:00Z");
const names = ["Shop.example.com", "*.example.net", "192.0.2.1", "2001:db8::1"];

describe("bundles of certificates", () => {
    let root: MadeCertificate;
    let upper: MadeCertificate;
    let lower: MadeCertificate;
    let leaf: MadeCertificate;
    let other: MadeCertificate;
    const made = (options: CertificateOptions = {}) =>
        makeCertificate("shop.example.com", { issuer: lower, names, ...options });

    before(async () => {
        root = await makeCertificate("Root", { authority: true });
        upper = await makeCertificate("Upper", { authority: true, issuer: root, key: "rsa" });
        lower = await makeCertificate("Lower", { authority: true, issuer: upper });
        leaf = await made();
        other = await made();
    });

    const read = (parts: Partial<BundleParts>, roots?: string) =>
        readBundle("shop", { pem: "", ...parts }, now, roots === undefined ? undefined : readRoots(roots).roots);
    /** The issues of parts that are otherwise right, as `severity rule: message`. */
    const issuesOf = (parts: Partial<BundleParts>, roots?: string) => {
        const { issues, bundle } = read(parts, roots);
        for (const { path, message } of issues) {
            assert.equal(path, "certificates.shop");
            assert.match(message, /^certificate shop: .+; /);
        }
        assert.equal(
            bundle === undefined,
            issues.some(({ severity }) => severity === "error"),
        );
        return issues.map(({ severity, rule, message }) => `${severity} ${rule}: ${message}`);
    };
    const only = (issues: readonly string[], words: RegExp) => {
        assert.equal(issues.length, 1, issues.join("\n"));
        assert.match(issues[0] ?? "", words);
    };
    const rightOrder = () => [leaf.pem, lower.pem, upper.pem, leaf.key].join("");

    it("are the leaf, its intermediates and its key, whatever the order, once each, and without the root", () => {
        const parts = () => [leaf.key, leaf.pem, lower.pem, upper.pem, root.pem, leaf.pem, leaf.key];
        fc.assert(
            fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7 }), fc.nat(7), (order, cut) => {
                const texts = order.map((i) => parts()[i]);
                const apart = { pem: texts.slice(0, cut).join(""), chain: texts.slice(cut).join("") };
                const { bundle, issues } = read(apart);
                assert.deepEqual(issues, []);
                assert.equal(bundle?.pem, rightOrder());
            }),
        );
        assert.equal(read({ pem: leaf.pem, chain: upper.pem + lower.pem, key: leaf.key }).bundle?.pem, rightOrder());
    });

    it("are read with CRLF, blank lines, other text, no line breaks, and no break at the end", () => {
        const texts: Record<string, (text: string) => string> = {
            CRLF: (text) => text.replaceAll("\n", "\r\n"),
            "blank lines": (text) => text.replaceAll("\n", "\n\n \n"),
            attributes: (text) =>
                text.replaceAll("-----BEGIN", "Bag Attributes\n    localKeyID: 01\nsubject=CN = shop\n-----BEGIN"),
            "one line": (text) => text.replaceAll("\n", " "),
            "no break between blocks": (text) => text.replaceAll("-----\n-----BEGIN", "----------BEGIN").trimEnd(),
            indented: (text) => text.replaceAll("\n", "\n    "),
            "quoted twice": (text) => text.replaceAll("\n", "\\n"),
            "byte order mark": (text) => `\uFEFF${text}`,
            "old label": (text) => text.replaceAll(" CERTIFICATE", " X509 CERTIFICATE"),
        };
        for (const [title, change] of Object.entries(texts)) {
            const { bundle, issues } = read({ pem: change(rightOrder()) });
            assert.deepEqual(issues, [], title);
            assert.equal(bundle?.pem, rightOrder(), title);
        }
    });

    it("have the facts that openssl shows", () => {
        const { facts } = read({ pem: rightOrder() });
        const openssl = (...args: string[]) =>
            execFileSync("openssl", ["x509", "-noout", ...args], { input: leaf.pem, encoding: "utf8" }).trim();
        const print = (digest: string) => openssl("-fingerprint", `-${digest}`).replace(/.*=|:/g, "").toLowerCase();
        assert.deepEqual(facts, {
            subject: "CN=shop.example.com",
            issuer: "CN=Lower",
            names: ["shop.example.com", "*.example.net", "192.0.2.1", "2001:db8::1"],
            sha256: print("sha256"),
            sha1: print("sha1"),
            serial: openssl("-serial").replace("serial=", "").toLowerCase(),
            notBefore: "2026-01-01T00:00:00.000Z",
            notAfter: "2027-01-01T00:00:00.000Z",
            keyType: "ecdsa",
            keyBits: 256,
            selfSigned: false,
            chain: 2,
            mustStaple: false,
        });
        assert.equal(facts?.sha1, leaf.sha1);
    });

    it("need no chain if they sign themselves, whatever their key may be used for", () => {
        // As `@pulumi/tls` makes them.
        const pem = execFileSync(
            "openssl",
            [
                ...[
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:prime256v1",
                    "-nodes",
                    "-days",
                    "90",
                ],
                ...["-keyout", "-", "-subj", "/CN=dev.test", "-addext", "subjectAltName=DNS:dev.test"],
                ...["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature"],
            ],
            { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
        );
        const { issues, facts } = readBundle("dev", { pem }, new Date(Date.now() + 60_000));
        assert.deepEqual(issues, []);
        assert.equal(facts?.selfSigned, true);
    });

    it("verify with openssl, with the key that fits", () => {
        const folder = mkdtempSync(join(tmpdir(), "haproxy-fleet-bundle-"));
        try {
            const { bundle } = read({ pem: root.pem + upper.pem + leaf.key + lower.pem + leaf.pem });
            writeFileSync(join(folder, "root.pem"), root.pem);
            writeFileSync(join(folder, "shop.pem"), bundle?.pem ?? "");
            const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, encoding: "utf8" });
            const time = String(now.getTime() / 1000);
            const verified = openssl(
                "verify",
                "-attime",
                time,
                "-CAfile",
                "root.pem",
                "-untrusted",
                "shop.pem",
                "shop.pem",
            );
            assert.equal(verified, "shop.pem: OK\n");
            assert.equal(
                openssl("pkey", "-in", "shop.pem", "-pubout"),
                openssl("x509", "-in", "shop.pem", "-pubkey", "-noout"),
            );
        } finally {
            rmSync(folder, { recursive: true });
        }
    });

    it("need one certificate and one key that belong together", () => {
        only(issuesOf({}).slice(1), /^error certificate-parts: .*it has no certificate; give it in PEM/);
        only(issuesOf({ key: leaf.key }), /^error certificate-parts: .*no certificate/);
        only(issuesOf({ pem: leaf.pem + lower.pem }), /^error certificate-parts: .*no private key; give it as `key`/);
        only(
            issuesOf({ pem: leaf.pem + lower.pem, key: other.key }),
            /certificate-parts: .*key belongs to another certificate/,
        );
        only(issuesOf({ pem: leaf.pem + lower.pem, key: lower.key }), /certificate-parts: .*to the authority CN=Lower/);
        only(issuesOf({ pem: rightOrder() + other.key }), /certificate-parts: .*2 different private keys/);
        only(
            issuesOf({ pem: rightOrder() + other.pem }),
            /certificate-parts: .*2 certificates of servers \(CN=shop\.example\.com, valid to 2027-01-01T00:00:00Z; /,
        );
    });

    it("report everything that is wrong at once", async () => {
        const bad = await made({ from: "2025-01-01", to: "2026-05-30", mustStaple: true, key: "rsa1024" });
        const rules = issuesOf({ pem: bad.pem, chain: upper.pem, key: other.key }).map((issue) => issue.split(":")[0]);
        assert.deepEqual(rules.sort(), [
            "error certificate-chain",
            "error certificate-dates",
            "error certificate-key",
            "error certificate-parts",
            "error must-staple",
        ]);
    });

    it("need a chain that links up, and mention one that may be missing", async () => {
        only(
            issuesOf({ pem: leaf.pem + leaf.key }),
            /^warning incomplete-chain: .*do not know CN=Lower refuse it; give/,
        );
        only(issuesOf({ pem: leaf.pem + leaf.key + root.pem }), /^warning incomplete-chain/);
        only(
            issuesOf({ pem: leaf.pem + leaf.key, chain: upper.pem }),
            /^error certificate-chain: .*does not link up: CN=Lower issued it, but the chain has only CN=Upper, which issued none of it; give/,
        );
        const lowest = await makeCertificate("Lowest", { authority: true, issuer: lower });
        const ofLowest = await made({ issuer: lowest });
        only(
            issuesOf({ pem: ofLowest.pem + ofLowest.key, chain: lowest.pem + upper.pem }),
            /^warning incomplete-chain: .*CN=Lower issued CN=Lowest, but the chain goes on with CN=Upper, which issued none of it; give/,
        );
        // Without roots, the issuer of the last intermediate may be a root.
        assert.deepEqual(issuesOf({ pem: leaf.pem + leaf.key + lower.pem }), []);
        const namesake = await makeCertificate("Lower", { authority: true, issuer: upper });
        only(issuesOf({ pem: leaf.pem + leaf.key, chain: namesake.pem }), /^error certificate-chain/);
        const alone = await makeCertificate("dev", { names: ["dev.test"] });
        assert.deepEqual(issuesOf({ pem: alone.pem + alone.key }), []);
    });

    it("end in one of the roots, if there are some", async () => {
        const roots = root.pem + other.pem;
        assert.deepEqual(issuesOf({ pem: rightOrder() }, roots), []);
        assert.deepEqual(issuesOf({ pem: rightOrder() + root.pem }, roots), []);
        assert.deepEqual(issuesOf({ pem: leaf.pem + leaf.key }, lower.pem), []);
        only(
            issuesOf({ pem: leaf.pem + leaf.key + lower.pem }, roots),
            /^error certificate-chain: .*neither its chain nor the roots have CN=Upper, which issued CN=Lower; give/,
        );
        only(issuesOf({ pem: leaf.pem + leaf.key }, roots), /^error certificate-chain/);
        const foreign = await makeCertificate("Foreign root", { authority: true });
        only(
            issuesOf({ pem: rightOrder() + root.pem }, foreign.pem),
            /^error certificate-chain: .*ends in CN=Root, which is none of the roots/,
        );
    });

    it("prefer a cross-signed intermediate to the root of the same name", async () => {
        const elder = await makeCertificate("Elder", { authority: true });
        const crossed = await makeCertificate("Root", { authority: true, issuer: elder, keys: root.keys });
        const { bundle, issues } = read({ pem: root.pem + crossed.pem + rightOrder() });
        assert.deepEqual(issues, []);
        assert.equal(bundle?.pem, [leaf.pem, lower.pem, upper.pem, crossed.pem, leaf.key].join(""));
        for (const roots of [root.pem, elder.pem])
            assert.deepEqual(issuesOf({ pem: crossed.pem + rightOrder() }, roots), []);
    });

    it("take the latest of two intermediates with one key", async () => {
        const renewed = await makeCertificate("Lower", {
            authority: true,
            issuer: upper,
            keys: lower.keys,
            to: "2028-01-01",
        });
        const old = await makeCertificate("Lower", {
            authority: true,
            issuer: upper,
            keys: lower.keys,
            to: "2026-02-01",
        });
        const { bundle, issues } = read({ pem: leaf.pem + leaf.key + old.pem + lower.pem + renewed.pem });
        assert.deepEqual(issues, []);
        assert.equal(bundle?.pem, leaf.pem + renewed.pem + leaf.key);
    });

    it("are valid now, with all intermediates", async () => {
        const chain = () => lower.pem + upper.pem;
        const expired = await made({ from: "2025-01-01", to: "2026-05-30" });
        only(
            issuesOf({ pem: expired.pem + expired.key + chain() }),
            /^error certificate-dates: .*it expired on 2026-05-30T00:00:00Z, 2 days ago; give a new one/,
        );
        assert.equal(read({ pem: expired.pem + expired.key + chain() }).facts?.notAfter, "2026-05-30T00:00:00.000Z");
        const early = await made({ from: "2026-06-02" });
        only(
            issuesOf({ pem: early.pem + early.key + chain() }),
            /^error certificate-dates: .*not valid before 2026-06-02T00:00:00Z/,
        );
        const ends = await made({ to: "2026-06-01T00:00:00Z" });
        only(issuesOf({ pem: ends.pem + ends.key + chain() }), /^error certificate-dates: .*it expired on [^,]*; /);
        const old = await makeCertificate("Old", {
            authority: true,
            issuer: root,
            from: "2025-01-01",
            to: "2026-05-31",
        });
        const child = await made({ issuer: old });
        only(
            issuesOf({ pem: child.pem + child.key + old.pem }),
            /^error certificate-dates: .*intermediate CN=Old expired/,
        );
    });

    it("have keys that browsers take", async () => {
        const withKey = async (key: CertificateOptions["key"]) => {
            const { pem, key: its } = await made({ key });
            return issuesOf({ pem: pem + its + lower.pem });
        };
        assert.deepEqual(await withKey("rsa"), []);
        only(await withKey("rsa1024"), /^error certificate-key: .*it has an RSA key of 1024 bits; use 2048 or more/);
        only(await withKey("p521"), /^warning unusual-key: .*ECDSA P-521/);
        only(await withKey("ed25519"), /^warning unusual-key: .*Ed25519/);
    });

    it("are strong throughout, and signed with more than SHA-1", async () => {
        const short = await makeCertificate("Short", { authority: true, issuer: root, key: "rsa1024" });
        const ofShort = await made({ issuer: short });
        only(
            issuesOf({ pem: ofShort.pem + ofShort.key + short.pem }),
            /^error certificate-key: .*its intermediate CN=Short has an RSA key of 1024 bits/,
        );
        const old = await made({ hash: "SHA-1" });
        only(
            issuesOf({ pem: old.pem + old.key + lower.pem }),
            /^warning weak-signature: .*it is signed with SHA-1 or MD5/,
        );
        const alone = await makeCertificate("dev", { names: ["dev.test"], hash: "SHA-1" });
        assert.deepEqual(issuesOf({ pem: alone.pem + alone.key }), []);
    });

    it("are made for servers, with subject alternative names, and without must-staple", async () => {
        const withOptions = async (options: CertificateOptions) => {
            const { pem, key } = await made(options);
            return issuesOf({ pem: pem + key + lower.pem });
        };
        only(await withOptions({ mustStaple: true }), /^error must-staple: .*demands a stapled OCSP response/);
        only(await withOptions({ names: undefined }), /^warning certificate-use: .*no subject alternative names/);
        only(await withOptions({ usage: ["1.3.6.1.5.5.7.3.2"] }), /^warning certificate-use: .*not made for servers/);
        assert.deepEqual(await withOptions({ usage: ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1"] }), []);
        only(await withOptions({ authority: true }), /^warning certificate-use: .*an authority's/);
    });

    it("name the block that cannot be read", () => {
        const issues = (part: Partial<BundleParts>) => issuesOf({ pem: rightOrder(), ...part });
        only(
            issues({ chain: lower.pem.replace(/-----END.*\n/, "") }),
            /in its chain, PEM block 1 \(CERTIFICATE\) has no END line/,
        );
        only(
            issues({ chain: upper.pem + lower.pem.replace(/-----BEGIN.*\n/, "") }),
            /END CERTIFICATE has no BEGIN line/,
        );
        only(issues({ chain: lower.pem.replace("M", "%") }), /in its chain, PEM block 1 \(CERTIFICATE\) is not base64/);
        const short = lower.pem.replace(/\n.*\n(-----END)/, "\n$1");
        only(
            issues({ chain: upper.pem + short }),
            /in its chain, PEM block 2 \(CERTIFICATE\) cannot be read as a certificate/,
        );
        for (const [label, words] of [
            ["TRUSTED CERTIFICATE", /OpenSSL's own trust settings; write it with `openssl x509/],
            ["CERTIFICATE REQUEST", /is only a request/],
            ["X509 CRL", /is a revocation list/],
            ["PKCS7", /openssl pkcs7 -print_certs/],
            ["OPENSSH PRIVATE KEY", /ssh-keygen/],
            ["SOMETHING ELSE", /neither a certificate nor a private key/],
        ] as const) {
            only(issues({ chain: upper.pem.replaceAll(" CERTIFICATE", ` ${label}`) }), words);
        }
        const broken = leaf.key.replace(/\n.*\n/, "\n");
        only(
            issuesOf({ pem: leaf.pem + lower.pem, key: broken }),
            /in its key, PEM block 1 \(PRIVATE KEY\) cannot be read as a key/,
        );
    });

    it("never show a key, a passphrase, or what OpenSSL says of them", () => {
        const secret = leaf.key.split("\n")[1] ?? "";
        const texts = [
            read({ pem: leaf.pem, key: leaf.key.replace("-----END", "%") }),
            read({ pem: leaf.pem, key: secret, passphrase: "pass phrase" }),
            read({ pem: leaf.pem, key: leaf.key.replace("PRIVATE KEY", secret) }),
        ].map((result) => JSON.stringify(result));
        for (const text of texts) {
            assert.ok(!text.includes(secret.slice(0, 20)), text);
            assert.ok(!text.includes("pass phrase"), text);
        }
    });
});
