import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { HostConnection } from "./convergence/connection";
import { connectionForm } from "./convergence/form";
import { formOf } from "./forms";
import { type Differences, differencesShape } from "./hostDifferences";

/** A host of a fleet, and how it differs from the others. */
export interface FleetHost extends Differences {
    /** How the host is reached. */
    readonly connection: HostConnection;
    /** Former names of the host's component, so that a renamed host keeps its state and its owner. @default [] */
    readonly aliases?: readonly pulumi.Input<pulumi.URN | pulumi.Alias>[];
}

/** The SDK never registers a resource that has something else in place of an alias. */
const alias = z.custom<NonNullable<FleetHost["aliases"]>[number]>(
    (value) => typeof value === "string" || (typeof value === "object" && value !== null && !Array.isArray(value)),
    { message: 'expected an alias, as in { name: "edge-lb1" }' },
);
const aliases = z.array(alias, { message: "expected a list of aliases" });

/** The form of {@link FleetHost}, for forms that have more fields. */
export const fleetHostShape = { ...differencesShape, connection: connectionForm, aliases: aliases.optional() };
/** The form of {@link FleetHost}. */
export const fleetHostForm = formOf<FleetHost>()(z.strictObject(fleetHostShape));

/** The key of a host. Pulumi allows more, but the name is shown, and part of the owner that hosts record. */
export const hostKeyForm = z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, "expected a name of letters, digits, dots, hyphens and underscores");

/** How a host differs, without what is about the host itself. */
export function differencesOf(host: FleetHost): Differences {
    const keys = Object.keys(differencesShape);
    return Object.fromEntries(Object.entries(host).filter(([key]) => keys.includes(key)));
}
