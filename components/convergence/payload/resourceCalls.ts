import { kindOf, label, type Resource } from "../kinds/index";
import type { CallContext } from "../kinds/kind";
import { quote } from "./shell";

/** The lines that take one resource out of service when its host is retired. */
export function retirementCall(resource: Resource, id: string): string[] {
    const call = kindOf(resource).retirement?.(resource);
    return call === undefined ? [] : [`begin_resource ${id} ${quote(label(resource))}`, call.map(quote).join(" ")];
}

/** The lines of the run list for one resource: its id and label, then the call of its kind's function. */
export function resourceCall(resource: Resource, id: string, context: CallContext): string[] {
    const kind = kindOf(resource);
    return [
        `begin_resource ${id} ${quote(label(resource))}`,
        [kind.shellFunction, ...kind.args(resource, context).map(quote)].join(" "),
    ];
}
