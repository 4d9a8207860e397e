import { renderTemplate } from "../../templates";
import type { HaproxyConfig } from "../model";
import { optional } from "./lines";

/** Holds what the model declares and nothing else; admins and packages have their files beside it. */
export const fleetDirectory = "/etc/haproxy/fleet";

/** Where a map of the model is, for rules that use it. */
export function mapPath(name: string): string {
    return `${fleetDirectory}/${name}.map`;
}

/** Where the error file of a section `http-errors` is. */
export function errorfilePath(section: string, status: string): string {
    return `${fleetDirectory}/${section}-${status}.http`;
}

/**
 * The files of a model beside haproxy.cfg, whole.
 *
 * @param config A model in which `check` found no error.
 */
export function filesOf({ maps = [], httpErrors = [] }: HaproxyConfig): { path: string; content: string }[] {
    return [
        ...maps.map(({ name, entries }) => ({
            path: mapPath(name),
            content: renderTemplate("map.mustache", {
                entries: entries.map(({ key, value }) => ({ key, value: optional(value) })),
            }),
        })),
        ...httpErrors.flatMap(({ name, errorfiles }) =>
            Object.entries(errorfiles).flatMap(([status, file]) =>
                typeof file === "string" ? [] : [{ path: errorfilePath(name, status), content: file.content }],
            ),
        ),
    ];
}
