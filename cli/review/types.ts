/** What a review is made of. */
import type { CertificatesFinding, Finding, HostFinding } from "../../components/convergence/findings";
import type { Outcome } from "../check/check";

/** What the program of a commit declares for a stack: rendered without secrets, state and hosts. */
export interface Rendering {
    readonly hosts: readonly RenderedHost[];
    /** Errors with which the program fails. */
    readonly errors: readonly string[];
    readonly warnings: readonly string[];
    /** Verdicts of HAProxy's checker, once for hosts with equal configurations. */
    readonly checks: readonly Outcome[];
    /** What the program has found without asking hosts: ends of certificates. */
    readonly findings: readonly Finding[];
}

/** A host as declared. */
export interface RenderedHost {
    /** Name of its component, as in `edge-lb1`. */
    readonly name: string;
    /** Texts by path: secrets by name, summaries of certificates. */
    readonly files: Readonly<Record<string, string>>;
    /** All that is no file, by label such as `sysctl[net.core.somaxconn]`: its settings, a line each. */
    readonly resources: Readonly<Record<string, string>>;
    /** What a change means, by path or label: `reload haproxy`, `restart rsyslog.service`. An entry is there for what has an effect. */
    readonly effects: Readonly<Record<string, string>>;
}

/** How hosts differ between two commits. Hosts that differ alike share one. */
export interface Change {
    readonly hosts: readonly string[];
    readonly kind: "changed" | "added" | "removed";
    /** What it means for daemons, each once, as in `reload haproxy`. */
    readonly effects: readonly string[];
    /** A unified diff for each file or resource, without the two lines of file names. Empty for hosts that were added or removed. */
    readonly diffs: readonly { readonly name: string; readonly lines: readonly string[] }[];
}

/** What a preview of a stack has found. */
export interface Previewed {
    readonly hosts: readonly HostFinding[];
    /** Ends of certificates: with the secrets of the stack, more are known than a rendering knows. */
    readonly certificates?: readonly CertificatesFinding[];
    /** What an up would do with resources besides the hosts' commands, each once. */
    readonly steps: readonly Step[];
    /** Why the preview failed: errors that no host's finding has. Empty if it succeeded. */
    readonly errors: readonly string[];
    /** Warnings that no host's finding has. */
    readonly warnings: readonly string[];
}

/** As `create aws:ec2/instance:Instance edge-lb1`. A replacement is one step, though the engine takes three. */
export interface Step {
    readonly operation: "create" | "import" | "update" | "replace" | "delete";
    readonly type: string;
    readonly name: string;
}

/** The review of one stack. */
export interface StackReview {
    readonly stack: string;
    readonly rendering: Rendering;
    /** Compared with the base; undefined if the base or the head could not be rendered. */
    readonly changes?: readonly Change[];
    /** Why the base could not be rendered. */
    readonly noBase?: string;
    /** Only with `--preview`: with the login to the hosts. */
    readonly previewed?: Previewed;
}

/** What the comment says besides the stacks. */
export interface CommentSettings {
    /** The commit that is reviewed, and the one that it is compared with, as people name them: `a1b2c3d`, `main (9f8e7d6)`. */
    readonly commit: string;
    readonly base: string;
    /** Milliseconds since 1970. */
    readonly now: number;
    /** Characters of the comment. @default 60000 */
    readonly longest?: number;
    /** The command with which people preview a stack on their own machine, in advice. */
    readonly previewCommand: string;
}
