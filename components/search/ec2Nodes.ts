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

type AddressKind = NonNullable<Ec2Search["address"]>;

/** Nodes, or why there are none. */
export interface Result<T> {
    readonly issues: readonly string[];
    readonly value: T;
}

/** As many as a message lists. */
const LISTED = 10;

/** Issues of answers: instances without an address of their own, and instances in two facilities. */
export function answerIssues(answers: readonly Found[], kind: AddressKind): string[] {
    const lacking = answers.filter(({ ids, addresses }) => addresses.length < ids.length);
    const remedy =
        kind === "public"
            ? "give one to each, or search by private addresses"
            : "give an IPv4 address to each, which a subnet with IPv6 only does not";
    const places = placesOf(answers);
    return [
        ...lacking.map(({ where, tag, ids, addresses }) => {
            const count = `${addresses.length} of ${ids.length} running instances`;
            return `${where}: ${count} with ${tag} have a ${kind} address; ${remedy}`;
        }),
        // Fewer addresses because some instances have none are one issue, not two.
        ...(lacking.length > 0 ? [] : places.flatMap((place) => sharedAddresses(place, kind))),
        ...places.flatMap((place, index) => places.slice(index + 1).flatMap((other) => sharedInstances(place, other))),
    ];
}

interface PlaceAnswers {
    readonly where: string;
    readonly facility?: string;
    readonly ids: Set<string>;
    readonly addresses: Set<string>;
}

/** All answers of each place together. */
function placesOf(answers: readonly Found[]): PlaceAnswers[] {
    const places = new Map<string | undefined, PlaceAnswers>();
    for (const { where, facility, ids, addresses } of answers) {
        const place = places.get(facility) ?? { where, facility, ids: new Set(), addresses: new Set() };
        for (const id of ids) place.ids.add(id);
        for (const address of addresses) place.addresses.add(address);
        places.set(facility, place);
    }
    return [...places.values()];
}

function sharedAddresses({ where, ids, addresses }: PlaceAnswers, kind: AddressKind): string[] {
    const count = `${ids.size} instances have only ${addresses.size} different ${kind} addresses`;
    const remedy = "if they are in several VPCs, tell them apart by the tag environment";
    return addresses.size < ids.size ? [`${where}: ${count}; ${remedy}`] : [];
}

/** Which of two facilities an instance belongs to would be a guess, and may decide whether it is a backup. */
function sharedInstances(one: PlaceAnswers, other: PlaceAnswers): string[] {
    const both = [...one.ids].filter((id) => other.ids.has(id)).sort();
    const remedy = "give them different regions or accounts, or `tagged` and the instances the tag facility";
    return both.length === 0
        ? []
        : [`facilities ${one.facility} and ${other.facility}: both have ${shortList(both)}; ${remedy}`];
}

function shortList(values: readonly string[]): string {
    const more = values.length - LISTED;
    return values.slice(0, LISTED).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** Instances by address: what is known without a call for each. */
export function instancesByAddress(answers: readonly Found[]): Instance[] {
    return grouped(answers, "addresses").map(({ value, ...instance }) => ({ address: value, ...instance }));
}

/** Instances by id, whose addresses have to be asked for. */
export function instancesById(answers: readonly Found[]): (Omit<Instance, "address"> & { readonly id: string })[] {
    return grouped(answers, "ids").map(({ value, ...instance }) => ({ id: value, ...instance }));
}

/** One entry per instance, in a fixed order, with all the tags that it was found for. */
function grouped(answers: readonly Found[], by: "ids" | "addresses") {
    const instances = new Map<string, { value: string; facility?: string; runList: string[] }>();
    for (const { facility, tag, [by]: all } of answers) {
        for (const value of all) {
            const key = JSON.stringify([value, facility]);
            const instance = instances.get(key) ?? { value, facility, runList: [] };
            instance.runList.push(tag);
            instances.set(key, instance);
        }
    }
    return [...instances].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, instance]) => instance);
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
    const lost = instances.filter(({ address }) => address === "");
    const issues = [
        ...lost.map(({ id }) => `instance ${id}: it has lost its address since it was found; run again`),
        ...duplicates(named, "name"),
        ...duplicates(named, "address"),
    ];
    const nodes = named.map(({ node }) => node);
    return { issues, value: nodes.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

/** Issues of values that several nodes have. */
function duplicates(
    named: readonly { readonly node: Node; readonly instance: Instance }[],
    key: "name" | "address",
): string[] {
    const owners = new Map<string, string[]>();
    for (const { node, instance } of named) {
        // Two of one address that names them are one issue.
        if (node[key] === "" || (key === "name" && instance.values?.name === undefined)) continue;
        const owner = instance.id ?? `an instance of ${instance.facility}`;
        owners.set(node[key], [...(owners.get(node[key]) ?? []), owner]);
    }
    const remedy =
        key === "name"
            ? "give each instance a name of its own, or leave out read.name"
            : "HAProxy can reach only one of them, so search networks that do not overlap";
    return [...owners]
        .filter(([, all]) => all.length > 1)
        .map(([value, all]) => `${key} ${value}: ${shortList(all)} have it; ${remedy}`);
}

/** Lines of an error; a long list is cut. */
export function listedIssues(issues: readonly string[]): string {
    const shown = issues.slice(0, 2 * LISTED);
    const more = issues.length - shown.length;
    return [...shown, ...(more > 0 ? [`and ${more} more like these`] : [])].join("\n");
}
