import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AuthorityParts, readAuthority } from "../../../components/tls";
import { type MadeCertificate, makeCertificate, makeRevocationList } from "../../support/certificates";

const now = new Date("2026-06-01T00:00:00Z");

describe("authorities of clients", () => {
    let root: MadeCertificate;
    let lower: MadeCertificate;
    let other: MadeCertificate;
    before(async () => {
        root = await makeCertificate("Root", { authority: true });
        lower = await makeCertificate("Lower", { authority: true, issuer: root, key: "rsa" });
        other = await makeCertificate("Other", { authority: true, key: "ed25519" });
    });

    const read = (parts: AuthorityParts) => readAuthority("partners", parts, now);
    const only = (parts: AuthorityParts, words: RegExp) => {
        const { issues, authority } = read(parts);
        assert.equal(issues.length, 1, JSON.stringify(issues));
        const [{ severity, rule, path, message } = assert.fail()] = issues;
        assert.equal(path, "authorities.partners");
        assert.match(message, /^authority partners: .*; /);
        assert.match(`${severity} ${rule}: ${message}`, words);
        assert.equal(authority === undefined, severity === "error");
    };

    it("are one file of certificates and one of lists, each once", async () => {
        const lists = await Promise.all(
            [root, lower, other].map((one) => makeRevocationList(one, { revoked: ["0a"] })),
        );
        const { authority, issues } = read({
            pem: `Our partners\r\n${root.pem}${lower.pem.replaceAll("\n", "\r\n")}${root.pem}${other.pem.trimEnd()}`,
            revocations: lists.join("").replaceAll("\n", "\r\n").replaceAll(" X509 CRL", " CRL"),
        });
        assert.deepEqual(issues, []);
        assert.equal(authority?.pem, root.pem + lower.pem + other.pem);
        assert.equal(authority?.revocations, lists.join(""));
        for (const list of lists) {
            assert.match(
                execFileSync("openssl", ["crl", "-noout", "-issuer"], { input: list, encoding: "utf8" }),
                /issuer=/,
            );
        }
        assert.deepEqual(read({ pem: other.pem }).authority?.revocations, undefined);
    });

    it("are authorities, complete up to a root, and valid now", async () => {
        const client = await makeCertificate("client", { issuer: root });
        only(
            { pem: root.pem + client.pem },
            /^error authority: .*CN=client is no authority, so no client would get in/,
        );
        only({ pem: lower.pem }, /^error authority: .*CN=Root, which issued CN=Lower, is missing.*; add it/);
        const old = await makeCertificate("Old", { authority: true, from: "2025-01-01", to: "2026-05-30" });
        only(
            { pem: old.pem + root.pem },
            /^error authority: .*its certificate CN=Old expired on 2026-05-30T00:00:00Z, 2 days ago/,
        );
        const early = await makeCertificate("Early", { authority: true, from: "2026-06-02" });
        only({ pem: early.pem }, /^error authority: .*CN=Early is not valid before 2026-06-02/);
        only({ pem: "" }, /^error authority: .*no certificate; give them in PEM/);
        only({ pem: root.pem + root.key }, /^error authority: .*PEM block 2 \(PRIVATE KEY\) is a private key/);
        // HAProxy accepts lists there, and does not apply them.
        only(
            { pem: root.pem + (await makeRevocationList(root)) },
            /^error authority: .*is a revocation list; give it apart/,
        );
        // The certificate of one client that signed itself.
        const alone = await makeCertificate("alone");
        assert.deepEqual(read({ pem: alone.pem }).issues, []);
    });

    it("have a revocation list each, signed by them and valid now", async () => {
        const pem = root.pem + lower.pem;
        const [ofRoot, ofLower, ofOther] = await Promise.all(
            [root, lower, other].map((one) => makeRevocationList(one)),
        );
        only({ pem, revocations: `${ofLower}${ofOther}` }, /^error revocation-list: .*CN=Root has no revocation list/);
        const forged = await makeRevocationList(lower, { signer: other });
        only({ pem, revocations: `${ofRoot}${forged}` }, /^error revocation-list: .*of CN=Lower is not signed by it/);
        const ending = async (to: string, from?: string) => ({
            pem: root.pem,
            revocations: await makeRevocationList(root, { to, ...(from && { from }) }),
        });
        only(
            await ending("2026-05-31"),
            /^error revocation-list: .*of CN=Root expired on 2026-05-31T00:00:00Z, so HAProxy would/,
        );
        only(
            await ending("2026-07-01", "2026-06-02"),
            /^error revocation-list: .*not valid before 2026-06-02T00:00:00Z/,
        );
        only({ pem: root.pem, revocations: "" }, /^error revocation-list: .*no list; give them in PEM/);
        only(
            { pem: root.pem, revocations: root.pem },
            /^error revocation-list: .*PEM block 1 \(CERTIFICATE\) is no revocation list/,
        );
        only(
            { pem: root.pem, revocations: `${ofRoot}`.replace(/\n.*\n-----END/, "\n-----END") },
            /cannot be read; give it unchanged/,
        );
        // Lists of others are left out; the newest list of each counts.
        const newest = await makeRevocationList(root, { from: "2026-05-31" });
        const old = await makeRevocationList(root, { from: "2026-01-01", to: "2026-02-01" });
        const { authority, issues } = read({ pem: root.pem, revocations: `${ofOther}${old}${newest}${ofRoot}` });
        assert.deepEqual(issues, []);
        assert.equal(authority?.revocations, newest);
    });

    it("have lists that openssl made, too, with any signature", () => {
        const folder = mkdtempSync(join(tmpdir(), "haproxy-fleet-lists-"));
        try {
            const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
            const text = (file: string) => readFileSync(join(folder, file), "utf8");
            const config =
                "[ca]\ndefault_ca=d\n[d]\ndatabase=index\ncrlnumber=number\ndefault_md=sha384\ndefault_crl_days=30\n" +
                "[delta]\n2.5.29.27=critical,DER:020101\n";
            for (const [file, content] of Object.entries({ "ca.cnf": config, index: "", number: "01\n" })) {
                writeFileSync(join(folder, file), content);
            }
            const make = (name: string, ...key: string[]) => {
                const subject = ["-subj", `/C=DE/O=Äcme, Inc./CN=${name}`, "-utf8", "-days", "100", "-nodes"];
                openssl("req", "-x509", "-newkey", ...key, "-keyout", `${name}.key`, "-out", `${name}.pem`, ...subject);
            };
            const list = (name: string, ...options: string[]) => {
                const signer = ["-keyfile", `${name}.key`, "-cert", `${name}.pem`];
                openssl("ca", "-config", "ca.cnf", "-gencrl", ...signer, "-out", "list.pem", ...options);
                return text("list.pem");
            };
            make("Rsa", "rsa:2048");
            make("Ec", "ec", "-pkeyopt", "ec_paramgen_curve:P-384");
            const pss = ["-sigopt", "rsa_padding_mode:pss"];
            const lists = { rsa: list("Rsa"), pss: list("Rsa", ...pss), ec: list("Ec") };
            const issuesOf = (name: string, revocations: string) =>
                readAuthority("partners", { pem: text(`${name}.pem`), revocations }, new Date()).issues.map(
                    ({ rule }) => rule,
                );
            assert.deepEqual(issuesOf("Rsa", lists.rsa), []);
            assert.deepEqual(issuesOf("Rsa", lists.pss), []);
            assert.deepEqual(issuesOf("Ec", lists.ec), []);
            assert.deepEqual(issuesOf("Ec", lists.rsa), ["revocation-list"]);
            // OpenSSL would accept who is revoked in the whole list.
            const delta = list("Ec", "-crlexts", "delta");
            assert.deepEqual(issuesOf("Ec", delta), ["revocation-list"]);
            assert.deepEqual(issuesOf("Ec", lists.ec + delta), ["revocation-list"]);
            // OpenSSL would accept no client.
            const usage = (bits: string) => ["-addext", `keyUsage=critical,${bits}`];
            make("Ec", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", ...usage("keyCertSign"));
            assert.deepEqual(issuesOf("Ec", list("Ec")), ["revocation-list"]);
            make("Ec", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", ...usage("keyCertSign,cRLSign"));
            assert.deepEqual(issuesOf("Ec", list("Ec")), []);
            // A namesake with another key.
            make("Rsa", "rsa:2048");
            assert.deepEqual(issuesOf("Rsa", lists.rsa), ["revocation-list"]);
        } finally {
            rmSync(folder, { recursive: true });
        }
    });

    it("are mentioned if they let in clients of others below their root, which lists prevent", async () => {
        only(
            { pem: lower.pem + root.pem },
            /^warning wide-authority: .*every authority that CN=Root has signed get in, not only those of CN=Lower/,
        );
        const lists = await Promise.all([root, lower].map((one) => makeRevocationList(one)));
        assert.deepEqual(read({ pem: lower.pem + root.pem, revocations: lists.join("") }).issues, []);
        assert.deepEqual(read({ pem: root.pem + other.pem }).issues, []);
    });

    it("are mentioned if a list has less than a fifth of its time left", async () => {
        const lasting = async (from: string, to: string) => ({
            pem: root.pem,
            revocations: await makeRevocationList(root, { from, to }),
        });
        only(
            await lasting("2026-05-31T04:00:00Z", "2026-06-01T04:00:00Z"),
            /^warning revocation-list-expires: .*expires in 4 h, and/,
        );
        assert.deepEqual(read(await lasting("2026-05-31T06:00:00Z", "2026-06-01T06:00:00Z")).issues, []);
        only(await lasting("2026-05-05", "2026-06-04"), /^warning revocation-list-expires: .*expires in 3 days/);
        only(await lasting("2025-06-15", "2026-06-15"), /^warning revocation-list-expires: .*expires in 14 days/);
        assert.deepEqual(read(await lasting("2025-07-10", "2026-07-10")).issues, []);
    });
});
