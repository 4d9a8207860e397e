import type { Backend } from "../model";

/** Backends by their copies with the weights of one host. */
const originals = new WeakMap<object, unknown>();

/** A backend or section `listen` with other weights of its servers, by their names. */
export function withWeights<S extends Pick<Backend, "servers">>(
    section: S,
    weights: Readonly<Record<string, number>>,
): S {
    const servers = section.servers?.map((server) => ({ ...server, weight: weights[server.name] ?? server.weight }));
    const changed = { ...section, servers };
    originals.set(changed, section);
    return changed;
}

/** The backend that was compiled: other weights change nothing about where it was declared. */
export function withoutWeights(backend: Backend): Backend {
    return (originals.get(backend) as Backend | undefined) ?? backend;
}
