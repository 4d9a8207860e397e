import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";

/**
 * What a forge makes of a comment, before it removes what is dangerous. micromark with its extension follows the grammar of GitHub, with
 * tables and links without brackets.
 */
export function htmlOf(markdown: string): string {
    return micromark(markdown, { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true });
}

/** Rows of the only table, without its head. */
export function rowsOf(html: string): number {
    const [table = "", ...others] = html.split("<table>").slice(1);
    return others.length > 0 ? Number.NaN : (table.split("</table>")[0]?.split("<tr>").length ?? 0) - 2;
}

const OWN = "h3 h4 p table thead tbody tr th td ul li hr strong em code pre details summary".split(" ");

/** Tags and comments that a comment never has of itself, and tags that are not closed or have attributes. */
export function elementsOf(html: string): string[] {
    const tags = html.match(/<[^>]*>?/g) ?? [];
    const open: string[] = [];
    return tags.filter((tag, n) => {
        const [, close, name = "", rest] = /^<(\/?)([a-z]\w*)([^>]*)>$/.exec(tag) ?? [];
        if (n === 0 && tag === "<!-- haproxy-fleet review -->") {
            return false;
        }
        const plain =
            rest === "" ||
            (name === "hr" && rest === " /") ||
            (name === "code" && /^ class="language-(diff|text)"$/.test(rest ?? ""));
        if (!OWN.includes(name) || !plain) {
            return true;
        }
        if (close === "/") {
            return open.pop() !== name;
        }
        if (name !== "hr") {
            open.push(name);
        }
        return n === tags.length - 1;
    });
}
