import type { Properties } from "../../provider/values";
import { tagList } from "../tags";

/** What brings the tags of a resource from those of its state to these. */
export function tagChanges(state: Properties, tags: Readonly<Record<string, string>>) {
    const olds = (state.tagsAll ?? {}) as Record<string, string>;
    const changed = Object.entries(tags).filter(([key, value]) => olds[key] !== value);
    return {
        gone: Object.keys(olds).filter((key) => !(key in tags)),
        set: tagList(Object.fromEntries(changed)),
    };
}
