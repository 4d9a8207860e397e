import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repo } from "../../toolchain/environment.mjs";
import { runPulumi } from "../../toolchain/pulumi";
import type { Contender, Login } from "./contender";
import { resources } from "./resources";

/** Where a program gets the library from, and how Node loads both. */
export interface Loading {
    name: string;
    /** What the program imports. */
    library: string;
    nodeargs: string;
}

/** The package as npm installs it, for a program in JavaScript. */
export const fromPackage: Loading = {
    name: "package",
    library: "haproxy-fleet",
    nodeargs: "--require haproxy-fleet/start",
};

/** This checkout, loaded as its own program is. */
export const fromSources: Loading = {
    name: "sources",
    library: join(repo, "components"),
    nodeargs: `--require ${join(repo, "start.js")} --require ssh2 --require zod --require diff --require mustache --require tsx/cjs`,
};

/** Puts the packages of this checkout into a project, and what `npm pack` would take of the checkout itself. */
function install(directory: string): void {
    const target = join(directory, "node_modules");
    mkdirSync(join(target, "haproxy-fleet"), { recursive: true });
    for (const entry of readdirSync(join(repo, "node_modules")))
        if (!entry.startsWith(".")) symlinkSync(join(repo, "node_modules", entry), join(target, entry));
    for (const entry of ["dist", "start.js", "package.json"])
        cpSync(join(repo, entry), join(target, "haproxy-fleet", entry), { recursive: true });
}

/** A Pulumi project in a folder of its own, whose state is there, too. */
export class Project {
    private readonly directory = mkdtempSync(join(tmpdir(), "peers-"));

    constructor(program: string, { nodeargs, library }: Loading) {
        if (library === fromPackage.library) install(this.directory);
        else symlinkSync(join(repo, "node_modules"), join(this.directory, "node_modules"));
        const runtime = { name: "nodejs", options: { typescript: false, ...(nodeargs && { nodeargs }) } };
        const files = {
            "Pulumi.yaml": JSON.stringify({ name: "peers", runtime, main: "index.js" }),
            "package.json": JSON.stringify({ name: "peers" }),
            "index.js": program,
        };
        for (const [file, content] of Object.entries(files)) writeFileSync(join(this.directory, file), content);
    }

    async pulumi(...args: string[]): Promise<void> {
        const env = {
            PULUMI_BACKEND_URL: `file://${this.directory}`,
            PULUMI_CONFIG_PASSPHRASE: "bench",
            PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
            SSH_AUTH_SOCK: undefined,
            CI: undefined,
        };
        const { code, stdout, stderr } = await runPulumi(args, { cwd: this.directory, env });
        if (code !== 0) throw new Error(`pulumi ${args.join(" ")}:\n${stdout}${stderr}`);
    }

    init = () => this.pulumi("stack", "init", "test");
    up = () => this.pulumi("up", "--yes", "--skip-preview");
    preview = () => this.pulumi("preview", "--expect-no-changes");
    remove = () => rmSync(this.directory, { recursive: true, force: true });
}

/** One ConvergedHost for each host. */
function program({ hosts, privateKeyPath }: Login, { library }: Loading, count: number): string {
    const connections = hosts.slice(0, count).map(({ name, address, hostKey }) => ({
        name,
        connection: { address, user: "root", hostKey },
    }));
    return `
const { readFileSync } = require("node:fs");
const pulumi = require("@pulumi/pulumi");
const { ConvergedHost } = require(${JSON.stringify(library)});
const privateKey = pulumi.secret(readFileSync(${JSON.stringify(privateKeyPath)}, "utf8"));
const resources = ${JSON.stringify(resources())};
for (const { name, connection } of ${JSON.stringify(connections)})
    new ConvergedHost(name, { connection: { ...connection, privateKey }, resources });
`;
}

/** A program of this library. Its projects, one for each number of hosts, own the hosts together. */
export function ours(login: Login, loading: Loading): Contender {
    const projects = new Map<number, Project>();
    const forget = async () => {
        for (const { remove } of projects.values()) remove();
        projects.clear();
    };
    const prepare = async (count: number) => {
        if (projects.has(count)) return;
        const project = new Project(program(login, loading, count), loading);
        projects.set(count, project);
        await project.init();
    };
    const project = (count: number) => {
        const found = projects.get(count);
        if (!found) throw new Error(`${loading.name}: not prepared for ${count} hosts`);
        return found;
    };
    return {
        name: `ours, ${loading.name}`,
        settings: `state in a local file${loading.nodeargs && `, nodeargs ${loading.nodeargs}`}`,
        prepare,
        preview: (count) => project(count).preview(),
        converge: (count) => project(count).up(),
        forget,
        remove: forget,
    };
}
