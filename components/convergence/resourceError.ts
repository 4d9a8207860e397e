import * as pulumi from "@pulumi/pulumi";

/**
 * An error that the engine shows at its resource as this message and nothing else, wherever it is thrown. Of an error inside of an
 * output Pulumi's runner would show the stack, preceded by words of its own on the property that was to get the output; and it would
 * print the resource to a string, the whole program with it, which takes half a minute (measured: 27 s) and is shown to nobody.
 */
export function resourceError(message: string, resource: pulumi.Resource): pulumi.ResourceError {
    const error = new pulumi.ResourceError(message, resource, true);
    error.stack = undefined;
    return Object.defineProperties(error, {
        message: { get: () => message, set: () => undefined },
        resource: { enumerable: false },
    });
}
