import { z } from "zod";
import { anyText, flag, formOf } from "../../forms";
import { isTopLevel, pathIssues, when } from "./checks";
import { type ResourceKind, yesNo } from "./kind";

/** A path that must not exist. A directory is removed only if it is empty, or with `recursive`. */
export interface Absent {
    kind: "absent";
    /** Absolute path, at least two levels deep. */
    path: string;
    /** Whether a directory is removed with everything in it. @default false */
    recursive?: boolean;
}

/** What TypeScript knows about {@link Absent}. */
export const absent: ResourceKind<Absent> = {
    shellFunction: "absent",
    nameOf: ({ path }) => path,
    form: formOf<Absent>()(z.strictObject({ kind: z.literal("absent"), path: anyText, recursive: flag.optional() })),
    issues: ({ path }) => [
        ...pathIssues(path),
        ...when(
            isTopLevel(path),
            `${JSON.stringify(path)} cannot be removed; declare only paths absent that are at least two levels deep`,
        ),
    ],
    claims: ({ path }) => [{ on: `path ${path}` }],
    facts: ({ path }) => ({ paths: [path] }),
    args: ({ path, recursive }, context) => [context.path(path), path, yesNo(recursive ?? false)],
    wording: {
        present: () => "exists, would be removed",
    },
};
