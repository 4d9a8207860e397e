/**
 * The comment of a review in a pull request. It is read by people who do not know this program: whether something will happen to the
 * load balancers, whether that is safe, and which lines change.
 */
import { type Fitted, fitInto } from "./comment/fit";
import { blocksOf } from "./comment/section";
import { heading, table } from "./comment/table";
import { code, counted, joined, type Phrase, phrase } from "./markdown";
import type { CommentSettings, StackReview } from "./types";

export { isRefused, type Verdict, verdictOf } from "./comment/verdict";

/** The first line of each comment, by which a workflow finds the one that it has written before. */
export const MARKER = "<!-- haproxy-fleet review -->";

/** Characters of a comment. GitHub takes 65,536. */
const LONGEST = 60_000;

/** Characters without which a comment cannot say what was left out of it. */
const LEAST = 8000;

/** Characters of a command. */
const LONGEST_COMMAND = 200;

/**
 * Markdown for GitHub and GitLab. Its length is bounded, whatever the reviews hold: the longest diffs are cut first, then other folded
 * lines, refusals last. All texts but its own are in code, so that none of them becomes HTML, a link or a mention.
 *
 * @returns text that ends with a line break, of at most `settings.longest` characters, or 8000 if that is less
 */
export function comment(reviews: readonly StackReview[], settings: CommentSettings): string {
    const longest = Math.max(settings.longest ?? LONGEST, LEAST);
    const before = [MARKER, heading(reviews)];
    const after = [legend(reviews, settings), footer(reviews, settings)];
    const notice = leftOut({ markdown: "", lines: Number.MAX_SAFE_INTEGER, blocks: Number.MAX_SAFE_INTEGER }, settings);
    const sizeOf = (parts: readonly string[]) => parts.reduce((sum, part) => sum + part.length + 2, 0);
    const room = longest - sizeOf([...before, ...after, notice]);
    const rows = table(reviews, settings.now, Math.floor(room / 2), Math.floor(room * 0.8));
    const sections = reviews.map((review) => ({
        heading: `#### ${code(review.stack).markdown}`,
        blocks: blocksOf(review, settings),
    }));
    const fitted = fitInto(sections, room - rows.length - 2);
    const [legendText, footerText] = after as [string, string];
    const parts = [...before, rows, legendText, fitted.markdown, leftOut(fitted, settings), footerText];
    return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** How sure the table is, and how to know more. */
function legend(reviews: readonly StackReview[], settings: CommentSettings): string {
    const others = reviews.filter(({ previewed }) => previewed === undefined).length;
    if (reviews.length === 0) {
        return "";
    }
    if (others === 0) {
        return "The hosts were asked over SSH, and nothing was changed. In what differs, `-` is on the host, and `+` is what `pulumi up` would put there.";
    }
    const command = code(settings.previewCommand, LONGEST_COMMAND);
    const which =
        others === reviews.length
            ? phrase`No host was asked`
            : phrase`In ${counted(others, "stack")}, no host was asked`;
    return phrase`${which}: this compares the files of ${settings.commit} with those of ${settings.base}. \`pulumi up\` decides by what it finds on each host, and may have to restart HAProxy, or to undo changes made by hand. To ask the hosts, someone who has the login to them runs ${command}.`
        .markdown;
}

function leftOut({ lines, blocks }: Fitted, settings: CommentSettings): string {
    const parts: Phrase[] = [
        ...(lines > 0 ? [counted(lines, "line")] : []),
        ...(blocks > 0 ? [phrase`${counted(blocks, "part")}`] : []),
    ];
    const command = code(settings.previewCommand, LONGEST_COMMAND);
    return parts.length === 0
        ? ""
        : phrase`✂️ Left out, because a comment has a limited length: ${joined(parts, " and ")}. To see all of it, run ${command}.`
              .markdown;
}

function footer(reviews: readonly StackReview[], { commit, base }: CommentSettings): string {
    const previewed = reviews.filter(({ previewed }) => previewed !== undefined).length;
    const kind =
        previewed === 0
            ? "without asking the hosts"
            : previewed === reviews.length
              ? "with a preview of the hosts"
              : "with a preview of some stacks";
    return `---\n\nhaproxy-fleet review of ${code(commit).markdown}, compared with ${code(base).markdown}, ${kind}`;
}
