// What all resource types have in common: their region, their tags, and that what AWS has is read after every change.
import { isDeepStrictEqual } from "node:util";
import type { Field } from "../provider/fields";
import type { Failure, ResourceType } from "../provider/resourceType";
import { tableType } from "../provider/tableType";
import { Unfinished } from "../provider/unfinished";
import { isObject, type Properties, pick, type Value } from "../provider/values";
import type { Aws } from "./aws";
import type { Ec2 } from "./sdk/ec2";
import type { Iam } from "./sdk/iam";
import type { Route53 } from "./sdk/route53";

/** What the functions of a resource type work with. */
export interface Scope {
    readonly aws: Aws;
    /** The service, in the region of the resource. */
    ec2(): Promise<Ec2>;
    iam(): Promise<Iam>;
    route53(): Promise<Route53>;
    /** Of a resource of EC2 in its region, such as `instance/i-0123`. */
    arn(resource: string): Promise<string>;
    /** The tags of the resource with those of the provider. */
    readonly tags: Readonly<Record<string, string>>;
    /** Says that a resource that is being made exists from now on, whatever fails later. */
    made(id: string): void;
    /**
     * What `find` finds, once it does.
     * @throws after ten minutes, or if the user interrupts
     */
    until<T>(what: string, find: () => Promise<T | undefined>): Promise<T>;
}

export interface AwsType {
    readonly fields: Readonly<Record<string, Field>>;
    /** Outputs that are no inputs. */
    readonly computed: readonly string[];
    /** Whether it has no region. */
    readonly global?: true;
    /** Whether it has tags. */
    readonly tagged?: true;
    /** What is wrong with inputs beyond single fields. */
    readonly failures?: (inputs: Properties) => readonly Failure[];
    readonly replaces?: (state: Properties, inputs: Properties) => readonly string[];
    readonly unsettled?: (state: Properties, inputs: Properties) => readonly string[];
    /** Returns the id. */
    create(scope: Scope, inputs: Properties): Promise<string>;
    /** @param changed the names of the inputs that differ, `tagsAll` among them */
    update?(
        scope: Scope,
        id: string,
        inputs: Properties,
        changed: ReadonlySet<string>,
        state: Properties,
    ): Promise<void>;
    delete(scope: Scope, id: string, state: Properties): Promise<void>;
    /** All outputs, and the inputs that AWS knows, `tagsAll` among them; undefined if it is gone. */
    read(scope: Scope, id: string, state: Properties): Promise<Properties | undefined>;
}

const waitMs = 10 * 60_000;
const pollMs = 250;
const idOf = (state: Properties) => String(state.id);

export function awsType(type: AwsType, aws: () => Aws): ResourceType {
    const common: Record<string, Field> = {
        ...(type.global ? {} : { region: { kind: "string", replaces: true } }),
        ...(type.tagged ? { tags: { kind: { mapOf: { kind: "string" } } } } : {}),
    };
    const derived = (inputs: Properties): Properties => ({
        ...(type.global ? {} : { region: aws().settings.region(inputs.region as string | undefined) }),
        ...(type.tagged ? { tagsAll: { ...aws().settings.defaultTags, ...(inputs.tags as Properties) } } : {}),
    });

    function scopeOf(inputs: Properties, signal?: AbortSignal, made: (id: string) => void = () => {}): Scope {
        const region = type.global ? undefined : (inputs.region as string | undefined);
        return {
            aws: aws(),
            ec2: () => aws().ec2(region),
            iam: () => aws().iam(),
            route53: () => aws().route53(),
            arn: async (resource) =>
                `arn:aws:ec2:${aws().settings.region(region)}:${await aws().accountId()}:${resource}`,
            tags: (inputs.tagsAll ?? {}) as Record<string, string>,
            made,
            async until(what, find) {
                for (const end = Date.now() + waitMs; Date.now() < end; await sleep(pollMs)) {
                    signal?.throwIfAborted();
                    const found = await find();
                    if (found !== undefined) return found;
                }
                throw new Error(`waiting for ${what}: timeout while waiting for state to become as wanted`);
            },
        };
    }

    /** The tags of the provider are no input, unless they are given with the resource, too. */
    async function read(scope: Scope, id: string, state: Properties): Promise<Properties | undefined> {
        const found = await type.read(scope, id, state);
        if (!found || !type.tagged) return found;
        const given = (state.tags ?? {}) as Properties;
        const { defaultTags } = aws().settings;
        const own = Object.entries(found.tagsAll as Properties).filter(
            ([key, value]) => defaultTags[key] !== value || key in given,
        );
        return { ...found, tags: Object.fromEntries(own) };
    }

    async function readBack(scope: Scope, id: string, state: Properties): Promise<Properties> {
        const found = await read(scope, id, state);
        if (!found) throw new Error(`reading ${id}: couldn't find resource`);
        return found;
    }

    return tableType({
        fields: { ...type.fields, ...common },
        computed: type.computed,
        derived,
        failures: type.failures,
        replaces: type.replaces,
        unsettled: type.unsettled,
        async create(inputs, call) {
            let id: string | undefined;
            const scope = scopeOf(inputs, call.signal, (made) => {
                id = made;
            });
            try {
                id = await type.create(scope, inputs);
                return { id, outputs: await readBack(scope, id, inputs) };
            } catch (error) {
                if (id === undefined) throw error;
                throw new Unfinished(id, { ...inputs, id }, inputs, (error as Error).message);
            }
        },
        async update(state, inputs, call) {
            const scope = scopeOf(inputs, call.signal);
            const names = [...Object.keys(type.fields), "tagsAll"];
            const changed = names.filter((name) => !isSame(state[name], inputs[name]));
            await type.update?.(scope, idOf(state), inputs, new Set(changed), state);
            return readBack(scope, idOf(state), inputs);
        },
        async delete(state, call) {
            await type.delete(scopeOf(state, call.signal), idOf(state), state);
        },
        async read(state) {
            const found = await read(scopeOf(state), idOf(state), state);
            return found && { ...state, ...derived(pick(state, ["region"])), ...found };
        },
    });
}

/** AWS says nothing of what is not there, or says that it is empty. */
const isSame = (a: Value = "", b: Value = "") =>
    isDeepStrictEqual(a, b) ||
    [a, b].every((value) => value === "" || (isObject(value) && isDeepStrictEqual(value, {})));

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
