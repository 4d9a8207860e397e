import type { Content, File, Resource } from "./resources";
import { secretSlots } from "./slots";

const PACKAGE = /^[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?$/;
const ACCOUNT = /^[a-z_][a-z0-9_-]{0,30}\$?$/;
const UNIT = /^[A-Za-z0-9:_.@-]+\.(service|socket|timer|target|path|mount|slice)$/;
const DROP_IN = /^[A-Za-z0-9:_.@-]+\.(service|socket|timer|target|path|mount|slice)\.d\/[A-Za-z0-9_.-]+\.conf$/;
const MODE = /^0?[0-7]{3,4}$/;
// Control characters break every line-based tool on the way; a backslash is rewritten by sha256sum's output format.
const UNSAFE = /[\u0000-\u001f\u007f\\]/;
const CONTROL = /[\u0000-\u001f\u007f]/;
const TOP_LEVEL = /^\/[^/]*$/;
const SHELL_NAME = /^[a-z][a-z0-9_]*$/;

/** Every fault of one resource, as text that gives the value, what is allowed and what to do. */
export function resourceFaults(resource: Resource): string[] {
    switch (resource.kind) {
        case "packages":
            return [
                ...when(resource.names.length === 0, "no package is named: name at least one"),
                ...resource.names.flatMap((name) =>
                    when(!PACKAGE.test(name), `invalid package ${show(name)}: use "name" or "name=version"`),
                ),
            ];
        case "user":
            return [
                ...accountFaults("user", resource.name),
                ...[resource.group ?? [], resource.groups ?? []].flat().flatMap((name) => accountFaults("group", name)),
                ...[resource.home ?? [], resource.shell ?? []].flat().flatMap(pathFaults),
            ];
        case "group":
            return [
                ...accountFaults("group", resource.name),
                ...when(
                    resource.gid !== undefined && !(Number.isInteger(resource.gid) && resource.gid > 0),
                    `invalid gid ${resource.gid}: use a positive integer`,
                ),
            ];
        case "directory":
            return [
                ...pathFaults(resource.path),
                ...permissionFaults(resource),
                ...ownershipFaults(resource.owned ? [resource.path] : []),
            ];
        case "file":
            return fileFaults(resource);
        case "absent":
            return [
                ...pathFaults(resource.path),
                ...when(
                    TOP_LEVEL.test(resource.path),
                    `refusing to remove ${show(resource.path)}: only paths at least two levels deep can be declared absent`,
                ),
            ];
        case "service":
            return when(!UNIT.test(resource.name) || /@\./.test(resource.name), unitFault(resource.name));
        case "systemdUnit":
            return [
                ...when(!UNIT.test(resource.name) && !DROP_IN.test(resource.name), unitFault(resource.name)),
                ...when(
                    secretSlots(resource.content).length > 0,
                    "everybody may read unit files: put the secret into a file of its own, and name that by EnvironmentFile",
                ),
            ];
        case "execute":
            return [
                ...nameFaults(resource.name),
                ...when(
                    !(resource.creates ?? resource.onlyIf ?? resource.notIf),
                    "no guard, so it would run every time: give creates, onlyIf or notIf",
                ),
                ...(resource.creates === undefined ? [] : pathFaults(resource.creates)),
                ...[resource.command, resource.onlyIf ?? "", resource.notIf ?? ""].flatMap((text) =>
                    when(text.includes("\0"), "a NUL character in a command: shells cannot take it, leave it out"),
                ),
            ];
        case "transaction":
            return [
                ...[resource.name, resource.adapter.name, ...Object.keys(resource.adapter.parameters)].flatMap((name) =>
                    when(!SHELL_NAME.test(name), `invalid name ${show(name)}: use a-z, 0-9 and _, a letter first`),
                ),
                ...Object.entries(resource.adapter.parameters).flatMap(([name, value]) =>
                    when(
                        value.includes("\0"),
                        `a NUL character in the parameter ${name}: shells cannot take it, leave it out`,
                    ),
                ),
                ...pathFaults(resource.directory),
                ...ownershipFaults(resource.owned ?? []),
                ...when(resource.files.length === 0, "no files: a transaction has at least one"),
                ...resource.files.flatMap(fileFaults),
                ...[...resource.files.map((file) => file.path), ...(resource.owned ?? [])].flatMap((path) =>
                    when(
                        path !== resource.directory && !path.startsWith(`${resource.directory}/`),
                        `${show(path)} is outside of ${resource.directory}: all of a transaction is under its directory`,
                    ),
                ),
                ...(resource.allowWarnings ?? []).flatMap((text) =>
                    when(
                        text.trim() === "" || CONTROL.test(text),
                        `invalid warning to allow ${show(text)}: give a part of its line, without control characters`,
                    ),
                ),
            ];
    }
}

function fileFaults(file: Omit<File, "kind">): string[] {
    return [...pathFaults(file.path), ...permissionFaults(file), ...exposedSecrets(file)];
}

function exposedSecrets({ content, mode }: { content: Content; mode?: string }): string[] {
    const secret = typeof content === "string" && secretSlots(content).length > 0;
    return when(
        secret && mode !== undefined && (Number.parseInt(mode, 8) & 0o7) !== 0,
        `mode ${show(mode)} lets everybody at the secrets in it: end it with 0, as in "0640"`,
    );
}

function permissionFaults({ owner, group, mode }: { owner?: string; group?: string; mode?: string }): string[] {
    return [
        ...accountFaults("owner", owner ?? "root"),
        ...accountFaults("group", group ?? "root"),
        ...when(mode !== undefined && !MODE.test(mode), `invalid mode ${show(mode)}: use octal digits, as in "0644"`),
    ];
}

function ownershipFaults(owned: string[]): string[] {
    return owned
        .filter((path) => TOP_LEVEL.test(path))
        .map(
            (path) =>
                `refusing to own ${show(path)}: only in directories at least two levels deep can undeclared entries be removed`,
        );
}

function pathFaults(path: string): string[] {
    return [
        ...when(
            UNSAFE.test(path),
            `invalid path ${show(path)}: control characters and backslashes are not allowed in paths`,
        ),
        ...when(
            !path.startsWith("/") || path.endsWith("/") || /\/(\.{0,2})\//.test(`${path}/`),
            `invalid path ${show(path)}: use an absolute path without ., .., // or a final /`,
        ),
    ];
}

function nameFaults(name: string): string[] {
    return when(
        name === "" || UNSAFE.test(name),
        `invalid name ${show(name)}: it is empty or has control characters or backslashes`,
    );
}

function accountFaults(what: string, name: string): string[] {
    return when(
        !ACCOUNT.test(name),
        `invalid ${what} ${show(name)}: use lower case letters, digits, _ and -, at most 31, no digit first`,
    );
}

function unitFault(name: string): string {
    return `invalid unit ${show(name)}: use the full name of a unit, as in "haproxy.service", and for a drop-in "haproxy.service.d/10-limits.conf"`;
}

function when(fault: boolean, text: string): string[] {
    return fault ? [text] : [];
}

function show(value: unknown): string {
    return JSON.stringify(value);
}
