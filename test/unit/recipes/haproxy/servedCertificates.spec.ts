import assert from "node:assert/strict";
import type { Bind, BindTls, HaproxyConfig } from "../../../../components/haproxy";
import { servedCertificates } from "../../../../components/recipes/haproxy/servedCertificates";
import type { CertificateFacts } from "../../../../components/tls";

function config(binds: Bind[], names = ["shop", "rsa", "wild"]): HaproxyConfig {
    return {
        version: "2.6",
        certificates: names.map((name) => ({ name, pem: `\0${name}` })),
        frontends: [{ name: "web", binds }],
        backends: [],
    };
}

const facts = (names: string[], sha1: string, keyType: CertificateFacts["keyType"] = "ecdsa") =>
    ({ names, sha1, keyType }) as unknown as CertificateFacts;

const known = {
    shop: facts(["shop.test", "www.shop.test"], "aa"),
    rsa: facts(["shop.test"], "bb", "rsa"),
    wild: facts(["*.test"], "cc"),
};

const bind = (ssl: BindTls, options: Partial<Bind> = {}) => ({ port: 443, ssl, ...options }) as Bind;

/** In the words of the adapter: certificate, place, name. */
function handshakes(binds: Bind[], of: Parameters<typeof servedCertificates>[1] = known): string[] {
    return servedCertificates(config(binds), of).handshakes.map(
        ({ certificate, address, port, name = "-", onlyRsa }) =>
            `${certificate} ${address}:${port} ${name}${onlyRsa ? " rsa" : ""}`,
    );
}

describe("certificates that haproxy has to serve", () => {
    it("are asked for by a name that no other of their kind has, first the default", () => {
        assert.deepEqual(handshakes([bind({ certificates: ["wild", "shop", "rsa"], defaultCertificate: "shop" })]), [
            "shop *:443 -",
            "wild *:443 haproxy-fleet-proof.test",
            "shop *:443 shop.test",
            "rsa *:443 shop.test rsa",
        ]);
    });

    it("have no default with strict SNI", () => {
        assert.deepEqual(handshakes([bind({ certificates: ["shop"], strictSni: true })]), ["shop *:443 shop.test"]);
    });

    it("are asked for once, on an address that the host itself reaches", () => {
        const ssl: BindTls = { certificates: ["shop"], strictSni: true };
        const unreachable: Partial<Bind>[] = [
            { acceptProxy: true },
            { interface: "eth1" },
            { transparent: true },
            { raw: "accept-proxy" },
            { raw: "tfo interface eth1" },
            { address: "lb.example.com" },
        ];
        assert.deepEqual(handshakes(unreachable.map((options) => bind(ssl, options))), []);
        assert.deepEqual(handshakes([{ path: "/run/tls.sock", ssl }]), []);
        assert.deepEqual(
            handshakes([
                ...unreachable.map((options) => bind(ssl, options)),
                bind(ssl, { address: ["lb.example.com", "2001:DB8::1"], raw: "tfo" }),
                bind(ssl, { port: 8443 }),
            ]),
            ["shop 2001:db8::1:443 shop.test"],
        );
    });

    it("are asked for by the hosts of their line, not by names that it does not have", () => {
        const ssl: BindTls = {
            strictSni: true,
            certificates: [{ certificate: "wild", hosts: ["Pay.test"] }, "shop"],
        };
        assert.deepEqual(handshakes([bind(ssl)]), ["wild *:443 pay.test", "shop *:443 shop.test"]);
    });

    it("are not asked for if another line has all their names", () => {
        const ssl: BindTls = {
            strictSni: true,
            certificates: [{ certificate: "wild", hosts: ["shop.test", "www.shop.test"] }, "shop"],
        };
        assert.deepEqual(handshakes([bind(ssl)]), ["wild *:443 shop.test"]);
    });

    it("are only asked for as the default if nothing is known of them, or of those with the same name", () => {
        assert.deepEqual(handshakes([bind({ certificates: ["shop", "rsa"] })], {}), ["shop *:443 -"]);
        const { shop, wild } = known;
        const ssl: BindTls = { strictSni: true, certificates: ["shop", { certificate: "rsa", hosts: ["shop.test"] }] };
        assert.deepEqual(handshakes([bind(ssl)], { shop, wild }), ["shop *:443 www.shop.test"]);
    });

    it("are not asked for by addresses and odd names", () => {
        const odd = facts(["192.0.2.1", "2001:db8::1", "a_b.test", "*"], "dd");
        assert.deepEqual(handshakes([bind({ certificates: ["shop"], strictSni: true })], { shop: odd }), []);
    });

    it("have fingerprints if binds or servers load them, and their facts are known", () => {
        const model: HaproxyConfig = {
            ...config([bind({ certificates: ["shop"] }), bind({ crt: ["/etc/haproxy/fleet/rsa.pem"] }, { port: 444 })]),
            backends: [
                {
                    name: "bank",
                    servers: [
                        { name: "a", address: "192.0.2.1", port: 443, ssl: { crt: "/etc/haproxy/fleet/wild.pem" } },
                        { name: "b", address: "192.0.2.2", port: 80, ssl: false },
                    ],
                },
            ],
        };
        const { fingerprints } = servedCertificates(model, known);
        assert.deepEqual(fingerprints.map(({ certificate, sha1 }) => `${certificate} ${sha1}`).sort(), [
            "rsa bb",
            "shop aa",
            "wild cc",
        ]);
        assert.deepEqual(servedCertificates(model, { rsa: undefined }).fingerprints, []);
        assert.deepEqual(servedCertificates(config([{ port: 80 }]), known), { fingerprints: [], handshakes: [] });
    });
});
