import { dirname } from "node:path";
import { z } from "zod";
import type { Resource } from "../../convergence/kinds/index";
import { assertForm, formOf, text } from "../../forms";
import { duration, seconds } from "../../haproxy/index";
import { hostProgram } from "../../scripts";
import { renderTemplate } from "../../templates";

const UNIT = "haproxy.service";
/** The runtime calls it when a converge ends, see `tell_hook` in launch.sh. */
const PROGRAM = "/usr/local/lib/haproxy-fleet/alert";
const COMMAND = `${PROGRAM}-command`;

/** What is run when HAProxy dies, and when a converge fails. */
export interface AlertArgs {
    /**
     * Shell commands that send a word to people, or the slot of such a text: a text that is no slot is shown in previews and kept in the
     * state, and often it holds a webhook's token. Run by `sh` as root, with `ALERT_EVENT` (`died`, `failed`, `converge-failed`,
     * `recovered` or `test`), `ALERT_UNIT`, `ALERT_HOST` and `ALERT_TEXT`, which is also the standard input. It has 30 s, and is tried three
     * times if its status is not 0.
     */
    command: string;
    /**
     * For how long an event of the same kind is only counted after a word, a duration. The number of those that were left out is in the
     * next word, at the latest after this time. @default "15m"
     */
    every?: string;
}

/** The form of {@link AlertArgs} without what is secret, for forms that have more fields. */
export const alertShape = { every: duration.optional() };
const argsForm = formOf<AlertArgs>()(z.strictObject({ ...alertShape, command: text }));

/**
 * Tells people when HAProxy dies, when systemd has given it up, when a converge of the host fails, and once when that is over. Belongs after
 * `recipes.haproxy`. A drop-in of HAProxy's unit and a program do it; neither reloads nor restarts HAProxy.
 *
 * @throws {Error} If the arguments do not have their form.
 * @example
 * ```typescript
 * import * as pulumi from "@pulumi/pulumi";
 * import { ConvergedHost, recipes, slot } from "haproxy-fleet";
 *
 * new ConvergedHost("lb1", {
 *     connection: { address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" },
 *     resources: recipes.alert({ command: slot("alert"), every: "1h" }),
 *     slots: { alert: new pulumi.Config().requireSecret("alertCommand") },
 * });
 * ```
 */
export function alert(args: AlertArgs): Resource[] {
    assertForm(argsForm, args, "alert");
    const { command, every = "15m" } = args;
    return [
        { kind: "directory", path: dirname(PROGRAM) },
        {
            kind: "file",
            path: COMMAND,
            content: `${command}\n`,
            mode: "0700",
            slotIssue: (value) => (/\S/.test(value) ? undefined : "is empty"),
            summary,
        },
        { kind: "file", path: PROGRAM, content: hostProgram("alert", "alert.sh"), mode: "0755", program: true },
        {
            kind: "systemdUnit",
            name: "haproxy-fleet-alert@.service",
            content: renderTemplate("alert.service.mustache", { program: PROGRAM, unit: UNIT, every: seconds(every) }),
        },
        // Last, because it names the others.
        {
            kind: "systemdUnit",
            name: `${UNIT}.d/20-alert.conf`,
            content: renderTemplate("alert-unit.conf.mustache", { program: PROGRAM }),
        },
    ];
}

/** Its lines may hold secrets, also those of an earlier command that is still on the host. */
function summary(content: string): string[] {
    const { length } = content.trimEnd().split("\n");
    return [`${length === 1 ? "1 line" : `${length} lines`}, not shown`];
}
