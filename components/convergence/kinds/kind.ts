import type { z } from "zod";

/** The content of a file: text, which may hold slots (see slots.ts), or bytes, which are written unchanged. */
export type Content = string | Uint8Array;

/** A regular file with exactly this content. */
export interface DeclaredFile {
    /** Absolute path; its directory must exist or be declared before. */
    path: string;
    /** The whole content, including the final newline. */
    content: Content;
    /** @default "root" */
    owner?: string;
    /** @default "root" */
    group?: string;
    /** Permission bits in octal. If the content holds slots, others must have none. @default "0644", or "0600" with slots */
    mode?: string;
    /**
     * Says why a value cannot fill a slot of this file, as in "is empty", without quoting the value; returns undefined if it can.
     * `encoding` is that of the marker, see `withEncoding` in slots.ts. @default - every value can
     */
    slotIssue?: (value: string, encoding?: string) => string | undefined;
    /**
     * Returns the text to write for a value if the marker has an encoding. Different encodings must have different names on one host.
     * @default - the value itself
     */
    slotValue?: (value: string, encoding: string) => string;
    /**
     * Says in a few lines what a content is, such as the names in a certificate, without anything secret. Reports and the component's
     * inputs then show the summaries of what is on the host and of what is declared in place of their lines, even if those are secret.
     * Returns no lines, or throws, if it cannot read the content. Not sent to a host. @default - its lines are shown
     */
    summary?: (content: string) => string[];
    /**
     * Where line n + 1 of the content comes from, as in `services[2].check`, for messages. Not sent to a host, and not counted when
     * resources are compared. Null is the same as undefined, which JSON does not have. @default - unknown
     */
    lineSources?: readonly (string | null | undefined)[];
    /**
     * Whether it is a program that a recipe installs. A preview then says that it is missing, without its whole text, and the component's
     * inputs have only its size. @default false
     */
    program?: boolean;
}

/** Something that only one resource of a plan may have, such as a path. */
export interface Claim {
    /** What messages call it: `path /etc/motd`. */
    on: string;
    /** Two resources may share a claim if both give the same terms. @default - never shared */
    terms?: string;
}

/** What the host reads in batches before the first resource is tested. Paths of files are added by `files`. */
export interface Facts {
    paths: string[];
    /** Regular files that no resource declares, whose contents count. */
    readPaths: string[];
    packages: string[];
    units: string[];
    users: string[];
    groups: string[];
}

/** A declared file with its slots filled. */
export interface FilledFile {
    path: string;
    bytes: Buffer;
    /** SHA-256 in hex. */
    sum: string;
    /** Name of the shell function that prints the content. */
    content: string;
    /** Digest of all files of the resource if `filesTogether`, otherwise empty. */
    digest: string;
}

/** What a call of a kind's shell function may refer to. Positions count from 1 and are shell text. */
export interface CallContext {
    /** Position of a declared path among the facts. */
    path(path: string): string;
    /** Position of a unit among the facts. */
    unit(name: string): string;
    /** Names of the declared entries directly in a directory. */
    entriesOf(directory: string): string[];
    file(path: string): FilledFile;
}

/** Everything that TypeScript knows about one resource kind. Its shell function in `runtime/` tests and repairs it. */
export interface ResourceKind<R> {
    /** Name of the shell function. */
    shellFunction: string;
    /** What identifies a resource in messages, as the path does in `file[/etc/motd]`. */
    nameOf(resource: R): string;
    /** Its fields and their types, for data that no compiler has seen. */
    form: z.ZodObject;
    /** Every problem of a resource: `<problem>; <remedy>`. */
    issues(resource: R): string[];
    claims(resource: R): Claim[];
    /** Arguments of the shell function. */
    args(resource: R, context: CallContext): string[];
    /** Regular files that it writes. The payload carries them, and reports show their differences. @default - none */
    files?(resource: R): DeclaredFile[];
    /** Whether its files are one unit: they share a digest, and reports number them (`r3.1`). @default false */
    filesTogether?: boolean;
    /** Facts to read besides the files. @default - none */
    facts?(resource: R): Partial<Facts>;
    /** Paths of files that an earlier resource must declare. @default - none */
    reads?(resource: R): string[];
    /** Shell text that its function needs besides the runtime, the variables to set for it, and the adapter that it defines. @default - none */
    shell?(resource: R): { script: string; variables: Record<string, string>; adapter: string };
    /** Parts of the runtime that few resources need: the names of their files in `runtime/parts`. @default - none */
    parts?(resource: R): string[];
    /** What a later converge undoes if the resource has left the run list: a line `kind TAB name` each; more fields may follow. @default - nothing */
    manifest?(resource: R): string[];
    /** The call of the shell function that takes it out of service when its host is retired. @default - it stays */
    retirement?(resource: R): string[];
    /**
     * What a host remembers of it besides a digest and its files: by aspect, in the form in which the runtime reports what the host
     * has. A preview compares it to say whether the declaration or the host has changed. @default - nothing
     */
    remembered?(resource: R, file: (path: string) => FilledFile): Record<string, string>;
    /** How reports word an aspect that differs, given what the host has. */
    wording: Wording;
    /** What is declared for an aspect, if its wording only says what the host has. Files need none. @default - nothing to add */
    declared?(resource: R, aspect: string, have: string): string | undefined;
}

/** Words by aspect, the first argument of `differs` in the runtime. */
export type Wording = Record<string, (have: string) => string>;

/** A boolean as an argument of a shell function. */
export function yesNo(value: boolean): string {
    return value ? "yes" : "no";
}
