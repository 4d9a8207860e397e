import * as pulumi from "@pulumi/pulumi";
import { anyText, formIssues } from "../forms";

/**
 * An error that the engine shows at its resource with exactly this message, wherever it is thrown. To an ordinary error inside an output,
 * Pulumi would add the stack trace and a sentence about the property. It would also print the resource, and the whole program with it,
 * to a string that is never shown, which takes half a minute (measured: 27 s).
 */
export function resourceError(message: string, resource: pulumi.Resource): pulumi.ResourceError {
    const error = new pulumi.ResourceError(message, resource, true);
    error.stack = undefined;
    return Object.defineProperties(error, {
        message: { get: () => message, set: () => undefined },
        resource: { enumerable: false },
    });
}

/**
 * The name of a component, before it is registered.
 *
 * @throws RunError if it is no text, or has an Output in it
 */
export function componentName(name: string): string {
    const [issue] = formIssues(anyText, name);
    if (issue !== undefined) {
        throw new pulumi.RunError(`the name of a component: ${issue.message}`);
    }
    return name;
}
