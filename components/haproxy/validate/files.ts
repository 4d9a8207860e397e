import type { HaproxyConfig, MapEntry } from "../model";
import { expressionsIn } from "../model/strings";
import { filesOf, fleetDirectory, mapPath } from "../render/files";
import { hasControl, withoutSlots } from "../render/quoting";
import { declared } from "./conditions";
import { type IssueList, show } from "./issues";

/** `tune.bufsize`: HAProxy cuts longer lines of maps. */
const bufsize = 16_384;

/** Of an error file, which has to share a buffer with what HAProxy notes about it (measured: 16100 are taken, 16300 refused). */
const messageSize = 16_000;

/** What is wrong with the files of the model, and with what names them. */
export function fileIssues(config: HaproxyConfig, issues: IssueList): void {
    const { maps = [], httpErrors = [] } = config;
    issues.unique(
        maps.map(({ name }) => name),
        (i) => `maps.${i}.name`,
        "map",
    );
    maps.forEach(({ name, entries }, i) => {
        issues.name(name, `maps.${i}.name`, "a map");
        mapIssues(entries, `maps.${i}.entries`, `map ${name}`, issues);
    });
    httpErrors.forEach(({ name, errorfiles }, i) => {
        for (const [status, file] of Object.entries(errorfiles)) {
            const path = `httpErrors.${i}.errorfiles.${status}`;
            const where = `errorfile ${status} of http-errors ${name}`;
            if (typeof file === "string") {
                issues.file(file, path, where);
            } else {
                messageIssues(file.content, `${path}.content`, where, issues);
            }
        }
    });
    mentionIssues(config, issues);
}

/** HAProxy reads a line of a map as a key, blanks, and the rest of the line without blanks at its ends. */
function mapIssues(entries: readonly MapEntry[], path: string, where: string, issues: IssueList): void {
    const seen = new Map<string, string | undefined>();
    entries.forEach(({ key, value }, i) => {
        const place = `${path}.${i}`;
        issues.argument(key, `${place}.key`, `key in ${where}`);
        issues.argument(value, `${place}.value`, `value of ${show(key)} in ${where}`);
        if (/ /.test(withoutSlots(key))) {
            issues.error(`${place}.key`, `blank in key ${show(key)} of ${where}, which ends the key: remove it`);
        } else if (key.startsWith("#")) {
            issues.error(`${place}.key`, `key ${show(key)} of ${where} begins with "#", so the line is a comment`);
        }
        if ((value === undefined) !== (entries[0]?.value === undefined)) {
            issues.error(
                place,
                `${show(key)} in ${where} has ${value === undefined ? "no" : "a"} value, the first entry has ${value === undefined ? "one" : "none"}: give all one, or none`,
            );
        }
        if (value !== undefined && /^ | $/.test(value)) {
            issues.error(
                `${place}.value`,
                `blank at an end of value ${show(value)} of ${show(key)} in ${where}, which HAProxy drops: remove it`,
            );
        }
        if (Buffer.byteLength(`${key} ${value ?? ""}\n`) >= bufsize) {
            issues.error(place, `line of ${show(key)} in ${where} is too long: HAProxy reads up to ${bufsize} bytes`);
        }
        const first = seen.get(key);
        if (seen.has(key)) {
            const same = first === value ? "it is there already" : `the first has ${show(first ?? "")}`;
            issues.error(`${place}.key`, `duplicate key ${show(key)} in ${where}, ${same}: keep one`);
        }
        seen.set(key, seen.has(key) ? first : value);
    });
}

/** An error file is sent as it is: HAProxy makes up no header for it. */
function messageIssues(content: string, path: string, where: string, issues: IssueList): void {
    const end = /\r?\n\r?\n/.exec(content);
    const [status = "", ...headers] = content.slice(0, end?.index ?? content.length).split(/\r?\n/);
    if (!/^HTTP\/1\.[01] [2-5]\d\d( .*)?$/.test(status) || hasControl(withoutSlots(status))) {
        issues.error(
            path,
            `${where} begins with ${show(status)}: begin it with a status line like "HTTP/1.1 503 Service Unavailable"`,
        );
    }
    for (const header of headers) {
        if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+:/.test(header) || hasControl(withoutSlots(header).replaceAll("\t", " "))) {
            issues.error(path, `line ${show(header)} of ${where} is no header: write "Name: value", then a blank line`);
        }
    }
    if (!end) {
        issues.error(path, `no blank line after the headers of ${where}: add one, before the body`);
    }
    if (Buffer.byteLength(content) > messageSize) {
        issues.error(
            path,
            `${where} has ${Buffer.byteLength(content)} bytes, HAProxy takes ${messageSize}: shorten it, or refer to images and styles by URL`,
        );
    }
}

/** As a converter, which follows a sample, or as an action. */
const mapCall = /(?:,\s*map(?:_[a-z]+){0,2}|\b(?:set|del)-map|\b(?:add|del)-acl)\(\s*([^,)\s]+)/g;

/** Whatever text names a file of ours names one that is declared, and no map is declared in vain. */
function mentionIssues(config: HaproxyConfig, issues: IssueList): void {
    const { maps = [], httpErrors = [], frontends, backends, listens, defaults, namedDefaults, global } = config;
    const files = new Set(filesOf(config).map(({ path }) => path));
    const mentioned = new Set<string>();
    const without = (list: readonly object[] = []) => list.map((proxy) => ({ ...proxy, servers: undefined }));
    const paths = httpErrors.map(({ errorfiles }) => ({
        errorfiles: Object.fromEntries(Object.entries(errorfiles).filter(([, file]) => typeof file === "string")),
    }));
    const sections = {
        global,
        defaults,
        namedDefaults,
        frontends: without(frontends),
        backends: without(backends),
        listens: without(listens),
        httpErrors: paths,
    };
    const known = declared(files, "file");
    for (const [list, value] of Object.entries(sections)) {
        for (const { path, text } of expressionsIn(value, list)) {
            listIssues(text, config, path, issues);
            for (const [file] of text.matchAll(ours)) {
                mentioned.add(file);
                if (!files.has(file)) {
                    issues.error(path, `unknown map or error file ${show(file)}: ${known}`);
                }
            }
            for (const [, name = ""] of text.matchAll(mapCall)) {
                if (!/^([/\0]|[a-z]+@)/.test(name)) {
                    issues.error(
                        path,
                        `relative path ${show(name)} of a map: use the absolute one, which for a map of the model is "${mapPath("<name>")}"`,
                    );
                }
            }
        }
    }
    maps.forEach(({ name }, i) => {
        if (!mentioned.has(mapPath(name))) {
            issues.warning(`maps.${i}.name`, `no rule uses map ${name}: use it as ${mapPath(name)}, or remove it`);
        }
    });
}

/** A pattern of an acl is a whole line (section 7.1), unless `-M` says that it is a map. */
function listIssues(text: string, { maps = [] }: HaproxyConfig, path: string, issues: IssueList): void {
    for (const { 1: file, index } of text.matchAll(listed)) {
        const map = maps.find(({ name }) => mapPath(name) === file);
        if (map?.entries[0]?.value !== undefined && !/\s-M\s/.test(text.slice(0, index))) {
            issues.error(
                path,
                `map ${map.name} as a list of an acl, where values are read as part of the keys: leave the values out, or say -M -f`,
            );
        }
    }
}

const listed = /-f\s+(\S+)/g;

const ours = new RegExp(`${fleetDirectory}/[A-Za-z0-9_.:-]+`, "g");
