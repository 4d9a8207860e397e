import { distance } from "fastest-levenshtein";

/** Longer lists are shortened to the nearest words. */
const MOST_LISTED = 16;

/**
 * The word that is probably meant: one that differs in capitals, "-" or "_" only, or in a few letters, fewer than a third of them (a
 * word of three or more letters may have one wrong, a word of five or more two). Undefined if no word is that near.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
    const [first] = byDistance(word, known);
    if (first === undefined) {
        return undefined;
    }
    const { length } = plain(word);
    const most = length < 3 ? 0 : length < 5 ? 1 : Math.max(2, Math.floor(length / 3));
    return letters(word, first) <= most ? first : undefined;
}

/** Words as a text, as in `a, b or c`. Of a long list, the words nearest to `word` and the number of the others. */
export function listed(known: readonly string[], word = ""): string {
    if (known.length <= MOST_LISTED) {
        return list(known, "or");
    }
    const first = new Set(byDistance(word, known).slice(0, MOST_LISTED - 4));
    const shown = known.filter((one) => first.has(one));
    return list([...shown, `one of ${known.length - shown.length} others`], "or");
}

/** Words as a text, as in `a, b and c`. */
export function list(words: readonly string[], conjunction: "and" | "or"): string {
    return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${conjunction} ${words.at(-1)}`;
}

/** The nearest first; words of equal distance keep their order. */
function byDistance(word: string, known: readonly string[]): string[] {
    const far = new Map(known.map((one) => [one, letters(word, one)]));
    return [...known].sort((a, b) => (far.get(a) ?? 0) - (far.get(b) ?? 0));
}

/** How many letters differ. Two that have changed places count once. */
function letters(word: string, known: string): number {
    const [a, b] = [plain(word), plain(known)];
    const at = [...a].findIndex((letter, index) => letter !== b[index]);
    const swapped = `${a.slice(0, at)}${a[at + 1]}${a[at]}${a.slice(at + 2)}`;
    return a !== b && swapped === b ? 1 : distance(a, b);
}

function plain(word: string): string {
    return word.replace(/[-_ ]/g, "").toLowerCase();
}
