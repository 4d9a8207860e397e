import type { Resource } from "../resources";
import { declaredFiles } from "./plan";
import { assign } from "./shell";

/** The lists whose facts the host reads in batches, and the position of each entry in its list. */
export class FactIndex {
    readonly filePaths: string[];
    readonly otherPaths: string[];
    readonly packages: string[];
    readonly units: string[];
    readonly users: string[];
    readonly groups: string[];
    private readonly positions: Map<string, number>;

    constructor(resources: Resource[]) {
        this.filePaths = declaredFiles(resources).map((file) => file.path);
        this.otherPaths = resources.flatMap((r) => (r.kind === "directory" || r.kind === "absent" ? [r.path] : []));
        this.positions = new Map([...this.filePaths, ...this.otherPaths].map((path, n) => [path, n + 1]));
        this.packages = unique(
            resources.flatMap((r) => (r.kind === "packages" ? r.names.map((name) => name.split("=")[0] ?? "") : [])),
        );
        this.units = unique(
            resources.flatMap((r) => {
                if (r.kind === "service") {
                    return [r.name];
                }
                return r.kind === "systemdUnit" ? [r.name.split(".d/")[0] ?? ""] : [];
            }),
        );
        this.users = unique(resources.flatMap((r) => (r.kind === "user" ? [r.name] : [])));
        this.groups = unique(
            resources.flatMap((r) => {
                if (r.kind === "group") {
                    return [r.name];
                }
                return r.kind === "user" ? [r.group ?? [], r.groups ?? []].flat() : [];
            }),
        );
    }

    /** Position of a declared path, counted from 1, as shell text. */
    path(path: string): string {
        return String(this.positions.get(path));
    }

    /** Position of a unit, counted from 1, as shell text. */
    unit(name: string): string {
        return String(this.units.indexOf(name) + 1);
    }

    /** Names of the declared entries right under a directory. */
    entriesOf(directory: string): string[] {
        return unique(
            [...this.filePaths, ...this.otherPaths]
                .filter((path) => path.startsWith(`${directory}/`))
                .map((path) => path.slice(directory.length + 1).split("/")[0] ?? ""),
        );
    }

    assignments(): string[] {
        return Object.entries({
            file_paths: this.filePaths,
            other_paths: this.otherPaths,
            package_names: this.packages,
            unit_names: this.units,
            user_names: this.users,
            group_names: this.groups,
        }).map(([name, values]) => assign(name, values.join("\n")));
    }
}

function unique(values: string[]): string[] {
    return [...new Set(values)];
}
