import { renderTemplate } from "../../templates";
import type { HaproxyConfig } from "../model";

/** Directory that contains only declared files; other files of the host stay outside of it. */
export const fleetDirectory = "/etc/haproxy/fleet";

/** Path of a map, by which rules refer to it. */
export function mapPath(name: string): string {
    return `${fleetDirectory}/${name}.map`;
}

/** Path of an error file of a section `http-errors`. */
export function errorfilePath(section: string, status: string): string {
    return `${fleetDirectory}/${section}-${status}.http`;
}

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
