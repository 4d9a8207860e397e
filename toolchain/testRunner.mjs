// npm test: every suite in turn, with live progress, a table of counts at the end, and the reasons for what was skipped.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { repo } from "./environment.mjs";
import { elapsed, SetupError, showProgress, track } from "./setup/progress.mjs";

/**
 * @typedef {{
 *     name: string, passed: number, failed: number, skipped: number, ms: number, reasons: Map<string, number>, repeated: string[]
 * }} Result
 * @typedef {Record<"shells" | "sshd" | "pulumi" | "labPackages" | "labImages", () => Promise<void>>} Needs
 */

const checks = { lint: ["npm", "run", "--silent", "lint"], types: ["npm", "run", "--silent", "types"] };
/** What a suite needs beyond the npm packages, in order. @type {Record<string, (keyof Needs | "labCheck")[]>} */
const suites = {
    unit: ["shells"],
    golden: ["labPackages", "labCheck", "labImages"],
    varnish: ["labPackages", "labCheck", "labImages"],
    toolchain: ["sshd", "pulumi"],
    lab: ["labPackages", "labCheck", "pulumi", "labImages"],
};
/**
 * Suites whose files run side by side, two at a time, as they wait more than they compute; of these, the files that run before the
 * others and alone. @type {Record<string, string[]>}
 */
const sideBySide = { lab: ["test/lab/lab.spec.ts"] }; // It compares all that there is on the machine before and after.
/** Of these, at most so many files that failed beside another are run once more, alone: more of them are no coincidence. */
const repeats = 2;
const order = [...Object.keys(checks), ...Object.keys(suites)];

export const usage = `npm test [SUITE|FILE|FOLDER]... [-- --MOCHA-OPTION=VALUE...]

  without arguments    every suite: ${order.join(", ")}
  npm test unit golden
  npm test test/unit/search.spec.ts
  npm test -- unit --grep=digest`;

/** A test may also just print "skipped: why". */
const unsaid = "no reason given";

/** @param {string} name @returns {Result} */
const emptyResult = (name) => ({ name, passed: 0, failed: 0, skipped: 0, ms: 0, reasons: new Map(), repeated: [] });

const shown = (/** @type {string} */ spec) => relative(repo, spec);
/** @param {string} text */
const indent = (text) => text.trimEnd().replace(/^/gm, "    ");
const say = (/** @type {string} */ text) => process.stdout.write(`${text}\n`);

/** @param {string[]} command @returns {Promise<{ code: number, output: string }>} */
function capture([command = "", ...args]) {
    return new Promise((done) => {
        const child = spawn(command, args, { cwd: repo, stdio: ["ignore", "pipe", "pipe"] });
        let output = "";
        for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
        child.on("error", (error) => done({ code: 1, output: error.message }));
        child.on("close", (code) => done({ code: code ?? 1, output }));
    });
}

/** @param {keyof typeof checks} name */
async function runCheck(name) {
    const result = emptyResult(name);
    const started = Date.now();
    const { code, output } = await showProgress(name, () => capture(checks[name]));
    result.ms = Date.now() - started;
    if (code === 0) {
        result.passed = 1;
    } else {
        result.failed = 1;
        say(`FAILED ${name}\n${indent(output)}`);
    }
    return result;
}

/** @param {string} folder @returns {string[]} */
function specsIn(folder) {
    if (!existsSync(folder)) return [];
    if (statSync(folder).isFile()) return [folder];
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".spec.ts"))
        .map((file) => join(folder, file))
        .sort();
}

/**
 * Runs mocha on spec files.
 * @param {string[]} specs @param {string[]} options
 * @param {(event: { event: string, total: number, title: string, message: string, reason: string }) => void} onEvent
 * @returns {Promise<{ ended: boolean, noise: string }>} whether it came to its end, and what it has printed
 */
async function runMocha(specs, options, onEvent) {
    const mocha = join(repo, "node_modules/mocha/bin/mocha.js");
    const args = [mocha, "--reporter", join(repo, "toolchain/mochaEvents.cjs"), ...options, ...specs];
    const child = spawn(process.execPath, args, { cwd: repo, stdio: ["ignore", "pipe", "pipe", "pipe"] });
    track(child);
    let noise = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream?.on("data", (chunk) => (noise = (noise + chunk).slice(-20_000)));
    }
    let ended = false;
    const events = /** @type {import("node:stream").Readable} */ (child.stdio[3]);
    createInterface(events).on("line", (line) => {
        const event = JSON.parse(line);
        if (event.event === "end") ended = true;
        onEvent(event);
    });
    await new Promise((done) => child.on("close", done));
    return { ended, noise };
}

/** Spec files in the order of their size, which tells roughly how long they take. @param {string[]} specs */
function largestFirst(specs) {
    const size = (/** @type {string} */ spec) => {
        const folder = spec.replace(/\.spec\.ts$/, "");
        const parts = existsSync(folder) ? readdirSync(folder).map((part) => join(folder, part)) : [];
        return [spec, ...parts].reduce((sum, file) => sum + statSync(file).size, 0);
    };
    return [...specs].sort((a, b) => size(b) - size(a));
}

/**
 * @param {string} name @param {string[]} specs @param {string[]} options passed on to mocha
 * @param {string | undefined} missing why tests of this suite may skip themselves
 */
async function runSuite(name, specs, options, missing) {
    if (specs.length === 0) return emptyResult(name);
    const started = Date.now();
    /** By its files, so that a run which is repeated counts once. @type {Map<string, Result>} */
    const runs = new Map();
    /** @type {string[]} */
    const repeated = [];
    const alone = sideBySide[name];
    let noise = "";
    await showProgress(name, async (progress) => {
        const files = alone ? specs.length : 1;
        let [total, filesDone] = [0, 0];
        const run = async (/** @type {string[]} */ part) => {
            const own = emptyResult(name);
            runs.set(part.join(), own);
            const { ended, noise: said } = await runMocha(part, options, (event) => {
                if (event.event === "start") total += event.total;
                if (event.event === "pass") own.passed++;
                if (event.event === "pending") {
                    own.skipped++;
                    const reason = event.reason || missing || unsaid;
                    own.reasons.set(reason, (own.reasons.get(reason) ?? 0) + 1);
                }
                if (event.event === "fail") {
                    own.failed++;
                    if (process.stderr.isTTY) process.stderr.write("\r\x1b[2K");
                    say(`FAILED ${name}: ${event.title}\n${indent(event.message)}`);
                }
                const { passed, failed, skipped } = sum(name, runs.values());
                const count = passed + failed + skipped;
                const done = files > 1 ? `${count} tests, ${filesDone}/${files} files` : `${count}/${total}`;
                progress(`${done}${failed ? `, ${failed} failed` : ""}${event.title ? `, ${event.title}` : ""}`);
            });
            filesDone++;
            noise += said;
            if (!ended) {
                own.failed++;
                say(`FAILED ${name}: the run broke off in ${part.map(shown).join(", ")}\n${indent(said)}`);
            }
            return own.failed === 0;
        };
        if (!alone) return run(specs);
        const isAlone = (/** @type {string} */ spec) => alone.includes(shown(spec));
        for (const spec of specs.filter(isAlone)) await run([spec]);
        const queue = largestFirst(specs.filter((spec) => !isAlone(spec)));
        const beside = queue.length > 1;
        /** @type {string[]} */
        const failed = [];
        const lane = async () => {
            for (let spec = queue.shift(); spec !== undefined; spec = queue.shift()) {
                if (!(await run([spec]))) failed.push(spec);
            }
        };
        await Promise.all([lane(), lane()]);
        if (!beside || failed.length > repeats) return;
        for (const spec of failed) {
            say(`${name}: ${shown(spec)} failed beside another file: once more, alone`);
            filesDone--;
            if (await run([spec])) repeated.push(shown(spec));
        }
    });
    const result = { ...sum(name, runs.values()), ms: Date.now() - started, repeated };
    if ((result.failed || repeated.length) && noise.trim()) say(`Output of ${name}:\n${indent(noise)}`);
    const count = result.reasons.get(unsaid);
    const printed = /skipped: (.+)/.exec(noise)?.[1];
    if (count && printed) {
        result.reasons.delete(unsaid);
        result.reasons.set(printed, count);
    }
    return result;
}

/** @param {string} name @param {Iterable<Result>} results */
function sum(name, results) {
    const all = emptyResult(name);
    for (const { passed, failed, skipped, reasons } of results) {
        all.passed += passed;
        all.failed += failed;
        all.skipped += skipped;
        for (const [reason, count] of reasons) all.reasons.set(reason, (all.reasons.get(reason) ?? 0) + count);
    }
    return all;
}

/** @param {Result[]} results */
function table(results) {
    const cells = [
        ["suite", "passed", "failed", "skipped", "time"],
        ...results.map(({ name, passed, failed, skipped, ms }) => [
            name,
            String(passed),
            String(failed),
            String(skipped),
            elapsed(Date.now() - ms),
        ]),
    ];
    const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
    return cells
        .map((row) =>
            row.map((cell, column) => (column ? cell.padStart(widths[column]) : cell.padEnd(widths[0]))).join("  "),
        )
        .join("\n");
}

/** Why this machine cannot host the lab, in the lab's own words. */
async function labObstacles() {
    const { code, output } = await capture([process.execPath, "--import", "tsx", "lab/cli.ts", "check"]);
    if (code !== 0) throw new SetupError(`this machine cannot host the lab:\n${indent(output)}`);
}

/**
 * Prepares a suite. What only makes tests skip themselves is said and returned; a toolchain that cannot be built is a failure.
 * @param {string} name @param {Needs} needs
 */
async function prepare(name, needs) {
    for (const need of suites[name]) {
        try {
            await (need === "labCheck" ? labObstacles() : needs[need]());
        } catch (error) {
            if (!(error instanceof SetupError) || need === "pulumi") throw error;
            say(`${name}: ${error.message}`);
            return error.message.replace(/\s*\n\s*/g, " ");
        }
    }
    return undefined;
}

/**
 * @param {string[]} args names of suites, spec files or folders; what starts with "-" is mocha's, with its value as --name=value
 * @param {Needs} needs
 */
export async function runTests(args, needs) {
    const options = args.filter((arg) => arg.startsWith("-"));
    const chosen = args.filter((arg) => !arg.startsWith("-"));
    const paths = chosen.filter((arg) => !order.includes(arg)).map((path) => resolve(path));
    const unknown = paths.find((path) => !existsSync(path));
    if (unknown) throw new SetupError(`no such suite or file: ${shown(unknown)}. Suites: ${order.join(", ")}.`);
    const started = Date.now();
    /** @type {Result[]} */
    const results = [];
    for (const name of order) {
        const folder = join(repo, "test", name);
        const own = paths.filter((path) => path === folder || path.startsWith(`${folder}/`));
        if (chosen.length && !chosen.includes(name) && own.length === 0) continue;
        if (name in checks) {
            results.push(await runCheck(/** @type {keyof typeof checks} */ (name)));
            continue;
        }
        const specs = chosen.includes(name) || !chosen.length ? specsIn(folder) : own.flatMap(specsIn);
        try {
            const missing = specs.length ? await prepare(name, needs) : undefined;
            results.push(await runSuite(name, specs, options, missing));
        } catch (error) {
            // Its set-up failed: the other suites still tell something.
            say(
                `FAILED ${name}: ${error instanceof SetupError ? error.message : error instanceof Error ? error.stack : error}`,
            );
            results.push({ ...emptyResult(name), failed: 1 });
        }
    }
    say(`\n${table(results)}\n${elapsed(started)} in all`);
    for (const { name, reasons, repeated } of results) {
        for (const [reason, count] of reasons) say(`${name}: ${count} skipped: ${reason}`);
        for (const spec of repeated) say(`${name}: ${spec} failed beside another file, and passed alone`);
    }
    const { passed, failed, skipped } = sum("all", results);
    // A green run of nothing would hide a typing mistake.
    const none = passed + failed + skipped === 0;
    if (none) say(`no test fits ${args.join(" ")}: name a suite, or a file or folder below test/, and check --grep`);
    say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
    return failed || none ? 1 : 0;
}
