// Tags, as lists in AWS and as maps in Pulumi.

interface Tag {
    readonly Key?: string;
    readonly Value?: string;
}

/** Without the tags that AWS sets. */
export function tagMap(tags: readonly Tag[] | undefined): Record<string, string> {
    const own = (tags ?? []).filter(({ Key }) => Key && !Key.startsWith("aws:"));
    return Object.fromEntries(own.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
}

export const tagList = (tags: Readonly<Record<string, string>>) =>
    Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
