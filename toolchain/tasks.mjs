#!/usr/bin/env node
// npm run demo | test | lab | nemesis | pulumi | check | review | status | retire | data-bag | bench | package: installs what the task needs, then runs it.
import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { demoOf, usage as demoUsage } from "./demos.mjs";
import { pulumiBin, pulumiEnv, repo } from "./environment.mjs";
import { buildPackage, pack } from "./package.mjs";
import { actionlint, debianPackages, labBase, labCheck, npmPackages, pulumi } from "./setup/prerequisites.mjs";
import { endRunning, SetupError, showProgress } from "./setup/progress.mjs";
import { runTests, usage as testUsage } from "./testRunner.mjs";

const labPackages = [
    "debootstrap",
    "systemd-container",
    "iproute2",
    "nftables",
    "openssh-client",
    "gpg",
    "gpg-agent",
    "wrk",
];

/**
 * Runs a command in this terminal, passes signals on to it and returns its exit code.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
function run(command, args, env) {
    return new Promise((resolve, reject) => {
        const child = spawn(command, args, { env, stdio: "inherit" });
        for (const signal of /** @type {NodeJS.Signals[]} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
            process.removeAllListeners(signal);
            // The CLI gets a terminal's Ctrl-C itself, and takes a second one for "terminate at once".
            process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY ? undefined : child.kill(signal)));
        }
        child.on("error", reject);
        child.on("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
    });
}

/** @param {string} script @param {string[]} args */
const runScript = (script, args) =>
    run(process.execPath, ["--import", "tsx", join(repo, script), ...args], process.env);

/**
 * The folder that `-C` or `--cwd` names among the arguments of the CLI.
 * @param {string[]} args
 */
function projectFolder(args) {
    const at = args.findIndex((argument) => /^(-C|--cwd)(=|$)/.test(argument));
    if (at < 0) return repo;
    return resolve(args[at].includes("=") ? args[at].replace(/^[^=]*=/, "") : (args[at + 1] ?? "."));
}

/** @param {string[]} args */
const asksForHelp = (args) => args.includes("--help") || args.includes("-h");

/** @type {Record<string, (args: string[]) => Promise<number>>} */
const tasks = {
    async pulumi(args) {
        await npmPackages();
        await pulumi({ keepsBackend: true });
        return run(pulumiBin(), args, pulumiEnv({}, projectFolder(args)));
    },
    async lab(args) {
        await npmPackages();
        if (args[0] !== "check") await debianPackages(labPackages); // `up` builds the base image.
        return runScript("lab/cli.ts", args);
    },
    async check(args) {
        await npmPackages();
        return runScript("program/command.ts", ["check", ...args]);
    },
    async review(args) {
        await npmPackages();
        if (args.includes("--preview")) await pulumi({ keepsBackend: true });
        return runScript("program/command.ts", ["review", ...args]);
    },
    async status(args) {
        await npmPackages();
        await pulumi();
        return runScript("program/command.ts", ["status", ...args]);
    },
    async retire(args) {
        await npmPackages();
        await pulumi();
        return runScript("program/command.ts", ["retire", ...args]);
    },
    async "data-bag"(args) {
        await npmPackages();
        return runScript("program/command.ts", ["data-bag", ...args]);
    },
    async demo(args) {
        if (asksForHelp(args)) {
            process.stdout.write(`${demoUsage}\n`);
            return 0;
        }
        const demo = demoOf(args);
        await npmPackages();
        await debianPackages([...labPackages, ...demo.packages]);
        await labCheck(); // Before the CLI is built, which takes minutes.
        await pulumi();
        await labBase();
        return runScript(demo.script, []);
    },
    async nemesis(args) {
        await npmPackages();
        if (!asksForHelp(args)) {
            await debianPackages(labPackages);
            await labCheck();
            await pulumi();
            await labBase(["--all"]);
        }
        return runScript("lab/pair/cli.ts", args);
    },
    async bench(args) {
        await npmPackages();
        await debianPackages([...labPackages, "busybox"]);
        await labCheck();
        await pulumi();
        await labBase();
        return runScript("bench/run.ts", args);
    },
    async package(args) {
        await npmPackages();
        await showProgress("Building the package", buildPackage);
        if (!args.includes("--build-only")) process.stdout.write(`${pack().tarball}\n`);
        return 0;
    },
    async test(args) {
        if (asksForHelp(args)) {
            process.stdout.write(`${testUsage}\n`);
            return 0;
        }
        await npmPackages();
        return runTests(args, {
            labCheck,
            shells: () => debianPackages(["shellcheck", "busybox", "dash"]),
            // pip installs moto.
            sshd: () => debianPackages(["openssh-server", "iproute2", "python3", "python3-pip", "openssl"]),
            pulumi: () => pulumi(),
            workflows: async () => {
                await debianPackages(["shellcheck", "jq", "unzip", "curl"]);
                await actionlint();
            },
            // HAProxy 2.8 is on PyPI only.
            labPackages: () => debianPackages([...labPackages, "curl", "openssl", "python3-pip"]),
            labImages: () => labBase(["--all"]),
        });
    },
};

const [name = "", ...args] = process.argv.slice(2);
for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, async () => {
        await endRunning();
        process.stderr.write("\nInterrupted. Finished steps are kept; run the same command again to continue.\n");
        process.exit(130);
    });
}
const task = tasks[name];
if (!task) {
    process.stderr.write(`usage: npm run ${Object.keys(tasks).join("|")} [-- ARGS]\n`);
    process.exit(2);
}
try {
    process.exitCode = await task(args);
} catch (error) {
    const expected = error instanceof SetupError || (error instanceof Error && error.message.startsWith("PULUMI_FULL"));
    process.stderr.write(
        `${expected ? `npm run ${name}: ${error.message}` : error instanceof Error ? error.stack : error}\n`,
    );
    process.exitCode = 1;
}
