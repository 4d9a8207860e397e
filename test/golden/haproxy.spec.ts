import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type HaproxyConfig, secretsIn } from "../../components/haproxy";
import { atLeast, releaseOf } from "../../components/haproxy/model/versions";
import { validate } from "../../components/haproxy/validate/index";
import { needsReleases, type Release, releases } from "../support/releases";
import { pemSlots } from "./bundles";
import { verdictsOfDaemon } from "./daemon";
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

/** A value for each slot, harder to quote than any real password. */
function slotsOf(config: HaproxyConfig): Record<string, string> {
    const slots = secretsIn(config).map((name) => [name, `test "value" of $${name} \\ #1 100%`]);
    return { digest, ...Object.fromEntries(slots) };
}

/** The files of a case that are kept: haproxy.cfg, and its lists of certificates. */
function goldens(file: string): { golden: string; text: string }[] {
    const { default: config } = require(join(directory, file)) as Golden;
    return Object.entries(hostFiles(config, slotsOf(config)))
        .filter(([name]) => /\.(cfg|crt-list)$/.test(name))
        .map(([name, text]) => ({
            golden: name === path ? file.replace(/ts$/, "cfg") : file.replace(/ts$/, basename(name)),
            text,
        }));
}

describe("golden haproxy.cfg", () => {
    const cases = readdirSync(directory).filter((file) => file.endsWith(".ts"));

    const verdicts = new Map<string, ReturnType<typeof verdictsOf>>();
    /** What a release says of each case that it knows, by its file. */
    async function verdictsOf(release: Release) {
        const known = cases
            .map((file) => ({ file, config: (require(join(directory, file)) as Golden).default }))
            .filter(({ config }) => atLeast(release.version, releaseOf(config)));
        const texts = known.map(async ({ config }) => {
            const slots = { ...slotsOf(config), ...(await pemSlots(secretsIn(config))) };
            const { [path]: text = "", ...files } = hostFiles(config, slots);
            return { text, files: Object.entries(files).map(([name, content]) => ({ path: name, content })) };
        });
        const said = await verdictsOfDaemon(release, await Promise.all(texts));
        return new Map(known.map(({ file }, n) => [file, said[n]]));
    }

    it("has a case for every file", () => {
        const files = readdirSync(directory).filter((file) => !file.endsWith(".ts"));
        const known = cases.flatMap((file) => goldens(file).map(({ golden }) => golden));
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
            const accepted = async (release: Release) => {
                const asked = verdicts.get(release.version) ?? verdictsOf(release);
                verdicts.set(release.version, asked);
                return (await asked).get(file) ?? assert.fail(`${release.version} was not asked`);
            };

            it("is rendered as the file says", () => {
                for (const { golden, text } of goldens(file)) {
                    if (update) {
                        writeFileSync(join(directory, golden), text);
                    }
                    assert.equal(text, readFileSync(join(directory, golden), "utf8"));
                }
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
                        const verdict = await accepted(release);
                        assert.ok(verdict.accepted, verdict.output);
                    });
                }
            });

            for (const release of releases.filter(warns)) {
                describe(`refused only for the warning that a stack can allow by ${release.version}`, () => {
                    needsReleases();
                    it(`about ${warnings?.about}`, async () => {
                        const verdict = await accepted(release);
                        const problems = verdict.output
                            .split("\n")
                            .filter((line) => /^\[(WARNING|ALERT)\]/.test(line) && !line.includes("zero-warning"));
                        assert.ok(!verdict.accepted && problems.length > 0, verdict.output);
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
