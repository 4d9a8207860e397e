/** What a preview finds, for programs that read it. People read the same in its messages. */

/** Environment variable with the path of a file, to which a preview appends what it finds: a line of JSON each. */
export const FINDINGS = "HAPROXY_FLEET_FINDINGS";

export type Finding = HostFinding | CertificatesFinding;

/** What a preview found on a host. All texts are as people see them: secrets by name, control characters shown. */
export interface HostFinding {
    readonly kind: "host";
    /** Name of its component, as in `edge-lb1`. */
    readonly host: string;
    /**
     * `unchanged` and `differs` say how the host compares with what is declared. `refused`: it refuses that. `unasked`: it could not be
     * asked. `later`: it was not asked, because its address is known only after an up, or because previews ask no host. `failed`: what is
     * declared is wrong.
     */
    readonly outcome: "unchanged" | "differs" | "refused" | "unasked" | "later" | "failed";
    /** Whether something on the host is not as the last converge left it. */
    readonly drift: boolean;
    /** Whether something was declared anew since the last converge, or depends on a value that only an up knows. */
    readonly declared: boolean;
    /** What an up means for the daemons: `reload`, `restart`, `start`, or `may reload`; empty if nothing. */
    readonly effect: string;
    /** How many resources differ, and why, as in `2 resources: 1 declared anew, 1 drift`; empty if none does. */
    readonly summary: string;
    /** What differs, with diffs; lines with their indentation. */
    readonly differences: readonly string[];
    /** Why it is `refused`, `unasked` or `failed`; otherwise empty. */
    readonly reason: readonly string[];
    /** What else is amiss with the host, a text each. */
    readonly warnings: readonly string[];
}

/** When the certificates end that a component declares. */
export interface CertificatesFinding {
    readonly kind: "certificates";
    /** Name of the component, one for all hosts of a fleet. */
    readonly component: string;
    /** End of validity by name, as `2027-02-16T08:58:07Z`; null if it is known only after an up. */
    readonly ends: Readonly<Record<string, string | null>>;
    /** SHA-256 of each certificate by name, in hexadecimal; null if it is known only after an up. */
    readonly fingerprints: Readonly<Record<string, string | null>>;
}
