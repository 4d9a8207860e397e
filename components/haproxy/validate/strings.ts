import type { HaproxyConfig } from "../model";
import { eachText } from "../model/strings";
import { hasControl, withoutSlots } from "../render/quoting";
import { type IssueList, show } from "./issues";

/** Fields whose text is escaped, or written to a separate file. */
const freeText = /\.(body|data|r?string|content|pem|revocations)$/;
/** Headers in it have a message of their own. */
const httpchkOption = /\.options\.httpchk$/;
/** Lines as written. Their ends are trimmed, because a block of YAML ends with a line break. */
const rawText = /\.raw(\.\d+)?$|Rules\.\d+$/;

/** Finds text that would end a line, so that HAProxy would read another configuration than the one declared. */
export function stringIssues(config: HaproxyConfig, issues: IssueList): void {
    for (const { path, text } of textsWithControls(config)) {
        const written = rawText.test(path) ? text.trim() : text;
        if (
            !freeText.test(path) &&
            !(httpchkOption.test(path) && text.includes("\n")) &&
            hasControl(withoutSlots(written).replaceAll("\t", " "))
        ) {
            issues.error(
                "control-character",
                path.slice(1),
                `text ${show(text)}: a line break or control character would break haproxy.cfg; remove it, or make an element of each line`,
            );
        }
    }
    for (const { path, name } of names(config)) {
        if (!/^[A-Za-z0-9_.:-]+$/.test(name)) {
            issues.error(
                "name",
                path,
                `name ${show(name)}: HAProxy refuses such a name, or ends it at "#"; use letters, digits, "-", "_", "." and ":"`,
            );
        }
    }
}

/** The texts with control characters, slots included, and such keys, because keys become words of lines too. */
function textsWithControls(config: HaproxyConfig): { readonly path: string; readonly text: string }[] {
    const found: { path: string; text: string }[] = [];
    const add = (text: string, keys: readonly string[]) => {
        if (hasControl(text)) {
            found.push({ path: keys.map((key) => `.${key}`).join(""), text });
        }
    };
    eachText(config, add, add);
    return found;
}

const sections = [
    "frontends",
    "backends",
    "listens",
    "namedDefaults",
    "userlists",
    "peers",
    "resolvers",
    "mailers",
    "caches",
    "httpErrors",
    "maps",
] as const;

/** Fields of sections that hold named entries. */
const entries = ["acls", "servers", "serverTemplates", "peers", "nameservers", "mailers"];

/** The names that are rendered without quotes. */
function* names(config: HaproxyConfig): Generator<{ readonly path: string; readonly name: string }> {
    for (const list of sections) {
        for (const [i, section] of (config[list] ?? []).entries()) {
            yield { path: `${list}.${i}.name`, name: section.name };
            for (const key of entries) {
                const inner = (section as unknown as Readonly<Record<string, readonly Named[] | undefined>>)[key] ?? [];
                for (const [j, { name, prefix }] of inner.entries()) {
                    const field = prefix === undefined ? "name" : "prefix";
                    const text = prefix ?? name;
                    if (text !== undefined) {
                        yield { path: `${list}.${i}.${key}.${j}.${field}`, name: text };
                    }
                }
            }
        }
    }
}

interface Named {
    readonly name?: string;
    readonly prefix?: string;
}
