import assert from "node:assert/strict";
import { slot } from "../../../../components/convergence/slots";
import {
    compileServices,
    type HaproxySettings,
    render,
    type Service,
    type ServiceTls,
    tlsUses,
} from "../../../../components/haproxy";
import { balancedServicesFormIssues } from "../../../../components/haproxy/services/schema";
import { plain, tcp } from "./examples";

const declared = {
    certificates: ["shop", "api"].map((name) => ({ name, pem: slot(`certificate.${name}`) })),
    authorities: [
        { name: "partners", pem: slot("authority.partners"), revocations: slot("revocations.partners") },
        { name: "staff", pem: slot("authority.staff") },
    ],
};
const clients = { authority: "partners" };

const secure = (name: string, tls: true | ServiceTls = true, more: Partial<Service> = {}): Service => ({
    ...plain,
    name,
    tls,
    hosts: [`${name}.test`],
    ...more,
});

const compiled = (services: Service[], settings: HaproxySettings = {}, files: Partial<typeof declared> = declared) =>
    compileServices({ version: "2.6", ...settings }, services, undefined, undefined, files);

describe("the issues of services with TLS", () => {
    const issuesOf = (...[services, settings, files]: Parameters<typeof compiled>) => {
        const { config, validate } = compiled(services, settings, files);
        return validate(config)
            .map(({ rule, path }) => `${rule} ${path}`)
            .filter((issue) => !/^unused-(certificate|authority) /.test(issue))
            .sort();
    };
    const pass: Service = { ...plain, name: "pass", protocol: "https", hosts: ["pass.test"] };

    const cases: Record<string, [Parameters<typeof compiled>, ...string[]]> = {
        "a good service": [[[secure("shop")]]],
        "every kind of client certificates": [
            [
                [
                    secure("shop"),
                    secure("api", { certificates: ["api"], clients }),
                    secure("staff", { certificates: ["api"], clients: { authority: "staff", verify: "optional" } }),
                ],
            ],
        ],
        "TLS that another protocol ignores": [
            [
                [
                    { ...tcp, name: "db", tls: true },
                    { ...pass, tls: {} },
                ],
            ],
            "not-for-protocol services[0].tls",
            "not-for-protocol services[1].tls",
        ],
        "no certificate": [[[plain, secure("api"), secure("b")], {}, {}], "no-certificate services[1].tls"],
        "names that are not declared": [
            [
                [secure("a", { certificates: ["shop", "aip"], clients: { authority: "partner" } })],
                {
                    tls: {
                        defaultCertificate: "x",
                        ports: { 443: { defaultCertificate: "y", clients: { authority: "z" } } },
                    },
                },
            ],
            "unknown-reference services[0].tls.certificates[1]",
            "unknown-reference services[0].tls.clients.authority",
            "unknown-reference tls.defaultCertificate",
            "unknown-reference tls.ports[443].clients.authority",
            "unknown-reference tls.ports[443].defaultCertificate",
        ],
        "a terminated and a passed-through service on a port": [
            [[secure("a"), pass]],
            "port-conflict services[1].listen",
        ],
        "TLS and plain text on a port": [
            [[secure("a"), { ...plain, listen: 443 }]],
            "port-conflict services[1].listen",
        ],
        "plain text on the usual port of TLS, and TLS on another": [
            [[plain, secure("a", { http: "serve" })], { port: 443, tls: { port: 8443 } }],
        ],
        "a redirect from a port with another protocol": [
            [[{ ...tcp, listen: 80 }, secure("a"), secure("b", { http: "none" })]],
            "port-conflict services[1].tls",
        ],
        "no redirect where TLS has the plain port": [[[secure("a", true, { listen: 80 })]]],
        "a redirect behind a proxy that ends TLS, as another service says": [
            [[secure("a"), secure("b", true, { clientAddress: "x-forwarded-for" }), secure("c", { http: "none" })]],
            "redirect-behind-proxy services[0].tls",
        ],
        "a host and a default that others have on the plain port, where only a redirect would be": [
            [
                [
                    secure("a", true, { default: true }),
                    secure("b", true, { listen: 8443, hosts: ["a.test"], default: true }),
                    { ...plain, hosts: ["a.test"], default: true },
                ],
            ],
        ],
        "a host that others have on the plain port": [
            [[secure("a", { http: "serve" }), { ...plain, hosts: ["a.test"] }]],
            "shadowed-route services[1].hosts",
        ],
        "two services of one host, on both ports": [
            [[secure("a", { http: "serve" }), secure("b", { http: "serve" }, { hosts: ["A.test"] })]],
            "shadowed-route services[1].hosts",
        ],
        "certificates that clients need on one port only": [
            [[secure("a", { http: "serve" })], { tls: { clients } }],
            "tls-conflict services[0].tls.http",
        ],
        "certificates that clients may have": [
            [[secure("a", { http: "serve", clients: { ...clients, verify: "optional" } })]],
        ],
        "handshakes that differ by path": [
            [
                [
                    secure("a", { certificates: ["api"], clients }),
                    secure(
                        "b",
                        { certificates: ["api"] },
                        { hosts: ["x.test", "A.test"], routes: [{ paths: ["/b"] }] },
                    ),
                ],
            ],
            "tls-conflict services[1].tls",
        ],
        "handshakes that are equal by path, with other headers": [
            [
                [
                    secure("a", { certificates: ["api"], clients }),
                    secure(
                        "b",
                        { certificates: ["api"], clients: { ...clients, headers: {} } },
                        {
                            hosts: ["a.test"],
                            routes: [{ paths: ["/b"] }],
                        },
                    ),
                    secure("c"),
                ],
            ],
        ],
        "a handshake of its own for any host": [
            [[secure("a"), secure("b", { minVersion: "TLSv1.3" }, { hosts: undefined, default: true })]],
            "tls-conflict services[1].tls",
        ],
        "a handshake of its own for any certificate": [
            [[secure("a"), secure("b", { clients })]],
            "tls-conflict services[1].tls.certificates",
        ],
        "a handshake of its own with the only certificate": [
            [
                [secure("a"), secure("b", { clients })],
                {},
                { ...declared, certificates: declared.certificates.slice(0, 1) },
            ],
        ],
        "authorities of a port of which only one has revocations": [
            [
                [secure("a"), secure("b", { certificates: ["api"], clients: { authority: "staff" } })],
                { tls: { clients } },
            ],
            "tls-conflict services[1].tls.clients.authority",
        ],
        "one port for both TLS and plain text": [[[secure("a")], { tls: { port: 80 } }], "tls-conflict tls.port"],
        "settings of a port that no service has": [
            [[secure("a")], { tls: { ports: { 8443: {} } } }],
            "unused-port-settings tls.ports[8443]",
        ],
    };
    for (const [title, [args, ...expected]] of Object.entries(cases)) {
        it(`${expected.length === 0 ? "are none for" : "show"} ${title}`, () => {
            assert.deepEqual(issuesOf(...args), expected);
        });
    }

    it("name both services of a port, and what is meant", () => {
        const messages = (...args: Parameters<typeof compiled>) =>
            compiled(...args).issues.map(({ message }) => message);
        assert.match(messages([secure("a"), pass]).join(), /\bpass\b.* a terminated and a passed-through service.*443/);
        assert.match(messages([secure("a"), pass]).join(), /service a\b/);
        assert.match(messages([secure("a", { certificates: ["aip"] })]).join(), /did you mean api\?/);
    });
});

describe("the form of TLS", () => {
    const issuesOf = (tls: unknown, settings: object = {}) =>
        balancedServicesFormIssues({ services: [{ ...plain, tls }], ...settings }).map(({ path }) => path);

    it("knows every argument", () => {
        const headers = {
            "X-A": "subject",
            "X-B": "commonName",
            "X-C": "issuer",
            "X-D": "serial",
            "X-E": "fingerprint",
        };
        const hsts = { maxAge: 1, includeSubDomains: true, preload: true };
        const port = { minVersion: "TLSv1.3", alpn: ["h2"], clients: { authority: "a", verify: "optional", headers } };
        const tls = { certificates: ["a"], http: "serve", hsts, minVersion: "TLSv1.2", clients: port.clients };
        const settings = { ...port, port: 8443, profile: "none", http: "none", hsts, defaultCertificate: "a" };
        assert.deepEqual(issuesOf(tls, { tls: { ...settings, ports: { 9443: { ...port, strictSni: true } } } }), []);
        assert.deepEqual(issuesOf(true), []);
        assert.deepEqual(issuesOf({ hsts: false }), []);
    });

    it("shows the place of a mistake", () => {
        assert.deepEqual(issuesOf({ certificates: [] }), ["services[0].tls.certificates"]);
        assert.deepEqual(issuesOf({ http: "redirects" }), ["services[0].tls.http"]);
        assert.deepEqual(issuesOf(false), ["services[0].tls"]);
        assert.deepEqual(issuesOf({ clients: { authority: "a", headers: { "X A": "subject" } } }), [
            "services[0].tls.clients.headers.X A",
        ]);
        // They would be removed from every request.
        const needed = { Host: "subject", "content-length": "serial", X_Forwarded_For: "issuer", "X-Host": "subject" };
        assert.deepEqual(
            issuesOf({ clients: { authority: "a", headers: needed } }),
            ["Host", "content-length", "X_Forwarded_For"].map((name) => `services[0].tls.clients.headers.${name}`),
        );
        assert.deepEqual(issuesOf(true, { tls: { ports: { https: {} } } }), ["tls.ports.https"]);
        const both = { strictSni: true, defaultCertificate: "a" };
        assert.deepEqual(issuesOf(true, { tls: { ...both, ports: { 443: both } } }).sort(), [
            "tls.ports.443.strictSni",
            "tls.strictSni",
        ]);
    });
});

describe("a port with TLS", () => {
    const bindsOf = (...args: Parameters<typeof compiled>) =>
        Object.fromEntries(compiled(...args).config.frontends.map(({ name, binds }) => [name, binds[0]?.ssl]));

    it("has all certificates, or those that all of its services name", () => {
        const some = { certificates: ["shop"] };
        assert.deepEqual(bindsOf([secure("a")]), { https: { certificates: ["shop", "api"] }, http: undefined });
        assert.deepEqual(bindsOf([secure("a", some), secure("b")]).https, { certificates: ["shop", "api"] });
        assert.deepEqual(bindsOf([secure("a", some)]).https, { certificates: ["shop"] });
        assert.deepEqual(bindsOf([secure("a", some)], { tls: { defaultCertificate: "api" } }).https, {
            certificates: ["shop", "api"],
            defaultCertificate: "api",
        });
        assert.deepEqual(Object.keys(bindsOf([{ ...plain, protocol: "https" }, secure("a", true, { listen: 8443 })])), [
            "https",
            "https-8443",
            "http",
        ]);
    });

    it("is as its settings say, before those of all ports, and as its services agree", () => {
        const tls = {
            defaultCertificate: "shop",
            minVersion: "TLSv1.2",
            ports: { 8443: { strictSni: true, minVersion: "TLSv1.3" }, 9443: { clients, alpn: ["http/1.1"] } },
        } as const;
        const services = [
            secure("a"),
            secure("b", true, { listen: 8443 }),
            secure("c", true, { listen: 9443 }),
            secure(
                "d",
                { minVersion: "TLSv1.3", clients: { authority: "staff", verify: "optional" } },
                { listen: 9444 },
            ),
        ];
        const certificates = ["shop", "api"];
        assert.deepEqual(bindsOf(services, { tls }), {
            https: { certificates, defaultCertificate: "shop", sslMinVer: "TLSv1.2" },
            "https-8443": { certificates, strictSni: true, sslMinVer: "TLSv1.3" },
            "https-9443": {
                certificates,
                defaultCertificate: "shop",
                alpn: ["http/1.1"],
                sslMinVer: "TLSv1.2",
                caFile: "/etc/haproxy/fleet/partners.ca.pem",
                crlFile: "/etc/haproxy/fleet/partners.crl.pem",
                verify: "required",
            },
            "https-9444": {
                certificates,
                defaultCertificate: "shop",
                sslMinVer: "TLSv1.3",
                caFile: "/etc/haproxy/fleet/staff.ca.pem",
                verify: "optional",
            },
            http: undefined,
        });
    });

    it("tells services apart by name, with one line for equal ones, and another default", () => {
        const own = { certificates: ["shop"], minVersion: "TLSv1.3" } as const;
        const services = [
            secure("a", own),
            secure("b"),
            secure("c", own, { hosts: ["C.test", "a.test"], routes: [{ paths: ["/c"] }] }),
        ];
        assert.deepEqual(bindsOf(services).https, {
            certificates: [{ certificate: "shop", hosts: ["a.test", "c.test"], sslMinVer: "TLSv1.3" }, "shop", "api"],
            defaultCertificate: "shop",
        });
        assert.deepEqual(bindsOf(services, { tls: { strictSni: true } }).https?.defaultCertificate, undefined);
    });
});

describe("the uses of certificates", () => {
    it("are those of services with TLS, with hosts in ASCII", () => {
        const services = [
            plain,
            secure("a", true, { hosts: ["Bücher.test", "A.test"] }),
            secure("b", { certificates: ["api"], clients }, { listen: 8443, hosts: undefined, default: true }),
            secure("c", { certificates: ["api"], minVersion: "TLSv1.3" }),
        ];
        const found = tlsUses({}, services).map(({ otherClients, ...use }) => use);
        assert.deepEqual(found, [
            { path: "services[1].tls", service: "a", port: 443, hosts: ["xn--bcher-kva.test", "a.test"], each: false },
            { path: "services[2].tls", service: "b", port: 8443, hosts: [], certificates: ["api"], each: false },
            { path: "services[3].tls", service: "c", port: 443, hosts: ["c.test"], certificates: ["api"], each: true },
        ]);
    });

    it("say whether clients of another authority get in under other names of the port", () => {
        const of = (authority: string) => ({ certificates: ["api"], clients: { authority } });
        const services = [secure("a"), secure("b", of("partners")), secure("c", of("partners"), { listen: 8443 })];
        const others = (settings: HaproxySettings, more: Service[] = []) =>
            tlsUses(settings, [...services, ...more]).map(({ otherClients }) => otherClients);
        assert.deepEqual(others({}), [false, false, false]);
        assert.deepEqual(others({ tls: { clients } }), [false, false, false]);
        assert.deepEqual(others({ tls: { clients: { authority: "staff" } } }), [true, true, true]);
        assert.deepEqual(others({}, [secure("d", of("staff"))]), [false, true, false, true]);
    });
});

describe("international host names", () => {
    const hostsIn = (service: Partial<Service>) => {
        const one = { ...plain, ...service };
        assert.deepEqual(balancedServicesFormIssues({ services: [one] }), []);
        const { config, validate } = compiled([one], {}, {});
        assert.deepEqual(validate(config), []);
        return render(config, { digest: "d" })
            .text.split("\n")
            .filter((line) => /xn--|bücher|BÜCHER/.test(line))
            .map((line) => line.trim());
    };

    it("are written in ASCII wherever HAProxy compares or sends them", () => {
        assert.deepEqual(
            hostsIn({
                hosts: ["bücher.test", "STRASSE.test"],
                check: { uri: "/up" },
                redirects: [
                    { hosts: ["BÜCHER.test"], pathPrefix: "/a", to: { host: "büro.test", pathPrefix: "/b" } },
                    { to: { host: "büro.test" } },
                ],
            }).map((line) => line.replace(/^(\S+) .*?(\S*xn--.*)$/, "$1 $2")),
            [
                "acl xn--bcher-kva.test STRASSE.test",
                "http-check xn--bcher-kva.test",
                "acl xn--bcher-kva.test",
                "acl xn--bro-hoa.test",
                "http-request //xn--bro-hoa.test/b%[pathq,bytes(2)] if redirect-1-host redirect-1-path",
                "http-request //xn--bro-hoa.test%[pathq] if !redirect-2-done",
            ],
        );
        assert.deepEqual(hostsIn({ check: { uri: "/", host: "bücher.test" } }).length, 1);
        assert.deepEqual(hostsIn({ check: { protocol: "smtp", domain: "bücher.test" } }).length, 1);
    });

    it("are the same as their ASCII form", () => {
        const { issues } = compiled([
            { ...plain, hosts: ["bücher.test"] },
            { ...plain, name: "b", hosts: ["XN--bcher-kva.test"] },
        ]);
        assert.deepEqual(
            issues.map(({ rule }) => rule),
            ["shadowed-route"],
        );
    });

    it("are refused if they have no ASCII form, or one that is no host name", () => {
        for (const host of [
            "bü cher.test",
            "bücher.test/a",
            "*.bücher.test",
            "１２７.0.0.1",
            "bücher.test:80",
            "ü_.-",
        ]) {
            assert.equal(balancedServicesFormIssues({ services: [{ ...plain, hosts: [host] }] }).length, 1, host);
        }
    });
});

describe("a plain port beside TLS", () => {
    it("has one rule for hundreds of hosts with a map, and one for all if there is a default", () => {
        const many = Array.from({ length: 300 }, (_, i) => secure(`s${i}`));
        const rulesOf = (services: Service[], settings: HaproxySettings) => {
            const { config } = compiled(services, settings);
            const { useBackends, defaultBackend, acls } = config.frontends.find(({ name }) => name === "http") ?? {};
            return { rules: useBackends?.length, acls: acls?.length, defaultBackend };
        };
        assert.deepEqual(rulesOf(many, { hostMap: true }), { rules: 2, acls: 1, defaultBackend: undefined });
        const web = secure("web", true, { hosts: undefined, default: true });
        assert.deepEqual(rulesOf([...many, web], { hostMap: true }), {
            rules: 2,
            acls: 1,
            defaultBackend: "redirect:443",
        });
    });
});
