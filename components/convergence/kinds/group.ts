import { z } from "zod";
import { anyText, flag, formOf } from "../../forms";
import { accountIssues, when } from "./checks";
import { number } from "./forms";
import { type ResourceKind, yesNo } from "./kind";

/** A group of accounts. */
export interface Group {
    kind: "group";
    /** Group name, with the characters of a user's name. */
    name: string;
    /** Numeric id. @default - the next free one */
    gid?: number;
    /** Whether a new group gets its gid from the system range. @default true */
    system?: boolean;
}

/** What TypeScript knows about {@link Group}. */
export const group: ResourceKind<Group> = {
    shellFunction: "group",
    nameOf: ({ name }) => name,
    form: formOf<Group>()(
        z.strictObject({ kind: z.literal("group"), name: anyText, gid: number.optional(), system: flag.optional() }),
    ),
    issues: ({ name, gid }) => [
        ...accountIssues("group", name),
        ...when(gid !== undefined && !(Number.isInteger(gid) && gid > 0), `invalid gid ${gid}; use a positive integer`),
    ],
    claims: ({ name }) => [{ on: `group ${name}` }],
    facts: ({ name }) => ({ groups: [name] }),
    args: ({ name, gid, system }) => [name, String(gid ?? ""), yesNo(system ?? true)],
    remembered: ({ gid }) => ({ gid: String(gid ?? "") }),
    wording: {
        missing: () => "does not exist",
        gid: (have) => `gid is ${have}`,
    },
    declared: ({ gid }, aspect) => (aspect === "gid" ? String(gid) : undefined),
};
