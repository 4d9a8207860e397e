import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { slot } from "../../components/convergence/slots";
import { fromServices, type HaproxySettings, type Service, tlsUses, validate } from "../../components/haproxy";
import { certificateIssues } from "../../components/tls";
import { needsReleases, type Release, releases } from "../support/releases";
import { running } from "./running";

const shopHosts = ["shop", "xn--bcher-kva", "both", "none", "down", "off"].map((name) => `${name}.test`);

/** Makes what the tests need with openssl, which writes hostile subjects, too. */
function makeFiles(): Record<string, string> {
    const directory = mkdtempSync(join(tmpdir(), "services-tls-"));
    const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: directory, stdio: "pipe" });
    const request = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-utf8"];
    const authority = (name: string) =>
        openssl(...request, "-x509", "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.pem`);
    const leaf = (name: string, issuer: string, subject: string, ...names: string[]) => {
        openssl(...request, "-subj", subject, "-keyout", `${name}.key`, "-out", `${name}.csr`);
        const extension = names.length > 0 ? `subjectAltName=${names.map((one) => `DNS:${one}`)}` : "";
        writeFileSync(join(directory, "extensions"), extension);
        const by = ["-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`, "-CAcreateserial", "-extfile", "extensions"];
        openssl("x509", "-req", "-in", `${name}.csr`, ...by, "-out", `${name}.crt`);
    };
    const read = (...files: string[]) => files.map((file) => readFileSync(join(directory, file), "utf8")).join("");
    try {
        for (const name of ["root", "partners", "staff"]) authority(name);
        leaf("shop", "root", "/CN=shop", ...shopHosts);
        leaf("api", "root", "/CN=api", "api.test", "staff.test");
        leaf("partner", "partners", '/O=Acme, Inc.\r\nX-Evil: 1/CN=Jürgen "<%[src]>\r\nX-Evil: 1');
        leaf("employee", "staff", "/CN=employee");
        request.splice(2, 3, "rsa:2048");
        leaf("wild", "root", "/CN=wild", "*.test");
        return {
            "certificate.shop": read("shop.crt", "shop.key"),
            "certificate.api": read("api.crt", "api.key"),
            "certificate.wild": read("wild.crt", "wild.key"),
            "authority.partners": read("partners.pem"),
            "authority.staff": read("staff.pem"),
            "/root.pem": read("root.pem"),
            "/partner.pem": read("partner.crt", "partner.key"),
            "/employee.pem": read("employee.crt", "employee.key"),
        };
    } finally {
        rmSync(directory, { recursive: true });
    }
}

/** Answers what it sees. */
const apps = `defaults
    mode http
    timeout connect 60s
    timeout client 60s
    timeout server 60s
frontend app
    bind 127.0.0.1:9001
    http-request return status 200 content-type text/plain lf-string "%[req.hdr(x-app)] %[pathq] proto=%[req.fhdr(x-forwarded-proto)] subject=%[req.fhdr(x-ssl-client-subject)] name=%[req.fhdr(x-name)] also=%[req.fhdr(x_ssl_client_subject)]%[req.fhdr(x-ssl_client-subject)]%[req.fhdr(x_name)]%[req.fhdr(x-evil)]"
`;

const app = (name: string, rest: Partial<Service>): Service => ({
    name,
    port: 9001,
    servers: [{ name, address: "127.0.0.1" }],
    httpRequestRules: [`set-header X-App ${name}`],
    ...rest,
});

const certificate = (name: string) => ({ name, pem: slot(`certificate.${name}`) });
const declared = {
    certificates: ["shop", "api"].map(certificate),
    authorities: ["partners", "staff"].map((name) => ({ name, pem: slot(`authority.${name}`) })),
};

/** Made once for all releases. */
let files: Record<string, string>;

for (const release of releases) {
    describe(`services with TLS on HAProxy ${release.version}`, () => {
        needsReleases();
        before(() => {
            files ??= makeFiles();
        });

        /** Asserts the answers to requests, by the arguments of curl. */
        async function answers(
            services: readonly Service[],
            expected: Readonly<Record<string, string>>,
            settings: HaproxySettings = {},
        ): Promise<void> {
            const config = fromServices(
                { ...settings, version: release.version },
                services,
                undefined,
                undefined,
                declared,
            );
            assert.deepEqual(
                validate(config).filter(({ rule }) => !/^unused-(certificate|authority)$/.test(rule)),
                [],
            );
            const found = await asked(release, config, Object.keys(expected), files);
            assert.deepEqual(found, expected);
        }

        it("redirect on the plain port, except for challenges, and leave to other services what is theirs", async () => {
            const services = [
                app("shop", { tls: true, hosts: ["shop.test", "bücher.test"] }),
                app("admin", { tls: true, listen: 8443, hosts: ["shop.test", "admin.test"] }),
                app("api", { tls: true, hosts: ["api.test"], routes: [{ pathPrefixes: ["/v2"] }] }),
                app("both", { tls: { http: "serve" }, hosts: ["both.test"] }),
                app("none", { tls: { http: "none" }, hosts: ["none.test"] }),
                app("far", { tls: true, hosts: ["far.test"], clientAddress: "x-forwarded-for" }),
                app("old", { hosts: ["old.test", "api.test"] }),
                app("proof", { routes: [{ pathPrefixes: ["/.well-known/acme-challenge/proof"] }] }),
            ];
            const plain = (host: string, path: string) => `-H Host:${host} 'http://127.0.0.1${path}'`;
            const challenge = "/.well-known/acme-challenge";
            const unanswered =
                "<html><body><h1>503 Service Unavailable</h1> No server is available to handle this request. </body></html> 503";
            const expected = {
                [plain("shop.test", "/a?b=c")]: "308 https://shop.test/a?b=c",
                [plain("SHOP.test:80", "//evil.test/")]: "308 https://SHOP.test//evil.test/",
                [plain("xn--bcher-kva.test", "/")]: "308 https://xn--bcher-kva.test/",
                [plain("admin.test", "/a")]: "308 https://admin.test:8443/a",
                [plain("api.test", "/v2/a")]: "308 https://api.test/v2/a",
                [plain("api.test", "/a")]: "old /a 200",
                [plain("both.test", "/a")]: "both /a proto=http 200",
                [`-H X-Forwarded-Proto:https ${plain("both.test", "/a")}`]: "both /a proto=http 200",
                [plain("none.test", "/a")]: unanswered,
                [plain("other.test", "/a")]: unanswered,
                [plain("old.test", "/a")]: "old /a 200",
                [plain("far.test", "/a")]: "308 https://far.test/a",
                [`-H X-Forwarded-Proto:https ${plain("far.test", "/a")}`]: "far /a proto=https 200",
                [plain("shop.test", `${challenge}/token`)]: `shop ${challenge}/token proto=http 200`,
                [plain("shop.test", `${challenge}/proof`)]: `proof ${challenge}/proof 200`,
                [plain("admin.test", `${challenge}/token`)]: `admin ${challenge}/token proto=http 200`,
                [plain("other.test", `${challenge}/proof`)]: `proof ${challenge}/proof 200`,
                [`; curl -si --path-as-is ${plain("shop.test", `${challenge}/../../a`)} | grep -i ^location`]: `location: https://shop.test${challenge}/../../a`,
                [secure("shop.test", "/a")]: "shop /a proto=https 200",
                [`-H X-Forwarded-Proto:http ${secure("shop.test", "/a")}`]: "shop /a proto=https 200",
                [secure("xn--bcher-kva.test", "/a")]: "shop /a proto=https 200",
                [secure("both.test", "/a")]: "both /a proto=https 200",
                [secure("none.test", "/a")]: "none /a proto=https 200",
                [secure("shop.test", "/a", 8443)]: "admin /a proto=https 200",
            };
            for (const hostMap of [false, true]) {
                await answers(services, expected, { hostMap });
            }
        });

        it("redirect all hosts of a plain port that has no other services", async () => {
            const services = [
                app("web", { tls: true, default: true }),
                app("shop", { tls: true, hosts: ["shop.test"], routes: [{ pathPrefixes: ["/shop"] }] }),
            ];
            const redirected = {
                "-H Host:any.test:8080 http://127.0.0.1:8080/a": "308 https://any.test:8443/a",
                "-H 'Host: [::1]:8080' http://127.0.0.1:8080/": "308 https://[::1]:8443/",
                "-H 'Host: [::1]' http://127.0.0.1:8080/": "308 https://[::1]:8443/",
                "-0 -H Host: http://127.0.0.1:8080/": "400",
                ...Object.fromEntries(
                    [
                        "any.test:@evil.test",
                        "any.test,evil.test",
                        "any.test:80/evil",
                        'any.test:"<a>',
                        "[::1]@evil.test",
                    ].map((host) => [`-o /dev/null -H 'Host: ${host}' http://127.0.0.1:8080/`, "400"]),
                ),
                "-H Host:any.test http://127.0.0.1:8080/.well-known/acme-challenge/a":
                    "web /.well-known/acme-challenge/a proto=http 200",
                "-H Host:shop.test http://127.0.0.1:8080/shop": "308 https://shop.test:8443/shop",
            };
            for (const hostMap of [false, true]) {
                await answers(services, redirected, { hostMap, port: 8080, tls: { port: 8443 } });
            }
        });

        it("say over TLS only, in every answer, that browsers should use it", async () => {
            const services = [
                app("shop", {
                    tls: { http: "serve" },
                    hosts: ["shop.test"],
                    deny: ["127.0.0.9"],
                    redirects: [{ pathPrefix: "/old", to: { host: "new.test" } }],
                }),
                app("down", { tls: { hsts: { maxAge: 60 } }, hosts: ["down.test"], servers: [] }),
                app("off", { tls: { hsts: false }, hosts: ["off.test"] }),
            ];
            const only = (args: string) => `-o /dev/null -D - ${args} | grep -i -e ^HTTP -e ^strict`;
            const found = await asked(
                release,
                fromServices(
                    { version: release.version, tls: { hsts: { includeSubDomains: true, preload: true } } },
                    services,
                    undefined,
                    undefined,
                    declared,
                ),
                [
                    only(secure("shop.test", "/")),
                    only(`--interface 127.0.0.9 ${secure("shop.test", "/")}`),
                    only(secure("shop.test", "/old")),
                    only(secure("down.test", "/")),
                    only(secure("off.test", "/")),
                    only("-H Host:shop.test http://127.0.0.1/"),
                    only("-H Host:down.test http://127.0.0.1/"),
                ],
                files,
            );
            const header = "strict-transport-security: max-age=63072000; includeSubDomains; preload";
            assert.deepEqual(
                Object.values(found).map((answer) => answer.replace(/HTTP\/\S+ (\d+)\D*?(?=$| strict)/, "$1")),
                [
                    `200 ${header}`,
                    `403 ${header}`,
                    `302 ${header}`,
                    "503 strict-transport-security: max-age=60",
                    "200",
                    "200",
                    "308",
                ],
            );
        });

        it("would let in clients of another authority by another type of key, which is refused before", async () => {
            const services = [
                app("shop", { tls: true, hosts: ["shop.test"] }),
                app("api", { tls: { certificates: ["api"], clients: { authority: "partners" } }, hosts: ["api.test"] }),
            ];
            const settings = { version: release.version, tls: { clients: { authority: "staff" } } };
            const both = { ...declared, certificates: ["api", "wild"].map(certificate) };
            const config = fromServices(settings, services, undefined, undefined, both);
            // curl takes no wildcard for a whole top-level domain.
            const ask = `-k --cert /employee.pem ${secure("api.test", "/")}`;
            const rsa = `--tls-max 1.2 --ciphers ECDHE-RSA-AES128-GCM-SHA256 ${ask}`;
            assert.deepEqual(await asked(release, config, [ask, rsa], files), {
                [ask]: "000",
                [rsa]: "api / proto=https subject=CN=employee 200",
            });
            const facts = new Map([
                ["api", { names: ["api.test"], keyType: "ecdsa" as const }],
                ["wild", { names: ["*.test"], keyType: "rsa" as const }],
            ]);
            const uses = tlsUses(settings, services).map((use) => ({ certificates: ["api", "wild"], ...use }));
            const issues = certificateIssues({ certificates: facts, uses, now: new Date() });
            assert.deepEqual(
                issues.map(({ rule, path }) => `${rule} ${path}`),
                ["tls-conflict services[1].tls"],
            );
        });

        it("let clients in by their certificates, whatever name and session they come with, and tell servers about them", async () => {
            const headers = { "X-SSL-Client-Subject": "subject", "X-Name": "commonName" } as const;
            const services = [
                app("shop", { tls: true, hosts: ["shop.test"] }),
                app("api", {
                    tls: { certificates: ["api"], clients: { authority: "partners", headers } },
                    hosts: ["api.test"],
                }),
                app("staff", {
                    tls: {
                        certificates: ["api"],
                        clients: { authority: "staff", verify: "optional" },
                        minVersion: "TLSv1.3",
                    },
                    hosts: ["staff.test"],
                }),
            ];
            const forged = ["X-SSL-Client-Subject", "x_ssl_client_subject", "X-Ssl_Client-Subject", "X-NAME", "x_name"]
                .map((name) => `-H ${name}:forged`)
                .join(" ");
            const partner = "--cert /partner.pem";
            const employee = "--cert /employee.pem";
            await answers(services, {
                [secure("api.test", "/")]: "000",
                [`${employee} ${secure("api.test", "/")}`]: "000",
                [`${forged} ${partner} ${secure("api.test", "/")}`]:
                    'api / proto=https subject=CN=J\\C3\\BCrgen \\"\\<%[src]\\>\\0D\\0AX-Evil: 1,O=Acme\\, Inc.\\0D\\0AX-Evil: 1 name=Jürgen "<%[src]>%0D%0AX-Evil: 1 200',
                [`${forged} ${secure("shop.test", "/")}`]: "shop / proto=https 200",
                [`${forged} -H Host:shop.test http://127.0.0.1/.well-known/acme-challenge/a`]:
                    "shop /.well-known/acme-challenge/a proto=http 200",
                [`${forged} ${secure("staff.test", "/")}`]: "staff / proto=https 200",
                [`${partner} ${secure("staff.test", "/")}`]: "000",
                [`${forged} ${employee} ${secure("staff.test", "/")}`]: "staff / proto=https subject=CN=employee 200",
                [`--tls-max 1.2 ${employee} ${secure("staff.test", "/")}`]: "000",
                // The name of the connection is not that of the request.
                [`-H Host:api.test ${secure("shop.test", "/")}`]: "421",
                [`${partner} -H Host:api.test ${secure("shop.test", "/")}`]: "421",
                [`${employee} -H Host:api.test ${secure("staff.test", "/")}`]: "421",
                [`--tls-max 1.2 -H Host:staff.test ${secure("shop.test", "/")}`]: "421",
                "-k -H Host:api.test https://127.0.0.1/": "421",
                [`${partner} -H Host:shop.test ${secure("api.test", "/")}`]: "shop / proto=https 200",
                "-o /dev/null -H Host:api.test http://127.0.0.1/.well-known/acme-challenge/a": "403",
                // A session that was made under another name, without and with a certificate of another authority.
                "; sh /resume shop.test shop.test -tls1_3": "HTTP/1.1 200 OK",
                "; sh /resume shop.test api.test -tls1_2": "refused",
                "; sh /resume shop.test api.test -tls1_3": "refused",
                "; sh /resume staff.test api.test -tls1_3 '-cert /employee.pem -key /employee.pem'": "refused",
            });
        });
    });
}

/** Arguments of curl for a request over TLS. */
function secure(host: string, path: string, port = 443): string {
    return `--cacert /root.pem --resolve ${host}:${port}:127.0.0.1 https://${host}${port === 443 ? "" : `:${port}`}${path}`;
}

/** Makes a session under one name, and says whether a client that resumes it gets in under another one. */
const resume = `rm -f /session /ended
ask() { openssl s_client -connect 127.0.0.1:443 -quiet -no_ign_eof "$@" 2>/dev/null; touch /ended; }
# Keeps the input open, which ends the client.
until_ended() { for i in $(seq 30); do [ ! -e /ended ] && [ ! -s "$1" ] || break; sleep 0.05; done; }
until_ended /session | ask -sess_out /session -servername "$1" $3 $4 >/dev/null
[ -s /session ] || { echo refused; exit; }
rm /ended
{ printf 'GET / HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n' "$2"; until_ended /none; } |
    ask -sess_in /session -servername "$2" $3 | grep -a 'HTTP/1.1 200' || echo refused
`;

/** What requests are answered, by the arguments of curl; what is empty is left out. */
async function asked(
    release: Release,
    config: ReturnType<typeof fromServices>,
    requests: readonly string[],
    files: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
    const written = Object.entries({ ...files, "/resume": resume }).filter(([name]) => name.startsWith("/"));
    const write = written.map(([path, text]) => `cat > ${path} <<'EOT'\n${text}EOT`).join("\n");
    const commands = requests.map((request) =>
        request.startsWith(";") ? request.slice(1) : `curl -s -m 60 -w ' %{http_code} %{redirect_url}' ${request} || :`,
    );
    const [, ...found] = await running(release, config, [write, ...commands], { slots: files, apps });
    return Object.fromEntries(
        requests.map((request, i) => [
            request,
            (found[i] ?? "")
                .replace(/ (proto|subject|name|also)=(?= |$)/g, "")
                .replace(/ +/g, " ")
                .trim(),
        ]),
    );
}
