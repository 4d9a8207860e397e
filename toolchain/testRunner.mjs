// npm test: mocha runs the spec files side by side; this adds lint and types, what the suites need, progress and one summary.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { repo } from "./environment.mjs";
import { duration, SetupError, showProgress, track } from "./setup/progress.mjs";

/** npm scripts that run beside the unit tests. */
const checks = ["lint", "types"];
/** What each suite needs beyond the npm packages, in order: names of prerequisites. */
const suites = {
    unit: ["shells"],
    golden: ["labPackages", "labCheck", "labImages"],
    varnish: ["labPackages", "labCheck", "labImages"],
    toolchain: ["sshd", "pulumi", "workflows"],
    package: [],
    lab: ["labPackages", "labCheck", "pulumi", "labImages"],
};
/**
 * What runs together, and how many spec files at a time. The first group needs next to nothing, so that mistakes show before the long
 * set-up; the files of the second wait more than they compute.
 */
const groups = [
    { members: [...checks, "unit"], jobs: 2 },
    { members: ["golden", "varnish", "toolchain", "package", "lab"], jobs: 3 },
];
/** Files that run before other labs, because they compare what labs add to the machine before and after. */
const first = ["test/lab/lab.spec.ts"];
/** Files that take long for their bytes. They start early, so that none of them runs on when all others have ended. */
const early = ["test/lab/nemesis.spec.ts"];
/** Suites that start no host and enter no image, so that they may run beside {@link first}. */
const withoutHosts = ["toolchain", "package"];
/** How many of these do: about as many as end in the time of {@link first}. The others run with all that is left. */
const meanwhile = 5;
/** A file that fails beside another one runs once more, alone. If more files than this fail, it is no coincidence. */
const repeats = 2;
/** How fast-check begins the message of a counterexample. That is no coincidence either, though the next run may not find it. */
const counterexample = "Property failed after";
/** Milliseconds after which a file is named as slow: the longest ones decide how long a run takes. */
const slow = 120_000;
const names = groups.flatMap((group) => group.members);

export const usage = `npm test [SUITE|FILE|FOLDER]... [-- --MOCHA-OPTION=VALUE...]

  without arguments    every suite: ${names.join(", ")}
  npm test unit golden
  npm test test/unit/convergence
  npm test -- unit --grep=digest`;

const indent = (text) => text.trimEnd().replace(/^/gm, "    ");
const say = (text) => process.stdout.write(`${process.stderr.isTTY ? "\r\x1b[2K" : ""}${text}\n`);

const emptyResult = () => ({ passed: 0, failed: 0, flaky: 0, skipped: 0, ms: 0 });
function sum(results) {
    const total = emptyResult();
    for (const result of results) for (const key of Object.keys(total)) total[key] += result[key];
    return total;
}

/** A table of the results by suite. */
function table(results) {
    const rows = [Object.keys({ suite: "", ...emptyResult() }).with(-1, "test time")];
    for (const [name, { ms, ...counts }] of results) {
        rows.push([name, ...Object.values(counts).map(String), duration(ms)]);
    }
    const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
    return rows
        .map((row) => row.map((cell, at) => (at ? cell.padStart(widths[at]) : cell.padEnd(widths[0]))).join("  "))
        .join("\n");
}

/** The spec files of a folder; a file is itself. */
function specsIn(path) {
    if (!existsSync(path)) return [];
    if (statSync(path).isFile()) return [path];
    const files = readdirSync(path, { recursive: true, encoding: "utf8" });
    return files.filter((file) => file.endsWith(".spec.ts")).map((file) => join(path, file));
}

/** The bytes of a spec file and of the parts in its folder: a rough measure of how long it runs. */
function size(spec) {
    const folder = spec.replace(/\.spec\.ts$/, "");
    const parts = existsSync(folder) ? readdirSync(folder).map((part) => join(folder, part)) : [];
    return [spec, ...parts].reduce((bytes, file) => bytes + statSync(file).size, 0);
}

/** Starts a command whose output is kept; `ended` resolves to its exit code. */
function start(command, args, cwd, stdio = []) {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe", ...stdio] });
    track(child);
    const run = { child, output: "", ended: new Promise((done) => child.on("close", done)) };
    for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk) => {
            run.output = (run.output + chunk).slice(-50_000);
        });
    }
    return run;
}

/**
 * @param {string[]} args suites, spec files or folders; what starts with "-" is passed to mocha, its value as --name=value
 * @param {Record<string, () => Promise<unknown>>} prerequisites by name; a SetupError of one makes tests skip themselves
 * @param {string} root the folder that has test/
 * @returns {Promise<number>} the exit code: 1 if anything failed, or if nothing ran
 */
export async function runTests(args, prerequisites, root = repo) {
    const started = Date.now();
    const options = args.filter((arg) => arg.startsWith("-"));
    const chosen = args.filter((arg) => !arg.startsWith("-"));
    const paths = chosen.filter((arg) => !names.includes(arg)).map((path) => resolve(root, path));
    const shown = (spec) => relative(root, spec);
    const unknown = paths.find((path) => !existsSync(path));
    if (unknown) throw new SetupError(`${shown(unknown)}: no such suite or file; suites are ${names.join(", ")}`);
    const wanted = (name) => chosen.length === 0 || chosen.includes(name);
    const shownOf = (key) => (names.includes(key) ? key : shown(key));
    const suiteOf = (key) => (names.includes(key) ? key : shown(key).split("/")[1]);

    /** By spec file, so that a repeated run replaces the first. A check, or a suite without its set-up, has its own name. */
    const results = new Map();
    const resultOf = (key) => results.get(key) ?? results.set(key, emptyResult()).get(key);
    const reasons = new Set();
    const flaky = [];
    /** Spec files whose failure a second run cannot disprove. */
    const certain = new Set();
    let progress = () => {};

    function fail(key, title, message) {
        resultOf(key).failed++;
        if (message.includes(counterexample)) certain.add(key);
        say(`FAILED ${title}\n${indent(message)}`);
    }

    async function check(name) {
        const began = Date.now();
        const run = start("npm", ["run", "--silent", name], root);
        if ((await run.ended) === 0) resultOf(name).passed++;
        else fail(name, name, run.output);
        resultOf(name).ms = Date.now() - began;
    }

    async function mocha(specs, jobs = 1) {
        const parallel = specs.length > 1 ? ["--parallel", `--jobs=${jobs}`] : [];
        const bin = join(repo, "node_modules/mocha/bin/mocha.js");
        const reporter = `--reporter=${join(repo, "toolchain/mochaEvents.cjs")}`;
        const run = start(process.execPath, [bin, reporter, ...parallel, ...options, ...specs], root, ["pipe"]);
        const reported = new Set();
        /** Failures without a file: of a spec file that ends its process or cannot be loaded, or of a hook outside of suites. */
        const nowhere = [];
        let complete = false;
        for await (const line of createInterface(run.child.stdio[3])) {
            const { event, file, title, ms, message } = JSON.parse(line);
            if (event === "end") complete = true;
            else if (file) {
                reported.add(file);
                if (event === "pass") resultOf(file).passed++;
                else if (event === "pending") resultOf(file).skipped++;
                else if (event === "fail") fail(file, `${shown(file)}: ${title}`, message);
                else resultOf(file).ms += ms ?? 0;
            } else if (event === "fail") nowhere.push(message);
            const { passed, failed, skipped } = sum(results.values());
            const files = parallel.length ? `${reported.size} of ${specs.length} files, ` : "";
            progress(`${files}${passed + failed + skipped} tests${failed ? `, ${failed} failed` : ""}`);
        }
        await run.ended;
        for (const [, reason] of run.output.matchAll(/skipped: (.+)/g)) reasons.add(reason);
        if (parallel.length && nowhere.length) {
            const silent = specs.filter((spec) => !reported.has(spec));
            for (const spec of silent) await mocha([spec]);
            if (silent.some((spec) => results.get(spec)?.failed)) return;
            const suspects = silent.length ? silent : specs;
            certain.add(suspects[0]);
            const which = suspects.map(shown).join(", ");
            fail(
                suspects[0],
                `${which}: one of these broke off beside another file, but not alone`,
                nowhere.join("\n"),
            );
        } else if (!complete || nowhere.length) {
            fail(specs[0], `${specs.map(shown).join(", ")}: broke off`, [...nowhere, run.output].join("\n"));
        } else if (run.output.trim() && specs.some((spec) => results.get(spec)?.failed)) {
            say(`Output beside the failures:\n${indent(run.output)}`);
        }
    }

    async function runSpecs(specs, jobs) {
        const isEarly = (spec) => Number(early.includes(shown(spec)));
        specs.sort((a, b) => isEarly(b) - isEarly(a) || size(b) - size(a));
        const before = specs.filter((spec) => first.includes(shown(spec)));
        const quiet = specs.filter((spec) => withoutHosts.includes(suiteOf(spec)));
        const beside = before.length ? quiet.slice(0, meanwhile) : [];
        await Promise.all([before.length && mocha(before), beside.length && mocha(beside, jobs - 1)]);
        const together = specs.filter((spec) => !before.includes(spec) && !beside.includes(spec));
        if (together.length) await mocha(together, jobs);
        const shared = together.length > 1 ? [...beside, ...together] : beside;
        const failed = shared.filter((spec) => results.get(spec)?.failed);
        if (failed.length > repeats) return;
        for (const spec of failed.filter((spec) => !certain.has(spec))) {
            say(`${shown(spec)} failed beside another file: once more, alone`);
            const first = resultOf(spec);
            results.delete(spec);
            await mocha([spec]);
            if (resultOf(spec).failed) continue;
            resultOf(spec).flaky = first.failed;
            flaky.push(shown(spec));
        }
    }

    /** Suites share prerequisites: each is prepared once. */
    const prepared = new Map();
    const meet = (need) => prepared.get(need) ?? prepared.set(need, prerequisites[need]()).get(need);

    /** The spec files of a suite, after its set-up. */
    async function prepare(name) {
        const folder = join(root, "test", name);
        const own = wanted(name) ? [folder] : paths.filter((path) => `${path}/`.startsWith(`${folder}/`));
        const specs = [...new Set(own.flatMap(specsIn))];
        for (const need of specs.length ? suites[name] : []) {
            try {
                await meet(need);
            } catch (error) {
                if (!(error instanceof SetupError) || need === "pulumi") {
                    fail(name, name, error instanceof SetupError ? error.message : error.stack);
                    return [];
                }
                reasons.add(error.message.replace(/\s*\n\s*/g, " "));
                break; // Its tests skip themselves.
            }
        }
        return specs;
    }

    for (const { members, jobs } of groups) {
        const specs = [];
        for (const name of members.filter((name) => name in suites)) specs.push(...(await prepare(name)));
        const now = checks.filter((name) => members.includes(name) && wanted(name));
        const title = [...now, ...new Set(specs.map(suiteOf))].join(", ");
        await showProgress(title, (show) => {
            progress = show;
            return Promise.all([...now.map(check), runSpecs(specs, jobs)]);
        });
    }

    const rows = names.flatMap((name) => {
        const own = [...results].filter(([key]) => suiteOf(key) === name).map(([, result]) => result);
        return own.length ? [[name, sum(own)]] : [];
    });
    const { passed, failed, skipped } = sum(results.values());
    say(`\n${table(rows)}\n${duration(Date.now() - started)} in all`);
    const slowest = [...results].sort(([, a], [, b]) => b.ms - a.ms).filter(([, { ms }]) => ms > slow);
    for (const [key, { ms }] of slowest.slice(0, 10)) say(`slow: ${duration(ms)}, ${shownOf(key)}`);
    if (skipped && reasons.size === 0) reasons.add("no reason given");
    for (const reason of skipped ? reasons : []) say(`skipped: ${reason}`);
    for (const spec of flaky) say(`flaky: ${spec} failed beside another file and passed alone; find out why`);
    const none = passed + failed + skipped === 0; // A green run of nothing would hide a typing mistake.
    if (none) say(`no test matches ${args.join(" ")}: name a suite, or a file or folder below test/, and check --grep`);
    say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    return failed || none ? 1 : 0;
}
