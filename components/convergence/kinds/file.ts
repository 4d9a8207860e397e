import { z } from "zod";
import { formOf } from "../../forms";
import { declaredFileShape } from "./forms";
import type { DeclaredFile, ResourceKind } from "./kind";
import { FILE_TYPE, FILE_WORDING, fileIssues, permissionsOf, statLine } from "./paths";

/** A regular file with exactly this content. */
export interface File extends DeclaredFile {
    kind: "file";
}

/** What TypeScript knows about {@link File}. */
export const file: ResourceKind<File> = {
    shellFunction: "file",
    nameOf: ({ path }) => path,
    form: formOf<File>()(z.strictObject({ kind: z.literal("file"), ...declaredFileShape })),
    issues: fileIssues,
    claims: ({ path }) => [{ on: `path ${path}` }],
    files: (resource) => [resource],
    args: (resource, context) => {
        const { path } = resource;
        const { owner, group, mode } = permissionsOf(resource);
        const { sum, content } = context.file(path);
        return [
            context.path(path),
            path,
            statLine(FILE_TYPE, { owner, group, mode }),
            sum,
            content,
            owner,
            group,
            mode,
        ];
    },
    manifest: ({ path }) => [`file\t${path}`],
    wording: FILE_WORDING,
};
