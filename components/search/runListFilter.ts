// Filters of EC2 that find an entry in a tag which holds a list.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html#Filtering_Resources_CLI

/** Characters of a filter's value that EC2 accepts. */
const LONGEST = 255;

/**
 * Values of an EC2 filter that match a tag with this entry. The tag's value is a list, separated by commas or spaces; a filter matches
 * the value as a whole, so there is one pattern for each place of the entry.
 *
 * @throws {Error} If the entry has a separator, or is too long for a filter.
 */
export function runListPatterns(entry: string): string[] {
    const literal = literalFilter(entry);
    const patterns = ["", ",*", " *"].flatMap((after) => ["", "*,", "* "].map((before) => before + literal + after));
    if (entry === "" || /[ ,]/.test(entry)) {
        throw new Error(`${JSON.stringify(entry)} is no entry of a run list; name one without commas and spaces`);
    }
    if (patterns.some(({ length }) => length > LONGEST)) {
        const longest = LONGEST - "*,,*".length;
        throw new Error(`${entry} is too long for a filter of EC2, which accepts ${longest} characters; shorten it`);
    }
    return patterns;
}

/** The value of an EC2 filter that matches this text and nothing else. */
export function literalFilter(text: string): string {
    return text.replace(/[\\*?]/g, "\\$&");
}
