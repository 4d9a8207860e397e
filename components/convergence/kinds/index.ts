/**
 * The resource kinds: what a recipe may declare. A kind is one file here, which holds everything that TypeScript knows about it, and one
 * shell function in `runtime/`, which tests and repairs it.
 */
import { z } from "zod";
import { printable } from "../text";
import { type Absent, absent } from "./absent";
import { type Directory, directory } from "./directory";
import { type Execute, execute } from "./execute";
import { type File, file } from "./file";
import { type Firewall, firewall } from "./firewall";
import { type Group, group } from "./group";
import type { DeclaredFile, ResourceKind } from "./kind";
import { type PackageRepository, packageRepository } from "./packageRepository";
import { type Packages, type PackageVersion, packages } from "./packages";
import { type Service, service } from "./service";
import { type Sysctl, sysctl } from "./sysctl";
import { type SystemdUnit, systemdUnit } from "./systemdUnit";
import { type Transaction, transaction } from "./transaction";
import { type User, user } from "./user";

export type { FirewallRule } from "./firewall";
export type { Content } from "./kind";
export type { RepositoryKey } from "./packageRepository";
export type { SysctlValue } from "./sysctl";
export type { Adapter } from "./transaction";
export type {
    Absent,
    DeclaredFile,
    Directory,
    Execute,
    File,
    Firewall,
    Group,
    PackageRepository,
    Packages,
    PackageVersion,
    Service,
    Sysctl,
    SystemdUnit,
    Transaction,
    User,
};

/** Anything that a run list may hold. */
export type Resource =
    | Absent
    | Directory
    | Execute
    | File
    | Firewall
    | Group
    | PackageRepository
    | Packages
    | Service
    | Sysctl
    | SystemdUnit
    | Transaction
    | User;

const kinds: { [K in Resource["kind"]]: ResourceKind<Extract<Resource, { kind: K }>> } = {
    absent,
    directory,
    execute,
    file,
    firewall,
    group,
    packageRepository,
    packages,
    service,
    sysctl,
    systemdUnit,
    transaction,
    user,
};

/** The kind of a resource. */
export function kindOf<R extends Resource>(resource: R): ResourceKind<R> {
    return kinds[resource.kind] as ResourceKind<R>;
}

/** The form of a resource of any kind. */
export const resourceForm = z.discriminatedUnion(
    "kind",
    Object.values(kinds).map(({ form }) => form) as [z.ZodObject, ...z.ZodObject[]],
    // Each kind's form is exactly its type.
) as unknown as z.ZodType<Resource>;

/** The names of all kinds. */
export const kindNames = Object.keys(kinds);

/** The name of a resource in messages, in Chef's form: `file[/etc/motd]`. */
export function label(resource: Resource): string {
    return `${resource.kind}[${printable(kindOf(resource).nameOf(resource))}]`;
}

/** The files that a resource declares. */
export function filesOf(resource: Resource): DeclaredFile[] {
    return kindOf(resource).files?.(resource) ?? [];
}
