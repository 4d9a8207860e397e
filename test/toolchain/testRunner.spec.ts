// npm test on spec files that fail, crash, flake, skip or do not exist, in a folder of their own.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { repo } from "../../toolchain/environment.mjs";

/** Runs the tests with all prerequisites met, except those given as JavaScript. */
const driver = (unmet: string) => `
    import { runTests } from "${repo}/toolchain/testRunner.mjs";
    import { SetupError } from "${repo}/toolchain/setup/progress.mjs";
    const met = async () => {};
    const all = { shells: met, sshd: met, pulumi: met, workflows: met, labPackages: met, labCheck: met, labImages: met };
    try {
        process.exitCode = await runTests(process.argv.slice(2), { ...all, ${unmet} }, import.meta.dirname);
    } catch (error) {
        console.log(error.message);
        process.exitCode = 2;
    }`;

describe("test runner", () => {
    let root: string;
    beforeEach(() => {
        root = mkdtempSync(join(tmpdir(), "test-runner-"));
        files({ ".mocharc.json": JSON.stringify({ extension: ["ts"] }), "package.json": "{}" });
    });
    afterEach(() => rmSync(root, { recursive: true, force: true }));

    function files(contents: Record<string, string>): void {
        for (const [name, content] of Object.entries(contents)) {
            mkdirSync(dirname(join(root, name)), { recursive: true });
            writeFileSync(join(root, name), content);
        }
    }

    function run(args: string[] = [], unmet = "") {
        files({ "driver.mjs": driver(unmet) });
        const { status, stdout, stderr } = spawnSync(process.execPath, ["driver.mjs", ...args], {
            cwd: root,
            encoding: "utf8",
        });
        assert.equal(stderr.replace(/^.*: (done in )?\d+\.\d s.*\n/gm, ""), "", "only progress goes to stderr");
        const rows = stdout.split("\n").filter((line) => /^\w+( +\d+){4} /.test(line));
        /** Passed, failed, flaky, skipped. */
        const counts = Object.fromEntries(
            rows.map((row) => [row.split(" ")[0], (row.match(/ \d+(?= )/g) ?? []).slice(0, 4).join("")]),
        );
        return { status, stdout, counts, last: stdout.trimEnd().split("\n").at(-1) };
    }

    const passing = `describe("fine", () => it("passes", () => {}));`;
    const fails = `describe("faulty", () => it("fails", () => { console.log("a hint"); throw new Error("because"); }));`;

    it("runs the checks and every suite, and ends with the sum", () => {
        const suites = ["unit", "golden", "varnish", "toolchain", "package", "lab"];
        files(Object.fromEntries(suites.map((suite) => [`test/${suite}/a.spec.ts`, passing])));
        files({ "package.json": JSON.stringify({ scripts: { lint: "true", types: "true" } }) });
        const { status, counts, last } = run();
        const one = " 1 0 0 0";
        assert.deepEqual(counts, {
            lint: one,
            types: one,
            unit: one,
            golden: one,
            varnish: one,
            toolchain: one,
            package: one,
            lab: one,
        });
        assert.equal(last, "8 passed, 0 failed, 0 skipped");
        assert.equal(status, 0);
    });

    it("aligns the table", () => {
        files({ "test/unit/a.spec.ts": passing, "test/toolchain/a.spec.ts": passing });
        const { stdout } = run(["unit", "toolchain"]);
        const table = stdout.split("\n").filter((line) => /^(suite|unit|toolchain) /.test(line));
        assert.equal(table.length, 3);
        assert.equal(new Set(table.map((line) => line.length)).size, 1, table.join("\n"));
    });

    it("shows the output of a failed check", () => {
        files({ "package.json": JSON.stringify({ scripts: { lint: "echo bad line; exit 1" } }) });
        const { status, stdout, last } = run(["lint"]);
        assert.match(stdout, /^FAILED lint\n {4}bad line$/m);
        assert.equal(last, "0 passed, 1 failed, 0 skipped");
        assert.equal(status, 1);
    });

    for (const [alone, others] of [
        ["alone", {}],
        ["beside others", { "test/unit/a.spec.ts": passing, "test/unit/c.spec.ts": passing }],
    ] as const) {
        const more = Object.keys(others).length;

        it(`names a test that fails ${alone}: file, title, message and output`, () => {
            files({ ...others, "test/unit/b.spec.ts": fails });
            const { status, stdout, counts, last } = run(["unit"]);
            assert.match(stdout, /^FAILED test\/unit\/b\.spec\.ts: faulty fails\n {4}Error: because\n {4} +at /m);
            assert.match(stdout, /^ +a hint$/m);
            assert.deepEqual(counts, { unit: ` ${more} 1 0 0` });
            assert.equal(last, `${more} passed, 1 failed, 0 skipped`);
            assert.equal(status, 1);
        });

        it(`names a file that ends its process ${alone}`, () => {
            files({ ...others, "test/unit/b.spec.ts": `it("crashes", () => process.exit(0));` });
            const { status, stdout, last } = run(["unit"]);
            assert.match(stdout, /^FAILED test\/unit\/b\.spec\.ts: broke off$/m);
            assert.equal(last, `${more} passed, 1 failed, 0 skipped`);
            assert.equal(status, 1);
        });

        it(`names a file that cannot be loaded ${alone}`, () => {
            files({ ...others, "test/unit/b.spec.ts": `throw new Error("no such luck");` });
            const { status, stdout, last } = run(["unit"]);
            assert.match(stdout, /^FAILED test\/unit\/b\.spec\.ts: broke off\n(.*\n)* +.*Error: no such luck$/m);
            assert.equal(last, `${more} passed, 1 failed, 0 skipped`);
            assert.equal(status, 1);
        });
    }

    /** Fails the first time only. */
    const flaky = `const { existsSync, writeFileSync } = require("node:fs");
        it("flakes", () => { if (!existsSync("mark")) { writeFileSync("mark", ""); throw new Error("too early"); } });
        it("is sound", () => {});`;

    it("runs a file that failed beside another once more, and shows it as flaky", () => {
        files({ "test/lab/a.spec.ts": flaky, "test/lab/b.spec.ts": passing });
        const { status, stdout, counts, last } = run(["lab"]);
        assert.match(stdout, /^FAILED test\/lab\/a\.spec\.ts: flakes\n {4}Error: too early$/m);
        assert.match(
            stdout,
            /^flaky: test\/lab\/a\.spec\.ts failed beside another file and passed alone; find out why$/m,
        );
        assert.deepEqual(counts, { lab: " 3 0 1 0" });
        assert.equal(last, "3 passed, 0 failed, 0 skipped");
        assert.equal(status, 0);
    });

    it("counts a file that fails again once", () => {
        files({ "test/lab/a.spec.ts": fails, "test/lab/b.spec.ts": passing });
        const { status, stdout, counts } = run(["lab"]);
        assert.match(stdout, /once more, alone/);
        assert.deepEqual(counts, { lab: " 1 1 0 0" });
        assert.equal(status, 1);
    });

    it("repeats a file that failed beside lab.spec.ts", () => {
        files({ "test/toolchain/a.spec.ts": flaky, "test/lab/lab.spec.ts": passing });
        assert.deepEqual(run(["toolchain", "lab"]).counts, { toolchain: " 2 0 1 0", lab: " 1 0 0 0" });
    });

    it("repeats no file that ran alone", () => {
        files({ "test/lab/a.spec.ts": flaky, "test/lab/lab.spec.ts": passing });
        assert.deepEqual(run(["lab"]).counts, { lab: " 2 1 0 0" });
    });

    it("repeats no property with a counterexample", () => {
        const property = `const fc = require("${repo}/node_modules/fast-check");
            it("holds", () => fc.assert(fc.property(fc.integer(), (one) => one < 5)));`;
        files({ "test/unit/a.spec.ts": property, "test/unit/b.spec.ts": passing });
        const { stdout, counts } = run(["unit"]);
        assert.match(stdout, /Counterexample/);
        assert.doesNotMatch(stdout, /once more/);
        assert.deepEqual(counts, { unit: " 1 1 0 0" });
    });

    it("repeats nothing if more than two files failed", () => {
        const three = ["a", "b", "c"].map((name) => [`test/lab/${name}.spec.ts`, fails]);
        files({ ...Object.fromEntries(three), "test/lab/d.spec.ts": passing });
        const { stdout, counts } = run(["lab"]);
        assert.doesNotMatch(stdout, /once more/);
        assert.deepEqual(counts, { lab: " 1 3 0 0" });
    });

    it("fails if a hook outside of suites fails", () => {
        files({
            "test/unit/a.spec.ts": `after(() => { throw new Error("not clean"); }); ${passing}`,
            "test/unit/b.spec.ts": passing,
        });
        const { status, stdout, last } = run(["unit"]);
        assert.match(stdout, /^ +Error: not clean$/m);
        assert.equal(last, "2 passed, 1 failed, 0 skipped");
        assert.equal(status, 1);
    });

    it("fails if a file ends its process beside others only", () => {
        files({
            "test/unit/a.spec.ts": passing,
            "test/unit/b.spec.ts": `const { existsSync, writeFileSync } = require("node:fs");
                it("crashes once", () => { if (!existsSync("mark")) { writeFileSync("mark", ""); process.exit(3); } });`,
        });
        const { status, stdout, last } = run(["unit"]);
        assert.match(
            stdout,
            /^FAILED test\/unit\/b\.spec\.ts: one of these broke off beside another file, but not alone$/m,
        );
        assert.equal(last, "2 passed, 1 failed, 0 skipped");
        assert.equal(status, 1);
    });

    /** A test that ends only when the other one has started, so the two must run at the same time. */
    const pair = (own: string, other: string) => `const { appendFileSync, readFileSync } = require("node:fs");
        const waitFor = (text, done) =>
            readFileSync("order", "utf8").includes(text) ? done() : setTimeout(waitFor, 20, text, done);
        it("runs", (done) => {
            appendFileSync("order", "${own}\\n");
            waitFor("${other}", () => setTimeout(() => { appendFileSync("order", "${own} ends\\n"); done(); }, 500));
        }).timeout(60_000);`;

    it("runs lab.spec.ts before other labs, beside the largest files of suites without hosts, and the others side by side", () => {
        files({
            "test/golden/a.spec.ts": pair("golden", "other"),
            "test/lab/a.spec.ts": pair("other", "golden"),
            "test/lab/lab.spec.ts": pair("lab", "quiet"),
            "test/toolchain/a.spec.ts": `${pair("quiet", "lab")} // ${"x".repeat(100)}`,
            "test/toolchain/b.spec.ts": pair("late", "golden"),
        });
        const larger = Array.from({ length: 4 }, (_, n) => [
            `test/toolchain/large${n}.spec.ts`,
            `${passing} // ${"x".repeat(2000)}`,
        ]);
        files(Object.fromEntries(larger));
        assert.equal(run(["golden", "toolchain", "lab"]).last, "9 passed, 0 failed, 0 skipped");
        const order = readFileSync(join(root, "order"), "utf8").trimEnd().split("\n");
        assert.deepEqual(order.slice(0, 4).sort(), ["lab", "lab ends", "quiet", "quiet ends"]);
        assert.deepEqual(order.slice(4).sort(), ["golden", "golden ends", "late", "late ends", "other", "other ends"]);
    });

    it("starts files early that take long for their bytes", () => {
        const waits = pair("large", "long");
        files({
            "test/lab/a.spec.ts": waits,
            "test/lab/b.spec.ts": waits,
            "test/lab/c.spec.ts": waits,
            "test/lab/nemesis.spec.ts": `it("runs", () => require("node:fs").appendFileSync("order", "long\\n"));`,
        });
        assert.equal(run(["lab"]).last, "4 passed, 0 failed, 0 skipped");
    });

    const skips = `before(function () { console.log("    skipped: no root here"); this.skip(); }); it("never runs", () => {});`;

    it("says why tests are skipped", () => {
        files({ "test/golden/a.spec.ts": skips, "test/golden/b.spec.ts": passing });
        const { status, stdout, counts, last } = run(["golden"]);
        assert.match(stdout, /^skipped: no root here$/m);
        assert.deepEqual(counts, { golden: " 1 0 0 1" });
        assert.equal(last, "1 passed, 0 failed, 1 skipped");
        assert.equal(status, 0);
        files({ "test/unit/a.spec.ts": `it.skip("later", () => {});` });
        assert.match(run(["unit"]).stdout, /^skipped: no reason given$/m);
    });

    it("prepares each prerequisite once", () => {
        files({ "test/golden/a.spec.ts": passing, "test/lab/a.spec.ts": passing });
        const { stdout } = run(["golden", "lab"], `labCheck: async () => console.log("checks the machine")`);
        assert.equal(stdout.match(/checks the machine/g)?.length, 1);
    });

    it("gives the reason if this machine cannot do the set-up", () => {
        files({
            "test/lab/a.spec.ts": `it("needs the lab", function () { this.skip(); });`,
            "test/unit/a.spec.ts": passing,
        });
        const { status, stdout, last } = run(
            ["lab", "unit"],
            `labCheck: async () => { throw new SetupError("needs root"); }`,
        );
        assert.match(stdout, /^skipped: needs root$/m);
        assert.equal(last, "1 passed, 0 failed, 1 skipped");
        assert.equal(status, 0);
    });

    it("fails a suite whose Pulumi CLI cannot be had, and runs the others", () => {
        files({ "test/toolchain/a.spec.ts": passing, "test/golden/a.spec.ts": passing });
        const { status, stdout, last } = run(
            ["toolchain", "golden"],
            `pulumi: async () => { throw new SetupError("no Go"); }`,
        );
        assert.match(stdout, /^FAILED toolchain\n {4}no Go$/m);
        assert.equal(last, "1 passed, 1 failed, 0 skipped");
        assert.equal(status, 1);
    });

    it("passes options on to mocha", () => {
        files({ "test/unit/a.spec.ts": `${passing} ${fails}`, "test/unit/b.spec.ts": passing });
        assert.equal(run(["unit", "--grep=passes"]).last, "2 passed, 0 failed, 0 skipped");
    });

    it("runs a folder or a file of a suite", () => {
        files({ "test/unit/x/a.spec.ts": passing, "test/unit/x/b.spec.ts": passing, "test/unit/c.spec.ts": passing });
        assert.equal(run(["test/unit/x"]).last, "2 passed, 0 failed, 0 skipped");
        assert.equal(run(["test/unit/c.spec.ts"]).last, "1 passed, 0 failed, 0 skipped");
    });

    it("fails if nothing runs", () => {
        files({ "test/unit/a.spec.ts": passing });
        for (const args of [["unit", "--grep=nothing"], ["golden"]]) {
            const { status, stdout, last } = run(args);
            assert.match(stdout, /^no test matches /m);
            assert.equal(last, "0 passed, 0 failed, 0 skipped");
            assert.equal(status, 1);
        }
        assert.equal(run(["test/unit/typo.spec.ts"]).status, 2);
        assert.match(run(["typo"]).stdout, /^typo: no such suite or file; suites are lint, types, unit, /);
    });
});
