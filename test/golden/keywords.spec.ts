import assert from "node:assert/strict";
import { type Keyword, keywords, type Section } from "../../components/haproxy/model/keywords";
import { knows } from "../../components/haproxy/model/versions";
import { inRelease, needsReleases, type Release, releases } from "../support/releases";

/** Lines of which at least one is where the keyword may stand. */
const linesOf: Record<Section, (keyword: string) => string[]> = {
    section: (keyword) => [`${keyword} x`],
    global: (keyword) => [keyword],
    cache: (keyword) => [keyword],
    proxy: (keyword) => [keyword],
    table: (keyword) =>
        ["", "(10s)", "(2)", "(2,10s)"].map((form) => `stick-table type ip size 1k store ${keyword}${form}`),
    bind: (keyword) => [`bind :1 ${keyword}`],
    server: (keyword) => [`server s 127.0.0.1:1 ${keyword}`],
    rule: (keyword) =>
        ["http-request", "tcp-request session", "tcp-request content"].map(
            (family) => `${family} ${keyword}${/^(sc-|set-var)/.test(keyword) ? "(0,x)" : ""}`,
        ),
    sample: (keyword) => [`acl a ${keyword} x`, `acl a ${keyword}(x) x`, `acl a str(x),${keyword} x`],
};

const refusal =
    /\[\/k\.cfg:(\d+)\].*(unknown (keyword|option|store option|fetch|sample|converter)|got '[^']|invalid or incomplete action|not supported any ?more|balance only supports|'compression' expects .*'type' or 'offload')/;

/** Which of the lines the daemon does not understand; what else is wrong with a line does not count. */
async function refused(release: Release, head: string, lines: string[]): Promise<Set<string>> {
    const text = `${[head, ...lines].join("\n")}\n`;
    const { stdout, stderr } = await inRelease(release, ["haproxy", "-c", "-f", "/k.cfg"], { "/k.cfg": text });
    const numbers = `${stdout}${stderr}`.split("\n").flatMap((line) => refusal.exec(line)?.[1] ?? []);
    return new Set(numbers.map((number) => lines[Number(number) - 2] as string));
}

/** Those of a section that the daemon takes nowhere. It stops at the first faulty rule, and after 50 other faults. */
async function unknownTo(release: Release, section: Section): Promise<string[]> {
    const head = { section: "", global: "global", cache: "cache c" }[section as string] ?? "listen l";
    const names = keywords.filter((entry) => entry.section === section).map(({ keyword }) => keyword);
    const lines = names.flatMap(linesOf[section]);
    const size = ["rule", "section", "table"].includes(section) ? 1 : 45;
    const faulty = new Set<string>();
    for (let i = 0; i < lines.length; i += size) {
        for (const line of await refused(release, head, lines.slice(i, i + size))) {
            faulty.add(line);
        }
    }
    return names.filter((keyword) => linesOf[section](keyword).every((line) => faulty.has(line)));
}

/**
 * Where Debian's package is not the release's first: 2.6.12 has the converters that came with 2.7. And 2.2 takes the rule for a
 * misspelt set-var, of which it says something else.
 */
const exceptions = ["2.6 sample host_only", "2.6 sample port_only", "2.2 rule set-var-fmt"];

describe("the keyword table", () => {
    needsReleases();

    for (const release of releases) {
        it(`has what ${release.version} does not know`, async () => {
            const lacks = (entry: Keyword) =>
                !knows(release.version, entry) &&
                !exceptions.includes(`${release.version} ${entry.section} ${entry.keyword}`);
            for (const section of Object.keys(linesOf) as Section[]) {
                const claimed = keywords.filter((entry) => entry.section === section && lacks(entry));
                assert.deepEqual(
                    (await unknownTo(release, section)).sort(),
                    claimed.map(({ keyword }) => keyword).sort(),
                    section,
                );
            }
        });
    }
});
