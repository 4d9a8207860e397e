import { z } from "zod";
import { anyText, formOf } from "../../forms";
import { CONDITIONS, nameIssues, pathIssues, shellTextIssues, when } from "./checks";
import type { ResourceKind } from "./kind";

/**
 * A command that runs only if `creates`, `onlyIf` or `notIf` says that it is needed. It runs as root, with the host's proxies in its
 * environment and nothing else of a login's.
 */
export interface Execute {
    kind: "execute";
    /** Names the command in reports. */
    name: string;
    /** POSIX shell. */
    command: string;
    /** Path; if it exists, the command does not run. */
    creates?: string;
    /** Shell that must change nothing; the command runs only if this exits 0. */
    onlyIf?: string;
    /** Shell that must change nothing; if it exits 0, the command does not run. */
    notIf?: string;
}

/** What TypeScript knows about {@link Execute}. */
export const execute: ResourceKind<Execute> = {
    shellFunction: "execute",
    nameOf: ({ name }) => name,
    form: formOf<Execute>()(
        z.strictObject({
            kind: z.literal("execute"),
            name: anyText,
            command: anyText,
            creates: anyText.optional(),
            onlyIf: anyText.optional(),
            notIf: anyText.optional(),
        }),
    ),
    issues: ({ name, command, creates, onlyIf, notIf }) => [
        ...nameIssues(name),
        ...when(
            !(creates ?? onlyIf ?? notIf),
            "no condition, so the command would run every time; set creates, onlyIf or notIf",
        ),
        ...(creates === undefined ? [] : pathIssues(creates)),
        ...shellTextIssues("command", command),
        ...shellTextIssues("onlyIf", onlyIf ?? ""),
        ...shellTextIssues("notIf", notIf ?? ""),
    ],
    claims: ({ name }) => [{ on: `execute ${name}` }],
    parts: ({ onlyIf, notIf }) => ((onlyIf ?? notIf) ? [CONDITIONS] : []),
    args: ({ command, creates = "", onlyIf = "", notIf = "" }) => [command, creates, onlyIf, notIf],
    wording: {
        "to run": () => "would run",
    },
};
