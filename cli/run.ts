import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { textFile } from "../components/textFiles";
import { parsed, UsageError, unknown } from "./arguments";
import { help } from "./help";
import { init } from "./init/init";
import { type Job, WORK } from "./job";
import { findProject, type Project, stacksOf } from "./project";
import { scriptOf } from "./script";
import { callOf, type Surroundings, subjectOf, usual } from "./surroundings";

const stackOption = { type: "string", short: "s" } as const;
const helpOption = { help: { type: "boolean", short: "h" } } as const;

type Command = (args: readonly string[], surroundings: Surroundings) => Promise<number>;

const commands: Record<string, Command> = {
    async init(args, surroundings) {
        const { positionals, values } = parsed(args, { ...helpOption, name: { type: "string" } });
        if (positionals.length > 1) {
            throw new UsageError(`expected one folder, got ${positionals.length}`);
        }
        return init({ folder: positionals[0] ?? ".", name: values.name }, surroundings);
    },

    async check(args, surroundings) {
        const { positionals, values } = parsed(args, {
            ...helpOption,
            stack: { ...stackOption, multiple: true },
            haproxy: { type: "string" },
        });
        const project = findProject();
        const stacks = stacksFor([...positionals, ...(values.stack ?? [])], project, surroundings);
        const width = Math.max(...stacks.map(({ length }) => length));
        let worst = 0;
        for (const stack of stacks) {
            const status = await work(
                { command: "check", stack, width, haproxy: values.haproxy },
                project,
                surroundings,
            );
            // An error counts more than what was not checked.
            worst = [1, 2, 0].find((each) => each === worst || each === status) ?? status;
            if (status > 2) {
                return status;
            }
        }
        return worst;
    },

    async review(args, surroundings) {
        const { positionals, values } = parsed(args, {
            ...helpOption,
            stack: { ...stackOption, multiple: true },
            base: { type: "string" },
            preview: { type: "boolean" },
            "expect-no-changes": { type: "boolean" },
            output: { type: "string", short: "o" },
            haproxy: { type: "string" },
        });
        const { base, preview = false, "expect-no-changes": expectNoChanges = false, output, haproxy } = values;
        if (base === undefined) {
            throw new UsageError("expected the branch to compare with, as in --base origin/main");
        }
        const project = findProject();
        const stacks = stacksFor([...positionals, ...(values.stack ?? [])], project, surroundings);
        const options = { stacks, base, preview, expectNoChanges, output, haproxy };
        const { review } = require("./review/run") as typeof import("./review/run");
        return review(options, project, surroundings);
    },

    async retire(args, surroundings) {
        const { positionals, values } = parsed(args, {
            ...helpOption,
            stack: stackOption,
            yes: { type: "boolean", short: "y" },
        });
        const [host] = positionals;
        if (host === undefined || positionals.length > 1) {
            throw new UsageError(`expected the name of one host, got ${positionals.length}`);
        }
        const { stack, yes = false } = values;
        return work({ command: "retire", host, stack, yes }, findProject(), surroundings);
    },

    // For review, which calls it in the copy of this package that a commit uses.
    async render(args, surroundings) {
        const { positionals, values } = parsed(args, {
            output: { type: "string" },
            haproxy: { type: "string" },
            "no-checks": { type: "boolean" },
            surroundings: { type: "string" },
        });
        const [stack] = positionals;
        const { output, haproxy, "no-checks": unchecked = false, surroundings: given } = values;
        if (stack === undefined || positionals.length > 1 || output === undefined) {
            throw new UsageError("expected a stack and --output FILE");
        }
        const job: Job = { command: "render", stack, output: resolve(output), checks: !unchecked, haproxy };
        return work(job, findProject(), given === undefined ? surroundings : JSON.parse(given));
    },

    async status(args, surroundings) {
        const { positionals, values } = parsed(args, {
            ...helpOption,
            stack: stackOption,
            json: { type: "boolean" },
        });
        // It runs no program, so it needs no process of its own. Only this command needs SSH here.
        const { status } = require("./status/run") as typeof import("./status/run");
        const code = await status(
            { stack: values.stack, json: values.json ?? false, hosts: positionals },
            surroundings,
        );
        // A connection to a host that has gone silent would keep the process for minutes.
        await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
        process.exit(code);
    },

    async "prepare-host"(args) {
        const { positionals } = parsed(args, helpOption);
        if (positionals.length > 0) {
            throw new UsageError("expected no argument; those of the script come after sh -s --");
        }
        process.stdout.write(textFile("components/hostPreparation/prepare-host.sh"));
        return 0;
    },

    async "data-bag"(args) {
        // Only this command needs to know certificates.
        const { dataBag, dataBagOptions } = require("./dataBag/run") as typeof import("./dataBag/run");
        return dataBag(parsed(args, { ...helpOption, ...dataBagOptions }));
    },
};

/** The stacks that are named; otherwise those of the surroundings, else those that have a config file. */
function stacksFor(named: readonly string[], project: Project, { stacks = [] }: Surroundings): readonly string[] {
    return [[...new Set(named)], stacks, stacksOf(project)].find(({ length }) => length > 0) ?? ["dev"];
}

/** Commands that only other commands use. */
const hidden = ["render"];

/** Runs the command, and returns its exit status. */
export async function runCommand(args: readonly string[], surroundings: Surroundings = usual): Promise<number> {
    const [name = "--help", ...rest] = args;
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    try {
        if (["--help", "-h", "help"].includes(name)) {
            process.stdout.write(`${help(surroundings, rest[0])}\n`);
            return 0;
        }
        if (command === undefined) {
            const what = name.startsWith("-") ? "option" : "command";
            const known = Object.keys(commands).filter((each) => !hidden.includes(each));
            throw new UsageError(unknown(what, name, [...known, "--help"]));
        }
        if (rest.includes("--help") || rest.includes("-h")) {
            process.stdout.write(`${help(surroundings, name)}\n`);
            return 0;
        }
        return await command(rest, surroundings);
    } catch (error) {
        const called = command === undefined ? "" : name;
        const more = `\n${[callOf(surroundings, called).trimEnd(), "--help"].join(" ")} says more`;
        const subject = subjectOf(surroundings, called).trimEnd();
        process.stderr.write(`${subject}: ${(error as Error).message}${error instanceof UsageError ? more : ""}\n`);
        return 1;
    }
}

/**
 * Runs a job in a process of its own, with Node's arguments as the project sets them for its program. The program notes its hosts in
 * its own copy of this package, so that copy does the job.
 */
function work(job: Job, project: Project, surroundings: Surroundings): Promise<number> {
    const script = scriptOf(project);
    const args = [...process.execArgv, ...project.nodeArguments, script, WORK, JSON.stringify({ job, surroundings })];
    // A terminal sends Ctrl-C to both: the job decides.
    process.on("SIGINT", () => undefined);
    return new Promise((end, reject) => {
        const child = spawn(process.execPath, args, { cwd: project.programDirectory, stdio: "inherit" });
        child.on("error", reject);
        child.on("close", (code, signal) => end(code ?? (signal === "SIGINT" ? 130 : 143)));
    });
}
