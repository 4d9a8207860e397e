// Nodes from what EC2 has answered: computes only.
import type { Ec2Search, Ec2TagKeys } from "./ec2Search";
import { type Node, name as nameForm, port as portForm, weight as weightForm } from "./nodeSchema";

/** Instances with one tag in one place. */
export interface Found {
    /** The place in words, as in `EC2 in eu-central-1`. */
    readonly where: string;
    /** @default - the search has none */
    readonly facility?: string;
    readonly tag: string;
    readonly ids: readonly string[];
    /** Not in the order of the ids; an instance without an address has none here. */
    readonly addresses: readonly string[];
}

/** What a node is made of. */
export interface Instance {
    /** Its id, if that is known. */
    readonly id?: string;
    readonly address: string;
    readonly facility?: string;
    readonly runList: readonly string[];
    /** What its tags say. */
    readonly values?: TagValues;
}

/** Values of an instance's tags, in the form that nodes have. */
export type TagValues = Pick<Node, "port" | "weight" | "facility"> & { readonly name?: string };

type Kind = NonNullable<Ec2Search["address"]>;

/** Nodes, or why there are none. */
export interface Result<T> {
    readonly issues: readonly string[];
    readonly value: T;
}

/** As many as a message lists. */
const LISTED = 10;

/** Issues of answers: instances without an address, and instances that are in two facilities. */
export function answerIssues(answers: readonly Found[], kind: Kind): string[] {
    const lacking = answers.filter(({ ids, addresses }) => addresses.length < ids.length);
    if (lacking.length > 0) {
        return lacking.map(({ where, tag, ids, addresses }) => {
            const count = `${addresses.length} of ${ids.length} running instances with ${tag} have a ${kind} address`;
            return `${where}: ${count}; ${kind === "public" ? "give one to each, or search by private addresses" : "an instance in a subnet with IPv6 only cannot be found: give it an IPv4 address"}`;
        });
    }
    const places = new Map<string, { ids: Set<string>; addresses: Set<string>; where: string }>();
    for (const { where, facility = "", ids, addresses } of answers) {
        const place = places.get(facility) ?? { ids: new Set(), addresses: new Set(), where };
        ids.forEach((id) => void place.ids.add(id));
        addresses.forEach((address) => void place.addresses.add(address));
        places.set(facility, place);
    }
    const shared = [...places.values()].filter(({ ids, addresses }) => addresses.size < ids.size);
    return [
        ...shared.map(
            ({ where, ids, addresses }) =>
                `${where}: ${ids.size} instances have only ${addresses.size} different ${kind} addresses, probably in several VPCs; tell their instances apart by the tag environment`,
        ),
        ...sharedInstances([...places]),
    ];
}

/** Two facilities with the same instances. Which of them a node belongs to would be a guess, and may decide whether it is a backup. */
function sharedInstances(
    places: readonly (readonly [facility: string, place: { readonly ids: ReadonlySet<string> }])[],
): string[] {
    return places.flatMap(([facility, { ids }], index) =>
        places.slice(index + 1).flatMap(([other, { ids: others }]) => {
            const both = [...ids].filter((id) => others.has(id)).sort();
            const more = both.length > LISTED ? ` and ${both.length - LISTED} more` : "";
            const remedy = "give them different regions or accounts, or set tagged and give instances the tag facility";
            return both.length === 0
                ? []
                : [
                      `facilities ${facility} and ${other}: both have ${both.slice(0, LISTED).join(", ")}${more}; ${remedy}`,
                  ];
        }),
    );
}

/** Instances by address: what is known without a call for each. */
export function instancesByAddress(answers: readonly Found[]): Instance[] {
    const instances = new Map<string, { address: string; facility?: string; runList: string[] }>();
    for (const { facility, tag, addresses } of answers) {
        for (const address of addresses) {
            const key = JSON.stringify([facility, address]);
            const instance = instances.get(key) ?? {
                address,
                ...(facility !== undefined && { facility }),
                runList: [],
            };
            instance.runList.push(tag);
            instances.set(key, instance);
        }
    }
    return [...instances.values()];
}

/** Instances by id, which have no address yet. */
export function instancesById(answers: readonly Found[]): (Omit<Instance, "address"> & { readonly id: string })[] {
    const instances = new Map<string, { id: string; facility?: string; runList: string[] }>();
    for (const { facility, tag, ids } of answers) {
        for (const id of ids) {
            const instance = instances.get(id) ?? { id, facility, runList: [] };
            instance.runList.push(tag);
            instances.set(id, instance);
        }
    }
    return [...instances.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** What each key must hold. */
const values = {
    name: { form: nameForm, allowed: "1 to 63 lower-case letters, digits, - and .", parse: String },
    port: { form: portForm, allowed: "a whole number from 1 to 65535", parse: wholeNumber },
    weight: { form: weightForm, allowed: "a whole number from 0 to 256", parse: wholeNumber },
    facility: { form: nameForm, allowed: "1 to 63 lower-case letters, digits, - and .", parse: String },
} as const;

/** Digits only: 8080, not 8e3, and not " 8080". */
function wholeNumber(text: string): number {
    return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}

/**
 * What the tags of an instance say.
 *
 * @param tags all of its tags, or nothing if AWS has not listed the instance
 */
export function readTags(
    id: string,
    tags: Readonly<Record<string, string>> | undefined,
    keys: Ec2TagKeys,
): Result<TagValues> {
    const issues: string[] = [];
    const read: Record<string, string | number> = {};
    for (const field of ["name", "port", "weight", "facility"] as const) {
        const key = keys[field];
        if (key === undefined) continue;
        const { form, allowed, parse } = values[field];
        const text = tags?.[key];
        const value = form.safeParse(parse(text ?? ""));
        if (value.success) {
            read[field] = value.data;
        } else if (text !== undefined) {
            issues.push(
                `instance ${id}: its tag ${key} has ${JSON.stringify(text)}, expected ${allowed}; correct the tag, or leave out read.${field}`,
            );
        } else if (tags !== undefined) {
            issues.push(`instance ${id}: no tag ${key}, expected ${allowed}; add the tag, or leave out read.${field}`);
        }
    }
    if (tags === undefined) {
        issues.push(
            `instance ${id}: AWS lists no tags of it yet; if it has been started just now, run again in a minute`,
        );
    }
    return { issues, value: read };
}

/** The nodes of an environment, sorted by name. */
export function nodesOf(instances: readonly Instance[], environment: string): Result<Node[]> {
    const named = instances.map((instance) => {
        const { address, runList, values: { name, ...others } = {} } = instance;
        const node: Node = {
            name: name ?? `ip-${address.replace(/[^0-9a-f]/g, "-")}`,
            address,
            environment,
            runList: [...new Set(runList)].sort(),
            ...(instance.facility !== undefined && { facility: instance.facility }),
            ...others,
        };
        return { node, instance };
    });
    const issues = (["name", "address"] as const).flatMap((key) => {
        const owners = new Map<string, string[]>();
        for (const { node, instance } of named) {
            const owner = instance.id ?? (instance.facility === undefined ? "one" : `one of ${instance.facility}`);
            owners.set(node[key], [...(owners.get(node[key]) ?? []), owner]);
        }
        return (
            [...owners]
                .filter(([, all]) => all.length > 1)
                // Two of one address have one name, too: that is one issue.
                .filter(([value]) => key === "address" || !value.startsWith("ip-"))
                .map(
                    ([value, all]) =>
                        `${key} ${value}: ${all.length} instances have it, ${all.slice(0, LISTED).join(" and ")}; ` +
                        (key === "name"
                            ? "give each its own tag, or leave out read.name"
                            : "HAProxy reaches only one of them: search one VPC, or give facilities that share no network"),
                )
        );
    });
    const nodes = named.map(({ node }) => node);
    return { issues, value: nodes.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

/** Lines of an error; a long list is cut. */
export function listedIssues(issues: readonly string[]): string {
    const shown = issues.slice(0, 2 * LISTED);
    const more = issues.length - shown.length;
    return [...shown, ...(more > 0 ? [`and ${more} more like these`] : [])].join("\n");
}
