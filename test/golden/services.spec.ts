import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fillSlots } from "../../components/convergence/slots";
import { filesOf } from "../../components/haproxy/render/files";
import { render } from "../../components/haproxy/render/index";
import { fromServices, type Service } from "../../components/haproxy/services/compile";
import { validate } from "../../components/haproxy/validate/index";
import { inRelease, needsReleases, type Release, releases } from "../support/releases";

const loopback = "127.0.0.1";

/** The password of a user in each slot, or its hash. */
const secretOf = (slot: string) =>
    slot === "dev/haproxy-hash"
        ? "$5$rounds=1000$saltsalt$joVa/t85pnll1t5swFJWcqVTdpPlqt/5g6vBrdtVUm/"
        : `secret-of-${slot}`;

/** A service with one server: an app with the name of the service that listens on `port`. */
type App = Service & { readonly port: number };

const app = (name: string, port: number, rest: Partial<Service>): App => ({
    name,
    port,
    servers: [{ name, address: loopback }],
    ...rest,
});

/** Apps that answer with their name and the path that they see. */
function appsConfig(apps: readonly { readonly name: string; readonly port: number; readonly tls?: boolean }[]): string {
    const frontends = apps.map(
        ({ name, port, tls }) => `frontend ${name}
    bind ${loopback}:${port}${tls ? " ssl crt /app.pem" : ""}
    http-request return status 200 content-type text/plain lf-string "${name} %[pathq]"
`,
    );
    const timeouts = ["connect", "client", "server"].map((name) => `    timeout ${name} 60s\n`).join("");
    return `defaults\n    mode http\n${timeouts}${frontends.join("")}`;
}

/** Returns what each command prints while the services are served on 127.0.0.1. */
async function serving(
    release: Release,
    services: readonly App[],
    commands: readonly string[],
    files: Record<string, string> = {},
    hostMap = false,
): Promise<string[]> {
    const config = fromServices({ version: release.version, maxconn: 100, hostMap }, services);
    assert.deepEqual(validate(config), []);
    const apps = services.map(({ name, port, protocol }) => ({ name, port, tls: protocol === "https" }));
    const script = `mkdir -p /run/haproxy
haproxy -D -f /apps.cfg
haproxy -D -f /etc/haproxy/haproxy.cfg
ask() { curl -s -m 60 -w ' %{http_code} %{redirect_url}' "$@" || :; }
${commands.map((command) => `{ ${command}; } 2>&1 | tr '\\r\\n' '  '; echo`).join("\n")}`;
    const { stdout, stderr } = await inRelease(release, ["sh", "-c", script], {
        "/apps.cfg": appsConfig(apps),
        "/etc/haproxy/haproxy.cfg": fillSlots(render(config, { digest: "d" }).text, secretOf),
        ...Object.fromEntries(filesOf(config).map(({ path, content }) => [path, content])),
        ...files,
    });
    const answers = stdout
        .split("\n")
        .slice(0, -1)
        .map((line) => line.trim());
    assert.equal(answers.length, commands.length, `${stdout}${stderr}`);
    return answers;
}

/** Asserts the answers to requests, by the arguments of curl. */
async function answers(
    release: Release,
    services: readonly App[],
    requests: Readonly<Record<string, string>>,
    hostMap = false,
) {
    const commands = Object.keys(requests).map((request) => `ask ${request}`);
    const found = await serving(release, services, commands, {}, hostMap);
    assert.deepEqual(Object.fromEntries(Object.keys(requests).map((request, i) => [request, found[i]])), requests);
}

for (const release of releases) {
    describe(`services on HAProxy ${release.version}`, () => {
        needsReleases();

        it("are found by the most specific route, whatever their order", async () => {
            const hosts = ["shop.test"];
            const services = [
                app("web", 9001, { default: true }),
                app("any", 9002, { routes: [{ paths: ["/health"] }, { pathPrefixes: ["/img/"] }] }),
                app("shop", 9003, { hosts }),
                app("regex", 9004, { hosts, routes: [{ pathRegex: "^/api/v[0-9]{1,3}$" }, { pathRegex: "\\.png$" }] }),
                app("api", 9005, { hosts, routes: [{ pathPrefixes: ["/api"] }] }),
                app("v2", 9006, { hosts, routes: [{ pathPrefixes: ["/api/v2"] }, { paths: ["/api/exact"] }] }),
                app("post", 9007, { hosts, routes: [{ pathPrefixes: ["/api"], methods: ["POST", "PUT"] }] }),
                app("beta", 9008, { hosts, routes: [{ headers: { "X-Beta": 'it\'s "1" #$HOME', "X-Any": true } }] }),
                app("whole", 9009, { hosts: ["whole.test"], routes: [{ pathPrefixes: ["/", "/api"] }] }),
                app("both", 9010, {
                    hosts: ["both.test"],
                    routes: [{ pathPrefixes: ["/a"], headers: { Path: true } }],
                }),
                app("phone", 9011, { hosts: ["both.test"], routes: [{ headers: { "X-For": "A (B, C)" } }] }),
            ];
            const both = "-H Host:both.test http://127.0.0.1";
            const shop = "-H Host:shop.test http://127.0.0.1";
            const expected = {
                "http://127.0.0.1/": "web / 200",
                "http://127.0.0.1/health": "any /health 200",
                "http://127.0.0.1/img": "any /img 200",
                "http://127.0.0.1/img/a": "any /img/a 200",
                "http://127.0.0.1/imgs": "web /imgs 200",
                [`${shop}/health`]: "shop /health 200",
                "-H Host:SHOP.test:80 http://127.0.0.1/": "shop / 200",
                [`${shop}/api`]: "api /api 200",
                [`${shop}/apis`]: "shop /apis 200",
                [`${shop}/api/v1`]: "api /api/v1 200",
                [`${shop}/api/v2/a?b`]: "v2 /api/v2/a?b 200",
                [`${shop}/api/exact`]: "v2 /api/exact 200",
                [`${shop}/a.png`]: "regex /a.png 200",
                [`-X POST ${shop}/api`]: "post /api 200",
                [`-X DELETE ${shop}/api`]: "api /api 200",
                [`-H 'X-Any: 1' -H "X-Beta: it's \\"1\\" #\\$HOME" ${shop}/`]: "beta / 200",
                [`-H 'X-Any: 1' -H 'X-Beta: 1' ${shop}/`]: "shop / 200",
                "-H Host:whole.test http://127.0.0.1/x": "whole /x 200",
                [`${both}/a`]: "web /a 200",
                [`-H Path:1 ${both}/b`]: "web /b 200",
                [`-H Path:1 ${both}/a`]: "both /a 200",
                [`-H 'X-For: A (B, C)' ${both}/`]: "phone / 200",
            };
            for (const hostMap of [false, true]) {
                await answers(release, services, expected, hostMap);
            }
        });

        it("answer 503 to requests that no service takes", async () => {
            const [answer] = await serving(
                release,
                [app("shop", 9001, { hosts: ["shop.test"] })],
                ["ask -o /dev/null http://127.0.0.1/"],
            );
            assert.equal(answer, "503");
        });

        it("refuse clients by address, and by the header of a proxy", async () => {
            const services = [
                app("shop", 9001, { hosts: ["shop.test"], allow: ["127.0.0.0/24"], deny: ["127.0.0.9"] }),
                app("behind", 9002, {
                    hosts: ["behind.test"],
                    allow: ["10.0.0.0/8", "2001:db8::/32"],
                    clientAddress: "x-forwarded-for",
                }),
            ];
            const shop = "-o /dev/null -H Host:shop.test http://127.0.0.1/";
            const behind = "-o /dev/null -H Host:behind.test http://127.0.0.1/";
            await answers(release, services, {
                [shop]: "200",
                [`--interface 127.0.0.9 ${shop}`]: "403",
                [`--interface 127.0.1.1 ${shop}`]: "403",
                [behind]: "403",
                [`-H 'X-Forwarded-For: 192.0.2.1, 10.1.2.3' ${behind}`]: "200",
                [`-H 'X-Forwarded-For: 2001:db8::1' ${behind}`]: "200",
                [`-H 'X-Forwarded-For: 10.1.2.3, 192.0.2.1' ${behind}`]: "403",
            });
        });

        it("limit each client, and say when to retry", async () => {
            const limited = (rest: Partial<Service>) => ({ rateLimit: { count: 2, seconds: 600 }, ...rest });
            const services = [
                app("shop", 9001, limited({ hosts: ["shop.test"] })),
                app("behind", 9002, limited({ hosts: ["behind.test"], clientAddress: "x-forwarded-for" })),
            ];
            const four = (args: string) => `for i in 1 2 3 4; do ask -o /dev/null ${args}; done`;
            const shop = "-H Host:shop.test http://127.0.0.1/";
            const behind = "-H Host:behind.test http://127.0.0.1/";
            const found = await serving(release, services, [
                four(shop),
                `ask -i ${shop}`,
                four(`--interface 127.0.0.9 ${shop}`),
                four(`-H X-Forwarded-For:192.0.2.$i ${behind}`),
                four(`-H X-Forwarded-For:192.0.2.9 ${behind}`),
                four(`-H X-Forwarded-For:2001:db8:0:1::$i ${behind}`),
                four(`-H X-Forwarded-For:2001:db8:0:2$i::1 ${behind}`),
            ]);
            const [first, answer, other, each, one, subscriber, networks] = found.map((text) =>
                text.replace(/ +/g, " "),
            );
            assert.equal(first, "200 200 429 429");
            assert.match(answer ?? "", /^HTTP\/1.1 429 .*retry-after: 600 .*429$/i);
            assert.equal(other, "200 200 429 429");
            assert.equal(each, "200 200 200 200");
            assert.equal(one, "200 200 429 429");
            assert.equal(subscriber, "200 200 429 429");
            assert.equal(networks, "200 200 200 200");
        });

        it("ask for passwords, after a redirect", async () => {
            const users = [
                { name: "ops", passwordSecret: "ops" },
                { name: "night#1", passwordSecret: "night" },
                { name: "dev", passwordSecret: "dev", hashed: true },
            ];
            const admin = "-o /dev/null -H Host:admin.test http://127.0.0.1";
            const redirects = [{ pathPrefix: "/old", to: { host: "new.test" } }];
            await answers(release, [app("admin", 9001, { hosts: ["admin.test"], basicAuth: { users }, redirects })], {
                [`${admin}/`]: "401",
                [`-u ops:wrong ${admin}/`]: "401",
                [`-u ops:secret-of-night ${admin}/`]: "401",
                [`-u ops:secret-of-ops ${admin}/`]: "200",
                [`-u night#1:secret-of-night ${admin}/`]: "200",
                [`-u dev:secret-of-dev ${admin}/`]: "200",
                [`-u dev:secret-of-ops ${admin}/`]: "401",
                [`${admin}/old`]: "302 http://new.test/old",
            });
        });

        it("redirect to another scheme, host or path, without a loop, and not to a host that the path names", async () => {
            const hosts = ["a.test", "www.a.test", "b.test", "c.test", "d.test", "b.test:8080"];
            const services = [
                app("a", 9001, {
                    hosts: ["a.test", "www.a.test"],
                    redirects: [
                        { pathPrefix: "/old/", to: { pathPrefix: "/new%20one" }, code: 308 },
                        { pathPrefix: "/gone", to: { pathPrefix: "/" } },
                        { pathPrefix: "/far", to: { pathPrefix: "/", host: "far.test", scheme: "https" } },
                        { to: { host: "www.a.test" }, code: 301 },
                    ],
                }),
                app("b", 9002, { hosts: ["b.test"], redirects: [{ to: { scheme: "https" } }] }),
                app("c", 9003, { hosts: ["c.test"], redirects: [{ to: { scheme: "https", host: "c.test" } }] }),
                app("d", 9004, {
                    hosts: ["d.test"],
                    clientAddress: "x-forwarded-for",
                    redirects: [{ to: { scheme: "https" } }],
                }),
            ];
            const at = (host: number, path: string) => `-o /dev/null -H Host:${hosts[host]} 'http://127.0.0.1${path}'`;
            await answers(release, services, {
                [at(0, "/x?y=1")]: "301 http://www.a.test/x?y=1",
                [at(1, "/x?y=1")]: "200",
                [at(1, "/old")]: "308 http://127.0.0.1/new%20one",
                [at(1, "/old/x?y=/old")]: "308 http://127.0.0.1/new%20one/x?y=/old",
                [at(1, "/older")]: "200",
                [at(1, "/gone?x")]: "302 http://www.a.test/?x",
                [at(1, "/gone//evil.test/")]: "302 http://www.a.test//evil.test/",
                [at(1, "/far/x")]: "302 https://far.test/x",
                [at(2, "/x?y=1")]: "302 https://b.test/x?y=1",
                [at(3, "/x?y=1")]: "302 https://c.test/x?y=1",
                [at(4, "/x?y=1")]: "302 https://d.test/x?y=1",
                [`-H X-Forwarded-Proto:HTTPS ${at(4, "/x?y=1")}`]: "200",
                [at(5, "/x?y=1")]: "302 https://b.test/x?y=1",
            });
        });

        it("keep a client on its server by a cookie", async () => {
            const servers = [
                { name: "one", address: loopback, port: 9001 },
                { name: "two", address: loopback, port: 9002 },
            ];
            const services = [
                app("one", 9001, { default: true, servers, persistence: { by: "cookie", name: "STAY" } }),
                app("two", 9002, { listen: 81, default: true }),
            ];
            const [free, kept] = await serving(release, services, [
                "for i in 1 2 3 4; do curl -s -m 60 http://127.0.0.1/; done",
                "for i in 1 2 3 4; do curl -s -m 60 -b STAY=two http://127.0.0.1/; done",
            ]);
            assert.deepEqual([...(free ?? "").matchAll(/one|two/g)].map(([name]) => name).sort(), [
                "one",
                "one",
                "two",
                "two",
            ]);
            assert.equal(kept, "two /two /two /two /");
        });

        it("use backups, all of them, only while no other server is up", async () => {
            const quick = { protocol: "tcp", inter: "500ms", fall: 1, rise: 1 } as const;
            const servers = [
                { name: "primary", address: loopback, port: 9009 },
                { name: "one", address: loopback, port: 9001, backup: true },
                { name: "two", address: loopback, port: 9002, backup: true },
            ];
            const services = [
                app("one", 9001, { default: true, servers, check: quick, persistence: { by: "cookie" } }),
                app("two", 9002, { listen: 81, default: true }),
            ];
            const stay = "for i in 1 2; do curl -s -b SRV=two http://127.0.0.1/; done";
            const until = (name: string) =>
                `for i in $(seq 600); do curl -s -m 60 http://127.0.0.1/ | grep -q ${name} && break; sleep 0.1; done`;
            const [down, kept, up, back] = await serving(
                release,
                services,
                [
                    `${until("one")}; for i in 1 2 3 4; do curl -s http://127.0.0.1/; done`,
                    stay,
                    `haproxy -D -f /primary.cfg; ${until("primary")}; for i in 1 2 3 4; do curl -s http://127.0.0.1/; done`,
                    stay,
                ],
                { "/primary.cfg": appsConfig([{ name: "primary", port: 9009 }]) },
            );
            assert.equal([...(down ?? "").matchAll(/one/g)].length, 2, down);
            assert.equal([...(down ?? "").matchAll(/two/g)].length, 2, down);
            assert.equal(kept, "two /two /");
            assert.equal(up, "primary /primary /primary /primary /");
            assert.equal(back, "primary /primary /");
        });

        it("keep a client on its server, and on a backup until others are up, by its address", async () => {
            const quick = { protocol: "tcp", inter: "500ms", fall: 1, rise: 1 } as const;
            const servers = [
                { name: "b1", address: loopback, port: 9001, backup: true },
                { name: "b2", address: loopback, port: 9002, backup: true },
                { name: "p1", address: loopback, port: 9011 },
                { name: "p2", address: loopback, port: 9012 },
            ];
            const services = [
                app("b1", 9001, { default: true, servers, check: quick, persistence: { by: "address" } }),
                app("b2", 9002, { listen: 81, default: true }),
            ];
            const primaries = "haproxy -D -f /primaries.cfg -p /primaries.pid";
            const until = (name: string) =>
                `for i in $(seq 600); do curl -s http://127.0.0.1/ --interface 127.0.0.99 | grep -q ${name} && break; sleep 0.1; done`;
            // An odd number of clients, so that taking turns would not lead to the same server.
            const three = [21, 22, 23].map((n) => `curl -s --interface 127.0.0.${n} http://127.0.0.1/`).join("; ");
            const found = await serving(
                release,
                services,
                [
                    `${primaries}; ${until("p[12]")}; sleep 2; ${three}`,
                    three,
                    `kill $(cat /primaries.pid); ${until("b[12]")}; ${three}`,
                    three,
                    `${primaries}; ${until("p[12]")}; sleep 2; ${three}`,
                    three,
                ],
                {
                    "/primaries.cfg": appsConfig([
                        { name: "p1", port: 9011 },
                        { name: "p2", port: 9012 },
                    ]),
                },
            );
            for (const [i, wanted] of [/^(p[12] \/){3}$/, /^(b[12] \/){3}$/, /^(p[12] \/){3}$/].entries()) {
                assert.match(found[2 * i] ?? "", wanted);
                assert.equal(found[2 * i], found[2 * i + 1]);
                assert.equal(new Set(found[2 * i]?.match(/[pb]\d/g)).size, 2, found[2 * i]);
            }
        });

        it("share a port by SNI when TLS is passed through", async () => {
            const key = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=app.test", "-keyout", "-"];
            const pem = execFileSync("openssl", key, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
            const services = [
                app("shop", 9001, { protocol: "https", hosts: ["shop.test"], check: { uri: "/" } }),
                app("docs", 9002, { protocol: "https", hosts: ["docs.test", "www.docs.test"], deny: ["127.0.0.9"] }),
                app("few", 9003, { protocol: "https", hosts: ["few.test"], rateLimit: { count: 2, seconds: 600 } }),
                app("rest", 9004, { protocol: "https", default: true }),
            ];
            const to = (host: string) => `ask -k --resolve ${host}:443:127.0.0.1 https://${host}/`;
            const ask = [
                to("shop.test"),
                to("WWW.docs.test"),
                `${to("docs.test")} --interface 127.0.0.9`,
                `for i in 1 2 3 4; do ${to("few.test")} -o /dev/null; done`,
                to("other.test"),
                "ask http://127.0.0.1:443/",
            ];
            for (const hostMap of [false, true]) {
                const found = await serving(release, services, ask, { "/app.pem": pem }, hostMap);
                assert.deepEqual(
                    found.map((text) => text.replace(/ +/g, " ")),
                    ["shop / 200", "docs / 200", "000", "200 200 000 000", "rest / 200", "000"],
                );
            }
        });

        it("end idle TCP sessions after their timeouts", async () => {
            const services = [
                app("db", 9001, { protocol: "tcp", listen: 5432, timeouts: { client: "1s", server: "1s" } }),
            ];
            // The app itself waits a minute.
            const silent = `$s = IO::Socket::INET->new("127.0.0.1:5432"); $t = time; sysread $s, $b, 1; print time - $t < 50 ? "ended" : "kept"`;
            assert.deepEqual(await serving(release, services, [`perl -MIO::Socket::INET -e '${silent}'`]), ["ended"]);
        });

        it("limit and refuse TCP connections before a server is chosen", async () => {
            const services = [
                app("db", 9001, {
                    protocol: "tcp",
                    listen: 5432,
                    allow: ["127.0.0.0/24"],
                    deny: ["127.0.0.9"],
                    rateLimit: { count: 2, seconds: 600 },
                }),
            ];
            const found = await serving(release, services, [
                "ask http://127.0.0.1:5432/ --interface 127.0.0.9",
                "ask http://127.0.0.1:5432/ --interface 127.0.1.1",
                "for i in 1 2 3 4; do ask -o /dev/null http://127.0.0.1:5432/; done",
                "ask http://127.0.0.1:5432/ --interface 127.0.0.2",
            ]);
            assert.deepEqual(
                found.map((text) => text.replace(/ +/g, " ")),
                ["000", "000", "200 200 000 000", "db / 200"],
            );
        });
    });
}
