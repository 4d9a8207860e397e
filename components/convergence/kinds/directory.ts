import { z } from "zod";
import { anyText, flag, formOf } from "../../forms";
import { pathIssues } from "./checks";
import { type ResourceKind, yesNo } from "./kind";
import { DIRECTORY_TYPE, DIRECTORY_WORDING, ownedIssues, permissionIssues, permissionsOf, statLine } from "./paths";

/** A directory. Its parents must exist or be declared. */
export interface Directory {
    kind: "directory";
    /** Absolute path. */
    path: string;
    /** @default "root" */
    owner?: string;
    /** @default "root" */
    group?: string;
    /** Permission bits in octal, as in `"0755"`. @default "0755" */
    mode?: string;
    /** Whether entries that no resource declares are removed; only at least two levels deep. @default false */
    owned?: boolean;
}

/** What TypeScript knows about {@link Directory}. */
export const directory: ResourceKind<Directory> = {
    shellFunction: "directory",
    nameOf: ({ path }) => path,
    form: formOf<Directory>()(
        z.strictObject({
            kind: z.literal("directory"),
            path: anyText,
            owner: anyText.optional(),
            group: anyText.optional(),
            mode: anyText.optional(),
            owned: flag.optional(),
        }),
    ),
    issues: (resource) => [
        ...pathIssues(resource.path),
        ...permissionIssues(resource),
        ...ownedIssues(resource.owned ? [resource.path] : []),
    ],
    claims: ({ path }) => [{ on: `path ${path}` }],
    facts: ({ path }) => ({ paths: [path] }),
    args: (resource, context) => {
        const { path, owned = false } = resource;
        const { owner, group, mode } = permissionsOf(resource);
        const stat = statLine(DIRECTORY_TYPE, { owner, group, mode });
        const entries = context.entriesOf(path).join("\t");
        return [context.path(path), path, stat, owner, group, mode, yesNo(owned), entries];
    },
    manifest: ({ path }) => [`directory\t${path}`],
    remembered: (resource) => {
        const [mode = "", owner, group] = statLine(DIRECTORY_TYPE, permissionsOf(resource)).split("\t");
        return { mode, owner: `${owner}:${group}`, orphan: yesNo(resource.owned ?? false) };
    },
    wording: DIRECTORY_WORDING,
    declared: (resource, aspect) => {
        const { mode, owner, group } = permissionsOf(resource);
        return { mode, owner: `${owner}:${group}` }[aspect];
    },
};
