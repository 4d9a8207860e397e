import Mustache from "mustache";
import { textFile } from "./textFiles";

/**
 * Values of a template. A section needs a list (rendered once per item), a boolean, or a view; a variable needs text or a number. An
 * optional line is a list with one item or none.
 */
export interface View {
    readonly [name: string]: Value;
}
type Value = Text | boolean | View | readonly (Text | View)[];
type Text = string | number;

/** Mustache's own token: type, name, start, end, tokens inside a section. */
type Token = [type: string, name: string, start: number, end: number, inner?: Token[]];

const sources = new Map<string, string>();

/**
 * Renders a file of templates/ with Mustache, strictly: nothing is escaped for HTML, every name in the template must be in the view of
 * its section (none is inherited from an outer one), and every name in a view must be in the template. The result ends with exactly
 * one newline.
 *
 * @throws {Error} If names and values do not match, with the template and the name. That is a defect of the caller, never of a stack.
 */
export function renderTemplate(file: string, view: View): string {
    let source = sources.get(file);
    if (source === undefined) {
        source = textFile(`templates/${file}`);
        sources.set(file, source);
    }
    return renderText(source, view, file);
}

/** Like {@link renderTemplate}, for a template that is not a file. */
export function renderText(source: string, view: View, file: string): string {
    requireNames(outline(Mustache.parse(source) as Token[], file), view, file);
    return `${Mustache.render(source, view, undefined, { escape: String }).replace(/\n+$/, "")}\n`;
}

/** The names that a section of a template uses. */
interface Outline {
    readonly variables: Set<string>;
    readonly sections: Map<string, Outline>;
}

const outlines = new WeakMap<Token[], Outline>();

function outline(tokens: Token[], file: string): Outline {
    const known = outlines.get(tokens);
    if (known) {
        return known;
    }
    const result: Outline = { variables: new Set(), sections: new Map() };
    for (const [type, name, , , inner = []] of tokens) {
        if (type === "#" || type === "^") {
            const level = outline(inner, file);
            const earlier = result.sections.get(name);
            result.sections.set(name, earlier ? merged(earlier, level) : level);
        } else if (type === "name" || type === "&") {
            result.variables.add(name);
        } else if (type !== "text" && type !== "!") {
            throw new Error(`template ${file}: ${type}${name} is not supported`);
        }
    }
    outlines.set(tokens, result);
    return result;
}

function merged(a: Outline, b: Outline): Outline {
    const sections = new Map(a.sections);
    for (const [name, level] of b.sections) {
        const earlier = sections.get(name);
        sections.set(name, earlier ? merged(earlier, level) : level);
    }
    return { variables: new Set([...a.variables, ...b.variables]), sections };
}

/** Checks that a view and a section of a template have the same names. */
function requireNames(level: Outline, view: View, file: string): void {
    const used = new Set<string>();
    requireLevel(level, view, file, used);
    for (const name of Object.keys(view)) {
        if (!used.has(name)) {
            throw new Error(
                `template ${file}: unknown name ${name}; show it in the template, or remove it from the view`,
            );
        }
    }
}

function requireLevel(level: Outline, view: View, file: string, used: Set<string>): void {
    for (const name of level.variables) {
        used.add(name);
        const value = own(view, name, file);
        if (typeof value !== "string" && typeof value !== "number") {
            throw new Error(`template ${file}: ${name} must be text or a number, not ${kind(value)}`);
        }
    }
    for (const [name, inner] of level.sections) {
        used.add(name);
        requireSection(inner, own(view, name, file), view, `${file}: ${name}`, used);
    }
}

function requireSection(inner: Outline, value: Value, outer: View, file: string, used: Set<string>): void {
    if (typeof value === "boolean") {
        requireLevel(inner, outer, file, used);
    } else if (Array.isArray(value)) {
        for (const item of value as readonly (Text | View)[]) {
            requireNames(inner, typeof item === "object" ? item : { ".": item }, file);
        }
    } else if (typeof value === "object") {
        requireNames(inner, value as View, file);
    } else {
        throw new Error(`template ${file} must be a list, a boolean or a view, not ${kind(value)}`);
    }
}

function own(view: View, name: string, file: string): Value {
    const value = Object.hasOwn(view, name) ? view[name] : undefined;
    if (value === undefined || value === null) {
        throw new Error(`template ${file}: no value for ${name}`);
    }
    return value;
}

function kind(value: unknown): string {
    return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
}
