import type { Issue } from "../validate/issues";
import type { Service, ServiceServer } from "./types";

/** A service with its servers, as far as they are sound. */
export interface SoundService {
    readonly service: Service;
    /** Its place in the list that it comes from. */
    readonly index: number;
    readonly servers: readonly ServiceServer[];
    /** Whether another protocol has its port, so that it has no part in a frontend. */
    readonly withoutPort: boolean;
}

/** Keeps a backend from being empty whose servers are missed already. */
const standIn: ServiceServer = { name: "none", address: "192.0.2.1" };

/**
 * Services without the arguments that are found faulty, or without the faulty elements of them: what is compiled of these has the faults
 * that are left, and none that is told already.
 *
 * @param servers Those of each service; undefined where they are not known.
 */
export function soundParts(
    services: readonly Service[],
    servers: readonly (readonly ServiceServer[] | undefined)[],
    issues: readonly Issue[],
): SoundService[] {
    const faulty = services.map((): (readonly string[])[] => []);
    for (const { path } of issues) {
        const [, service, ...argument] = path.split(/[.[\]]+/).filter((part) => part !== "");
        faulty[Number(service)]?.push(argument);
    }
    return services.flatMap((service, i) => {
        const twice = services.findIndex(({ name }) => name === service.name) !== i;
        const places = faulty[i] ?? [];
        const known = servers[i] ?? [];
        const sound: SoundService = {
            index: i,
            service: places.length === 0 ? service : withoutArguments(service, places),
            servers: known.length === 0 ? [standIn] : known,
            withoutPort: places.some(([key]) => key === "listen"),
        };
        return twice ? [] : [sound];
    });
}

function withoutArguments(service: Service, places: readonly (readonly string[])[]): Service {
    const left: Record<string, unknown> = { ...service };
    for (const [key = "", value] of Object.entries(service)) {
        const parts = places.filter(([argument]) => argument === key).map(([, part]) => part);
        if (parts.length === 0 || key === "name" || key === "servers") {
            continue;
        }
        const rest =
            (Array.isArray(value) || key === "timeouts") && !parts.includes(undefined)
                ? Object.entries(value).filter(([part]) => !parts.includes(part))
                : [];
        if (rest.length === 0) {
            delete left[key];
        } else {
            left[key] = Array.isArray(value) ? rest.map(([, element]) => element) : Object.fromEntries(rest);
        }
    }
    return left as unknown as Service;
}
