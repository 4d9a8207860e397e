import assert from "node:assert/strict";
import { type HaproxyConfig, logRequests, render } from "../../components/haproxy";
import { makeCertificate } from "../support/certificates";
import { needsReleases, releases } from "../support/releases";
import { acceptedByDaemon } from "./daemon";
import { hostFiles, running } from "./running";

const answer = { httpRequestRules: [{ action: "return" }] } as const;
const config: Pick<HaproxyConfig, "global" | "frontends" | "listens" | "metrics" | "stats"> = {
    global: {
        maxconn: 100,
        log: [{ address: "127.0.0.1:514", length: 8192, format: "rfc5424", level: "info" }],
        raw: ["tune.http.logurilen 7000"],
    },
    frontends: [
        { name: "http", binds: [{ address: ["*", "::1"], port: 80 }], ...answer },
        { name: "https", binds: [{ port: 443, ssl: { crt: ["/etc/test.pem"] } }], ...answer },
        { name: "quiet", binds: [{ port: 81 }], options: { "dontlog-normal": true }, ...answer },
    ],
    listens: [
        {
            name: "db",
            mode: "tcp",
            binds: [{ port: 5432 }],
            servers: [{ name: "s1", address: "127.0.0.1", port: 80, check: false }],
        },
    ],
    stats: { bind: { address: "127.0.0.1", port: 8404 } },
    metrics: { bind: { address: "127.0.0.1", port: 8405 }, uri: "/counters;$HOME}" },
};

/** Keeps every datagram in a line of /log. */
const logger = `perl -MIO::Socket::INET -e '$| = 1; $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1:514", Proto => "udp") or die;
    while ($s->recv($b, 65535)) { $b =~ tr/\\n//d; print "$b\\n" }' > /log 2>&1 < /dev/null & sleep 0.5`;
/** Sends a text, and prints the port that it was sent from when the connection has ended. */
const sent = (address: string, port: number, text: string) =>
    `perl -MIO::Socket::IP -e '$s = IO::Socket::IP->new(PeerHost => "${address}", PeerPort => ${port}) or die; print $s->sockport;
    alarm 5; if (length "${text}") { syswrite $s, "${text}"; 1 while sysread $s, $b, 9999 }'`;
const status = (url: string) => `curl -g -s -o /dev/null -w '%{http_code}' '${url}'`;

const at = "http://127.0.0.1:8405";
const metrics = `${at}/counters;$HOME}`;
const others = ["/", "/metrics", "/counters;$HOME}/", "/stats"];
const requests = logRequests({ backends: [], ...config });
const long = "x".repeat(6000);
const commands = {
    counters: `curl -g -s '${metrics}' | grep -c '^haproxy_\\(process\\|frontend\\|server\\)_'`,
    scope: status(`${metrics}?scope=global`),
    others: others.map((path) => `${status(at + path)}; echo`).join("\n"),
    asked: requests
        .map(({ address, port, ask }, i) =>
            ask === "http"
                ? `curl -s -o /dev/null http://${address.includes(":") ? `[${address}]` : address}:${port}/proof-${i}; echo '/proof-${i} HTTP'`
                : `echo "${address}:$(${sent(address, port, "GET / HTTP/1.0\\r\\n\\r\\n")}) "`,
        )
        .join("\n"),
    silent: `${status("http://127.0.0.1:81/quiet")}; echo; ${sent("127.0.0.1", 443, "")}; echo; ${sent("127.0.0.1", 5432, "")}`,
    long: status(`http://127.0.0.1/${long}`),
    log: "sleep 0.5; cat /log",
};

describe("logs and metrics", () => {
    needsReleases();
    for (const release of releases) {
        describe(`of ${release.version}`, () => {
            let found: Record<keyof typeof commands, string>;
            let log: string[];

            before("run it", async () => {
                const { pem, key } = await makeCertificate("test", { names: ["test"] });
                const all = [logger, ...Object.values(commands)];
                const [, ...printed] = await running(release, config, all, { files: { "/etc/test.pem": pem + key } });
                found = Object.fromEntries(Object.keys(commands).map((name, i) => [name, printed[i]])) as typeof found;
                log = found.log.split(/(?=<\d+>1 )/).map((line) => line.trim());
            });

            it("metrics are at their path only, and no request for them is logged", () => {
                assert.ok(Number(found.counters) > 50, found.counters);
                assert.equal(found.scope, "200");
                assert.equal(found.others, others.map(() => "404").join(" "));
                assert.doesNotMatch(found.log, /metrics|counters/);
            });

            it("a request at each listener that logRequests names leaves a line by which it can be known", () => {
                assert.deepEqual(
                    requests.map(({ address, port, ask }) => `${ask} ${address} ${port}`),
                    ["http 127.0.0.1 80", "http ::1 80", "tcp 127.0.0.1 443", "tcp 127.0.0.1 5432"],
                );
                const texts = found.asked.match(/\/proof-\d HTTP|127\.0\.0\.1:\d+/g) ?? [];
                assert.equal(texts.length, 4, found.asked);
                for (const text of texts) {
                    assert.equal(
                        log.filter((line) => line.includes(`${text}${text.startsWith("/") ? "/" : " "}`)).length,
                        1,
                        `${text}: ${found.log}`,
                    );
                }
            });

            it("other requests leave none, and neither do connections without data", () => {
                const [code, tls, tcp] = found.silent.split(" ");
                assert.equal(code, "200");
                assert.match(`${tls} ${tcp}`, /^\d+ \d+$/);
                assert.deepEqual(
                    log.filter((line) => line.includes("quiet") || line.includes(`:${tls} `)),
                    [],
                );
                assert.deepEqual(
                    log.filter((line) => line.includes(`:${tcp} `)),
                    [],
                );
            });

            it("lines have the declared format, and their length", () => {
                assert.equal(found.long, "200");
                const [line] = log.filter((each) => each.includes(long));
                assert.match(
                    line ?? "",
                    /^<134>1 \d{4}-\d\d-\d\dT\S+ \S+ haproxy \d+ - - 127\.0\.0\.1:\d+ .* HTTP\/1\.1"$/,
                );
            });

            it("a daemon without the service refuses at its line, which leads to the metrics", async () => {
                const model = { version: release.version, backends: [], ...config };
                const { "/etc/haproxy/haproxy.cfg": text = "", ...files } = hostFiles(model);
                const without = text.replace("service prometheus-exporter", "service no-exporter");
                const { accepted, output } = await acceptedByDaemon(release, without, files);
                assert.ok(!accepted);
                const [, number] = /haproxy\.cfg:(\d+)\].*'no-exporter' unknown service name/.exec(output) ?? [];
                assert.match(render(model, { digest: "d" }).sources[Number(number) - 1] ?? output, /^metrics\b/);
            });
        });
    }
});
