import assert from "node:assert/strict";
import { type CertificateUse, certificateIssues, type KnownFacts } from "../../../components/tls";

const now = new Date("2026-06-01T00:00:00Z");

describe("certificates and the hosts that they are for", () => {
    const facts = (names: string[], more: Partial<NonNullable<KnownFacts>> = {}): NonNullable<KnownFacts> => ({
        names,
        keyType: "ecdsa",
        sha256: names.join(),
        notAfter: "2027-01-01T00:00:00.000Z",
        ...more,
    });
    const use = (hosts: string[], certificates: string[], port = 443): CertificateUse => ({
        path: `services[${port}]`,
        service: "shop",
        hosts,
        certificates,
        port,
    });
    const issuesOf = (certificates: Record<string, KnownFacts>, uses: CertificateUse[], minimumDays?: number) =>
        certificateIssues({
            certificates: new Map(Object.entries(certificates)),
            uses,
            now,
            ...(minimumDays !== undefined && { minimumDays }),
        }).map(({ severity, rule, path, message }) => `${severity} ${rule} ${path}: ${message}`);

    it("are right together", () => {
        assert.deepEqual(
            issuesOf({ a: facts(["shop.test"]), b: facts(["*.shop.test"]) }, [
                use(["shop.test", "www.shop.test"], ["a", "b"]),
                use(["shop.test"], ["a"], 8443),
            ]),
            [],
        );
    });

    it("need a certificate for each host, of any service of its port", () => {
        const certificates = { a: facts(["shop.test", "www.shop.test"]), b: facts(["mail.test"]) };
        assert.deepEqual(
            issuesOf(certificates, [use(["shop.test", "img.shop.test"], ["a"]), use(["mail.test"], ["b"])]),
            [
                "error uncovered-host services[443]: service shop: no certificate of port 443 is valid for img.shop.test; " +
                    "add one, or have one issued with that name: the nearest is a (shop.test, www.shop.test)",
            ],
        );
        assert.deepEqual(
            issuesOf(certificates, [use(["shop.test", "mail.test"], ["a"]), use(["mail.test"], ["b"])]),
            [],
        );
        assert.deepEqual(
            issuesOf(certificates, [
                use(["shop.test"], ["a"]),
                use(["mail.test"], ["b"]),
                use(["mail.test"], ["a"], 8443),
            ]).map((i) => i.split(":")[0]),
            ["error uncovered-host services[8443]"],
        );
        assert.match(
            issuesOf({}, [use(["shop.test"], [])]).join(),
            /^error uncovered-host .* for shop.test; declare one$/,
        );
        assert.match(
            issuesOf({ a: facts([]) }, [use(["shop.test"], ["a"])]).join(),
            /the nearest is a \(no subject alternative names\)/,
        );
    });

    it("are judged by declared names before an up, or not at all", () => {
        assert.match(
            issuesOf({ a: { names: ["shop.test"] } }, [use(["www.test"], ["a"])]).join(),
            /^error uncovered-host/,
        );
        assert.deepEqual(issuesOf({ a: { names: ["shop.test"] } }, [use(["shop.test"], ["a"])]), []);
        assert.deepEqual(issuesOf({ a: undefined }, [use(["shop.test"], ["a"])]), []);
        assert.deepEqual(
            issuesOf({ a: undefined, b: facts(["shop.test"]) }, [use(["shop.test", "x.test"], ["a", "b"])]),
            [],
        );
    });

    it("cover all hosts of a service whose options belong to them, and are not passed over for ECDSA", () => {
        const own = { ...use(["a.test", "b.test"], ["a"]), each: true };
        const certificates = { a: facts(["a.test", "b.test"]), b: facts(["*.test"]) };
        const other = use(["x.test"], ["b"]);
        assert.deepEqual(issuesOf(certificates, [own, other]), []);
        assert.deepEqual(
            issuesOf({ a: facts(["a.test"]), b: facts(["b.test"]) }, [{ ...own, certificates: ["a", "b"] }]).map(
                (issue) => issue.replace(/:.*certificate (\w+) that of (\S+),.*/, " $1 $2"),
            ),
            ["error uncovered-host services[443] b a.test", "error uncovered-host services[443] a b.test"],
        );
        const rsa = { ...certificates, a: facts(["a.test", "b.test"], { keyType: "rsa" }) };
        assert.deepEqual(
            issuesOf(rsa, [own, other]).map((issue) => issue.split(":")[0]),
            ["error tls-conflict services[443]", "error tls-conflict services[443]"],
        );
        assert.deepEqual(issuesOf(rsa, [{ ...own, each: false }, other]), []);
        assert.deepEqual(issuesOf({ ...rsa, b: facts(["*.test"], { keyType: "rsa" }) }, [own, other]), []);
        assert.deepEqual(issuesOf({ ...rsa, b: undefined }, [own, other]), []);
    });

    it("do not let in clients of another authority who can use another type of key", () => {
        const own = { ...use(["a.test"], ["a"]), each: true };
        const others = { ...own, otherClients: true };
        const other = use(["x.test"], ["b"]);
        const certificates = { a: facts(["a.test"]), b: facts(["*.test"], { keyType: "rsa" }) };
        assert.deepEqual(issuesOf(certificates, [own, other]), []);
        assert.deepEqual(issuesOf(certificates, [others, other]), [
            "error tls-conflict services[443]: service shop: clients that can only use RSA get certificate b for a.test, and with it those " +
                "of another authority get in; give the service an RSA certificate, too",
        ]);
        const both = { ...certificates, c: facts(["a.test"], { keyType: "rsa" }) };
        assert.deepEqual(issuesOf(both, [{ ...others, certificates: ["a", "c"] }, other]), []);
        assert.deepEqual(issuesOf({ ...certificates, b: facts(["b.test"], { keyType: "rsa" }) }, [others]), []);
        // HAProxy takes other types of keys last.
        const last = { ...certificates, a: facts(["a.test"], { keyType: "ed25519" }) };
        assert.match(
            issuesOf(last, [own, other]).join(),
            /HAProxy prefers certificate b for a.test, because its key is RSA/,
        );
    });

    it("are mentioned if no host needs them", () => {
        const unused = issuesOf(
            { a: facts(["shop.test"]), b: facts(["old.test"]), c: facts(["c.test"]), d: undefined },
            [use(["shop.test"], ["a", "b"])],
        );
        assert.deepEqual(unused, [
            "warning unused-certificate certificates.b: certificate b: no host of port 443 needs it; remove it",
        ]);
        // Clients of a service without hosts may ask for anything.
        assert.deepEqual(issuesOf({ b: facts(["old.test"]) }, [use([], ["b"])]), []);
    });

    it("may not share a name and a type of key on one port", () => {
        const a = facts(["shop.test", "a.test"]);
        const b = facts(["shop.test", "b.test"]);
        const hosts = ["shop.test", "a.test", "b.test"];
        assert.deepEqual(issuesOf({ a, b }, [use(hosts, ["a", "b"])]), [
            "error duplicate-certificate services[443]: certificates a and b: both have shop.test and a key of type ecdsa, " +
                "so that port 443 would serve only one; leave one out",
        ]);
        assert.match(issuesOf({ a, b }, [use([], ["a", "b"])]).join(), /^error duplicate-certificate/);
        assert.deepEqual(issuesOf({ a, b: { ...b, keyType: "rsa" } }, [use(hosts, ["a", "b"])]), []);
        assert.deepEqual(issuesOf({ a, same: a }, [use(["shop.test"], ["a", "same"])]), []);
        assert.deepEqual(issuesOf({ a, b }, [use(["shop.test", "a.test"], ["a"]), use(["b.test"], ["b"], 8443)]), []);
        // No service has the name that they share.
        assert.deepEqual(issuesOf({ a, b }, [use(["a.test", "b.test"], ["a", "b"])]), []);
        // A wildcard beside a name: HAProxy serves the exact name.
        assert.deepEqual(
            issuesOf({ a: facts(["*.test"]), b: facts(["shop.test"]) }, [use(["shop.test", "x.test"], ["a", "b"])]),
            [],
        );
    });

    it("are renewed in time", () => {
        const ending = (notAfter: string, minimumDays?: number) =>
            issuesOf({ a: facts(["a.test"], { notAfter }) }, [use(["a.test"], ["a"])], minimumDays);
        assert.deepEqual(ending("2026-07-01T00:00:00.000Z"), []);
        assert.deepEqual(ending("2026-06-30T23:59:59.000Z"), [
            "warning certificate-expires certificates.a: certificate a: it has 29 days left; renew it",
        ]);
        assert.deepEqual(ending("2026-06-02T12:00:00.000Z", 7), [
            "error certificate-dates certificates.a: certificate a: it has 1 day left, and minimumDays is 7; renew it",
        ]);
        assert.match(
            ending("2026-07-20T00:00:00.000Z", 60).join(),
            /^error certificate-dates .* 49 days left, and minimumDays is 60/,
        );
        assert.match(ending("2026-06-08T00:00:00.000Z", 7).join(), /^warning certificate-expires/);
        // `readBundle` reports these.
        assert.deepEqual(ending("2026-05-01T00:00:00.000Z", 7), []);
    });
});
