import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { fillSlots, slot } from "../../components/convergence/slots";
import type { HaproxyConfig } from "../../components/haproxy/model";
import { atLeast, releaseOf } from "../../components/haproxy/model/versions";
import { render } from "../../components/haproxy/render/index";
import { slotIssue, word } from "../../components/haproxy/render/quoting";
import { validate } from "../../components/haproxy/validate/index";
import { sound } from "../support/models";
import { inRelease, needsReleases, type Release, releases } from "../support/releases";
import { acceptedByDaemon, verdictsOfDaemon } from "./daemon";
import { hostileText } from "./hostileText";

/** Words as the daemon itself understands them: it prints the argument of `.notice` (manual section 2.4, from 2.4 on). */
async function readByDaemon(release: Release, words: string[]): Promise<string[]> {
    const files = { "/words.cfg": words.map((word) => `.notice ${word}\n`).join("") };
    const { stderr } = await inRelease(release, ["haproxy", "-f", "/words.cfg", "-c"], files);
    return [...stderr.matchAll(/ parsing \[.*?:\d+\]: '(.*)'\.$/gm)].map((match) => match[1] as string);
}

/** A self-signed certificate with its key. */
function certificate(): { crt: string; pem: string } {
    const directory = mkdtempSync(join(tmpdir(), "haproxy-tls-"));
    try {
        const [key, crt] = ["key", "crt"].map((name) => join(directory, name)) as [string, string];
        const subject = ["-subj", "/CN=app.example.com", "-keyout", key, "-out", crt];
        execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject], { stdio: "ignore" });
        const text = readFileSync(crt, "utf8");
        return { crt: text, pem: text + readFileSync(key, "utf8") };
    } finally {
        rmSync(directory, { recursive: true });
    }
}

for (const release of releases) {
    describe(`HAProxy ${release.version}`, () => {
        needsReleases();

        it("refuses warnings and unknown keywords", async () => {
            const config: HaproxyConfig = {
                version: "2.2",
                frontends: [{ name: "http", binds: [{ port: 80 }] }],
                backends: [],
            };
            const text = render(config, { digest: "d" }).text;
            assert.equal((await acceptedByDaemon(release, text)).accepted, true);
            for (const [line, words] of [
                [
                    "option http-buffer-request\n    redirect location /\n    http-request deny",
                    /will still be processed before/,
                ],
                ["nonsense", /unknown keyword 'nonsense'/],
            ] as const) {
                const { accepted, output } = await acceptedByDaemon(release, `${text}    ${line}\n`);
                assert.equal(accepted, false, output);
                assert.match(output, words);
            }
        });

        it("accepts a second state file, and ignores it", async () => {
            const global = { serverStates: true, raw: ["server-state-file /none"] };
            const config: HaproxyConfig = { version: "2.2", global, frontends: [], backends: [] };
            const { accepted, output } = await acceptedByDaemon(release, render(config, { digest: "d" }).text);
            assert.equal(accepted, true, output);
            assert.match(output, /'server-state-file' already specified. Continuing/);
        });

        it("accepts any model without an error", async () => {
            const declared = sound.filter((config) => atLeast(release.version, releaseOf(config)));
            await fc.assert(
                // All in one image, because each takes longer to enter than a check.
                fc.asyncProperty(fc.array(declared, { minLength: 25, maxLength: 25 }), async (configs) => {
                    const texts = configs.map((config) => render(config, { digest: "d" }).text);
                    const verdicts = await verdictsOfDaemon(
                        release,
                        texts.map((text) => ({ text, files: [] })),
                    );
                    for (const [n, text] of texts.entries())
                        assert.ok(verdicts[n]?.accepted, `${verdicts[n]?.output}\n${text}`);
                }),
                { numRuns: 1 },
            );
        });

        it("accepts TLS on both sides", async () => {
            const { crt, pem } = certificate();
            const files = { "/etc/haproxy/crt": crt, "/etc/haproxy/pem": pem };
            const [caFile, bundle] = Object.keys(files) as [string, string];
            const server = { caFile, crt: bundle, verifyhost: "app.example.com", sni: "req.hdr(host)" };
            const config: HaproxyConfig = {
                version: "2.2",
                frontends: [
                    {
                        name: "https",
                        binds: [
                            { port: 443, ssl: { crt: [bundle], strictSni: true, sslMinVer: "TLSv1.2" } },
                            {
                                port: 444,
                                ssl: { crt: [bundle], caFile, verify: "optional", alpn: ["http/1.1"] },
                                acceptProxy: true,
                            },
                        ],
                        defaultBackend: "app",
                    },
                ],
                backends: [{ name: "app", servers: [{ name: "app1", address: "192.0.2.1", port: 443, ssl: server }] }],
            };
            assert.deepEqual(validate(config), []);
            const { accepted, output } = await acceptedByDaemon(release, render(config, { digest: "d" }).text, files);
            assert.ok(accepted, output);
        });

        if (atLeast(release.version, "2.4"))
            it("reads back any text and any secret unchanged", async () => {
                const secret = hostileText.filter((value) => slotIssue(value) === undefined);
                await fc.assert(
                    fc.asyncProperty(
                        fc.array(fc.tuple(hostileText, secret), { minLength: 1000, maxLength: 1000 }),
                        async (pairs) => {
                            const written = pairs.map(([plain, value]) =>
                                fillSlots(word(`${plain}${slot("s")}`), () => value),
                            );
                            const meant = pairs.map(([plain, value]) => plain + value);
                            assert.deepEqual(await readByDaemon(release, written), meant);
                        },
                    ),
                    { numRuns: 1 },
                );
            });
    });
}
