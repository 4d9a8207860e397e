import { z } from "zod";
import { flag, formOf, matching, text, whole } from "../forms";
import { isHostName } from "../haproxy";
import { canonicalNetwork, isNetwork } from "../networks";
import { port } from "../search/nodeSchema";
import { type Ec2Image, imageNames } from "./images";
import type { Ec2HostsSettings } from "./types";

const network = matching(isNetwork, 'expected a network or an address, like "192.0.2.0/24" or "2001:db8::/32"');

/** A key of `hosts`: one label of a host name, since it is part of names. */
const hostName = matching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "expected 1 to 63 lower-case letters, digits and -");

/** A name of a record: `www.example.com`, or `*.example.com`. */
const recordName = matching(
    (name) => isHostName(name.replace(/^\*\./, "")) && name.includes(".") && name === name.toLowerCase(),
    'expected a full host name in lower case, without a dot at its end, like "www.example.com"',
);

/** AWS's own limit. Some characters are for AWS alone, which says so itself. */
const TAG_VALUE = 256;
const tagValue = matching((value) => value.length <= TAG_VALUE, `expected at most ${TAG_VALUE} characters`);
/** Tags that the component sets. */
const OWN_TAGS = ["Name", "environment", "run_list"];
const tagKey = matching(
    (key) => key !== "" && !OWN_TAGS.includes(key),
    `expected another key than ${OWN_TAGS.join(", ")}, which the component sets`,
);

const runListEntry = matching(/^[^\s,]+$/, 'expected an entry without spaces and commas, like "haproxy::lb"');

const imageForm = z.union([
    z.enum(imageNames),
    formOf<Ec2Image>()(
        z.strictObject({ owner: text, name: text, architecture: z.enum(["x86_64", "arm64"]).optional() }),
    ),
]);

/** Lists with at least one entry, each once. */
const some = <T extends z.ZodType>(one: T, what: string) =>
    distinct(
        z.array(one, { message: `expected a list of ${what}` }).min(1, { message: `expected at least one of ${what}` }),
    );

function distinct<T extends z.ZodType>(list: z.ZodArray<T>) {
    return list.superRefine((values, context) =>
        values.forEach((value, index) => {
            const first = values.indexOf(value);
            if (first !== index) {
                context.addIssue({
                    code: "custom",
                    path: [index],
                    message: `duplicate ${JSON.stringify(value)}; remove it`,
                });
            }
        }),
    );
}

/** A list of networks, each once, however it is written. */
const networks = z.array(network, { message: "expected a list of networks" }).superRefine((values, context) => {
    const known = values.map((value) => (isNetwork(value) ? canonicalNetwork(value) : value));
    known.forEach((value, index) => {
        if (known.indexOf(value) !== index) {
            context.addIssue({
                code: "custom",
                path: [index],
                message: `duplicate ${JSON.stringify(values[index])}; remove it`,
            });
        }
    });
});

/** The fields of the arguments, with a form for those that AWS alone judges. */
export function shapeWith<T extends z.ZodType>(value: T) {
    return {
        vpc: value,
        hosts: z
            .record(
                hostName,
                z.strictObject({
                    subnet: value,
                    generation: whole(1, 9999).optional(),
                    instanceType: value.optional(),
                }),
            )
            .refine((hosts) => Object.keys(hosts).length > 0, { message: "expected at least one host" }),
        image: imageForm.optional(),
        instanceType: value.optional(),
        diskGiB: whole(8, 16_384).optional(),
        ports: distinct(z.array(port, { message: "expected a list of ports" })).optional(),
        clients: networks.optional(),
        healthPort: port.optional(),
        dns: z
            .strictObject({
                zone: value,
                names: some(recordName, "names"),
                ttl: whole(1, 604_800).optional(),
            })
            .optional(),
        runList: z
            .array(runListEntry, { message: "expected a list of entries" })
            .refine((entries) => entries.join(",").length <= TAG_VALUE, {
                message: `expected at most ${TAG_VALUE} characters in all, because they are one tag`,
            })
            .optional(),
        tags: z.record(tagKey, tagValue).optional(),
        protect: flag.optional(),
    };
}

/** The fields of `ssh` that plain data and arguments share. */
export function sshShapeWith<T extends z.ZodType>(value: T) {
    return {
        authorizedKeys: some(text, "public keys"),
        from: networks.optional(),
        securityGroup: value.optional(),
    };
}

/** Refuses `ssh` without a source, because nothing could log in. */
export const allowsSsh = <T extends z.ZodType<{ from?: string[]; securityGroup?: unknown }>>(ssh: T) =>
    ssh.refine(({ from = [], securityGroup }) => from.length > 0 || securityGroup !== undefined, {
        message: "expected networks in `from`, a `securityGroup`, or both, since nothing could log in otherwise",
    });

/** The form of the settings. */
export const ec2HostsSettingsForm = formOf<Ec2HostsSettings>()(
    z.strictObject({ ...shapeWith(text), ssh: allowsSsh(z.strictObject(sshShapeWith(text))) }),
);
