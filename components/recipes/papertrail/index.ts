import { createHash } from "node:crypto";
import { z } from "zod";
import type { Resource } from "../../convergence/kinds/index";
import { assertForm, formOf, matching, whole } from "../../forms";
import { hostProgram } from "../../scripts";
import { type Forward, LOG_PORT, PROVEN_FORWARDS, type RsyslogArgs, rsyslogShape, rsyslogWith } from "../rsyslog/index";

const SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt";
/** Also for people: it says why nothing arrives. */
const PROGRAM = "/usr/local/sbin/haproxy-fleet-prove-forward";
const HOST = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/** The receiver of HAProxy's lines, which are also in /var/log/haproxy.log: a log destination of Papertrail, or any syslog receiver with TLS. */
export interface PapertrailArgs extends RsyslogArgs {
    /** Name or IPv4 address, as in `"logs2.papertrailapp.com"`. */
    host: string;
    /** TCP port with TLS, 1 to 65535. */
    port: number;
    /**
     * The name that the certificate must have. Its first label may be `*`, for a certificate whose own name begins with `*`.
     * @default "*.papertrailapp.com" for such hosts, otherwise `host`
     */
    peer?: string;
    /**
     * File on the host with the certificates, in PEM, that may sign that certificate. rsyslog has one such file for all its connections.
     * @default "/etc/ssl/certs/ca-certificates.crt"
     */
    caFile?: string;
    /**
     * How much disk lines may take while the receiver is away, a number with the unit `M` or `G` (1024-based). It holds the oldest lines,
     * and memory the newest, up to 50,000. If it is full, those between them are not sent. @default "1G"
     */
    diskSpace?: string;
}

/** The form of {@link PapertrailArgs}, for forms that have more fields. */
export const papertrailShape = {
    ...rsyslogShape,
    host: matching(HOST, "expected a host name or an IPv4 address"),
    port: whole(1, 65_535),
    peer: matching(
        /^(?=.{1,253}$)(\*(\.[A-Za-z0-9-]+){2,}|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?)$/,
        'expected the name of a certificate, as in "logs.example.com" or "*.example.com"',
    ).optional(),
    caFile: matching(
        // From Debian 13 on, systemd hides these directories from rsyslog.
        /^(?!\/(tmp|var\/tmp|home|root|run\/user)\/)(?!.*\/\.{0,2}\/)\/[\w.@+/-]+$/,
        "expected an absolute path without blanks, outside /tmp, /var/tmp, /home, /root and /run/user, which rsyslog cannot read",
    ).optional(),
    diskSpace: matching(/^[1-9]\d{0,5}[mg]$/i, 'expected a size, as in "500M" or "1G"').optional(),
};
const argsForm = formOf<PapertrailArgs>()(z.strictObject(papertrailShape));

/**
 * Lines of HAProxy in /var/log/haproxy.log, and at Papertrail or another syslog receiver: TCP with TLS, and only if the receiver proves its
 * name. Has all that `recipes.rsyslog` has; use one of the two.
 *
 * @throws {Error} If the arguments do not have their form.
 * @example
 * ```typescript
 * import { ConvergedHost, recipes } from "haproxy-fleet";
 *
 * new ConvergedHost("lb1", {
 *     connection: { address: "192.0.2.11", hostKey: "ssh-ed25519 AAAA…" },
 *     resources: recipes.papertrail({ host: "logs2.papertrailapp.com", port: 12345 }),
 * });
 * ```
 */
export function papertrail(args: PapertrailArgs): Resource[] {
    return [...forwarding(args), forwardProof(args)];
}

/** {@link papertrail} without the proof, for run lists in which more follows. */
export function forwarding(args: PapertrailArgs): Resource[] {
    assertForm(argsForm, args, "papertrail");
    return [
        ...rsyslogWith(args, forwardOf(args)),
        {
            kind: "file",
            path: PROGRAM,
            content: hostProgram("papertrail", "prove-forward.pl"),
            mode: "0755",
            program: true,
        },
    ];
}

function forwardOf({ host, port, peer, caFile = SYSTEM_AUTHORITIES, diskSpace = "1G" }: PapertrailArgs): Forward {
    const usual = /\.papertrailapp\.com$/i.test(host) ? "*.papertrailapp.com" : host;
    return { host, port, peer: peer ?? usual, caFile, diskSpace: diskSpace.toLowerCase() };
}

/**
 * Proves that the forward is connected. It is no part of the transaction: if the receiver is away, the files are right all the same.
 * Belongs at the end of a run list, so that a receiver that does not answer keeps nothing else from being converged.
 */
export function forwardProof(args: PapertrailArgs): Resource {
    const { host, port, peer, caFile } = forwardOf(args);
    const digest = createHash("sha256").update([host, port, peer, caFile].join("\n")).digest("hex").slice(0, 16);
    // rsyslog's adapter removes the record whenever it writes the files.
    const record = `${PROVEN_FORWARDS}/${digest}`;
    return {
        kind: "execute",
        name: `prove the connection to ${host}:${port}`,
        command: `${PROGRAM} ${host} ${port} ${LOG_PORT} ${record}`,
        creates: record,
    };
}
