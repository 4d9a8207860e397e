import { filesOf, kindOf, type Resource } from "../kinds/index";
import type { Facts } from "../kinds/kind";
import { unique } from "../text";
import { assign } from "./shell";

/** The facts that the host reads in batches. A test of a resource refers to a fact by its position in its list. */
export class FactLists {
    private readonly filePaths: string[];
    private readonly otherPaths: string[];
    private readonly packages: string[];
    private readonly units: string[];
    private readonly users: string[];
    private readonly groups: string[];
    private readonly positions: Map<string, number>;

    constructor(resources: Resource[]) {
        const facts = resources.map((resource) => kindOf(resource).facts?.(resource) ?? {});
        const all = (key: keyof Facts) => unique(facts.flatMap((fact) => fact[key] ?? []));
        this.filePaths = [...resources.flatMap(filesOf).map(({ path }) => path), ...all("readPaths")];
        this.otherPaths = all("paths");
        this.packages = all("packages");
        this.units = all("units");
        this.users = all("users");
        this.groups = all("groups");
        this.positions = new Map([...this.filePaths, ...this.otherPaths].map((path, n) => [path, n + 1]));
    }

    /** Position of a declared path, counted from 1, as shell text. */
    path(path: string): string {
        return String(this.positions.get(path));
    }

    /** Position of a unit, counted from 1, as shell text. */
    unit(name: string): string {
        return String(this.units.indexOf(name) + 1);
    }

    /** Names of the declared entries directly in a directory. */
    entriesOf(directory: string): string[] {
        return unique(
            [...this.filePaths, ...this.otherPaths]
                .filter((path) => path.startsWith(`${directory}/`))
                .map((path) => path.slice(directory.length + 1).split("/")[0] ?? ""),
        );
    }

    /** The lists as shell variables. */
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
