// Planted secrets: what a test looks for in the output of the engine and on hosts, in whatever encoding it may leak.
import assert from "node:assert/strict";

/** A secret by the name that a failed test shows for it. */
export type Planted = Readonly<Record<string, string>>;

/** A form in which a secret may stand in a text. */
interface Form {
    readonly name: string;
    readonly text: string;
}

/** Shorter encodings occur by chance. */
const SHORTEST = 8;

const json = (text: string) => JSON.stringify(text).slice(1, -1);
const hex = (text: string) => Buffer.from(text).toString("hex");

/**
 * The base64 of a text inside of a longer one, which may begin at each of three alignments: without the characters that depend on what is
 * around it.
 */
export function base64Within(text: string): string[] {
    return [0, 1, 2].map((before) => {
        const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
        const whole = Math.floor((bytes.length * 8) / 6);
        return bytes.toString("base64").slice(Math.ceil((before * 8) / 6), whole);
    });
}

/** Go's JSON and some loggers escape more than JSON asks for. */
const htmlSafe = (text: string) =>
    text.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`).replace(/[\u2028\u2029]/g, "");

/** Every form of a secret, as a whole and, because outputs are cut into lines, of each of its lines. */
function formsOf(secret: string): Form[] {
    const parts = [...new Set([secret, ...secret.split("\n")])].filter((part) => part.trim().length >= SHORTEST);
    return parts.flatMap((part) => {
        const forms: [string, string][] = [
            ["literal", part],
            ["JSON", json(part)],
            ["JSON of Go", htmlSafe(json(part))],
            ["JSON in JSON", json(json(part))],
            ["JSON of Go in JSON", json(htmlSafe(json(part)))],
            ["URL", encodeURIComponent(part)],
            ["form", encodeURIComponent(part).replaceAll("%20", "+")],
            ["hex", hex(part)],
            ["upper hex", hex(part).toUpperCase()],
            ...base64Within(part).flatMap((text): [string, string][] => [
                ["base64", text],
                ["base64url", text.replaceAll("+", "-").replaceAll("/", "_")],
            ]),
        ];
        return forms.map(([name, text]) => ({ name, text }));
    });
}

/** The text without what may break an encoding: line ends, also escaped ones, and blanks. */
const joined = (text: string) => text.replace(/\\+[nrt]|\s+/g, "");

/** The planted secrets that a text holds, each as `name (form)`. */
export function leaks(text: string, planted: Planted): string[] {
    const whole = joined(text);
    const found = Object.entries(planted).flatMap(([name, secret]) =>
        formsOf(secret)
            .filter((form) => text.includes(form.text) || whole.includes(joined(form.text)))
            .map((form) => `${name} (${form.name})`),
    );
    return [...new Set(found)].sort();
}

/** Asserts that a text holds no planted secret. The message does not quote the text, which may be long; `where` says what it is. */
export function assertHidden(text: string, planted: Planted, where: string): void {
    assert.notEqual(text, "", `${where} is empty`);
    assert.deepEqual(leaks(text, planted), [], where);
}
