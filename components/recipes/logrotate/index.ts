import { z } from "zod";
import type { Resource } from "../../convergence/kinds/index";
import { assertForm, formOf, matching, whole } from "../../forms";
import { adapterScript } from "../../scripts";
import { renderTemplate } from "../../templates";
import { LOG_FILE } from "../rsyslog/index";

const DIRECTORY = "/etc/logrotate.d";
/** The package of HAProxy brings a file of this name, so this one replaces it: a log must have one owner. */
const CONFIG = `${DIRECTORY}/haproxy`;
const NAME = "haproxy-logrotate";
const TIMER = `${NAME}.timer`;

/** How the log of HAProxy is rotated. */
export interface LogrotateArgs {
    /**
     * How many rotated files are kept beside the current one, 1 to 10,000. One is made each day, and whenever the log exceeds `maxSize`.
     * All but the newest are compressed. @default 14
     */
    keep?: number;
    /** Size in bytes, or with a unit `k`, `M` or `G` (1024-based), above which the hourly run rotates the log. @default "1G" */
    maxSize?: string;
}

/** The form of {@link LogrotateArgs}, for forms that have more fields. */
export const logrotateShape = {
    keep: whole(1, 10_000).optional(),
    maxSize: matching(/^[1-9]\d{0,11}[kMG]?$/i, 'expected a size, as in "500M"').optional(),
};
const argsForm = formOf<LogrotateArgs>()(z.strictObject(logrotateShape));

/**
 * Rotation of /var/log/haproxy.log: daily, and by a timer of its own within an hour after it has exceeded a size. Replaces the rotation of
 * HAProxy's package. The rotated files keep owner, group and mode.
 *
 * @throws {Error} If the arguments do not have their form.
 * @example
 * ```typescript
 * import { ConvergedHost, recipes } from "haproxy-fleet";
 *
 * new ConvergedHost("lb1", {
 *     connection: { address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" },
 *     resources: recipes.logrotate({ keep: 30, maxSize: "500M" }),
 * });
 * ```
 */
export function logrotate(args: LogrotateArgs = {}): Resource[] {
    assertForm(argsForm, args, "logrotate");
    const { keep = 14, maxSize = "1G" } = args;
    return [
        { kind: "packages", names: ["logrotate"] },
        {
            kind: "transaction",
            name: "logrotate",
            directory: DIRECTORY,
            files: [
                {
                    path: CONFIG,
                    content: renderTemplate("logrotate.mustache", { log: LOG_FILE, keep, maxSize: sizeOf(maxSize) }),
                },
            ],
            adapter: {
                name: "logrotate",
                script: adapterScript("logrotate"),
                parameters: { config: CONFIG, log: LOG_FILE },
            },
        },
        {
            kind: "systemdUnit",
            name: `${NAME}.service`,
            content: renderTemplate("haproxy-logrotate.service.mustache", { config: CONFIG }),
        },
        { kind: "systemdUnit", name: TIMER, content: renderTemplate("haproxy-logrotate.timer.mustache", {}) },
        { kind: "service", name: TIMER, restartOn: [`/etc/systemd/system/${TIMER}`], removed: "stop" },
    ];
}

/** As logrotate takes it: `k`, `M` or `G`. */
function sizeOf(text: string): string {
    return text.replace(/K$/, "k").replace(/[mg]$/, (unit) => unit.toUpperCase());
}
