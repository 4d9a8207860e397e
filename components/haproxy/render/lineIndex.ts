/**
 * Finds the source of each line of haproxy.cfg, the path in the model that it was rendered from: views mark their texts, and
 * {@link takeSources} removes the marks from the rendered file.
 */

const [start, end] = ["\x01", "\x02"];
const mark = new RegExp(`${start}([^${end}]*)${end}`, "g");

/** The text, marked as rendered from that path. */
export function from(path: string, text: string | number): string {
    return `${text}${start}${path.replace(/\.(\d+)(?=\.|$)/g, "[$1]")}${end}`;
}

/** Each element of a list as text, marked with its own path. */
export function fromEach<T>(path: string, list: readonly T[] | undefined, text: (item: T) => string): string[] {
    return (list ?? []).map((item, i) => from(`${path}[${i}]`, text(item)));
}

/** A rendered file without marks, and the source of each of its lines; a line without a mark has that of its section. */
export function takeSources(marked: string): { text: string; sources: (string | undefined)[] } {
    let section: string | undefined;
    const sources = marked
        .replace(/\n$/, "")
        .split("\n")
        .map((line) => {
            const path = [...line.matchAll(mark)][0]?.[1];
            if (!line.startsWith(" ")) {
                section = path;
            }
            return path ?? section;
        });
    return { text: marked.replace(mark, ""), sources };
}
