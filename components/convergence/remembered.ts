/**
 * What a host remembers of its last converge: what was declared, so that a preview can say of each difference whether the
 * declaration or the host has changed. It holds no secrets, only digests of contents that have some.
 */
import { filesOf, kindOf, label, type Resource } from "./kinds/index";
import type { DeclaredFile, FilledFile } from "./kinds/kind";
import { FILE_TYPE, permissionsOf, statLine } from "./kinds/paths";
import { canonical } from "./payload/plan";
import { sha256 } from "./sha256";

/** What is declared of one thing, by aspect, in the form in which the runtime reports what a host has. */
export type Declared = Record<string, string>;

/** The digest of the whole resource, among its aspects. */
const WHOLE = "";

/** What a host remembers. */
export interface Remembered {
    /** The token of the converge that it remembers. If the host has another one now, it remembers nothing of its last converge. */
    token: string;
    /** What that converge declared, by subject: a path, or the label of a resource. */
    converged: Map<string, Declared>;
    /** What later converges declared anew that have begun and not ended: what they have written is no edit by hand. */
    attempted: { subject: string; declared: Declared }[];
}

/** What a resource is called here. Packages are remembered one by one, because recipes may share or regroup them. */
export function subjectOf(resource: Resource): string {
    return resource.kind === "packages" ? resource.kind : label(resource);
}

/** Everything that a plan declares, by subject. */
export function declaredOf(resources: Resource[], file: (path: string) => FilledFile): Map<string, Declared> {
    const subjects = new Map<string, Declared>();
    const add = (subject: string, declared: Declared) =>
        subjects.set(subject, { ...subjects.get(subject), ...declared });
    for (const resource of resources) {
        const files = filesOf(resource);
        for (const declared of files) {
            add(declared.path, fileAspects(declared, file(declared.path).sum));
        }
        if (files.length === 0 || kindOf(resource).filesTogether) {
            add(subjectOf(resource), {
                ...(resource.kind === "packages" ? {} : { [WHOLE]: sha256(canonical(resource)).slice(0, 16) }),
                ...kindOf(resource).remembered?.(resource, file),
            });
        }
    }
    return subjects;
}

function fileAspects(declared: DeclaredFile, content: string): Declared {
    const [mode = "", owner, group] = statLine(FILE_TYPE, permissionsOf(declared)).split("\t");
    return { content, mode, owner: `${owner}:${group}` };
}

/** The lines that a host stores, one for each subject: the subject, then `aspect=value` each, separated by TABs. */
export function rememberedLines(declared: Map<string, Declared>): string[] {
    return [...declared].map(([subject, aspects]) =>
        [subject, ...Object.entries(aspects).map(([aspect, value]) => `${aspect}=${value}`)].join("\t"),
    );
}

/** Parses what a host has stored: a token, the lines of that converge, and after an empty line those of unfinished ones. */
export function parseRemembered(text: string): Remembered {
    const [token = "", ...lines] = text.replace(/\n$/, "").split("\n");
    const end = lines.indexOf("");
    const parse = (line: string) => {
        const [subject = "", ...aspects] = line.split("\t");
        return { subject, declared: Object.fromEntries(aspects.map(parseAspect)) };
    };
    const converged = (end < 0 ? lines : lines.slice(0, end)).map(parse);
    return {
        token,
        converged: new Map(converged.map(({ subject, declared }) => [subject, declared])),
        attempted: end < 0 ? [] : lines.slice(end + 1).map(parse),
    };
}

function parseAspect(text: string): [string, string] {
    const at = text.indexOf("=");
    return [text.slice(0, at), text.slice(at + 1)];
}
