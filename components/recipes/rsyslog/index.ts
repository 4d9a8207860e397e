import { z } from "zod";
import type { Resource } from "../../convergence/kinds/index";
import { assertForm, formOf, matching, whole } from "../../forms";
import type { LogRequest } from "../../haproxy/index";
import { adapterScript } from "../../scripts";
import { renderTemplate } from "../../templates";

const DIRECTORY = "/etc/rsyslog.d";
/** The package of HAProxy brings a file of this name, so this one replaces it: a log must have one owner. */
const CONFIG = `${DIRECTORY}/49-haproxy.conf`;
const UNIT = "rsyslog.service";

/** Where HAProxy's lines are written. */
export const LOG_FILE = "/var/log/haproxy.log";
/** The UDP port on 127.0.0.1 where rsyslog takes HAProxy's lines. */
export const LOG_PORT = 514;
/** Has a file for each forward that has been proven since the configuration was written. */
export const PROVEN_FORWARDS = "/var/lib/haproxy-fleet/forwards";

export type { LogRequest } from "../../haproxy/index";

/** How the lines of HAProxy are written. */
export interface RsyslogArgs {
    /**
     * Requests that HAProxy logs. After each change, the host sends one after the other until the line of one is in the log. If HAProxy
     * logs none, the last good files come back. @default [] rsyslog gets a line from the converge itself
     */
    requests?: LogRequest[];
}

/** The form of {@link RsyslogArgs}, for forms that have more fields. */
export const rsyslogShape = {
    requests: z
        .array(
            z.strictObject({
                address: matching(/^(\*|[0-9a-fA-F:.]+)$/, 'expected an IP address, "*" or "::"'),
                port: whole(1, 65_535),
                ask: z.enum(["http", "tcp"]),
            }),
        )
        .optional(),
};
const argsForm = formOf<RsyslogArgs>()(z.strictObject(rsyslogShape));

/** The receiver of lines, beside the file. TLS and the check of its name cannot be left out. */
export interface Forward {
    readonly host: string;
    readonly port: number;
    /** The name that the receiver must prove; its first label may be `*`. */
    readonly peer: string;
    /** File on the host with the certificates, in PEM, that may sign that of the receiver. */
    readonly caFile: string;
    /** Most that the queue may take on disk, as in `1g`. */
    readonly diskSpace: string;
}

/**
 * Lines of HAProxy in /var/log/haproxy.log, by rsyslog: UDP port 514 of 127.0.0.1, which HAProxy's `log` has to name. Replaces what the
 * package of HAProxy declares for rsyslog. Nothing limits how many lines are written.
 *
 * @throws {Error} If the arguments do not have their form.
 * @example
 * ```typescript
 * import { ConvergedHost, recipes } from "haproxy-fleet";
 *
 * new ConvergedHost("lb1", {
 *     connection: { address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" },
 *     resources: recipes.rsyslog({ requests: [{ address: "*", port: 80, ask: "http" }] }),
 * });
 * ```
 */
export function rsyslog(args: RsyslogArgs = {}): Resource[] {
    assertForm(argsForm, args, "rsyslog");
    return rsyslogWith(args);
}

/** {@link rsyslog}, with a forward. */
export function rsyslogWith({ requests = [] }: RsyslogArgs, forward?: Forward): Resource[] {
    return [
        // The adapter needs iproute2 and perl.
        {
            kind: "packages",
            names: [
                "rsyslog",
                "iproute2",
                "perl-base",
                ...(forward === undefined ? [] : ["rsyslog-gnutls", "ca-certificates"]),
            ],
        },
        // Before the files, so that the restart after they are undone comes last.
        { kind: "service", name: UNIT, removed: "restart" },
        {
            kind: "transaction",
            name: "rsyslog",
            directory: DIRECTORY,
            files: [
                {
                    path: CONFIG,
                    content: renderTemplate("rsyslog-haproxy.conf.mustache", {
                        log: LOG_FILE,
                        listen: LOG_PORT,
                        forward: forward === undefined ? [] : [{ ...forward }],
                    }),
                },
            ],
            // Another file may load the module, too: rsyslogd says this, starts and works. If it would not start, it says more than this.
            allowWarnings: ["module 'imudp' already in this config, cannot be added"],
            adapter: {
                name: "rsyslog",
                script: adapterScript("rsyslog"),
                parameters: {
                    config: CONFIG,
                    unit: UNIT,
                    log: LOG_FILE,
                    port: String(LOG_PORT),
                    ca: forward?.caFile ?? "",
                    forwards: PROVEN_FORWARDS,
                    requests: requests.map(({ address, port, ask }) => `${address} ${port} ${ask}`).join("\n"),
                },
            },
        },
    ];
}
