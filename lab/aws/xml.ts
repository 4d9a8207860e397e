// What this folder reads of answers in XML, which moto writes without spaces between elements.

/** The text of the first such element; `undefined` if there is none. */
export const textOf = (xml: string, element: string): string | undefined =>
    new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];

/** The text of all such elements, in order. */
export const textsOf = (xml: string, element: string): string[] =>
    [...xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, "g"))].map((match) => match[1] ?? "");

/** A text with a list in it. */
export interface Split {
    before: string;
    /** Each with its tags. */
    items: string[];
    after: string;
}

/** Splits at the first such list, whose items may have lists themselves; `undefined` if there is none. */
export function splitList(xml: string, element: string): Split | undefined {
    const empty = xml.indexOf(`<${element}/>`);
    const open = xml.indexOf(`<${element}>`);
    if (open < 0) {
        if (empty < 0) return undefined;
        const end = empty + element.length + 3;
        return { before: `${xml.slice(0, empty)}<${element}>`, items: [], after: `</${element}>${xml.slice(end)}` };
    }
    const first = open + element.length + 2;
    const items: string[] = [];
    let [depth, start, end] = [0, first, first];
    for (const tag of xml.slice(first).matchAll(/<\/?item>|<item\/>/g)) {
        const at = first + tag.index;
        if (depth === 0 && xml.startsWith(`</${element}>`, end)) break;
        if (tag[0] === "<item>" && depth++ === 0) start = at;
        if (tag[0] === "</item>" && --depth === 0) {
            end = at + tag[0].length;
            items.push(xml.slice(start, end));
        }
    }
    return { before: xml.slice(0, first), items, after: xml.slice(end) };
}

/** Puts a text with a list together. */
export const joinList = ({ before, items, after }: Split): string => before + items.join("") + after;
