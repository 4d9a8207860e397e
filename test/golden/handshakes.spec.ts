import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { slot } from "../../components/convergence/slots";
import { authorityPath, type HaproxyConfig, isError, revocationsPath, validate } from "../../components/haproxy";
import { atLeast } from "../../components/haproxy/model/versions";

import {
    type CertificateOptions,
    type MadeCertificate,
    makeCertificate,
    makeRevocationList,
} from "../support/certificates";
import { needsReleases, releases } from "../support/releases";
import { hostFiles, running } from "./running";

const day = 86_400_000;
const at = (days: number) => new Date(Date.now() + days * day).toISOString();
const valid = { from: at(-1), to: at(30) };

/** Certificates of the binds, each with the names in it; the common name is the name of the certificate. */
const leaves: Readonly<Record<string, Pick<CertificateOptions, "names" | "key">>> = {
    fallback: { names: ["fallback.test"] },
    exact: { names: ["a.shop.test"] },
    wildcard: { names: ["*.shop.test"] },
    dual: { names: ["dual.test"] },
    "dual-rsa": { names: ["dual.test"], key: "rsa" },
    open: { names: ["open.test"] },
    member: { names: ["member.test"] },
    guest: { names: ["guest.test"] },
    late: { names: ["late.test"] },
    old: { names: ["old.test"] },
};

/** Values of slots, and files of clients. */
async function made(): Promise<{ slots: Record<string, string>; files: Record<string, string> }> {
    const issuer = await makeCertificate("root", { authority: true, ...valid });
    const partners = await makeCertificate("partners", { authority: true, ...valid });
    const others = await makeCertificate("others", { authority: true, ...valid });
    const bundle = ({ pem, key }: MadeCertificate) => pem + key;
    const client = (name: string, authority: MadeCertificate) => makeCertificate(name, { issuer: authority, ...valid });
    const [good, revoked, foreign] = [
        await client("good", partners),
        await client("revoked", partners),
        await client("foreign", others),
    ];
    const { serialNumber } = new X509Certificate(revoked.pem);
    const slots: Record<string, string> = {
        "authority.partners": partners.pem,
        "revocations.partners": await makeRevocationList(partners, { ...valid, revoked: [serialNumber] }),
        "revocations.late": await makeRevocationList(partners, { from: at(-9), to: at(-1) }),
    };
    for (const [name, options] of Object.entries(leaves)) {
        slots[`certificate.${name}`] = bundle(await makeCertificate(name, { issuer, ...valid, ...options }));
    }
    const clients = { good, revoked, foreign };
    return {
        slots,
        files: Object.fromEntries(Object.entries(clients).map(([name, made]) => [`/${name}.pem`, bundle(made)])),
    };
}

const partners = { caFile: authorityPath("partners"), crlFile: revocationsPath("partners") };

/** Binds of the profile; on port 443 every name has options of its own. */
function configOf(version: string, profile: "intermediate" | "modern"): HaproxyConfig {
    const modern = profile === "modern";
    const late = { caFile: authorityPath("late"), crlFile: revocationsPath("late") };
    return {
        version,
        global: { maxconn: 100, tls: { profile }, ...(modern && { statsSockets: [{ path: "/run/modern.sock" }] }) },
        certificates: Object.keys(leaves).map((name) => ({ name, pem: slot(`certificate.${name}`) })),
        authorities: [
            { name: "partners", pem: slot("authority.partners"), revocations: slot("revocations.partners") },
            { name: "late", pem: slot("authority.partners"), revocations: slot("revocations.late") },
        ],
        frontends: [
            {
                name: profile,
                binds: modern
                    ? [
                          {
                              port: 1443,
                              ssl: {
                                  certificates: ["dual", "dual-rsa", { certificate: "dual-rsa", hosts: ["rsa.test"] }],
                              },
                          },
                      ]
                    : [
                          {
                              port: 443,
                              ssl: {
                                  certificates: [
                                      "wildcard",
                                      "exact",
                                      "dual-rsa",
                                      "dual",
                                      { certificate: "dual-rsa", hosts: ["rsa.test"] },
                                      "fallback",
                                  ],
                                  defaultCertificate: "fallback",
                              },
                          },
                          { port: 444, ssl: { certificates: ["wildcard", "exact"], strictSni: true } },
                          {
                              port: 445,
                              ssl: {
                                  certificates: [
                                      "open",
                                      { certificate: "member", ...partners },
                                      { certificate: "guest", ...partners, verify: "optional" },
                                      { certificate: "late", ...late },
                                      { certificate: "old", alpn: ["http/1.1"], sslMinVer: "TLSv1.3" },
                                      { certificate: "old", hosts: ["alias.test"] },
                                  ],
                              },
                          },
                          { port: 446, ssl: { certificates: ["guest"], ...partners } },
                      ],
                httpRequestRules: [
                    { action: "return", contentType: "text/plain", body: "[%[ssl_c_s_dn(CN)] %[ssl_fc_alpn]]" },
                ],
            },
        ],
        backends: [],
    };
}

/** Shell that prints the server's certificate, then `[SUBJECT ALPN]` as HAProxy knows the client, or why it refused it. */
const get = (port: number, host: string, options = "") =>
    `curl -skvS -m 60 --http1.1 --connect-to ::127.0.0.1: ${options} https://${host}:${port}/ 2>&1 |
    sed -nE 's/^\\* +subject:.*CN=//p; s/^(\\[.*\\])$/\\1/p; s/^curl: .*(alert|tlsv1) ([a-z ]+).*/refused: \\2/p; s/^curl: \\(60\\).*/refused/p'`;

const client = (target: string, tls: string) => {
    const [host, port] = target.split(":");
    return `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -connect 127.0.0.1:${port} -servername ${host} -${tls} -ign_eof`;
};

/** Shell that makes a session with one name, and resumes it with another. Prints `none` if there is no session. */
const resume = (from: string, into: string, tls: string) =>
    `${client(from, tls)} -sess_out /session >/dev/null 2>&1
    if [ -s /session ]
    then ${client(into, tls)} -sess_in /session 2>/dev/null | sed -nE 's/^(New|Reused), .*/\\1/p; s/^(\\[.*\\]).*/\\1/p'
    else echo none; fi
    rm -f /session`;

const alpn = (port: number, host: string) =>
    `openssl s_client -connect 127.0.0.1:${port} -servername ${host} -alpn h2,http/1.1 </dev/null 2>&1 | sed -n 's/^ALPN protocol: //p'`;

const group = (name: string) =>
    `openssl s_client -connect 127.0.0.1:443 -groups ${name} </dev/null 2>&1 | sed -n 's/^Negotiated TLS1.3 group: //p'`;

/** A command, and what it prints. */
type Asked = readonly [command: string, expected: string];

const certificates = (version: string): Record<string, Asked> => {
    const unknown = `refused: ${version === "2.2" ? "handshake failure" : "unrecognized name"}`;
    const cipher = (key: string) => `--tls-max 1.2 --ciphers ECDHE-${key}-AES128-GCM-SHA256`;
    return {
        "an exact name, before a wildcard": [get(443, "a.shop.test"), "exact [ http/1.1]"],
        "a name of a wildcard": [get(443, "b.shop.test"), "wildcard [ http/1.1]"],
        "no name": [get(443, "127.0.0.1"), "fallback [ http/1.1]"],
        "an unknown name": [get(443, "unknown.test"), "fallback [ http/1.1]"],
        "the name of the default": [get(443, "fallback.test"), "fallback [ http/1.1]"],
        "a client of RSA": [get(443, "dual.test", cipher("RSA")), "dual-rsa [ http/1.1]"],
        "a client of ECDSA": [get(443, "dual.test", cipher("ECDSA")), "dual [ http/1.1]"],
        "a known name, strictly": [get(444, "b.shop.test"), "wildcard [ http/1.1]"],
        "no name, strictly": [get(444, "127.0.0.1"), "refused: unrecognized name"],
        "an unknown name, strictly": [get(444, "unknown.test"), unknown],
        "the protocols of a bind": [alpn(443, "a.shop.test"), "h2"],
        "the protocols of a name": [alpn(445, "old.test"), "http/1.1"],
        // Only OpenSSL 3.5 and later have this curve; sslscan does not know it.
        ...(atLeast(version, "3.0") && { "a client with ML-KEM": [group("X25519MLKEM768"), "X25519MLKEM768"] }),
        "a version that is too old for a name": [get(445, "old.test", "--tls-max 1.2"), "refused: protocol version"],
        "a version that is new enough": [get(445, "old.test", "--tlsv1.3"), "old [ http/1.1]"],
        "another name of that certificate": [get(445, "alias.test", "--tls-max 1.2"), "old [ http/1.1]"],
    };
};

/** In TLS 1.3 clients get the server's certificate before they are refused. */
const clients = (option: string): Record<string, Asked> => {
    const modern = option === "--tlsv1.3";
    const refused = (certificate: string, reason: string) => `${modern ? `${certificate} ` : ""}refused: ${reason}`;
    const missing = modern ? "certificate required" : "handshake failure";
    const by = (name: string, host: string, port = 445) => get(port, host, `${option} --cert /${name}.pem`);
    return {
        "where none is needed": [get(445, "open.test", option), "open [ http/1.1]"],
        "none where one is required": [get(445, "member.test", option), refused("member", missing)],
        "a good one": [by("good", "member.test"), "member [good http/1.1]"],
        "one of another authority": [by("foreign", "member.test"), refused("member", "unknown ca")],
        "a revoked one": [by("revoked", "member.test"), refused("member", "certificate revoked")],
        "none where one is optional": [get(445, "guest.test", option), "guest [ http/1.1]"],
        "a good one where one is optional": [by("good", "guest.test"), "guest [good http/1.1]"],
        "a revoked one where one is optional": [by("revoked", "guest.test"), refused("guest", "certificate revoked")],
        "a good one, with an expired revocation list": [
            by("good", "late.test"),
            // curl has words of its own for it.
            modern ? refused("late", "certificate expired") : "refused",
        ],
        "none where the bind requires one": [get(446, "guest.test", option), refused("guest", missing)],
        "a good one where the bind requires one": [by("good", "guest.test", 446), "guest [good http/1.1]"],
    };
};

/** A session that was made without a certificate must not get a client in. From 3.2 on, HAProxy resumes it and then refuses. */
const resumed = (version: string): Record<string, Asked> => {
    const later = atLeast(version, "3.2");
    return {
        "of a name that needs none": [
            resume("open.test:445", "open.test:445", "tls1_2"),
            later ? "Reused [ ]" : "none",
        ],
        "of another name, by TLS 1.2": [resume("open.test:445", "member.test:445", "tls1_2"), later ? "New" : "none"],
        "of another name, by TLS 1.3": [resume("open.test:445", "member.test:445", "tls1_3"), "New"],
        "of another bind": [resume("a.shop.test:443", "guest.test:446", "tls1_3"), "New"],
        "of a process that verifies no clients": [resume("dual.test:1443", "dual.test:1443", "tls1_3"), "Reused [ ]"],
    };
};

const scan = (port: number, name: string) =>
    `sslscan --no-renegotiation --no-compression --no-heartbleed --no-fallback --no-check-certificate --sni-name=${name} \
    --xml=- 127.0.0.1:${port}`;

/** Protocols, ciphers and curves in the words of sslscan. */
function scanned(xml: string): Record<"protocols" | "ciphers" | "curves", string[]> {
    const all = (pattern: RegExp) =>
        [...new Set([...xml.matchAll(pattern)].map((match) => match.slice(1).join("")))].sort();
    return {
        protocols: all(/<protocol type="(\w+)" version="([\d.]+)" enabled="1"/g),
        ciphers: all(/<cipher status="(?:accepted|preferred)" [^>]*cipher="([^"]+)"/g),
        curves: all(/<group sslversion="TLSv1.3" [^>]*name="([^" ]+)/g),
    };
}

// From Mozilla's guideline 6.0, by hand.
const modern = {
    protocols: ["tls1.3"],
    ciphers: ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"],
    curves: ["secp256r1", "secp384r1", "x25519"],
};
const intermediate = {
    ...modern,
    protocols: ["tls1.2", "tls1.3"],
    ciphers: [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-CHACHA20-POLY1305",
        ...modern.ciphers,
    ],
};

for (const release of releases) {
    describe(`TLS of HAProxy ${release.version}`, () => {
        needsReleases();
        const { version } = release;
        const questions = {
            "serves the right certificate to": certificates(version),
            "verifies certificates of clients by TLS 1.2": clients("--tls-max 1.2"),
            "verifies certificates of clients by TLS 1.3": clients("--tlsv1.3"),
            "refuses a client that resumes a session from elsewhere": resumed(version),
        };
        const scans = [
            scan(443, "a.shop.test"),
            scan(443, "rsa.test"),
            scan(1443, "dual.test"),
            scan(1443, "rsa.test"),
        ];
        let answers: string[] = [];
        before("ask a running HAProxy", async () => {
            const { slots, files } = await made();
            const [config, other] = [configOf(version, "intermediate"), configOf(version, "modern")];
            assert.deepEqual([...validate(config), ...validate(other)].filter(isError), []);
            const { "/etc/haproxy/haproxy.cfg": apps, ...otherFiles } = hostFiles(other, slots);
            const commands = Object.values(questions).flatMap((asked) =>
                Object.values(asked).map(([command]) => command),
            );
            answers = await running(release, config, [...commands, ...scans], {
                slots,
                apps,
                files: { ...otherFiles, ...files },
            });
        });

        let first = 0;
        for (const [title, asked] of Object.entries(questions)) {
            const start = first;
            first += Object.keys(asked).length;
            it(title, () => {
                const found = Object.keys(asked).map((name, i) => [name, answers[start + i]]);
                assert.deepEqual(
                    Object.fromEntries(found),
                    Object.fromEntries(Object.entries(asked).map(([name, [, expected]]) => [name, expected])),
                );
            });
        }

        it("has the protocols, ciphers and curves of its profile, and no others", () => {
            const [ecdsa = "", rsa = "", ...rest] = answers.slice(first);
            assert.deepEqual(scanned(ecdsa + rsa), intermediate);
            assert.deepEqual(scanned(rest.join("")), modern);
        });
    });
}
