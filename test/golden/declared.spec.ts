import assert from "node:assert/strict";
import fc from "fast-check";
import { slot } from "../../components/convergence/slots";
import type { Backend, HaproxyConfig, HttpRequestRule, Listen, Server, Timeouts } from "../../components/haproxy";
import { fragment, word } from "../../components/haproxy/render/quoting";
import { needsReleases, releases } from "../support/releases";
import { hostileText } from "./hostileText";
import { hostFiles, running } from "./running";

const timeouts = ["connect", "client", "server"].map((name) => `    timeout ${name} 60s\n`).join("");

/** Answers with its name and what it sees of the request. */
const app = (name: string, port: number, bind = "") => `defaults
    mode http
${timeouts}frontend ${name}
    bind 127.0.0.1:${port} ${bind}
    http-request return status 200 content-type text/plain lf-string "${name} %[pathq] %[req.hdr(x-key)]"
`;

/** Accepts connections and never sends anything. */
const silent = `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:9000", Listen => 9) or die;
    push @c, $s->accept while 1' & sleep 0.3;`;

/** Prints whether a session that was idle since the answer to `request`, if there is one, still lives after 3 s. */
const idle = (port: number, request = "") =>
    `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new("127.0.0.1:${port}") or die; syswrite $s, "${request}";
    $SIG{ALRM} = sub { print "kept"; exit }; alarm 3; 1 while sysread $s, $b, 9999; print "ended"'`;

const tcp = (rest: Partial<Listen>): Listen => ({
    name: "tcp",
    mode: "tcp",
    binds: [{ port: 5432 }],
    servers: [{ name: "s1", address: "127.0.0.1", port: 9000, check: false }],
    ...rest,
});

/** A configuration whose frontend answers by itself. */
const answering = (
    httpRequestRules: readonly HttpRequestRule[],
    raw: readonly string[] = [],
): Partial<HaproxyConfig> => ({
    frontends: [{ name: "http", binds: [{ port: 80 }], raw, httpRequestRules }],
});

const headers = "curl -s -m 60 -o /dev/null -D - http://127.0.0.1/";

for (const release of releases) {
    describe(`what is declared runs on HAProxy ${release.version}`, () => {
        needsReleases();

        for (const [title, config, expected] of [
            [
                "timeouts of defaults in mode tcp",
                { defaults: { mode: "tcp", timeouts: { client: "1s", server: "1s" } }, listens: [tcp({})] },
                "ended",
            ],
            [
                "timeouts of a section in mode tcp under defaults in mode http",
                { listens: [tcp({ timeouts: { client: "1s", server: "1s" } })] },
                "ended",
            ],
            [
                "the tunnel of defaults",
                {
                    defaults: { timeouts: { tunnel: "1s", client: "60s", server: "60s" } },
                    listens: [tcp({})],
                },
                "ended",
            ],
            [
                "a tunnel that a raw line of the defaults declares",
                { defaults: { raw: ["timeout tunnel 1s"] }, listens: [tcp({})] },
                "ended",
            ],
            [
                'tunnel "0", which leaves the other timeouts in force',
                {
                    defaults: { timeouts: { tunnel: "1s" } },
                    listens: [tcp({ timeouts: { tunnel: "0", client: "60s", server: "60s" } })],
                },
                "kept",
            ],
        ] as const) {
            it(`${title}: an idle session is ${expected}`, async () => {
                assert.deepEqual(await running(release, config, [`${silent} ${idle(5432)}; kill $!`]), [expected]);
            }).timeout(60_000);
        }

        it("a client timeout shorter than our time between requests, which releases from 2.8 on would prefer", async () => {
            const rules = [{ action: "return" }] as const;
            const http = (timeouts: Timeouts, port: number) => ({
                name: `http${port}`,
                binds: [{ port }],
                httpRequestRules: rules,
                timeouts,
            });
            const frontends = [
                http({}, 80),
                http({ client: "60s" }, 81),
                http({ client: "60s", httpKeepAlive: "60s" }, 82),
            ];
            const served = (port: number) => idle(port, "GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n");
            assert.deepEqual(
                await running(
                    release,
                    { defaults: { timeouts: { client: "1s" } }, frontends },
                    [80, 81, 82].map(served),
                ),
                ["ended", "kept", "kept"],
            );
            const ownClient = { frontends: [http({ client: "1s" }, 80)] };
            assert.deepEqual(await running(release, ownClient, [served(80)]), ["ended"]);
        }).timeout(60_000);

        it("the log format of the defaults, and nothing for a frontend that does not log", async () => {
            const frontend = { binds: [{ port: 80 }], httpRequestRules: [{ action: "deny" }] } as const;
            const log = { global: { log: [{ address: "127.0.0.1:514" }] } };
            const listen = `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:514", Proto => "udp");
                alarm 2; $SIG{ALRM} = sub { exit }; while ($s->recv($b, 9999)) { $b =~ /CUSTOM|HTTP/ and print $b and exit }' & sleep 0.3;
                curl -s -o /dev/null http://127.0.0.1/; wait`;
            const logged = async (config: Partial<HaproxyConfig>) => (await running(release, config, [listen])).join();
            const frontends = [{ name: "http", ...frontend }];
            const raw = ['log-format "CUSTOM %ci"'];
            assert.match(await logged({ ...log, frontends, defaults: { raw } }), /CUSTOM 127\.0\.0\.1$/);
            assert.match(
                await logged({ ...log, frontends: [{ ...frontends[0], name: "http", ...frontend, raw }] }),
                /CUSTOM 127/,
            );
            assert.match(
                await logged({ ...log, frontends, defaults: { options: { httplog: "clf" } } }),
                /"GET \/ HTTP\/1.1" 403/,
            );
            assert.match(await logged({ ...log, frontends }), /http http\/<NOSRV> .*"GET \/ HTTP\/1.1"/);
            assert.equal(await logged({ ...log, frontends: [{ name: "http", ...frontend, raw: ["no log"] }] }), "");
        }).timeout(120_000);

        it("server parameters that an explicit false takes back from default-server", async () => {
            const ssl = { verify: "none" } as const;
            const server = { name: "s1", address: "127.0.0.1", port: 9001 };
            const backend = (
                defaultServer: Backend["defaultServer"],
                rest: Partial<Server>,
            ): Partial<HaproxyConfig> => ({
                listens: [{ name: "http", binds: [{ port: 80 }], defaultServer, servers: [{ ...server, ...rest }] }],
            });
            const stat =
                "talk /run/haproxy/admin.sock 'show stat' | awk -F, '$2 == \"s1\" { print $18, $20, $21 }'; curl -s http://127.0.0.1/";
            const off = { backup: false, sendProxy: false, ssl: false, check: false } as const;
            const apps = app("plain", 9001);
            assert.deepEqual(
                await running(release, backend({ backup: true, sendProxy: "v2", ssl, check: true }, off), [stat], {
                    apps,
                }),
                ["no check 1 0 plain /"],
            );
            // Version 1 instead of 2, and 2 instead of 1.
            for (const [byDefault, own] of [
                ["v2", true],
                [true, "v2"],
            ] as const) {
                const proxied = app("proxied", 9001, "accept-proxy");
                const config = backend({ sendProxy: byDefault }, { sendProxy: own, check: false });
                assert.deepEqual(await running(release, config, ["curl -s http://127.0.0.1/"], { apps: proxied }), [
                    "proxied /",
                ]);
            }
        });

        it("values of secrets in formats, raw lines, string rules and arguments", async () => {
            const key = 'a%ci#c "x" \\ $HOME 100%';
            const value = 'abc#def,(g) \\x "$HOME"';
            const found = await running(
                release,
                answering(
                    [
                        { action: "set-var", variable: "txn.raw", expression: `str(${slot("value")})` },
                        `set-var(txn.rule) str(${slot("value")})`,
                        {
                            action: "return",
                            headers: {
                                "X-Key": `<${slot("key")}>`,
                                "X-Vars": "%[var(txn.first)]|%[var(txn.raw)]|%[var(txn.rule)]",
                                "X-Format": `%[str(${slot("value")}),lower]`,
                            },
                            if: [`{ req.fhdr(x-ask) -m str ${slot("value")} }`],
                        },
                        `return status 200 hdr X-Raw ${slot("value")} hdr X-Quoted "a ${slot("value")} z" hdr X-Text ":) (${slot("value")})"`,
                    ],
                    [`http-request set-var(txn.first) str(${slot("value")})`],
                ),
                [headers, `${headers} -H 'X-Ask: ${value}'`],
                { slots: { key, value } },
            );
            assert.match(
                found[0] ?? "",
                new RegExp(
                    `x-raw: ${escaped(value)} {2}x-quoted: a ${escaped(value)} z {2}x-text: :\\) \\(${escaped(value)}\\)`,
                    "i",
                ),
            );
            assert.match(found[1] ?? "", new RegExp(`x-key: <${escaped(key)}>`, "i"));
            assert.match(found[1] ?? "", new RegExp(`x-vars: ${[value, value, value].map(escaped).join("\\|")}`, "i"));
            assert.match(found[1] ?? "", new RegExp(`x-format: ${escaped(value.toLowerCase())}`, "i"));
        });

        it("the rest of a line after any text in a field that is only part of the line", async () => {
            // In double quotes, HAProxy refuses what is no name of a variable.
            const readable = hostileText.filter((text) => !(text.includes('"') && text.includes("$")));
            await fc.assert(
                fc.asyncProperty(fc.array(readable, { minLength: 100, maxLength: 100 }), async (texts) => {
                    const acls = texts.map((text, i) => ({
                        name: `a${i}`,
                        criterion: `path -m str -- ${fragment(text)} ${word(`end of ${i}`)}`,
                    }));
                    const ask = texts.map((_, i) => `show acl #${i}`).join("; ");
                    const [shown = ""] = await running(
                        release,
                        {
                            frontends: [
                                {
                                    name: "http",
                                    binds: [{ port: 80 }],
                                    // As the renderer writes them, so that what is tested is the fragment beside another one.
                                    raw: acls.map(({ name, criterion }) => `acl ${name} ${criterion}`),
                                    httpRequestRules: acls.map(({ name }) => ({ action: "deny", if: [name] })),
                                },
                            ],
                        },
                        [`talk /run/haproxy/admin.sock '${ask}'`],
                    );
                    const ends = [...shown.matchAll(/0x[0-9a-f]+ end of (\d+)(?= |$)/g)].map(([, i]) => Number(i));
                    assert.deepEqual(
                        ends,
                        texts.map((_, i) => i),
                        `${shown}\n${texts.join("\n")}`,
                    );
                }),
                { numRuns: 5, endOnFailure: true },
            );
        }).timeout(120_000);

        it("conditions behind a # in expressions, keys, patterns, criteria and arguments", async () => {
            const table = { type: "string", size: "100", store: ["http_req_cnt"] } as const;
            const config: Partial<HaproxyConfig> = {
                listens: [
                    {
                        name: "http",
                        binds: [{ port: 80, raw: "name a#b" }],
                        acls: [{ name: "hash", criterion: "req.hdr(x-path) -m reg ^/a#b$" }],
                        httpRequestRules: [
                            { action: "set-var", variable: "txn.a", expression: "str(#x)", if: ["hash"] },
                            { action: "track-sc", counter: 0, key: "str(#y)", table: "counts", if: ["hash"] },
                            {
                                action: "return",
                                headers: { "X-A": "%[var(txn.a)]" },
                                unless: ["{ req.hdr(x-go) -m str # }"],
                            },
                        ],
                        httpchk: { uri: "/", expect: "rstring ^app.*#*" },
                        stickTable: { type: "string", size: "100" },
                        stickRules: [{ rule: "on", pattern: "str(#z)", unless: ["hash"] }],
                        servers: [{ name: "s1", address: "127.0.0.1", port: 9001, raw: "cookie a#b" }],
                    },
                ],
                backends: [{ name: "counts", servers: [], stickTable: table }],
            };
            const stats =
                "talk /run/haproxy/admin.sock 'show table counts; show table http' | grep -o ' key=[^ ]*' | xargs; ";
            assert.deepEqual(
                await running(
                    release,
                    config,
                    [
                        `curl -s -o /dev/null http://127.0.0.1/; ${stats}`,
                        `${headers} -H 'X-Path: /a#b' | grep -i x-a; ${headers} -H 'X-Path: /ab' | grep -i x-a; ${stats}`,
                        `curl -s -H 'X-Go: #' http://127.0.0.1/; ${stats}`,
                    ],
                    { apps: app("app", 9001) },
                ),
                ["", "x-a: #x  key=#y", "app / key=#y key=#z"],
            );
        });

        it("raw lines beside rules of other families, and use-server behind all of them", async () => {
            const listen: Listen = {
                name: "http",
                binds: [{ port: 80 }],
                stickTable: { type: "ip", size: "100" },
                acls: [{ name: "two", criterion: "path /two" }],
                raw: [
                    "use-server s2 if two",
                    "tcp-response inspect-delay 5s",
                    "http-response set-header Strict-Transport-Security max-age=31536000",
                    "use_backend other unless { path_beg / }",
                    "redirect location /new if { path /old }",
                    "default-server weight 7",
                    "server s0 127.0.0.1:9002 weight 0 no-check",
                    "tcp-request content accept if { path /never }",
                ],
                tcpResponseRules: [{ action: "accept" }],
                httpRequestRules: [{ action: "set-header", name: "X-Key", format: "k" }],
                useServers: [{ server: "s1", unless: ["{ path_beg /any }"] }],
                defaultServer: { check: false },
                servers: [
                    { name: "s1", address: "127.0.0.1", port: 9001 },
                    { name: "s2", address: "127.0.0.1", port: 9002 },
                ],
            };
            const ask = (path: string) =>
                `curl -s -D - http://127.0.0.1${path} | grep -iE 'app|strict|location' | xargs`;
            assert.deepEqual(
                await running(
                    release,
                    { listens: [listen], backends: [{ name: "other", servers: [] }] },
                    [
                        ask("/two"),
                        ask("/one"),
                        ask("/old"),
                        "talk /run/haproxy/admin.sock 'show stat' | awk -F, '/^http,s/ { print $2, $19 }'",
                    ],
                    { apps: `${app("app1", 9001)}${app("app2", 9002).replace(/^[\s\S]*(?=frontend)/, "")}` },
                ),
                [
                    "strict-transport-security: max-age=31536000  app2 /two k",
                    "strict-transport-security: max-age=31536000  app1 /one k",
                    "location: /new",
                    "s0 0 s1 7 s2 7",
                ],
            );
        });

        it("transparent and dispatching backends, and the balance of the others", async () => {
            const servers = [{ name: "s1", address: "127.0.0.1", port: 9001, check: false }];
            const config: Partial<HaproxyConfig> = {
                defaults: { balance: "leastconn" },
                listens: [
                    { name: "dispatched", binds: [{ port: 80 }], raw: ["dispatch 127.0.0.1:9001"], servers: [] },
                    { name: "transparent", binds: [{ port: 81 }], options: { transparent: true }, servers: [] },
                    { name: "balanced", binds: [{ port: 82 }], servers },
                ],
            };
            const stat = "talk /run/haproxy/admin.sock 'show stat' | awk -F, '$2 == \"BACKEND\" { print $1, $(NF) }'";
            const text = hostFiles({ version: release.version, frontends: [], backends: [], ...config })[
                "/etc/haproxy/haproxy.cfg"
            ];
            assert.equal(text?.match(/^ *balance .*$/gm)?.join(), "    balance leastconn");
            assert.match(text ?? "", /listen balanced\n[\s\S]*balance leastconn/);
            const [answer] = await running(release, config, ["curl -s http://127.0.0.1/", stat], {
                apps: app("app", 9001),
            });
            assert.equal(answer, "app /");
        });
    });
}

function escaped(text: string): string {
    return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
