import assert from "node:assert/strict";
import { daysLeft, describePem, readBundle } from "../../../components/tls";
import { makeCertificate, makeRevocationList } from "../../support/certificates";

const now = new Date("2026-06-01T00:00:00Z");

describe("descriptions of certificates", () => {
    it("have what people check", async () => {
        const { pem, key } = await makeCertificate("shop.test", { names: ["shop.test", "www.shop.test"] });
        const { facts } = readBundle("shop", { pem, key }, now);
        assert.ok(facts);
        assert.equal(daysLeft(facts, now), 214);
        assert.deepEqual(describePem(pem + key), [
            "subject      CN=shop.test",
            "names        shop.test, www.shop.test",
            "issuer       CN=shop.test",
            `fingerprint  ${facts.sha256}`,
            "key          ecdsa 256",
            "valid from   2026-01-01T00:00:00Z",
            "valid to     2027-01-01T00:00:00Z",
        ]);
    });

    it("have the dates of a revocation list, and how many it revokes", async () => {
        const root = await makeCertificate("Root", { authority: true });
        const revocations = await makeRevocationList(root, { revoked: ["01", "02"] });
        const dates = ["valid from   2026-05-30T00:00:00Z", "valid to     2026-06-29T00:00:00Z"];
        assert.deepEqual(describePem(revocations), ["revoked      2 certificates of CN=Root", ...dates]);
        assert.deepEqual(describePem(await makeRevocationList(root, { revoked: ["01"] })), [
            "revoked      1 certificate of CN=Root",
            ...dates,
        ]);
        assert.deepEqual(describePem("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----"), [
            "revoked      unreadable",
        ]);
    });

    it("of any text never have its keys, and never fail", async () => {
        const leaf = await makeCertificate("shop.test", { names: ["shop.test"] });
        const authority = await makeCertificate("Root", { authority: true });
        const text = `${leaf.key}${leaf.pem}${authority.pem}${leaf.key.replace("-----END", "")}`;
        const lines = describePem(text);
        assert.deepEqual(
            lines.filter((line) => line.startsWith("subject")),
            ["subject      CN=shop.test", "subject      CN=Root"],
        );
        assert.deepEqual(
            lines.filter((line) => line.startsWith("names")),
            ["names        shop.test"],
            "an authority has none",
        );
        for (const line of leaf.key.split("\n").slice(1, -2)) assert.ok(!lines.join().includes(line));
        assert.deepEqual(describePem(leaf.pem.replace(/\n.*\n(-----END)/, "\n$1")), ["certificate  unreadable"]);
        assert.deepEqual(describePem("-----BEGIN CERTIFICATE-----\nno"), []);
        assert.deepEqual(describePem("\0\u{10ffff}-----END CERTIFICATE----------BEGIN"), []);
    });
});
