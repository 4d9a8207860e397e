import { slot } from "../../../../components/convergence/slots";
import {
    authorityPath,
    type BindTls,
    certificatePath,
    type HaproxyConfig,
    revocationsPath,
} from "../../../../components/haproxy";
import { cases, withBackend, withBinds, withServer } from "./cases";

const certificates = ["shop", "api"].map((name) => ({ name, pem: slot(`certificate.${name}`) }));
const authorities = [
    {
        name: "partners",
        pem: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        revocations: slot("crl"),
    },
    { name: "staff", pem: slot("staff") },
];
const clients = { caFile: authorityPath("partners"), crlFile: revocationsPath("partners") };
const everyone: BindTls = {
    certificates: ["shop", { certificate: "api", hosts: ["a.test", "*.b.test", "!c.b.test", "*"], ...clients }],
    defaultCertificate: "shop",
    caFile: authorityPath("staff"),
    verify: "optional",
};
const model = (ssl: BindTls, change: Partial<HaproxyConfig> = {}): HaproxyConfig => ({
    ...withBinds({ port: 443, ssl }, { port: 8443, ssl: everyone }),
    certificates,
    authorities,
    ...change,
});
const at = "frontends[0].binds[0].ssl";

cases("validate: certificates", {
    "certificates of binds, authorities, and their paths in fields and raw lines": [
        {
            ...model(everyone),
            backends: [
                {
                    name: "app",
                    servers: [
                        {
                            name: "s",
                            address: "192.0.2.1",
                            port: 443,
                            ssl: { crt: certificatePath("shop"), verify: "none" },
                        },
                    ],
                },
            ],
        },
    ],
    "names that are not declared": [
        model({ certificates: ["shop", "shpo", { certificate: "apo" }], defaultCertificate: "api" }),
        `unknown-reference ${at}.certificates[1]`,
        `unknown-reference ${at}.certificates[2].certificate`,
        `unknown-reference ${at}.defaultCertificate`,
    ],
    "a default that no certificate can be": [
        model({ crt: ["/etc/ssl/a.pem"], defaultCertificate: "shop" }),
        `unknown-reference ${at}.defaultCertificate`,
    ],
    "files in our directory that are not declared": [
        {
            ...model({
                crt: [certificatePath("shop"), certificatePath("old"), "/etc/ssl/other.pem"],
                certificates: [{ certificate: "api", caFile: authorityPath("nobody") }],
                caFile: authorityPath("staff"),
                crlFile: revocationsPath("staff"),
            }),
            backends: [
                {
                    name: "app",
                    defaultServer: { ssl: { caFile: authorityPath("gone"), verifyhost: "a.test" } },
                    servers: [
                        {
                            name: "s",
                            address: "192.0.2.1",
                            port: 443,
                            ssl: { crt: certificatePath("client"), verify: "none" },
                        },
                    ],
                },
            ],
        },
        `unknown-reference ${at}.crt[1]`,
        `unknown-reference ${at}.certificates[0].caFile`,
        `unknown-reference ${at}.crlFile`,
        "unknown-reference backends[0].defaultServer.ssl.caFile",
        "unknown-reference backends[0].servers[0].ssl.crt",
    ],
    "names that are one file": [
        model(everyone, {
            certificates: [...certificates, { name: "shop", pem: slot("x") }, { name: "staff.ca", pem: slot("y") }],
            authorities: [...authorities, { name: "partners", pem: slot("z") }],
        }),
        "duplicate-name certificates[2].name",
        "duplicate-name authorities[1].name",
        "duplicate-name authorities[2].name",
    ],
    "a private key in plain text": [
        model(everyone, { certificates: [...certificates.slice(1), { name: "shop", pem: "-----BEGIN" }] }),
        "plain-password certificates[1].pem",
    ],
    "certificates and authorities without a use": [
        {
            ...withBinds({ port: 443, ssl: { certificates: ["api"] } }),
            certificates,
            authorities,
        },
        "unused-certificate certificates[0].name",
        "unused-authority authorities[0].name",
        "unused-authority authorities[1].name",
    ],
    "uses in raw lines and in servers, but not of longer names": [
        {
            ...withServer({
                ssl: { caFile: authorityPath("staff"), verifyhost: "a.test", crt: certificatePath("api") },
            }),
            listens: [
                {
                    name: "raw",
                    binds: [],
                    servers: [],
                    raw: [`bind :443 ssl crt ${certificatePath("shop")} ca-file ${authorityPath("partners")}.old`],
                },
            ],
            certificates,
            authorities,
        },
        "unused-authority authorities[0].name",
    ],
    "revocation lists that HAProxy ignores": [
        model({ certificates: [{ certificate: "shop", crlFile: "/etc/ssl/crl.pem" }], crlFile: "/etc/ssl/crl.pem" }),
        `revocations-without-authority ${at}.crlFile`,
        `revocations-without-authority ${at}.certificates[0].crlFile`,
    ],
    "a revocation list of a name, with the authority of the bind": [
        model({ certificates: [{ certificate: "shop", crlFile: "/etc/ssl/crl.pem" }], caFile: "/etc/ssl/ca.pem" }),
    ],
    "hosts that no client asks for": [
        model({
            certificates: [
                {
                    certificate: "shop",
                    hosts: [
                        "bücher.test",
                        "*.bücher.test",
                        "a.*.test",
                        "https://a.test",
                        "a.test b.test",
                        "a.test:443",
                    ],
                },
            ],
        }),
        ...[0, 1, 2, 3, 4, 5].map((i) => `certificate-host ${at}.certificates[0].hosts[${i}]`),
    ],
    "entries that HAProxy never reaches": [
        model({
            certificates: [
                "shop",
                { certificate: "api", hosts: ["a.test", "b.test"] },
                { certificate: "shop", sslMinVer: "TLSv1.3" },
                { certificate: "api", hosts: ["c.test", "B.test"] },
                { certificate: "shop", hosts: ["b.test"] },
            ],
        }),
        `repeated-certificate ${at}.certificates[2]`,
        `repeated-certificate ${at}.certificates[3]`,
    ],
    "paths that a list of certificates cannot have": [
        model({ certificates: [{ certificate: "shop", caFile: "/etc/my ca.pem", crlFile: "/etc/[crl].pem" }] }),
        `crt-list-text ${at}.certificates[0].caFile`,
        `crt-list-text ${at}.certificates[0].crlFile`,
    ],
    "such paths of a bind": [model({ certificates: ["shop"], caFile: "/etc/my ca.pem" })],
    "sessions that would let clients in without a certificate": [
        model({ certificates: ["shop"] }, { global: { raw: ["tune.ssl.cachesize 20000", "tune.ssl.cachesize 0"] } }),
        "duplicate-setting global.raw[0]",
    ],
    "sessions that cannot": [
        {
            ...withBackend({}),
            global: { raw: ["tune.ssl.cachesize 20000"] },
            ...{ certificates: certificates.slice(0, 1) },
            frontends: [
                { name: "https", binds: [{ port: 443, ssl: { certificates: ["shop"] } }], defaultBackend: "app" },
            ],
        },
    ],
});
