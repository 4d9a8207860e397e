import { z } from "zod";
import { anyText, anyTexts, flag, formOf } from "../../forms";
import { accountIssues, pathIssues } from "./checks";
import { type ResourceKind, yesNo } from "./kind";

/** A login or service account. An existing account keeps what is not declared here. */
export interface User {
    kind: "user";
    /** Login name, as useradd(8) takes it: lower case letters, digits, `_` and `-`, at most 31. */
    name: string;
    /** Primary group. @default - an existing account keeps its own, a new one gets a group of the user's name */
    group?: string;
    /** Supplementary groups that the user must be in; it stays in all others. @default [] */
    groups?: string[];
    /** Home directory. @default - an existing account keeps its own, a new one gets the system's default */
    home?: string;
    /** Login shell. @default - an existing account keeps its own, a new one gets /usr/sbin/nologin */
    shell?: string;
    /** Whether a new account is a system account: uid from the system range, no home directory created. @default true */
    system?: boolean;
}

/** What TypeScript knows about {@link User}. */
export const user: ResourceKind<User> = {
    shellFunction: "user",
    nameOf: ({ name }) => name,
    form: formOf<User>()(
        z.strictObject({
            kind: z.literal("user"),
            name: anyText,
            group: anyText.optional(),
            groups: anyTexts.optional(),
            home: anyText.optional(),
            shell: anyText.optional(),
            system: flag.optional(),
        }),
    ),
    issues: ({ name, group, groups, home, shell }) => [
        ...accountIssues("user", name),
        ...[group ?? [], groups ?? []].flat().flatMap((other) => accountIssues("group", other)),
        ...[home ?? [], shell ?? []].flat().flatMap(pathIssues),
    ],
    claims: ({ name }) => [{ on: `user ${name}` }],
    facts: ({ name, group, groups }) => ({ users: [name], groups: [group ?? [], groups ?? []].flat() }),
    args: ({ name, group, groups, home, shell, system }) => [
        name,
        group ?? "",
        (groups ?? []).join(","),
        home ?? "",
        shell ?? "",
        yesNo(system ?? true),
    ],
    remembered: ({ shell = "", home = "", group = "", groups = [] }) => ({
        shell,
        home,
        group,
        groups: groups.join(","),
    }),
    wording: {
        missing: () => "does not exist",
        shell: (have) => `shell is ${have}`,
        home: (have) => `home is ${have}`,
        group: (have) => `primary group is ${have}`,
        groups: (have) => have,
    },
    declared: ({ shell, home, group }, aspect) => ({ shell, home, group })[aspect],
};
