/**
 * Markdown that shows texts of others. A pull request may come from a stranger, so all that it can choose stands in code: there it forms
 * no link, image, HTML or mention, and closes no issue.
 */

/** Characters of a name or a remark in a sentence. */
const LONGEST_NAME = 80;

/** Characters of a line in a block of code. */
const LONGEST_LINE = 400;

/** Names in a sentence; of more, the first one is named. */
const MOST_NAMES = 4;

/** Control characters, marks that turn or hide text, and halves of characters. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text in a sentence, as Markdown and as the HTML of a summary, in which no Markdown is read. */
export class Phrase {
    constructor(
        readonly markdown: string,
        readonly html: string,
    ) {}
}

/** A template of our own words: strings that it holds are shown as code, numbers with separators. */
export function phrase(words: TemplateStringsArray, ...values: (string | number | Phrase)[]): Phrase {
    const parts = values.map((value) => [
        value instanceof Phrase
            ? value
            : typeof value === "number"
              ? new Phrase(digits(value), digits(value))
              : code(value),
    ]);
    const own = words.map((word) => new Phrase(word, word.replace(/`([^`]+)`/g, "<code>$1</code>")));
    return joined(
        own.flatMap((word, n) => [word, ...(parts[n] ?? [])]),
        "",
    );
}

export function strong({ markdown, html }: Phrase): Phrase {
    return new Phrase(`**${markdown}**`, `<strong>${html}</strong>`);
}

export function joined(phrases: readonly Phrase[], separator = ", "): Phrase {
    return new Phrase(
        phrases.map(({ markdown }) => markdown).join(separator),
        phrases.map(({ html }) => html).join(separator),
    );
}

/** `lb1`, `lb2`; of many, the first one and how many more. */
export function names(all: readonly string[], most = MOST_NAMES): Phrase {
    const [first = "", ...others] = all;
    return all.length > most ? phrase`${first} and ${others.length} more` : joined(all.map((name) => phrase`${name}`));
}

/** `1 line`, `1,234 lines`. */
export function counted(n: number, noun: string): Phrase {
    const words = `${digits(n)} ${noun}${n === 1 ? "" : "s"}`;
    return new Phrase(words, words);
}

/** `1,234,567`. */
export function digits(n: number): string {
    return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Lines of a block of code, each short enough to be read, and without characters that hide or turn text. */
export function codeLines(text: readonly string[]): string[] {
    return text.flatMap((one) => one.split(/\r?\n/)).map((line) => shown(line, LONGEST_LINE));
}

/**
 * A block of code around these lines. No line in it starts like a command of a forge or a bot (`/merge`), or like a fence: some of them
 * read comments line by line, without regard for code.
 */
export function codeBlock(lines: readonly string[], language: "diff" | "text"): string {
    const fence = fenceOf(lines);
    return [`${fence}${language}`, ...lines.map((line) => safeStart(line, language)), fence].join("\n");
}

/** Longer than each row of backticks in the lines. */
export function fenceOf(lines: readonly string[]): string {
    const rows = lines.flatMap((line) => line.match(/`+/g) ?? []);
    return "`".repeat(rows.reduce((longest, { length }) => Math.max(longest, length + 1), 3));
}

/** The line with a space before it if its start could be taken for something else than code. */
export function safeStart(line: string, language: "diff" | "text"): string {
    return (language === "diff" ? /^[^ +\-@\\\w(]/ : /^[/`~]/).test(line) ? ` ${line}` : line;
}

/** In HTML if the text has a character that ends code or a cell of a table. */
export function code(text: string, longest = LONGEST_NAME): Phrase {
    const short = cut(text, longest);
    const name = `${shown(short.replaceAll("\t", " "), longest).trim() || "(empty)"}${short === text ? "" : "…"}`;
    // Markdown links what begins with www.
    const plain = /www/i.test(name) ? /[^A-Za-z0-9 /,=-]/gu : /[^A-Za-z0-9 /,=.-]/gu;
    const entities = name
        .replace(plain, (character) => `&#${character.codePointAt(0)};`)
        // Inside of HTML, an address of mail would become a link.
        .replaceAll("&#64;", "&#64;&#8203;");
    const html = `<code>${entities}</code>`;
    return new Phrase(/[|`]/.test(name) ? html : `\`${name}\``, html);
}

function shown(line: string, longest: number): string {
    const text = cut(line, longest).replace(HIDDEN, (character) => {
        const number = character.codePointAt(0) ?? 0;
        return character === "\t" ? character : number < 256 ? `\\x${hex(number, 2)}` : `\\u${hex(number, 4)}`;
    });
    const left = line.length - cut(line, longest).length;
    return left === 0 ? text : `${text}… (${digits(left)} more characters)`;
}

/** Never within a character of two units. */
function cut(text: string, longest: number): string {
    const isInside = /[\ud800-\udbff]/.test(text.charAt(longest - 1));
    return text.slice(0, isInside ? longest - 1 : longest);
}

function hex(number: number, width: number): string {
    return number.toString(16).padStart(width, "0");
}
