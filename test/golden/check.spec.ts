import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkStack } from "../../program/check/check";
import { stackNames } from "../../program/load";
import type { Stack } from "../../program/schema";
import staging from "../../stacks/staging";
import { repo } from "../../toolchain/environment.mjs";
import { needsReleases } from "../support/releases";

describe("npm run check with a real HAProxy", () => {
    needsReleases();
    const directory = mkdtempSync(join(tmpdir(), "check-"));
    const [service = assert.fail()] = staging.services;

    before(() => {
        mkdirSync(join(directory, "stacks"));
    });

    after(() => {
        rmSync(directory, { recursive: true });
    });

    function check(name: string, stack: Stack) {
        writeFileSync(join(directory, "stacks", `${name}.ts`), `export default ${JSON.stringify(stack)};`);
        return checkStack(name, directory);
    }

    it("accepts the examples", async () => {
        const names = stackNames(repo);
        assert.ok(names.length >= 3);
        for (const name of names) {
            const { result, details } = await checkStack(name, repo);
            assert.equal(result, "accepted", [name, ...details].join("\n"));
        }
    }).timeout(60_000);

    it("accepts maps, secrets, certificates that only hosts have, and servers by name", async () => {
        const rich: Stack = {
            ...staging,
            haproxy: { version: "2.6", hostMap: true },
            services: [
                {
                    ...service,
                    servers: [{ name: "app1", address: "app1.internal.example" }],
                    serverTls: { caFile: "/etc/ssl/host-only.pem", crt: "/etc/ssl/own.pem", sni: "str(a.example)" },
                    basicAuth: {
                        users: [
                            { name: "ops", passwordSecret: "pw" },
                            { name: "dev", passwordSecret: "hash", hashed: true },
                        ],
                    },
                },
            ],
            stats: {
                bind: { port: 8404, ssl: { crt: ["/etc/haproxy/certs/"] } },
                auth: { user: "ops", passwordSecret: "pw" },
            },
        };
        const { result, details } = await check("rich", rich);
        assert.equal(result, "accepted", details.join("\n"));
    }).timeout(60_000);

    it("refuses what HAProxy refuses, with the line and its place in the stack", async () => {
        const { result, details } = await check("refused", {
            ...staging,
            services: [
                service,
                { ...service, name: "other", hosts: ["x.test"], tag: "ecom-docs::app", raw: ["fullcon 5"] },
            ],
        });
        assert.equal(result, "refused");
        const [words = "", line, source] = details;
        assert.match(words, /haproxy\.cfg:\d+\] : unknown keyword 'fullcon' in 'backend' section/);
        assert.match(line ?? "", /line \d+: fullcon 5/);
        assert.match(source ?? "", /from services\[1\]\.raw\[0\]/);
    }).timeout(60_000);
});
