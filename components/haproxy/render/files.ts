import { renderTemplate } from "../../templates";
import type { HaproxyConfig } from "../model";
import { errorfilePath, mapPath } from "../model/files";

/**
 * Renders the files of a model other than haproxy.cfg.
 *
 * @param config A model in which `validate` finds no error.
 */
export function filesOf({ maps = [], httpErrors = [] }: HaproxyConfig): { path: string; content: string }[] {
    return [
        ...maps.map(({ name, entries }) => ({
            path: mapPath(name),
            content: renderTemplate("map.mustache", {
                entries: entries.map(({ key, value }) => ({ key, value: value === undefined ? [] : [value] })),
            }),
        })),
        ...httpErrors.flatMap(({ name, errorfiles }) =>
            Object.entries(errorfiles).flatMap(([status, file]) =>
                typeof file === "string" ? [] : [{ path: errorfilePath(name, status), content: file.content }],
            ),
        ),
    ];
}
