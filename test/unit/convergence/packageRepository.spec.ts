import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { filesOf, kindOf, type PackageRepository } from "../../../components/convergence/kinds/index";
import { buildPayload } from "../../../components/convergence/payload/payload";
import { makePlan } from "../../../components/convergence/payload/plan";
import { makeSigningKey, type SigningKey } from "../../../lab/standIn/signingKey";

const key = { fingerprint: "5F1E256061D813B125E156E8E6266D4AC0962C7D", url: "https://keys.example.com/a?b=c" };

function repository(change: Partial<PackageRepository> = {}): PackageRepository {
    const url = "https://apt.example.com/";
    return {
        kind: "packageRepository",
        name: "example",
        url,
        suite: "stable",
        components: ["7"],
        keys: [key],
        ...change,
    };
}

const issues = (change: Partial<PackageRepository>) => kindOf(repository()).issues(repository(change));
const sourceOf = (change: Partial<PackageRepository> = {}) => String(filesOf(repository(change))[0]?.content);
/** Where apt keeps the lists. */
const listOf = (change: Partial<PackageRepository>) =>
    (kindOf(repository()).manifest?.(repository(change)) ?? []).flatMap(
        (line) => /^packageLists\t(.*)/.exec(line)?.[1] ?? [],
    );

describe("a package repository", () => {
    it("becomes a source of apt", () => {
        assert.equal(
            sourceOf({ components: ["main", "contrib"] }),
            [
                "# Managed by haproxy-fleet.",
                "Types: deb",
                "URIs: https://apt.example.com/",
                "Suites: stable",
                "Components: main contrib",
                "Signed-By: /etc/apt/keyrings/example.gpg",
                "",
            ].join("\n"),
        );
        assert.doesNotMatch(sourceOf({ suite: "./", components: [] }), /Components/);
    });

    it("finds its lists under the names that apt gives them", () => {
        assert.deepEqual(listOf({}), ["apt.example.com_dists_stable"]);
        assert.deepEqual(listOf({ url: "http://h:8080/~a_b", suite: "x/y_z" }), ["h:8080_%7ea%5fb_dists_x_y%5fz"]);
        assert.deepEqual(listOf({ url: "file:///srv/x/", suite: "./", components: [] }), ["_srv_x_."]);
    });

    it("accepts what is valid", () => {
        for (const url of ["http://h", "https://h:1/a/b_c/~d/", "file:/srv/x", "file:///srv/x"])
            assert.deepEqual(issues({ url }), []);
        for (const suite of ["stable", "bookworm-updates", "stable/updates"]) assert.deepEqual(issues({ suite }), []);
        assert.deepEqual(issues({ suite: "./", components: [] }), []);
        assert.deepEqual(issues({ keys: [{ ...key, fingerprint: key.fingerprint.toLowerCase() }] }), []);
    });

    it("is one source with and without a slash at its end, as for apt", () => {
        const twice = [repository({ url: "https://h/x/" }), repository({ name: "other", url: "https://h/x" })];
        assert.throws(() => makePlan(twice), /package source https:\/\/h\/x stable is declared twice/);
    });

    const refused: [what: string, change: Partial<PackageRepository>, message: RegExp][] = [
        ["a path as name", { name: "../x" }, /^invalid name "..\/x"; use lower case letters/],
        ["a password in the URL", { url: "https://u:p@h/" }, /^invalid url .*without credentials/],
        ["another scheme", { url: "ftp://h/" }, /^invalid url "ftp:/],
        ["a relative file", { url: "file:srv" }, /^invalid url/],
        ["two URLs", { url: "http://h/ http://i/" }, /^invalid url/],
        ["an option of apt", { url: "http://h/[trusted=yes]" }, /^invalid url/],
        ["a variable of apt", { url: "http://h/$(ARCH)/" }, /^invalid url/],
        ["a field of apt", { suite: "stable\nTrusted: yes" }, /^invalid suite/],
        ["an absolute suite", { suite: "/", components: [] }, /^invalid suite/],
        ["a component with blanks", { components: ["7 8"] }, /^invalid component "7 8"/],
        ["no component", { components: [] }, /^no component is named; name at least one$/],
        ["a flat repository with components", { suite: "./" }, /^suite ".\/" is a directory, which has no components/],
        ["no key", { keys: [] }, /^no key is named, so nothing could be verified; name at least one$/],
        [
            "a short key id",
            { keys: [{ ...key, fingerprint: "C0962C7D" }] },
            /^invalid fingerprint "C0962C7D"; use all 40/,
        ],
        ["a key without URL", { keys: [{ ...key, url: "" }] }, /^invalid key url ""/],
    ];
    for (const [what, change, message] of refused)
        it(`refuses ${what}`, () => {
            const found = issues(change);
            assert.equal(found.length, 1, found.join("\n"));
            assert.match(found[0] ?? "", message);
        });

    it("lets no text out of its field, its word or its path", () => {
        const hostile = fc.string({ unit: fc.constantFrom(..."a/.:~_ \t\n\r\0\x1b[]()$'\"`\\%#;&|@?=-7é") });
        const field = fc.oneof(
            hostile,
            hostile.map((text) => `https://h/${text}`),
        );
        fc.assert(
            fc.property(
                field,
                field,
                fc.array(field, { maxLength: 2 }),
                field,
                field,
                (name, url, components, suite, from) => {
                    const change = { name, url, suite, components, keys: [{ ...key, url: from }] };
                    for (const [one, value] of Object.entries(change)) {
                        if (issues({ [one]: value }).length > 0) continue;
                        const source = sourceOf({ [one]: value });
                        assert.match(
                            source,
                            /^# .*\nTypes: deb\nURIs: \S+\nSuites: \S+\nComponents: \S+( \S+)*\nSigned-By: \/etc\/apt\/keyrings\/[a-z0-9-]+\.gpg\n$/,
                        );
                        assert.match(source, /^[ -~\n]+$/);
                        // Positions and pins are words of shell, split at blanks.
                        const payload = buildPayload(makePlan([repository({ [one]: value })]), { slots: {} });
                        assert.match(payload, /^package_repository '[^\n]*'$/m);
                        const [list = ""] = listOf({ [one]: value });
                        assert.match(list, /^[^/*?[\]\s]+$/);
                    }
                },
            ),
            { numRuns: 300 },
        );
    });
});

describe("openpgp_key", () => {
    const program = join(__dirname, "../../../components/convergence/runtime/kinds/packageRepository.openpgp_key.pl");
    let keys: SigningKey[];
    let directory: string;
    before(async () => {
        directory = mkdtempSync(join(tmpdir(), "openpgp-"));
        keys = await Promise.all(["One", "Two", "Three"].map((name) => makeSigningKey(`${name} <key@example.com>`)));
    });
    after(() => rmSync(directory, { recursive: true, force: true }));

    const pick = (content: string | Buffer, fingerprint: string) => {
        const [file, keyring] = [join(directory, "file"), join(directory, "keyring")];
        writeFileSync(file, content);
        writeFileSync(keyring, "");
        const { status, stderr } = spawnSync("perl", [program, fingerprint.toLowerCase(), file, keyring], {
            encoding: "utf8",
        });
        return { status, stderr, keyring: readFileSync(keyring) };
    };
    const binary = (armored: string) => execFileSync("gpg", ["--homedir", directory, "--dearmor"], { input: armored });
    const fingerprintOf = (n: number) => keys[n]?.fingerprint ?? "";

    it("takes one key with all that belongs to it, from armor and from packets", () => {
        const texts = keys.map(({ publicKey }) => publicKey);
        const wanted = binary(texts[1] ?? "");
        for (const content of [
            texts.join("\n"),
            texts.join("").replaceAll("\n", "\r\n"),
            `Some words.\n${texts.join("").replaceAll("BLOCK-----\n\n", "BLOCK-----\nComment: a: b\nVersion: 1\n\n")}`,
            Buffer.concat(texts.map(binary)),
        ]) {
            const { status, stderr, keyring } = pick(content, fingerprintOf(1));
            assert.equal(status, 0, stderr);
            assert.deepEqual(
                execFileSync("gpg", ["--homedir", directory, "--show-keys", "--with-colons"], {
                    input: keyring,
                    encoding: "utf8",
                }),
                execFileSync("gpg", ["--homedir", directory, "--show-keys", "--with-colons"], {
                    input: wanted,
                    encoding: "utf8",
                }),
            );
        }
    });

    it("says which keys there are if it is none of them", () => {
        const { status, stderr, keyring } = pick(`${keys[0]?.publicKey}${keys[1]?.publicKey}`, fingerprintOf(2));
        assert.notEqual(status, 0);
        assert.equal(stderr, `it has ${[0, 1].map((n) => fingerprintOf(n).toLowerCase()).join(" ")}\n`);
        assert.equal(keyring.length, 0);
    });

    it("takes no secret key, and nothing from text that is none", () => {
        for (const content of [keys[0]?.secretKey ?? "", binary(keys[0]?.secretKey ?? ""), "<html>\n", ""]) {
            const { status, stderr } = pick(content, fingerprintOf(0));
            assert.notEqual(status, 0);
            assert.equal(stderr, "it has no OpenPGP key of version 4\n");
        }
    });

    it("ends with any bytes, also if a key is cut", () => {
        const whole = binary(keys[0]?.publicKey ?? "");
        fc.assert(
            fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(whole.length), (noise, at) => {
                const { status } = pick(Buffer.concat([whole.subarray(0, at), noise]), fingerprintOf(1));
                assert.equal(status === null || status === 0, false);
            }),
            { numRuns: 30 },
        );
    });
});
