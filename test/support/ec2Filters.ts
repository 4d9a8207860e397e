/**
 * Whether EC2's filter value matches the whole of a tag's value: `*` stands for any characters, `?` for one or none, a backslash takes the
 * meaning of what follows it away; case matters.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html#Filtering_Resources_CLI
 */
export function matchesFilter(pattern: string, value: string): boolean {
    // The ends of the value that the pattern read so far may have reached.
    let reached = new Set([0]);
    for (let at = 0; at < pattern.length; at++) {
        const isEscaped = pattern[at] === "\\";
        const character = isEscaped ? pattern[++at] : pattern[at];
        const next = new Set<number>();
        for (const end of reached) {
            if (!isEscaped && character === "*") for (let to = end; to <= value.length; to++) next.add(to);
            else if (!isEscaped && character === "?") next.add(end).add(Math.min(end + 1, value.length));
            else if (value[end] === character) next.add(end + 1);
        }
        reached = next;
    }
    return reached.has(value.length);
}
