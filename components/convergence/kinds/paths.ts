/** What the kinds that own paths share: owner, group and mode, and how differences of files are worded. */
import { secretSlots } from "../slots";
import { accountIssues, isTopLevel, pathIssues, when } from "./checks";
import type { Content, DeclaredFile, Wording } from "./kind";

const MODE = /^0?[0-7]{3,4}$/;

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

/** Only its owner may read a file with secrets, unless the recipe says otherwise. */
function defaultMode(content?: Content): string {
    if (content === undefined) {
        return "0755";
    }
    return hasSecrets(content) ? "0600" : "0644";
}

/** Whether the content needs values that may be secret. */
export function hasSecrets(content: Content): boolean {
    return typeof content === "string" && secretSlots(content).length > 0;
}

/** Type bits of the mode of a regular file (inode(7)). */
export const FILE_TYPE = 0o100000;
/** Type bits of the mode of a directory. */
export const DIRECTORY_TYPE = 0o040000;

/** The line that `stat -c '%f\t%U\t%G'` prints. */
export function statLine(type: number, { owner, group, mode }: Permissions): string {
    return [(type | Number.parseInt(mode, 8)).toString(16), owner, group].join("\t");
}

/** Issues of owner, group and mode. */
export function permissionIssues({ owner, group, mode }: Permitted): string[] {
    return [
        ...accountIssues("owner", owner ?? "root"),
        ...accountIssues("group", group ?? "root"),
        ...when(
            mode !== undefined && !MODE.test(mode),
            `invalid mode ${JSON.stringify(mode)}; use octal digits, as in "0644"`,
        ),
    ];
}

/** Issues of a declared file. */
export function fileIssues(file: DeclaredFile): string[] {
    const { path, content, mode } = file;
    return [
        ...pathIssues(path),
        ...permissionIssues(file),
        ...when(
            hasSecrets(content) && mode !== undefined && (Number.parseInt(mode, 8) & 0o7) !== 0,
            `mode ${JSON.stringify(mode)} makes its secrets world-readable; end it with 0, as in "0640"`,
        ),
    ];
}

/** Directories whose undeclared entries are removed. */
export function ownedIssues(paths: string[]): string[] {
    return paths
        .filter(isTopLevel)
        .map(
            (path) =>
                `${JSON.stringify(path)} cannot be owned, because its undeclared entries would be removed; own only directories at least two levels deep`,
        );
}

/** From the hex digits of stat to octal permission bits. */
function octal(hex: string): string {
    return (Number.parseInt(hex, 16) & 0o7777).toString(8).padStart(4, "0");
}

/** How reports word the differences of a directory. */
export const DIRECTORY_WORDING: Wording = {
    missing: () => "does not exist",
    type: (have) => (have === "directory" ? "is a directory" : `is ${have}`),
    mode: (have) => `mode is ${octal(have)}`,
    owner: (have) => `owner is ${have}`,
    orphan: (have) => `undeclared entry ${have} would be removed`,
};

/** How reports word the differences of a file. */
export const FILE_WORDING: Wording = {
    ...DIRECTORY_WORDING,
    content: () => "content differs (- on the host, + declared)",
};
