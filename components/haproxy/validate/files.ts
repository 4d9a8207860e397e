import type { HaproxyConfig, MapEntry } from "../model";
import { mapPath } from "../model/files";
import { expressionsIn } from "../model/strings";
import { withoutSlots } from "../render/quoting";
import { type IssueList, show } from "./issues";

/** Checks maps. HAProxy accepts any file as a map. */
export function mapIssues(config: HaproxyConfig, issues: IssueList): void {
    const { maps = [], frontends, backends, listens, defaults, namedDefaults, global } = config;
    const names = maps.map(({ name }) => name);
    maps.forEach(({ name, entries }, i) => {
        if (names.indexOf(name) < i) {
            issues.error("duplicate-name", `maps.${i}.name`, `map ${name}: declared already; use another name`);
        }
        entryIssues(entries, `maps.${i}.entries`, `map ${name}`, issues);
    });
    const without = (list: readonly object[] = []) => list.map((proxy) => ({ ...proxy, servers: undefined }));
    const sections = {
        global,
        defaults,
        namedDefaults,
        frontends: without(frontends),
        backends: without(backends),
        listens: without(listens),
    };
    const expressions = Object.entries(sections).flatMap(([list, value]) => expressionsIn(value, list));
    maps.forEach((map, i) => {
        const path = mapPath(map.name);
        const users = expressions.filter(({ text }) => text.includes(path));
        if (users.length === 0) {
            issues.warning(
                "unused-map",
                `maps.${i}.name`,
                `map ${map.name}: not used; name ${path} in a rule, or remove it`,
            );
        }
        // An acl reads a whole line as one pattern (section 7.1), unless `-M` says that the file is a map.
        for (const { path: userPath, text } of map.entries.some(({ value }) => value !== undefined) ? users : []) {
            const [before, after] = text.split(` -f ${path}`);
            if (after !== undefined && /^(\s|$)/.test(after) && !/\s-M\b/.test(before ?? "")) {
                issues.error(
                    "map-as-list",
                    userPath,
                    `map ${map.name}: read as a list by -f, so its values become part of the keys; add -M, or remove the values`,
                );
            }
        }
    });
}

/** HAProxy reads a line of a map as a key up to the first blank, and the rest, without blanks at its ends, as the value. */
function entryIssues(entries: readonly MapEntry[], path: string, where: string, issues: IssueList): void {
    const values = new Map<string, string | undefined>();
    const valued = entries.filter(({ value }) => value !== undefined).length;
    entries.forEach(({ key, value }, i) => {
        const entryPath = `${path}.${i}`;
        const subject = `key ${show(key)} of ${where}`;
        if (valued > 0 && /[ \t]/.test(withoutSlots(key))) {
            issues.error("map-key", `${entryPath}.key`, `${subject}: ends at its first blank; remove the blank`);
        } else if (key.startsWith("#")) {
            issues.error(
                "map-key",
                `${entryPath}.key`,
                `${subject}: begins with "#", so the line is a comment; remove it`,
            );
        }
        if (value === undefined && valued > 0) {
            issues.error(
                "map-value",
                entryPath,
                `${subject}: has no value, but others have one; give all a value, or none`,
            );
        }
        if (value !== undefined && /^[ \t]|[ \t]$/.test(value)) {
            issues.error(
                "map-value",
                `${entryPath}.value`,
                `${subject}: HAProxy drops blanks at the ends of a value; remove them`,
            );
        }
        if (values.has(key) && values.get(key) !== value) {
            issues.error(
                "duplicate-key",
                `${entryPath}.key`,
                `${subject}: has the value ${show(values.get(key) ?? "")} already; keep one`,
            );
        }
        values.set(key, values.has(key) ? values.get(key) : value);
    });
}
