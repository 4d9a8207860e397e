import assert from "node:assert/strict";
import { slot } from "../../../../components/convergence/slots";
import { authorityPath, type BindTls, certificatePath, type HaproxyConfig } from "../../../../components/haproxy";
import { hostRequirements } from "../../../../components/haproxy/host/requirements";
import { filesOf } from "../../../../components/haproxy/render/files";
import { render } from "../../../../components/haproxy/render/index";
import { haproxy } from "../../../../components/recipes/haproxy/index";

const certificates = ["a", "b", "c"].map((name) => ({ name, pem: slot(`certificate.${name}`) }));
const withTls = (binds: readonly BindTls[], change: Partial<HaproxyConfig> = {}): HaproxyConfig => ({
    version: "2.6",
    certificates,
    frontends: binds.map((ssl, i) => ({ name: `f${i}`, binds: [{ port: 443 + i, ssl }] })),
    backends: [],
    ...change,
});
const paths = (config: HaproxyConfig) => filesOf(config).map(({ path }) => path.replace("/etc/haproxy/fleet/", ""));
const tlsLines = (config: HaproxyConfig) => {
    const { text, sources } = render(config, { digest: "d" });
    return text
        .split("\n")
        .filter((_, i) => sources[i] === "global.tls")
        .map((line) => line.trim());
};

describe("files of certificates", () => {
    it("are only those that something uses, so that no host has a key without need", () => {
        const config = withTls([{ certificates: ["a"] }], {
            authorities: [
                { name: "used", pem: "x", revocations: "y" },
                { name: "unused", pem: "x" },
            ],
            backends: [
                {
                    name: "app",
                    servers: [
                        {
                            name: "s",
                            address: "192.0.2.1",
                            port: 443,
                            ssl: { crt: certificatePath("c"), caFile: authorityPath("used") },
                        },
                    ],
                },
            ],
        });
        assert.deepEqual(paths(config), ["f0.crt-list", "a.pem", "c.pem", "used.ca.pem", "used.crl.pem"]);
    });

    it("are readable by root alone if they have keys", () => {
        const config = withTls([{ certificates: ["a"], caFile: authorityPath("x") }], {
            authorities: [{ name: "x", pem: "x" }],
        });
        const files = haproxy(config).flatMap((resource) => (resource.kind === "transaction" ? resource.files : []));
        assert.deepEqual(
            files.map(({ path, mode, group, owner }) => [path.split("/").at(-1), mode, group, owner]),
            [
                ["haproxy.cfg", "0640", "haproxy", undefined],
                ["f0.crt-list", "0640", "haproxy", undefined],
                ["a.pem", "0600", "root", undefined],
                ["x.ca.pem", "0640", "haproxy", undefined],
            ],
        );
    });

    it("take PEM text of several lines, and nothing else", () => {
        const [file] = filesOf(withTls([{ certificates: ["a"] }])).filter(({ path }) => path.endsWith("/a.pem"));
        assert.equal(file?.slotIssue("-----BEGIN CERTIFICATE-----\nMIIB\n"), undefined);
        assert.match(file?.slotIssue("secret") ?? "", /^holds no PEM block/);
    });

    it("share equal lists, and have the name of the first section, with the port if it has several", () => {
        const config = withTls([{ certificates: ["a"] }, { certificates: ["a"] }, { certificates: ["b"] }]);
        assert.deepEqual(paths(config), ["f0.crt-list", "f2.crt-list", "a.pem", "b.pem"]);
        const [frontend] = config.frontends;
        const binds = [
            { port: 443, ssl: { certificates: ["a"] } },
            { port: 8443, ssl: { certificates: ["b"] } },
            { path: "/run/x", ssl: { certificates: ["c"] } },
        ];
        assert.deepEqual(paths({ ...config, frontends: [{ ...frontend, name: "f", binds }] }).slice(0, 3), [
            "f.crt-list",
            "f-8443.crt-list",
            "f-2.crt-list",
        ]);
    });

    it("say where each line of a list comes from", () => {
        const [list] = filesOf(withTls([{ certificates: ["a", { certificate: "b", hosts: ["b.test"] }] }]));
        const lines = list?.content.split("\n").map((line, i) => `${line} < ${list.lineSources?.[i]}`);
        assert.deepEqual(lines?.slice(2, 5), [
            "/etc/haproxy/fleet/a.pem * < frontends[0].binds[0].ssl.certificates[0]",
            "/etc/haproxy/fleet/a.pem < frontends[0].binds[0].ssl.certificates[0]",
            "/etc/haproxy/fleet/b.pem b.test < frontends[0].binds[0].ssl.certificates[1]",
        ]);
    });

    it("give the default the options of its certificate, so that no client gets around them without a name", () => {
        const clients = { caFile: "/etc/ssl/ca.pem", sslMinVer: "TLSv1.3" as const };
        const [list] = filesOf(
            withTls([{ certificates: ["a", { certificate: "b", ...clients }], defaultCertificate: "b" }]),
        );
        assert.match(
            list?.content ?? "",
            /^\/etc\/haproxy\/fleet\/b\.pem \[ca-file \/etc\/ssl\/ca\.pem verify required ssl-min-ver TLSv1\.3\] \*$/m,
        );
    });
});

describe("the profile of TLS", () => {
    const tls = { certificates: ["a"] };

    it("is rendered for the sides that have TLS, raw lines included", () => {
        const sides = (config: HaproxyConfig) => tlsLines(config).filter((line) => line.startsWith("#"));
        const clients = "# TLS to clients: Mozilla's guideline 6.0, intermediate";
        const servers = "# TLS to servers: Mozilla's guideline 6.0, intermediate";
        const server = { name: "s", address: "192.0.2.1", port: 443 };
        const backend = { name: "app", servers: [server] };
        const none = withTls([], { frontends: [{ name: "f", binds: [{ port: 443 }] }], backends: [backend] });
        assert.deepEqual(sides(none), []);
        assert.deepEqual(sides(withTls([tls])), [clients]);
        const raw = { ...none, frontends: [{ name: "f", binds: [], raw: ["bind :443 ssl crt /etc/ssl/a.pem"] }] };
        assert.deepEqual(sides(raw), [clients]);
        const check = { ...none, backends: [{ name: "app", servers: [{ ...server, raw: "check-ssl verify none" }] }] };
        assert.deepEqual(sides(check), [servers]);
        assert.deepEqual(sides({ ...none, backends: [{ ...backend, defaultServer: { ssl: {} } }] }), [servers]);
        const off = { name: "app", defaultServer: { ssl: {} }, servers: [{ ...server, ssl: false as const }] };
        assert.deepEqual(sides({ ...none, backends: [off] }), []);
    });

    it("gives way to raw lines, keyword by keyword, and to none", () => {
        const raw = ["ssl-default-bind-options ssl-min-ver TLSv1.1", "ssl-default-bind-curves P-256"];
        const keywords = (global: HaproxyConfig["global"]) =>
            tlsLines(withTls([tls], { global })).map((line) => line.split(" ")[0]);
        assert.deepEqual(keywords({ raw }), ["#", "ssl-default-bind-ciphers", "ssl-default-bind-ciphersuites"]);
        assert.deepEqual(keywords({ tls: { profile: "none" } }), []);
    });

    it("counts TLS to clients in raw lines for memory, too", () => {
        const config = withTls([], { frontends: [{ name: "f", binds: [], raw: ["bind :443 ssl crt /a.pem"] }] });
        assert.equal(hostRequirements(config).memory, 50_000 * 125);
    });

    it("does not resume sessions if clients are verified differently below 3.2, whatever the profile", () => {
        const clients = { certificate: "b", caFile: "/etc/ssl/ca.pem" };
        const off = (binds: readonly BindTls[], change: Partial<HaproxyConfig> = {}) =>
            tlsLines(withTls(binds, change)).includes("tune.ssl.cachesize 0");
        assert.equal(off([tls, { certificates: ["b"], alpn: ["http/1.1"] }]), false);
        assert.equal(off([{ certificates: [clients] }]), false);
        assert.equal(off([{ certificates: ["a", clients] }]), true);
        assert.equal(off([tls, { certificates: ["b"], caFile: "/etc/ssl/ca.pem" }]), true);
        assert.equal(off([{ certificates: ["a", { certificate: "b", verify: "none" }] }]), false);
        assert.equal(off([{ certificates: ["a", clients] }], { version: "3.2" }), false);
        const raw = [{ name: "f", binds: [{ port: 443, ssl: tls, raw: "verify required ca-file /x" }] }];
        assert.equal(off([], { frontends: [...raw, { name: "g", binds: [{ port: 444, ssl: tls }] }] }), true);
        assert.deepEqual(
            tlsLines(withTls([{ certificates: ["a", clients] }], { global: { tls: { profile: "none" } } })).slice(1),
            ["tune.ssl.cachesize 0", "ssl-default-bind-options no-tls-tickets"],
        );
    });
});
