import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readBundle } from "../../../components/tls";
import { type MadeCertificate, makeCertificate } from "../../support/certificates";

const only = (issues: readonly string[], words: RegExp) => {
    assert.equal(issues.length, 1, issues.join("\n"));
    assert.match(issues[0] ?? "", words);
};

describe("keys that openssl wrote", () => {
    let folder: string;
    let authority: MadeCertificate;
    before(async () => {
        authority = await makeCertificate("Authority", { authority: true, key: "rsa" });
        folder = mkdtempSync(join(tmpdir(), "haproxy-fleet-keys-"));
    });
    after(() => rmSync(folder, { recursive: true }));

    const openssl = (...args: string[]) =>
        execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    const text = (file: string) => readFileSync(join(folder, file), "utf8");
    const certificateFor = (key: string) => {
        const pem = createPrivateKey({ key: text(key), passphrase: "pass phrase" }).export({
            type: "pkcs8",
            format: "pem",
        });
        writeFileSync(join(folder, "plain.pem"), pem);
        openssl(
            "req",
            "-x509",
            "-new",
            "-key",
            "plain.pem",
            "-subj",
            "/CN=k.test",
            "-out",
            "c.pem",
            "-days",
            "3650",
            "-addext",
            "subjectAltName=DNS:k.test",
        );
        return { pem: text("c.pem"), key: String(pem) };
    };

    it("reads PKCS#1, PKCS#8 and SEC1, encrypted or not, and writes PKCS#8", () => {
        openssl("genrsa", "-traditional", "-out", "pkcs1.pem", "2048");
        openssl(
            "rsa",
            "-in",
            "pkcs1.pem",
            "-traditional",
            "-aes128",
            "-passout",
            "pass:pass phrase",
            "-out",
            "pkcs1e.pem",
        );
        openssl("pkcs8", "-topk8", "-in", "pkcs1.pem", "-nocrypt", "-out", "pkcs8.pem");
        openssl(
            "pkcs8",
            "-topk8",
            "-in",
            "pkcs1.pem",
            "-v2",
            "aes-256-cbc",
            "-passout",
            "pass:pass phrase",
            "-out",
            "pkcs8e.pem",
        );
        openssl("ecparam", "-name", "secp384r1", "-genkey", "-out", "sec1.pem");
        openssl("ec", "-in", "sec1.pem", "-des3", "-passout", "pass:pass phrase", "-out", "sec1e.pem");
        const labels = {
            pkcs1: "RSA PRIVATE KEY",
            pkcs1e: "DEK-Info",
            pkcs8: " PRIVATE KEY",
            pkcs8e: "ENCRYPTED",
            sec1: "EC PARAMETERS",
            sec1e: "DEK-Info",
        };
        for (const [file, label] of Object.entries(labels)) {
            assert.ok(text(`${file}.pem`).includes(label), file);
            const { pem, key } = certificateFor(`${file}.pem`);
            const encrypted = file.endsWith("e");
            for (const change of [
                (all: string) => all,
                (all: string) => all.replaceAll("\n", "\r\n"),
                (all: string) => all.replaceAll("\n", " "),
            ]) {
                const { bundle, issues } = readBundle(
                    "k",
                    {
                        pem,
                        key: change(text(`${file}.pem`)),
                        ...(encrypted && { passphrase: "pass phrase\n" }),
                    },
                    new Date(),
                );
                assert.deepEqual(issues, [], file);
                assert.equal(bundle?.pem, `${new X509Certificate(pem)}${key}`, file);
            }
            if (encrypted) {
                const wrong = (passphrase?: string) =>
                    readBundle(
                        "k",
                        { pem, key: text(`${file}.pem`), ...(passphrase && { passphrase }) },
                        new Date(),
                    ).issues.map(({ message }) => message);
                only(wrong(), /^certificate k: in its key, PEM block \d \(.*\) is encrypted; give its `passphrase`$/);
                only(
                    wrong("wrong phrase"),
                    /^certificate k: in its key, .* does not open with its passphrase; give the right one$/,
                );
            }
        }
    });

    it("says of an encryption that OpenSSL 3 lacks how to replace it", () => {
        openssl("genrsa", "-out", "new.pem", "2048");
        const legacy = ["-provider", "legacy", "-provider", "default", "-v1", "PBE-SHA1-RC2-40"];
        openssl("pkcs8", "-topk8", "-in", "new.pem", ...legacy, "-passout", "pass:pass phrase", "-out", "rc2.pem");
        const { pem } = certificateFor("new.pem");
        only(
            readBundle("k", { pem, key: text("rc2.pem"), passphrase: "pass phrase" }, new Date()).issues.map(
                ({ message }) => message,
            ),
            /has an encryption that OpenSSL 3 lacks; encrypt it again with/,
        );
    });

    it("sees SHA-1 and MD5 with RSA", () => {
        writeFileSync(join(folder, "ca.pem"), authority.pem);
        writeFileSync(join(folder, "ca.key"), authority.key);
        openssl("genrsa", "-out", "own.pem", "2048");
        openssl("req", "-new", "-key", "own.pem", "-subj", "/CN=k.test", "-out", "own.csr");
        for (const digest of ["sha1", "md5", "sha256"]) {
            const issuer = ["-CA", "ca.pem", "-CAkey", "ca.key", `-${digest}`, "-out", "c.pem"];
            openssl("x509", "-req", "-in", "own.csr", "-days", "30", ...issuer);
            const { issues } = readBundle(
                "k",
                { pem: text("c.pem") + authority.pem, key: text("own.pem") },
                new Date(),
            );
            const rules = issues.map(({ rule }) => rule).filter((rule) => rule === "weak-signature");
            assert.deepEqual(rules, digest === "sha256" ? [] : ["weak-signature"], digest);
        }
    });

    it("takes RSA-PSS, and says that browsers do not", () => {
        openssl("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "pss.pem");
        const { bundle, issues } = readBundle("k", certificateFor("pss.pem"), new Date());
        only(
            issues.map(({ rule, message }) => `${rule}: ${message}`),
            /^unusual-key: .*RSA-PSS/,
        );
        assert.deepEqual([bundle?.facts.keyType, bundle?.facts.keyBits], ["rsa", 2048]);
    });

    it("refuses DSA, and curves that TLS 1.3 lacks", () => {
        openssl("ecparam", "-name", "secp256k1", "-genkey", "-noout", "-out", "k1.pem");
        openssl("dsaparam", "-genkey", "-noout", "-out", "dsa.pem", "2048");
        for (const file of ["k1.pem", "dsa.pem"]) {
            const parts = certificateFor(file);
            only(
                readBundle("k", parts, new Date()).issues.map(({ rule, message }) => `${rule}: ${message}`),
                /^certificate-key: certificate k: its key is of type (secp256k1|dsa), which browsers refuse; use ECDSA P-256/,
            );
        }
    });
});
