import * as pulumi from "@pulumi/pulumi";

type DependsOn = pulumi.ComponentResourceOptions["dependsOn"];

/**
 * An output that is known once everything exists that a component depends on. If the engine goes on after one of those has failed
 * (PULUMI_CONTINUE_ON_ERROR), it stays unknown, and what is made of it depends on the failed one.
 */
export function afterDependencies(component: pulumi.ComponentResource, dependsOn: DependsOn): pulumi.Output<unknown> {
    return pulumi
        .output(registration(component))
        .apply(() => pulumi.output(dependsOn))
        .apply((resources) => pulumi.all([resources].flat().flatMap(idsOf)));
}

/** The SDK registers a component only after everything that it, or a component around it, depends on. Then it has a URN. */
async function registration({ urn }: pulumi.ComponentResource): Promise<true> {
    await (urn as unknown as { promise(): Promise<string> }).promise();
    return true;
}

/** The ids of a resource, or of all resources in a component. They are unknown for those that have failed. */
function idsOf(resource: pulumi.Resource | undefined): pulumi.Output<string>[] {
    if (pulumi.CustomResource.isInstance(resource)) {
        return [resource.id];
    }
    const { __childResources: children = [] } = (resource ?? {}) as { __childResources?: Iterable<pulumi.Resource> };
    return [...children].flatMap(idsOf);
}
