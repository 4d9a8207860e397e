import type * as pulumi from "@pulumi/pulumi";

/** The names that a component had before, as the aliases of it and of the components around it say. */
export function formerNames(_component: pulumi.ComponentResource, _opts?: pulumi.ComponentResourceOptions): string[] {
    return [];
}
