import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type HaproxyConfig, secretsIn } from "../../components/haproxy";
import { atLeast, releaseOf } from "../../components/haproxy/model/versions";
import { validate } from "../../components/haproxy/validate/index";
import { needsReleases, releases } from "../support/releases";
import { acceptedByDaemon } from "./daemon";
import { hostFiles } from "./running";

const directory = join(__dirname, "haproxy");
const path = "/etc/haproxy/haproxy.cfg";
const digest = "0123456789abcdef".repeat(4);

/** `UPDATE_GOLDEN=1 npx mocha test/golden` writes the files anew; read the diff before you commit it. */
const update = process.env.UPDATE_GOLDEN === "1";

/** What a case exports. */
interface Golden {
    default: HaproxyConfig;
    /** What releases warn about from that one on, so that stacks have to allow it. @default - no release warns */
    warnings?: { since: string; about: string };
}

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
            const { default: config, warnings } = require(join(directory, file)) as Golden;
            const warns = ({ version }: { version: string }) =>
                warnings !== undefined && atLeast(version, warnings.since);
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
                const declared = releases.filter(({ version }) => atLeast(version, releaseOf(config)));
                assert.ok(declared.length, `no release here is as new as ${releaseOf(config)}`);
                for (const release of declared) {
                    if (warns(release)) {
                        continue;
                    }
                    it(release.version, async () => {
                        const { accepted, output } = await acceptedByDaemon(release, text, files);
                        assert.ok(accepted, output);
                    });
                }
            });

            for (const release of releases.filter(warns)) {
                describe(`refused only for the warning that a stack can allow by ${release.version}`, () => {
                    needsReleases();
                    it(`about ${warnings?.about}`, async () => {
                        const { accepted, output } = await acceptedByDaemon(release, text, files);
                        const problems = output
                            .split("\n")
                            .filter((line) => /^\[(WARNING|ALERT)\]/.test(line) && !line.includes("zero-warning"));
                        assert.ok(!accepted && problems.length > 0, output);
                        assert.deepEqual(
                            problems.filter((line) => !line.includes(warnings?.about ?? "")),
                            [],
                        );
                    });
                });
            }
        });
    }
});
