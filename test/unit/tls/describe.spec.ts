import assert from "node:assert/strict";
import { daysLeft, describe as describeFacts, describePem, readBundle } from "../../../components/tls";
import { makeCertificate } from "../../support/certificates";

const now = new Date("2026-06-01T00:00:00Z");

describe("descriptions of certificates", () => {
    it("have what people check, and the days left", async () => {
        const { pem, key } = await makeCertificate("shop.test", { names: ["shop.test", "www.shop.test"] });
        const { facts } = readBundle("shop", { pem, key }, now);
        assert.ok(facts);
        assert.equal(daysLeft(facts, now), 214);
        assert.deepEqual(describeFacts(facts, now), [
            "subject      CN=shop.test",
            "names        shop.test, www.shop.test",
            "issuer       CN=shop.test",
            `fingerprint  ${facts.sha256}`,
            "key          ecdsa 256",
            "valid from   2026-01-01T00:00:00Z",
            "valid to     2027-01-01T00:00:00Z",
            "days left    214",
        ]);
        assert.deepEqual(describePem(pem + key), describeFacts(facts, now).slice(0, -1));
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
        for (const line of leaf.key.split("\n").slice(1, -2)) assert.ok(!lines.join().includes(line));
        assert.deepEqual(describePem(leaf.pem.replace(/\n.*\n(-----END)/, "\n$1")), ["certificate  unreadable"]);
        assert.deepEqual(describePem("-----BEGIN CERTIFICATE-----\nno"), []);
        assert.deepEqual(describePem("\0\u{10ffff}-----END CERTIFICATE----------BEGIN"), []);
    });
});
