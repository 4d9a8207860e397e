import { kindOf, label, type Resource } from "../kinds/index";
import type { CallContext } from "../kinds/kind";
import { quote } from "./shell";

/** The lines of the run list for one resource: its id and label, then the call of its kind's function. */
export function resourceCall(resource: Resource, id: string, context: CallContext): string[] {
    const kind = kindOf(resource);
    return [
        `begin_resource ${id} ${quote(label(resource))}`,
        [kind.shellFunction, ...kind.args(resource, context).map(quote)].join(" "),
    ];
}
