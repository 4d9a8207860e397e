import assert from "node:assert/strict";
import { type CertificateFields, partsFromFields, partsFromSecret, SourceError } from "../../../components/tls";

const pem = "-----BEGIN CERTIFICATE-----\n";

describe("fields of a certificate", () => {
    it("are found by the names that cookbooks, AWS and Kubernetes use", () => {
        const cases: Record<string, string>[] = [
            { id: "x", cert: "C", chain: "H", key: "K" },
            { crt: "C", ca: "H", key: "K" },
            { certificate: "C", intermediate: "H", private_key: "K" },
            { cert: "C", cert_inter: "H", private_key: "K", name: "x" },
            { cert_content: "C", chain_content: "H", key_content: "K" },
            { ssl_certificate: "C", ca_bundle: "H", ssl_key: "K" },
            { CertificateBody: "C", CertificateChain: "H", PrivateKey: "K" },
            { "tls.crt": "C", "ca.crt": "H", "tls.key": "K" },
            { "fullchain.pem": "C", "chain.pem": "H", "privkey.pem": "K" },
        ];
        for (const values of cases) {
            assert.deepEqual(partsFromFields(values), { pem: "C", chain: "H", key: "K" }, Object.keys(values).join());
        }
        assert.deepEqual(partsFromFields({ Certificate: "C", Passphrase: "P" }), { pem: "C", passphrase: "P" });
        assert.deepEqual(partsFromFields({ pem: "C", chain: ["H1", "H2"], ca: "R", key: null, password: "" }), {
            pem: "C",
            chain: "H1\nH2\nR",
        });
    });

    it("are named by the stack, which then decides", () => {
        const values = { cert: "old", key: "old key", mine: "C", hers: "K", secret: "P" };
        const fields: CertificateFields = { certificate: "mine", key: "hers", passphrase: "secret" };
        assert.deepEqual(partsFromFields(values, fields), { pem: "C", key: "K", passphrase: "P" });
        // A field that is named for one thing is not taken for another.
        assert.deepEqual(partsFromFields({ cert: "C", chain: "K" }, { key: "chain" }), { pem: "C", key: "K" });
    });

    it("that are missing or no text are refused, with names but without values", () => {
        const refuses = (act: () => unknown, words: RegExp) =>
            assert.throws(act, (error) => {
                assert.ok(error instanceof SourceError);
                assert.match(error.message, words);
                assert.ok(!error.message.includes("SECRET"));
                return true;
            });
        refuses(
            () => partsFromFields({ b: "SECRET", a: "x" }),
            /no field with a usual name for the certificate \(it has a, b\); name it in/,
        );
        refuses(
            () => partsFromFields({ cert: "SECRET" }, { key: "mine" }),
            /no field mine for the key \(it has cert\)/,
        );
        refuses(() => partsFromFields({ cert: { a: "SECRET" } }), /field cert of its source is not text/);
        refuses(() => partsFromSecret('{"cert": SECRET}'), /is not JSON; store it again/);
        refuses(() => partsFromSecret("SECRET"), /neither PEM nor a JSON object/);
        refuses(() => partsFromSecret('["SECRET"]'), /neither PEM nor a JSON object/);
    });

    it("may be a text of PEM, or JSON", () => {
        assert.deepEqual(partsFromSecret(`\n${pem}`), { pem: `\n${pem}` });
        assert.deepEqual(partsFromSecret(` ${JSON.stringify({ cert: pem, key: "K" })}`), { pem, key: "K" });
        assert.deepEqual(partsFromSecret(JSON.stringify({ c: pem }), { certificate: "c" }), { pem });
    });
});
