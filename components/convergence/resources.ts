/**
 * The resource kinds: what a recipe may ask of a host. Each kind is tested and repaired by the shell function of the same
 * name in `runtime/`.
 */

/** Text may hold slots (see slots.ts); bytes are taken as they are. */
export type Content = string | Uint8Array;

/** A set of distribution packages, installed in one transaction of the package manager. */
export interface Packages {
    kind: "packages";
    /** Package names, each alone or with an exact version, as in `haproxy=2.6.12-1+deb12u4`. */
    names: string[];
}

/** A login or service account. An existing account keeps what is not declared here. */
export interface User {
    kind: "user";
    /** Login name, as useradd(8) takes it: lower case letters, digits, `_` and `-`, at most 31. */
    name: string;
    /** Primary group. @default - that of an existing account stays, a new one gets the system's choice: a group of the user's name */
    group?: string;
    /** Supplementary groups the user must be in; others it is in are left alone. @default [] */
    groups?: string[];
    /** Home directory. @default - that of an existing account stays, a new one gets the system's choice */
    home?: string;
    /** Login shell. @default - that of an existing account stays, a new one gets /usr/sbin/nologin */
    shell?: string;
    /** Whether a new account is a system account: uid from the system range, no home made. @default true */
    system?: boolean;
}

/** A group of accounts. */
export interface Group {
    kind: "group";
    /** As that of a user. */
    name: string;
    /** Numeric id. @default - the next free one */
    gid?: number;
    /** A system group: gid from the system range. @default true */
    system?: boolean;
}

/** A directory. Its parents must exist or be declared. */
export interface Directory {
    kind: "directory";
    /** Absolute. */
    path: string;
    /** @default "root" */
    owner?: string;
    /** @default "root" */
    group?: string;
    /** Permission bits in octal, as in `"0755"`. @default "0755" */
    mode?: string;
    /** Whether entries that no resource declares are removed; only at least two levels deep. @default false */
    owned?: boolean;
}

/** A regular file with exactly this content. */
export interface File {
    kind: "file";
    /** Absolute; its directory must exist or be declared before. */
    path: string;
    /** Every byte of it, the final newline too. */
    content: Content;
    /** @default "root" */
    owner?: string;
    /** @default "root" */
    group?: string;
    /** Permission bits in octal; nothing for others where the content holds slots. @default "0644", or "0600" with slots */
    mode?: string;
    /**
     * Returns why a value cannot stand in the place of a slot, as in "is empty", without the value; undefined if it can.
     * `encoding`: that of the marker, see `withEncoding` in slots.ts. @default - any value can
     */
    slotFault?: (value: string, encoding?: string) => string | undefined;
    /**
     * Returns the text that stands for a value where the marker has this encoding. The files of a host use different names for
     * different encodings. @default - the value itself
     */
    slotValue?: (value: string, encoding: string) => string;
}

/** A path that must not exist. A directory is removed only when empty, or with `recursive`. */
export interface Absent {
    kind: "absent";
    /** Absolute, and at least two levels deep. */
    path: string;
    /** Whether a directory is removed with all it holds. @default false */
    recursive?: boolean;
}

/** A systemd service as it should be now and after a boot. */
export interface Service {
    kind: "service";
    /** Unit name, as in `haproxy.service`. */
    name: string;
    /** Whether it starts at boot. @default true */
    enabled?: boolean;
    /** Whether it runs now. @default true */
    running?: boolean;
    /** Paths of declared files; the process must have been reloaded since they were written. @default [] */
    reloadOn?: string[];
    /** Paths of declared files; the process must have been started since they were written. @default [] */
    restartOn?: string[];
}

/** A unit file or drop-in under /etc/systemd/system; systemd reads it again after a change. */
export interface SystemdUnit {
    kind: "systemdUnit";
    /** `name.service` for a unit, `name.service.d/10-x.conf` for a drop-in. */
    name: string;
    /** As systemd.unit(5) has it; without secrets, since everybody may read it. */
    content: string;
}

/** A command, run only while its guard says that it is needed. */
export interface Execute {
    kind: "execute";
    /** What people read in reports. */
    name: string;
    /** POSIX shell. */
    command: string;
    /** Not run once this path exists. */
    creates?: string;
    /** Run only if this command, which must change nothing, exits 0. */
    onlyIf?: string;
    /** Not run if this command, which must change nothing, exits 0. */
    notIf?: string;
}

/** One file of a transaction. */
export type TransactionFile = Omit<File, "kind">;

/** How the files of one daemon are validated, activated and proved: shell functions named `<adapter>_…`. */
export interface Adapter {
    /** Prefix of the functions. */
    name: string;
    /**
     * POSIX sh text that defines `<name>_installed`, `_validate`, `_own_fault`, `_preflight`, `_running`, `_activation`, `_activate` and
     * `_prove`: see docs/convergence.md.
     */
    script: string;
    /** What the functions need to know of the declared state, seen by them as shell variables `<name>_<key>`. */
    parameters: Record<string, string>;
}

/** Files of one daemon that stand or fall together. */
export interface Transaction {
    kind: "transaction";
    /** What people read in reports: letters, digits and `_`. */
    name: string;
    /** The directory that holds all the files and is replaced by the stage while the daemon validates. */
    directory: string;
    /** At least one. */
    files: TransactionFile[];
    /** Directories, at or under `directory`, in which undeclared entries are removed. @default [] */
    owned?: string[];
    /**
     * Texts such as `"missing timeouts for frontend 'web'"`: a warning of the daemon's checker with one of them in its line does not
     * count. Any other refuses the configuration. @default []
     */
    allowWarnings?: string[];
    /** A host has one transaction with it. */
    adapter: Adapter;
}

/** Anything that a run list may hold. */
export type Resource =
    | Packages
    | User
    | Group
    | Directory
    | File
    | Absent
    | Service
    | SystemdUnit
    | Execute
    | Transaction;

/** The path of a unit file or drop-in. */
export function unitPath(unit: Pick<SystemdUnit, "name">): string {
    return `/etc/systemd/system/${unit.name}`;
}

/** The resource as people name it, in Chef's form: `file[/etc/motd]`. */
export function label(resource: Resource): string {
    return `${resource.kind}[${printable(nameOf(resource))}]`;
}

function nameOf(resource: Resource): string {
    switch (resource.kind) {
        case "packages":
            return resource.names.join(" ");
        case "directory":
        case "file":
        case "absent":
            return resource.path;
        default:
            return resource.name;
    }
}

const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** The text with control characters written as `\x1b`: neither lines nor terminals are at the mercy of a name or of a host. */
export function printable(text: string): string {
    return text.replace(CONTROL, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
