// The dependencies of a Node project, read from package.json files.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface PackageJson {
    name?: string;
    version?: string;
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
    pulumi?: { resource?: boolean; name?: string; version?: string; server?: string };
}

function readPackage(file: string): PackageJson | undefined {
    try {
        return JSON.parse(readFileSync(file, "utf8")) as PackageJson;
    } catch {
        return undefined;
    }
}

/** The node_modules folders that Node would search from a directory, nearest first. */
function moduleFolders(directory: string): string[] {
    const parent = dirname(directory);
    return [join(directory, "node_modules"), ...(parent === directory ? [] : moduleFolders(parent))];
}

function findPackage(directory: string, name: string): PackageJson | undefined {
    for (const folder of moduleFolders(directory)) {
        const found = readPackage(join(folder, name, "package.json"));
        if (found) {
            return found;
        }
    }
    return undefined;
}

function declared(directory: string): Record<string, string> {
    let at = directory;
    for (;;) {
        const project = readPackage(join(at, "package.json"));
        if (project || dirname(at) === at) {
            return { ...project?.devDependencies, ...project?.dependencies };
        }
        at = dirname(at);
    }
}

/** The plugins that direct dependencies of the project require: packages marked `pulumi.resource`. */
export function requiredPlugins(directory: string): { name: string; version: string; server: string }[] {
    return Object.keys(declared(directory)).flatMap((dependency) => {
        const found = findPackage(directory, dependency);
        if (!found?.pulumi?.resource) {
            return [];
        }
        const version = found.pulumi.version ?? found.version ?? "";
        return [
            {
                name: found.pulumi.name ?? dependency.replace(/^@[^/]*\//, ""),
                version: `v${version.replace(/^v/, "")}`,
                server: found.pulumi.server ?? "",
            },
        ];
    });
}

/** For `pulumi about`: the declared packages, or all installed ones, with their installed versions. */
export function programDependencies(directory: string, transitive: boolean): { name: string; version: string }[] {
    const names = transitive ? installedNames(directory) : Object.keys(declared(directory));
    return names.sort().flatMap((name) => {
        const version = findPackage(directory, name)?.version;
        return version ? [{ name, version }] : [];
    });
}

function installedNames(directory: string): string[] {
    const names = new Set<string>();
    for (const folder of moduleFolders(directory)) {
        for (const name of list(folder)) {
            if (name.startsWith("@")) {
                for (const member of list(join(folder, name))) {
                    names.add(`${name}/${member}`);
                }
            } else if (!name.startsWith(".")) {
                names.add(name);
            }
        }
    }
    return [...names];
}

function list(folder: string): string[] {
    try {
        return readdirSync(folder);
    } catch {
        return [];
    }
}
