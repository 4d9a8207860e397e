// What the functions of aws.ec2 look for.
import type { Properties } from "../../provider/values";
import type { Aws } from "../aws";

/** The service, in the region of the arguments. */
export const ec2Of = (aws: Aws, args: Properties) => aws.ec2(args.region as string | undefined);

/** Filters of the API; undefined, as it refuses an empty list, if nothing is looked for. */
export function filtersOf(
    args: Properties,
    tags: "tags" | "instanceTags",
    values: Readonly<Record<string, string[] | string | undefined>> = {},
) {
    const given = (args.filters ?? []) as { name: string; values: string[] }[];
    const filters = [
        ...Object.entries(values).flatMap(([Name, value]) => (value ? [{ Name, Values: [value].flat() }] : [])),
        ...Object.entries((args[tags] ?? {}) as Record<string, string>).map(([key, value]) => ({
            Name: `tag:${key}`,
            Values: [value],
        })),
        ...given.map(({ name, values: Values }) => ({ Name: name, Values })),
    ];
    return filters.length > 0 ? filters : undefined;
}

/** The only one of what was found. @throws in the words of the real provider */
export function single<T>(found: readonly T[], what: string): T {
    const [only] = found;
    if (only === undefined) throw new Error(`no matching ${what} found`);
    if (found.length > 1) {
        throw new Error(`multiple ${what}s matched; use additional constraints to reduce matches to a single ${what}`);
    }
    return only;
}
