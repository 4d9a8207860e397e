import * as pulumi from "@pulumi/pulumi";
import { type Later, plainValue } from "./convergence/outputs";
import { slot } from "./convergence/slots";

/**
 * The type of public arguments for plain data of type `T`. An Input may stand for what other resources bring, and for what is secret:
 * `address` and `port` of servers, peers, mailers and name servers; each `password`; values of headers. All else is plain data,
 * because it decides which sections exist, or how values are quoted.
 *
 * @typeParam Endpoint whether `T` is a list of such servers, or one of them
 */
export type WithInputs<T, Endpoint extends boolean = false> = T extends Primitive
    ? T
    : T extends readonly unknown[]
      ? { [K in keyof T]: WithInputs<T[K], Endpoint> }
      : {
            [K in keyof T]: K extends InputField<T> | (Endpoint extends true ? "address" | "port" : never)
                ? pulumi.Input<T[K]>
                : T extends Answer
                  ? AnswerField<T, K>
                  : WithInputs<T[K], K extends EndpointList ? true : false>;
        };

type Primitive = string | number | boolean | null | undefined | ((...args: never[]) => unknown);

/** Fields with lists of what has an address and a port. */
type EndpointList = (typeof endpointLists)[number];
const endpointLists = ["servers", "peers", "mailers", "nameservers"] as const;

/** Rules that set a header to their `format`. */
type HeaderAction = (typeof headerActions)[number];
const headerActions = ["set-header", "add-header", "replace-header", "replace-value"] as const;

type InputField<T> = "password" | (T extends { readonly action: HeaderAction } ? "format" : never);

/** A rule with headers by name. */
interface Answer {
    readonly action: "return";
}
type AnswerField<T, K extends keyof T> = K extends "headers"
    ? Readonly<Record<string, pulumi.Input<string>>> | Extract<T[K], undefined>
    : T[K];

/** Whether an Input may stand there: what {@link WithInputs} says in types. */
function mayBeInput(parents: readonly Step[], key: string): boolean {
    const [parent, around] = [...parents].reverse();
    const isEndpoint = parent?.index === true && (endpointLists as readonly unknown[]).includes(around?.key);
    return (
        key === "password" ||
        (isEndpoint && (key === "address" || key === "port")) ||
        (key === "format" && (headerActions as readonly unknown[]).includes(parent?.value.action)) ||
        (parent?.key === "headers" && around?.value.action === "return")
    );
}

/** A place on the way to a value. */
interface Step {
    readonly key: string;
    /** Whether it is an entry of a list. */
    readonly index: boolean;
    readonly value: Readonly<Record<string, unknown>>;
}

/** Arguments as plain data. */
export interface Taken<T> {
    /** With a slot in place of each Input, for checks that need not wait. */
    readonly draft: T;
    /**
     * Known values that are no secret are in their places, and `undefined` where a secret turns out to have no value. Others are slots
     * there, whatever the type of the field. It is a promise only if there are Inputs that are not plain values.
     */
    readonly data: Later<T>;
    /** The values that were taken out, by the names of their slots, used or not. They may turn out to be no text. */
    readonly slots: Readonly<Record<string, pulumi.Output<string>>>;
}

/**
 * Takes Outputs and promises out of arguments. Those where plain data is expected stay: the form of the data refuses them.
 *
 * @param reserved names that slots of others have
 */
export function takeInputs<T>(args: WithInputs<T>, reserved: readonly string[] = []): Taken<T> {
    const places = inputsIn(args, []);
    if (places.length === 0) {
        return { draft: args as T, data: args as T, slots: {} };
    }
    const names = namesOf(places, reserved);
    const markers = names.map(slot);
    const outputs = places.map(({ value }) => pulumi.output(value as Promise<unknown>) as pulumi.Output<unknown>);
    const slots = Object.fromEntries(
        outputs.map((output, n) => [names[n], output.apply(textOf) as pulumi.Output<string>]),
    );
    const filled = (values: readonly unknown[]) => withValues(args, byOwner(places, values)) as T;
    const data = Promise.all(outputs.map((output, n) => plainValue(output, markers[n]))).then(filled);
    // Whoever uses the data handles its failure; a program that has failed before does not.
    data.catch(() => undefined);
    return { draft: filled(markers), data, slots };
}

/** A number as text. Another value is an issue of its slot. */
function textOf(value: unknown): unknown {
    return typeof value === "number" ? String(value) : value;
}

/** An Input that is not a plain value, and the way to it. */
interface Place {
    readonly parents: readonly Step[];
    /** The object or list that it is in. */
    readonly owner: unknown;
    readonly key: string;
    readonly value: unknown;
}

function inputsIn(value: unknown, parents: readonly Step[]): Place[] {
    // Data with a circle has no form, which is reported later.
    if (!isContainer(value) || parents.slice(0, -1).some((step) => step.value === value)) {
        return [];
    }
    const index = Array.isArray(value);
    return Object.entries(value).flatMap(([key, inner]) =>
        isInput(inner)
            ? mayBeInput(parents, key)
                ? [{ parents, owner: value, key, value: inner }]
                : []
            : inputsIn(inner, [...parents, { key, index, value: isContainer(inner) ? inner : {} }]),
    );
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null && !isInput(value) && !ArrayBuffer.isView(value);
}

function isInput(value: unknown): boolean {
    return pulumi.Output.isInstance(value) || value instanceof Promise;
}

/** Values of places, by the object or list that each is in, and by key: the same Output may also be where none can be. */
function byOwner(places: readonly Place[], values: readonly unknown[]): Map<unknown, Map<string, unknown>> {
    const found = new Map<unknown, Map<string, unknown>>();
    places.forEach(({ owner, key }, n) => {
        found.set(owner, (found.get(owner) ?? new Map()).set(key, values[n]));
    });
    return found;
}

/** The data with values in place of Inputs. What holds none stays the same object. */
function withValues(
    value: unknown,
    filled: ReadonlyMap<unknown, ReadonlyMap<string, unknown>>,
    above: readonly unknown[] = [],
): unknown {
    if (!isContainer(value) || above.includes(value)) {
        return value;
    }
    const own = filled.get(value);
    const entries = Object.entries(value).map(
        ([key, inner]) => [key, own?.has(key) ? own.get(key) : withValues(inner, filled, [...above, value])] as const,
    );
    if (entries.every(([key, inner]) => inner === value[key])) {
        return value;
    }
    return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
}

/**
 * A name for each slot from the names in the data, not from positions, as `web1.address`; with what is around it if several would have
 * one name. Equal Inputs share a slot.
 */
function namesOf(places: readonly Place[], reserved: readonly string[]): string[] {
    const owners = new Map<string, unknown>(reserved.map((name) => [name, undefined]));
    return places.map(({ parents, key, value }) => {
        const labels = labelsOf(parents);
        const isFree = (candidate: string) => !owners.has(candidate) || owners.get(candidate) === value;
        const around = labels.map((_, n) => slotName([...labels.slice(labels.length - 1 - n), key]));
        let name = around.find(isFree);
        for (let n = 2; name === undefined; n++) {
            const numbered = slotName([...labels, key, String(n)]);
            name = isFree(numbered) ? numbered : undefined;
        }
        owners.set(name, value);
        return name;
    });
}

/** What people call the places on the way: entries of lists by their names, else by list and number. */
function labelsOf(parents: readonly Step[]): string[] {
    return parents.flatMap(({ key, index, value }, n) => {
        const name = value.name ?? value.user;
        const isNamed = index && typeof name === "string" && name !== "";
        const before = parents[n - 1];
        return isNamed ? [name] : index ? [`${before?.key ?? ""}.${key}`] : parents[n + 1]?.index ? [] : [key];
    });
}

/** A name that a slot can have: lower case, of at most 63 characters. */
export function slotName(parts: readonly string[]): string {
    const text = parts.join(".").toLowerCase();
    return text
        .replace(/[^a-z0-9.-]+/g, "-")
        .slice(-63)
        .replace(/^[.-]+/, "");
}
