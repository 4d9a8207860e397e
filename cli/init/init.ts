import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { UsageError } from "../arguments";
import { fileAbove, type Manifest, manifestOf } from "../project";
import { callOf, type Surroundings } from "../surroundings";
import { projectFiles } from "./files";

/** What projects that are checked with `tsc` and loaded by tsx need. */
const TOOLS = { "@types/node": "^20", tsx: "^4.20.0", typescript: "~5.9.3" };

/** The last SDK that runs on Node 20. */
const SDK_OF_NODE_20 = "~3.248.0";

/** A name that is valid for projects of Pulumi and for packages of npm. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,99}$/;

/** Writes a project into a folder, and says what to do next. Returns the exit status. */
export async function init(
    { folder, name }: { readonly folder: string; readonly name?: string },
    surroundings: Surroundings,
): Promise<number> {
    const target = resolve(folder);
    const project =
        name ??
        basename(target)
            .toLowerCase()
            .replace(/[^a-z0-9._-]+/g, "-");
    if (!NAME.test(project)) {
        const problem =
            "use lower case letters, digits, dots, hyphens and underscores, at most 100, a letter or digit first";
        throw new UsageError(`invalid name ${JSON.stringify(project)}; ${problem}${name ? "" : ", as --name NAME"}`);
    }
    const needed = packages(target);
    const files = projectFiles({ name: project, ...needed });
    mkdirSync(target, { recursive: true });
    const written: string[] = [];
    const kept: string[] = [];
    let added: string[] = [];
    for (const [file, text] of Object.entries(files)) {
        const path = join(target, file);
        if (existsSync(path)) {
            const lacked = file === "package.json" ? complete(path, needed) : [];
            added = [...added, ...lacked];
            kept.push(...(lacked.length === 0 ? [file] : []));
        } else {
            writeFileSync(path, text);
            written.push(file);
        }
    }
    const manifest = readFileSync(join(target, "Pulumi.yaml"), "utf8");
    const loadsNoTypeScript = /typescript: *false/.test(manifest) && !manifest.includes("tsx");
    const lines = [
        ...(written.length > 0 ? [`wrote ${written.join(", ")} in ${target}`] : []),
        ...(added.length > 0 ? [`added to package.json: ${added.join(", ")}`] : []),
        ...(kept.length > 0 ? [`left as they are, because they exist: ${kept.join(", ")}`] : []),
        ...(loadsNoTypeScript
            ? ["Pulumi.yaml loads no TypeScript; remove typescript: false there, or load tsx/cjs by nodeargs"]
            : []),
        "",
        "next:",
        ...table([
            ...(folder === "." ? [] : [[`cd ${quoted(relative(process.cwd(), target))}`, ""]]),
            ["npm install", ""],
            ["edit index.ts", "your hosts, login and services"],
            [callOf(surroundings, "check"), "asks HAProxy's own checker, without hosts"],
            [`${surroundings.pulumiCommand} stack init dev`, ""],
            [`${surroundings.pulumiCommand} preview`, "shows what differs on the hosts"],
            [`${surroundings.pulumiCommand} up`, "converges them"],
        ]),
    ];
    process.stdout.write(`${lines.join("\n")}\n`);
    return 0;
}

interface Packages {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
}

/** The packages that a project needs: this one as it was installed here, and those beside it. */
function packages(target: string): Packages {
    const file = fileAbove(__dirname, ["package.json"]);
    const own: Manifest = file === undefined ? {} : manifestOf(file);
    const beside = Object.entries(own.peerDependencies ?? {})
        // Whoever uses a source of certificates that needs one installs it.
        .filter(([name]) => !own.peerDependenciesMeta?.[name]?.optional)
        .map(([name, range]) =>
            name === "@pulumi/pulumi" && process.versions.node.startsWith("20.")
                ? [name, SDK_OF_NODE_20]
                : [name, range],
        );
    return {
        dependencies: { ...Object.fromEntries(beside), "haproxy-fleet": sourceOf(file, target) ?? `^${own.version}` },
        devDependencies: TOOLS,
    };
}

/** How the project around this package names it, if by a file: relative to the new project. */
export function sourceOf(manifest: string | undefined, target: string): string | undefined {
    const modules = manifest === undefined ? "" : dirname(dirname(manifest));
    const around = join(dirname(modules), "package.json");
    if (basename(modules) !== "node_modules" || !existsSync(around)) {
        return undefined;
    }
    const { dependencies, devDependencies } = manifestOf(around);
    const named = { ...devDependencies, ...dependencies }["haproxy-fleet"];
    return named?.startsWith("file:")
        ? `file:${relative(target, resolve(dirname(around), named.slice(5)))}`
        : undefined;
}

/** Adds the packages that an existing package.json lacks, as `npm install` would. Returns their names. */
function complete(manifest: string, { dependencies, devDependencies }: Packages): string[] {
    const have = manifestOf(manifest);
    const known = { ...have.devDependencies, ...have.dependencies };
    const lacking = (packages: Readonly<Record<string, string>>) =>
        Object.entries(packages).filter(([name]) => !Object.hasOwn(known, name));
    const added = { dependencies: lacking(dependencies), devDependencies: lacking(devDependencies) };
    const names = [...added.dependencies, ...added.devDependencies].map(([name]) => name);
    if (names.length > 0) {
        const completed: Record<string, unknown> = { ...have };
        for (const [list, packages] of Object.entries(added)) {
            if (packages.length > 0) {
                completed[list] = { ...have[list as keyof typeof added], ...Object.fromEntries(packages) };
            }
        }
        const indent = /^[ \t]+(?=")/m.exec(readFileSync(manifest, "utf8"))?.[0] ?? 2;
        writeFileSync(manifest, `${JSON.stringify(completed, undefined, indent)}\n`);
    }
    return names;
}

/** A word for a shell. */
function quoted(text: string): string {
    return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Two columns, the second one aligned. */
function table(rows: readonly (readonly string[])[]): string[] {
    const width = Math.max(...rows.map(([cell = ""]) => (cell.length < 40 ? cell.length : 0)));
    return rows.map(([cell = "", remark = ""]) => `  ${cell.padEnd(remark === "" ? 0 : width)}  ${remark}`.trimEnd());
}
