import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { textFile } from "../components/textFiles";
import { parsed, UsageError, unknown } from "./arguments";
import { help } from "./help";
import { init } from "./init/init";
import { type Job, WORK } from "./job";
import { fileAbove, findProject, manifestOf, type Project, stacksOf } from "./project";
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
        const named = [...positionals, ...(values.stack ?? [])];
        const stacks = [named, surroundings.stacks ?? [], stacksOf(project), ["dev"]].find(({ length }) => length > 0);
        const width = Math.max(...(stacks ?? []).map(({ length }) => length));
        let worst = 0;
        for (const stack of stacks ?? []) {
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
            throw new UsageError(unknown(what, name, [...Object.keys(commands), "--help"]));
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
    return new Promise((resolve, reject) => {
        const child = spawn(process.execPath, args, { cwd: project.programDirectory, stdio: "inherit" });
        child.on("error", reject);
        child.on("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 143)));
    });
}

/**
 * The script of the command in the copy of this package that a project uses.
 *
 * @throws {Error} If it has none.
 */
function scriptOf({ programDirectory, directory }: Project): string {
    const manifest = fileAbove(programDirectory, ["package.json"]);
    if (manifest !== undefined && manifestOf(manifest).name === "haproxy-fleet") {
        // A checkout of this package, whose program imports its folders.
        if (!__filename.endsWith(".ts")) {
            throw new Error(`${directory} is a checkout of haproxy-fleet; use npm run check, or npm run retire`);
        }
        return join(__dirname, "main.ts");
    }
    const installed = fileAbove(programDirectory, ["node_modules/haproxy-fleet/package.json"]);
    if (installed === undefined) {
        throw new Error(`haproxy-fleet is not installed in ${directory}; run npm install haproxy-fleet there`);
    }
    const { bin = {}, version } = manifestOf(installed);
    const script = bin["haproxy-fleet"];
    if (script === undefined) {
        throw new Error(`haproxy-fleet ${version} of the project has no command; update it there`);
    }
    return join(realpathSync(dirname(installed)), script);
}
