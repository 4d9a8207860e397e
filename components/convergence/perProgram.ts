import * as pulumi from "@pulumi/pulumi";

/** State of one run of a program: one process may run several, each with an engine connection of its own. */
export function perProgram<T extends object>(create: () => T): () => T {
    const states = new WeakMap<object, T>();
    return () => {
        const engine: object = pulumi.runtime.getMonitor() ?? states;
        const state = states.get(engine) ?? create();
        states.set(engine, state);
        return state;
    };
}
