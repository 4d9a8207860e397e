import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fillSlots } from "../../components/convergence/slots";
import type { HaproxyConfig } from "../../components/haproxy/model";
import { atLeast } from "../../components/haproxy/model/versions";
import { filesOf } from "../../components/haproxy/render/files";
import { render } from "../../components/haproxy/render/index";
import { validate } from "../../components/haproxy/validate/index";
import { needsReleases, releases } from "../support/releases";
import { acceptedByDaemon } from "./daemon";

const directory = join(__dirname, "haproxy");
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
            const fill = (text: string) => fillSlots(text, (name) => `test "value" of $${name} \\ #1 100%`);
            const text = fill(render(config, { digest }).text);
            const files = Object.fromEntries(filesOf(config).map(({ path, content }) => [path, fill(content)]));

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
