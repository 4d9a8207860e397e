import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { formOf } from "../forms";
import type { BastionConnection, HostConnection } from "./connection";
import type { Content, DeclaredFile, Resource } from "./kinds/index";

// The form of a host's arguments, for data that no compiler has seen. Their content is judged by each kind.

const text = z.string({ message: "expected text" });
const texts = z.array(text, { message: "expected a list of texts" });
const flag = z.boolean({ message: "expected true or false" });
/** Its range is judged together with everything else. */
const number = z.custom<number>((value) => typeof value === "number", { message: "expected a number" });
const aFunction = <F>() =>
    z.custom<F>((value) => typeof value === "function", { message: "expected a function" }).optional();
const input = z.custom<pulumi.Input<string>>(
    (value) => typeof value === "string" || (typeof value === "object" && value !== null),
    { message: "expected text, or an Output of it" },
);
const content = z.custom<Content>((value) => typeof value === "string" || value instanceof Uint8Array, {
    message: "expected text or bytes",
});

const declaredFileShape = {
    path: text,
    content,
    owner: text.optional(),
    group: text.optional(),
    mode: text.optional(),
    slotFault: aFunction<NonNullable<DeclaredFile["slotFault"]>>(),
    slotValue: aFunction<NonNullable<DeclaredFile["slotValue"]>>(),
    lineSources: z.array(text.or(z.undefined())).optional(),
};

const resource = formOf<Resource>()(
    z.discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("absent"), path: text, recursive: flag.optional() }),
        z.strictObject({
            kind: z.literal("directory"),
            path: text,
            owner: text.optional(),
            group: text.optional(),
            mode: text.optional(),
            owned: flag.optional(),
        }),
        z.strictObject({
            kind: z.literal("execute"),
            name: text,
            command: text,
            creates: text.optional(),
            onlyIf: text.optional(),
            notIf: text.optional(),
        }),
        z.strictObject({ kind: z.literal("file"), ...declaredFileShape }),
        z.strictObject({ kind: z.literal("group"), name: text, gid: number.optional(), system: flag.optional() }),
        z.strictObject({ kind: z.literal("packages"), names: texts }),
        z.strictObject({
            kind: z.literal("service"),
            name: text,
            enabled: flag.optional(),
            running: flag.optional(),
            reloadOn: texts.optional(),
            restartOn: texts.optional(),
        }),
        z.strictObject({ kind: z.literal("systemdUnit"), name: text, content: text }),
        z.strictObject({
            kind: z.literal("transaction"),
            name: text,
            directory: text,
            files: z.array(z.strictObject(declaredFileShape)),
            owned: texts.optional(),
            allowWarnings: texts.optional(),
            adapter: z.strictObject({ name: text, script: text, parameters: z.record(z.string(), text) }),
        }),
        z.strictObject({
            kind: z.literal("user"),
            name: text,
            group: text.optional(),
            groups: texts.optional(),
            home: text.optional(),
            shell: text.optional(),
            system: flag.optional(),
        }),
    ]),
);

const loginShape = {
    address: input,
    hostKey: input,
    port: number.optional(),
    user: text.optional(),
    privateKey: input.optional(),
    privateKeyPassword: input.optional(),
};

/** Fields of ConvergedHostArgs. */
export const argsShape = {
    connection: z.strictObject({
        ...loginShape,
        become: z.literal("sudo").optional(),
        bastion: z.strictObject(loginShape satisfies Record<keyof BastionConnection, z.ZodType>).optional(),
    } satisfies Record<keyof HostConnection, z.ZodType>),
    resources: z.array(resource),
    slots: z.record(z.string(), input).optional(),
    probe: flag.optional(),
    deadline: number.optional(),
    takeOver: flag.optional(),
};
