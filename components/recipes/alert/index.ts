import { dirname } from "node:path";
import { z } from "zod";
import type { Resource } from "../../convergence/kinds/index";
import { assertForm, formOf, text } from "../../forms";
import { duration, seconds } from "../../haproxy/index";
import { hostProgram } from "../../scripts";
import { renderTemplate } from "../../templates";

const UNIT = "haproxy.service";
/** The runtime calls it when a converge ends, see `call_hook` in launch.sh, which has this path, too. */
const PROGRAM = "/usr/local/lib/haproxy-fleet/alert";
const COMMAND = `${PROGRAM}-command`;

/** The command that is run when HAProxy dies, and when a converge fails. */
export interface AlertArgs {
    /**
     * Shell commands that send a word to people, or the slot of such a text. Give a slot if they hold a secret, such as a webhook's token,
     * because other texts are shown in previews and kept in the state. `sh` runs them as root, with `ALERT_EVENT` (`died`, `failed`,
     * `converge-failed`, `recovered` or `test`), `ALERT_UNIT`, `ALERT_HOST` and `ALERT_TEXT`, which is also the standard input. They have
     * 30 s, and are run up to three times if their status is not 0.
     */
    command: string;
    /**
     * For how long, after a word, further events of its kind are only counted: a duration, such as `"1h"`. Their number is in the next
     * word, which is sent at the end of that time at the latest. @default "15m"
     */
    every?: string;
}

/** The form of {@link AlertArgs} without what is secret, for forms that have more fields. */
export const alertShape = { every: duration.optional() };
const argsForm = formOf<AlertArgs>()(z.strictObject({ ...alertShape, command: text }));

/**
 * Tells people when HAProxy dies, when systemd does not start it again, when a converge of the host fails, and once when that is over.
 * Declare it after `recipes.haproxy`. It is a drop-in of HAProxy's unit and a program; neither reloads nor restarts HAProxy.
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

/** Shown in place of a diff: the lines may hold secrets, also those of an earlier command that is still on the host. */
function summary(content: string): string[] {
    const { length } = content.trimEnd().split("\n");
    return [`${length === 1 ? "1 line" : `${length} lines`}, not shown`];
}
