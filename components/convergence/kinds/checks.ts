/** Checks that several kinds share. Each returns a list of issues, empty if there are none. */

const ACCOUNT = /^[a-z_][a-z0-9_-]{0,30}\$?$/;
const UNIT = /^[A-Za-z0-9:_.@-]+\.(service|socket|timer|target|path|mount|slice)$/;
const DROP_IN = /^[A-Za-z0-9:_.@-]+\.(service|socket|timer|target|path|mount|slice)\.d\/[A-Za-z0-9_.-]+\.conf$/;
// Control characters break line-based tools; sha256sum escapes a backslash in its output.
const UNSAFE = /[\u0000-\u001f\u007f\\]/;

/** The part of the runtime that runs conditions, as `parts` of a kind names them. */
export const CONDITIONS = "conditions";

/** The issue, if there is one. */
export function when(faulty: boolean, issue: string): string[] {
    return faulty ? [issue] : [];
}

/** @param role what the account is for: `user`, `group`, `owner` */
export function accountIssues(role: string, name: string): string[] {
    return when(
        !ACCOUNT.test(name),
        `invalid ${role} ${JSON.stringify(name)}; use lower case letters, digits, _ and -, at most 31, no digit first`,
    );
}

/** A name that only people read. */
export function nameIssues(name: string): string[] {
    return when(
        name === "" || UNSAFE.test(name),
        `invalid name ${JSON.stringify(name)}; use at least one character, no control characters and no backslashes`,
    );
}

/** An absolute path, without characters that break line-based tools. */
export function pathIssues(path: string): string[] {
    return [
        ...when(
            UNSAFE.test(path),
            `invalid path ${JSON.stringify(path)}; leave out control characters and backslashes`,
        ),
        ...when(
            !path.startsWith("/") || path.endsWith("/") || /\/(\.{0,2})\//.test(`${path}/`),
            `invalid path ${JSON.stringify(path)}; use an absolute path without ., .., // or a final /`,
        ),
    ];
}

/** Whether the path is directly under `/`, where nothing may be removed as a whole. */
export function isTopLevel(path: string): boolean {
    return /^\/[^/]*$/.test(path);
}

/** Text that becomes a word of shell. @param what names it in messages, such as `parameter unit` */
export function shellTextIssues(what: string, text: string): string[] {
    return when(text.includes("\0"), `${what} holds a NUL character, which shells cannot take; leave it out`);
}

/** The name of a unit that can run: a template such as `getty@.service` has no state of its own. */
export function serviceIssues(name: string): string[] {
    return when(!UNIT.test(name) || /@\./.test(name), invalidUnit(name));
}

/** The name of a unit file or drop-in. */
export function unitFileIssues(name: string): string[] {
    return when(!UNIT.test(name) && !DROP_IN.test(name), invalidUnit(name));
}

function invalidUnit(name: string): string {
    return `invalid unit ${JSON.stringify(name)}; use its full name, as in "haproxy.service", or for a drop-in "haproxy.service.d/10-limits.conf"`;
}
