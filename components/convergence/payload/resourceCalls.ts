import { type Content, label, type Resource, type Transaction, unitPath } from "../resources";
import { secretSlots } from "../slots";
import type { FactIndex } from "./facts";
import { type FilledFile, sha256 } from "./fileContents";
import { quote } from "./shell";

/** The lines of the run list for one resource: which it is, then the call of its kind's function. */
export function call(resource: Resource, id: string, index: FactIndex, files: Map<string, FilledFile>): string[] {
    const file = (path: string): FilledFile => files.get(path) as FilledFile;
    const line = (name: string, ...args: string[]) => [
        `at ${id} ${quote(label(resource))}`,
        [name, ...args.map(quote)].join(" "),
    ];
    switch (resource.kind) {
        case "packages":
            return line("packages", ...resource.names);
        case "group":
            return line("group", resource.name, String(resource.gid ?? ""), yesNo(resource.system ?? true));
        case "user":
            return line(
                "user",
                resource.name,
                resource.group ?? "",
                (resource.groups ?? []).join(","),
                resource.home ?? "",
                resource.shell ?? "",
                yesNo(resource.system ?? true),
            );
        case "directory": {
            const { owner, group, mode } = permissionsOf(resource);
            const stat = statLine(0o040000, { owner, group, mode });
            return line(
                "directory",
                index.path(resource.path),
                resource.path,
                stat,
                owner,
                group,
                mode,
                yesNo(resource.owned ?? false),
                index.entriesOf(resource.path).join("\t"),
            );
        }
        case "file": {
            const { owner, group, mode } = permissionsOf(resource);
            const { sum, content } = file(resource.path);
            const stat = statLine(0o100000, { owner, group, mode });
            return line("file", index.path(resource.path), resource.path, stat, sum, content, owner, group, mode);
        }
        case "absent":
            return line("absent", index.path(resource.path), resource.path, yesNo(resource.recursive ?? false));
        case "systemdUnit": {
            const path = unitPath(resource);
            const { sum, content } = file(path);
            const stat = statLine(0o100000, { owner: "root", group: "root", mode: "0644" });
            const unit = index.unit(resource.name.split(".d/")[0] ?? "");
            return line("systemd_unit", index.path(path), path, stat, sum, content, unit);
        }
        case "service": {
            const watched = (paths: string[] = []) => [
                paths.length === 0 ? "" : sha256(paths.map((path) => file(path).sum).join("")),
                paths.map((path) => index.path(path)).join(" "),
            ];
            return line(
                "service",
                index.unit(resource.name),
                resource.name,
                yesNo(resource.enabled ?? true),
                yesNo(resource.running ?? true),
                ...watched(resource.reloadOn),
                ...watched(resource.restartOn),
            );
        }
        case "execute":
            return line(
                "execute",
                resource.command,
                resource.creates ?? "",
                resource.onlyIf ?? "",
                resource.notIf ?? "",
            );
        case "transaction":
            return line("transaction", ...transactionArguments(resource, index, file));
    }
}

function transactionArguments(
    transaction: Transaction,
    index: FactIndex,
    file: (path: string) => FilledFile,
): [string, ...string[]] {
    const rows = transaction.files.map((declared) => {
        const { owner, group, mode } = permissionsOf(declared);
        const { sum, content, path } = file(declared.path);
        const stat = statLine(0o100000, { owner, group, mode });
        return [index.path(path), path, stat, sum, content, mode].join("\t");
    });
    const owned = (transaction.owned ?? []).map((path) => [path, ...index.entriesOf(path)].join("\t"));
    return [
        transaction.name,
        transaction.adapter.name,
        transaction.directory,
        file(transaction.files[0]?.path ?? "").digest,
        rows.join("\n"),
        owned.join("\n"),
        (transaction.allowWarnings ?? []).join("\n"),
    ];
}

interface Permissions {
    owner: string;
    group: string;
    mode: string;
}

/** What may be declared of a file, or of a directory, which has no content. */
export type Permitted = Partial<Permissions> & { content?: Content };

/** Owner, group and mode as declared, or by default. */
export function permissionsOf({ owner = "root", group = "root", mode, content }: Permitted): Permissions {
    return { owner, group, mode: (mode ?? defaultMode(content)).padStart(4, "0") };
}

/** A file that holds secrets is for its owner alone, unless the recipe knows better. */
function defaultMode(content?: Content): string {
    if (content === undefined) {
        return "0755";
    }
    return typeof content === "string" && secretSlots(content).length > 0 ? "0600" : "0644";
}

/** As `stat -c '%f\t%U\t%G'` prints it. */
function statLine(type: number, { owner, group, mode }: Permissions): string {
    return [(type | Number.parseInt(mode, 8)).toString(16), owner, group].join("\t");
}

function yesNo(value: boolean): string {
    return value ? "yes" : "no";
}
