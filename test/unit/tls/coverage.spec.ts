import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { coversHost } from "../../../components/tls";
import { makeCertificate } from "../../support/certificates";

describe("hosts that a certificate covers", () => {
    const covers = (name: string, host: string) => coversHost({ names: ["other.test", name] }, host);

    it("are those of its names, in any case, Unicode or ASCII", () => {
        assert.ok(covers("shop.example.com", "Shop.EXAMPLE.com"));
        assert.ok(covers("shop.example.com", "shop.example.com."));
        assert.ok(covers("xn--bcher-kva.example", "Bücher.example"));
        assert.ok(covers("xn--bcher-kva.example", "xn--bcher-kva.example"));
        assert.ok(covers("*.xn--bcher-kva.example", "www.bücher.example"));
        assert.ok(!covers("shop.example.com", "example.com"));
        assert.ok(!covers("example.com", "shop.example.com"));
        assert.ok(!covers("shop-example.com", "shop.example.com"));
    });

    it("differ in exactly one label from a wildcard", () => {
        assert.ok(covers("*.example.com", "shop.example.com"));
        assert.ok(covers("*.example.com", "*.example.com"));
        assert.ok(!covers("*.example.com", "example.com"));
        assert.ok(!covers("*.example.com", "a.shop.example.com"));
        assert.ok(!covers("s*.example.com", "shop.example.com"));
        assert.ok(!covers("shop.example.com", "*.example.com"));
        assert.ok(!covers("*", "localhost"));
    });

    it("may be addresses, however they are written", () => {
        assert.ok(covers("192.0.2.1", "192.0.2.1"));
        assert.ok(!covers("*.0.2.1", "192.0.2.1"));
        assert.ok(covers("2001:db8::1", "2001:DB8:0:0:0:0:0:1"));
        assert.ok(covers("2001:db8::1", "[2001:db8::1]"));
        assert.ok(!covers("2001:db8::1", "2001:db8::2"));
    });

    it("are the same as OpenSSL's", async () => {
        const names = ["example.com", "*.example.com", "a.b.example.com", "*.xn--bcher-kva.example"];
        const certificate = new X509Certificate((await makeCertificate("x", { names })).pem);
        const label = fc.constantFrom("a", "b", "example", "com", "xn--bcher-kva", "EXAMPLE", "B");
        fc.assert(
            fc.property(fc.array(label, { minLength: 1, maxLength: 5 }), (labels) => {
                const host = labels.join(".");
                const expected = certificate.checkHost(host, { subject: "never" }) !== undefined;
                assert.equal(coversHost({ names }, host), expected, host);
            }),
            { numRuns: 2000 },
        );
    });
});
