/** A pair as its component gets it: Inputs are taken out of it, and become plain values or slots. */
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { input } from "./convergence/form";
import { type Later, plainValue } from "./convergence/outputs";
import { slot } from "./convergence/slots";
import { type FleetHost, fleetHostShape } from "./fleetHost";
import { formOf } from "./forms";
import { slotName } from "./inputs";
import { type PairMember, type PairSettings, pairForm } from "./keepalived/index";

/** A host of a pair, and how it differs from the other. */
export interface PairHost extends FleetHost {
    /** Its own IPv4 address on the network of the pair. @default - that of the connection */
    readonly address?: pulumi.Input<string>;
    /** With an elastic IP address: where that leads while this host is MASTER, as an `aws.Ec2Host` says. @default - the pair has none */
    readonly elastic?: {
        /** `eni-…` */
        readonly networkInterfaceId: pulumi.Input<string>;
        /** A secondary private address of the interface. */
        readonly serviceAddress: pulumi.Input<string>;
    };
}

/** What two load balancers share, with Inputs. */
export type PairInputs = PairSettings<pulumi.Input<string>, pulumi.Input<string>>;

/** An `aws.Ec2Host` has more fields. */
const elastic = z.object({ networkInterfaceId: input(), serviceAddress: input() });
export const pairHostForm = formOf<PairHost>()(
    z.strictObject({ ...fleetHostShape, address: input().optional(), elastic: elastic.optional() }),
);
export const pairInputsForm = formOf<PairInputs>()(pairForm(input(), input()));

/** The slot of VRRP's password. */
export const passwordSlot = "pair.password";

/** A pair as plain data, with slots in place of secrets and of what is not known yet. */
export interface DeclaredPair {
    /** A password that is a plain text is there, so that it can be judged. What is rendered has its slot. */
    readonly settings: PairSettings;
    /** In order: the first is preferred. */
    readonly members: readonly PairMember[];
    /** Names of the hosts whose address is a secret. */
    readonly secretAddresses: readonly string[];
}

/** A pair whose Inputs were taken out. */
export interface TakenPair {
    /** With a slot in place of each Input. */
    readonly draft: DeclaredPair;
    /** With known values that are no secret: the same if there is no Input that is no plain value, else a promise. */
    readonly data: Later<DeclaredPair>;
    /** The values that were taken out, by the names of their slots, used or not. */
    readonly slots: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Takes the Inputs out of a pair that has its form. */
export function takePair(hosts: Readonly<Record<string, PairHost>>, pair: PairInputs): TakenPair {
    const inputs = new Map<string, pulumi.Output<string>>();
    const draft = {
        ...declaredPair(hosts, pair, (name, value) => {
            if (typeof value === "string") return value;
            inputs.set(name, pulumi.output(value));
            return slot(name);
        }),
        secretAddresses: [],
    };
    const { password } = pair;
    const slots = { ...Object.fromEntries(inputs), ...(password !== undefined && { [passwordSlot]: password }) };
    if (inputs.size === 0) {
        return { draft, data: draft, slots };
    }
    const values = [...inputs].map(async ([name, output]) => {
        const [value, isSecret] = await Promise.all([plainValue(output, slot(name)), pulumi.isSecret(output)]);
        // One without a value is an issue of its slot.
        return { name, text: value ?? slot(name), isSecret };
    });
    const data = Promise.all(values).then((known) => {
        const find = (name: string) => known.find((one) => one.name === name);
        const secretAddresses = Object.keys(hosts).filter(
            (_, n) => find(slotNameOf(Object.keys(hosts), n)("address"))?.isSecret,
        );
        return { ...declaredPair(hosts, pair, (name, value) => find(name)?.text ?? String(value)), secretAddresses };
    });
    // Whoever uses the data handles its failure; a program that has failed before does not.
    data.catch(() => undefined);
    return { draft, data, slots };
}

/** The pair with plain texts in place of Inputs. */
function declaredPair(
    hosts: Readonly<Record<string, PairHost>>,
    { password, elasticIp, ...settings }: PairInputs,
    textOf: (slot: string, value: pulumi.Input<string>) => string,
): Pick<DeclaredPair, "settings" | "members"> {
    return {
        settings: {
            ...settings,
            ...(password !== undefined && {
                password: typeof password === "string" ? password : slot(passwordSlot),
            }),
            ...(elasticIp && {
                elasticIp: {
                    ...elasticIp,
                    allocationId: textOf("pair.allocation-id", elasticIp.allocationId),
                    region: textOf("pair.region", elasticIp.region),
                },
            }),
        },
        members: Object.entries(hosts).map(([name, { connection, address = connection.address, elastic: own }], n) => {
            const ofHost = slotNameOf(Object.keys(hosts), n);
            return {
                name,
                address: textOf(ofHost("address"), address),
                ...(own && {
                    elastic: {
                        networkInterfaceId: textOf(ofHost("network-interface-id"), own.networkInterfaceId),
                        serviceAddress: textOf(ofHost("service-address"), own.serviceAddress),
                    },
                }),
            };
        }),
    };
}

/** Names that slots of a pair may have, whatever its form. */
export function pairSlotNames(hosts: unknown): string[] {
    const names = Object.keys(Object(hosts));
    const fields = ["address", "network-interface-id", "service-address"];
    return [
        passwordSlot,
        ...["allocation-id", "region"].map((field) => `pair.${field}`),
        ...names.flatMap((_, n) => fields.map(slotNameOf(names, n))),
    ];
}

/** A host's part of the names of slots: with more, slotName would cut the longest of them. */
const longestHost = 63 - "pair..network-interface-id".length;

/** Names of slots of a host: with its number unless the names of both hosts differ in what the name of a slot can have. */
function slotNameOf(names: readonly string[], n: number): (field: string) => string {
    const own = names.map((name) => slotName([name]));
    const areClear = own.every((name, m) => name !== "" && name.length <= longestHost && own.indexOf(name) === m);
    return (field) => slotName(["pair", areClear ? (own[n] ?? "") : String(n + 1), field]);
}
