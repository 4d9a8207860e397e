import { z } from "zod";
import { formOf, matching, text } from "../forms";
import { name } from "./nodeSchema";

/** How to find nodes among the instances of EC2. */
export interface Ec2Search {
    /**
     * Key of the tag that holds the run list: entries in Chef's form `<service>::<recipe>`, separated by commas or spaces. EC2 keeps at most
     * 256 characters of it.
     * @default "run_list"
     */
    readonly tag?: string;
    /** Which address a node has. Each instance needs one. @default "private" */
    readonly address?: "private" | "public";
    /** Regions and accounts to search, by the name that their nodes have as `facility`. @default - the provider's region and account; nodes have no facility */
    readonly facilities?: Readonly<Record<string, Ec2Facility>>;
    /** Keys of tags to read from each instance. It takes several calls per instance, for at most 200. @default - none is read */
    readonly read?: Ec2TagKeys;
}

/** Where a facility is. Without any field, where the provider is. */
export interface Ec2Facility {
    /** Region, such as `eu-central-1`. @default - that of the provider */
    readonly region?: string;
    /** Number of the account, 12 digits as text: credentials of another one are refused. @default - any */
    readonly account?: string;
    /** ARN of a role to assume. @default - none */
    readonly role?: string;
    /** Profile of the AWS configuration files. @default - the program's credentials */
    readonly profile?: string;
    /** Finds only instances whose tag `facility` has the facility's name. @default - all of the region */
    readonly tagged?: true;
}

/** Keys of tags whose values nodes take. An instance without such a tag is an error. */
export interface Ec2TagKeys {
    /** Name of the node, such as `Name`. @default - `ip-` and the address, as in `ip-10-0-1-21` */
    readonly name?: string;
    /** Port of its servers. @default - that of the service */
    readonly port?: string;
    /** Weight of its servers, 0 to 256. @default - that of the service */
    readonly weight?: string;
    /** Facility of the node. @default - that of `facilities` */
    readonly facility?: string;
}

/** The form of a search. */
export const ec2SearchShape = {
    tag: text.optional(),
    address: z.enum(["private", "public"]).optional(),
    facilities: z
        .record(
            name,
            z.strictObject({
                region: text.optional(),
                account: matching(/^\d{12}$/, "expected the number of an account, 12 digits as text").optional(),
                role: text.optional(),
                profile: text.optional(),
                tagged: z.literal(true, { message: "expected true" }).optional(),
            }),
        )
        .refine((facilities) => Object.keys(facilities).length > 0, { message: "expected at least one facility" })
        .optional(),
    read: z
        .strictObject({
            name: text.optional(),
            port: text.optional(),
            weight: text.optional(),
            facility: text.optional(),
        })
        .refine((keys) => Object.keys(keys).length > 0, { message: "expected at least one key of a tag" })
        .optional(),
};

export const ec2SearchForm = formOf<Ec2Search>()(z.strictObject(ec2SearchShape));
