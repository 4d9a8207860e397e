import { z } from "zod";
import { anyText, formOf } from "../../forms";
import { unitFileIssues, when } from "./checks";
import type { ResourceKind } from "./kind";
import { FILE_TYPE, FILE_WORDING, hasSecrets, permissionsOf, statLine } from "./paths";

/** A unit file or drop-in under /etc/systemd/system; systemd reads it again after a change. */
export interface SystemdUnit {
    kind: "systemdUnit";
    /** `name.service` for a unit, `name.service.d/10-x.conf` for a drop-in. */
    name: string;
    /** In the format of systemd.unit(5); without secrets, because unit files are world-readable. */
    content: string;
}

const pathOf = ({ name }: SystemdUnit) => `/etc/systemd/system/${name}`;

/**
 * The unit that a drop-in belongs to, or the unit itself. A template has no state, and systemctl says nothing at all of it, so an instance
 * is asked that nothing starts.
 */
const unitOf = ({ name }: SystemdUnit) => (name.split(".d/")[0] ?? "").replace("@.", "@template.");

/** What TypeScript knows about {@link SystemdUnit}. */
export const systemdUnit: ResourceKind<SystemdUnit> = {
    shellFunction: "systemd_unit",
    nameOf: ({ name }) => name,
    form: formOf<SystemdUnit>()(z.strictObject({ kind: z.literal("systemdUnit"), name: anyText, content: anyText })),
    issues: ({ name, content }) => [
        ...unitFileIssues(name),
        ...when(
            hasSecrets(content),
            "unit files are world-readable, but this one holds a secret; put the secret into a file of its own and name that with EnvironmentFile",
        ),
    ],
    claims: (resource) => [{ on: `path ${pathOf(resource)}` }],
    files: (resource) => [{ path: pathOf(resource), content: resource.content }],
    facts: (resource) => ({ units: [unitOf(resource)] }),
    args: (resource, context) => {
        const path = pathOf(resource);
        const { sum, content } = context.file(path);
        const stat = statLine(FILE_TYPE, permissionsOf({ content: "" }));
        return [context.path(path), path, stat, sum, content, context.unit(unitOf(resource))];
    },
    manifest: ({ name }) => [`systemdUnit\t${name}`],
    wording: {
        ...FILE_WORDING,
        unread: () => "changed since systemd read it, would be read again",
    },
};
