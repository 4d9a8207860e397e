import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type HaproxyConfig, secretsIn } from "../../components/haproxy";
import { atLeast } from "../../components/haproxy/model/versions";
import { validate } from "../../components/haproxy/validate/index";
import { needsReleases, releases } from "../support/releases";
import { acceptedByDaemon } from "./daemon";
import { hostFiles } from "./running";

const directory = join(__dirname, "haproxy");
const path = "/etc/haproxy/haproxy.cfg";
const digest = "0123456789abcdef".repeat(4);

/** `UPDATE_GOLDEN=1 npx mocha test/golden` writes the files anew; read the diff before you commit it. */
const update = process.env.UPDATE_GOLDEN === "1";

describe("golden haproxy.cfg", () => {
    const cases = readdirSync(directory).filter((file) => file.endsWith(".ts"));

    it("has a case for every file", () => {
        const files = readdirSync(directory).filter((file) => file.endsWith(".cfg"));
        const known = cases.map((file) => file.replace(/\.ts$/, ".cfg"));
        assert.deepEqual(
            files.filter((file) => !known.includes(file)),
            [],
        );
    });

    for (const file of cases) {
        describe(file.replace(/\.ts$/, ""), () => {
            const { default: config } = require(join(directory, file)) as { default: HaproxyConfig };
            // Harder to quote than any real password.
            const slots = secretsIn(config).map((name) => [name, `test "value" of $${name} \\ #1 100%`]);
            const { [path]: text = "", ...files } = hostFiles(config, { digest, ...Object.fromEntries(slots) });

            it("is rendered as the file says", () => {
                const golden = join(directory, file.replace(/\.ts$/, ".cfg"));
                if (update) {
                    writeFileSync(golden, text);
                }
                assert.equal(text, readFileSync(golden, "utf8"));
            });

            it("has no issue", () => {
                assert.deepEqual(validate(config), []);
            });

            describe("accepted without a warning by", () => {
                needsReleases();
                const declared = releases.filter(({ version }) => atLeast(version, config.version));
                assert.ok(declared.length, `no release here is as new as ${config.version}`);
                for (const release of declared) {
                    it(release.version, async () => {
                        const { accepted, output } = await acceptedByDaemon(release, text, files);
                        assert.ok(accepted, output);
                    });
                }
            });
        });
    }
});
