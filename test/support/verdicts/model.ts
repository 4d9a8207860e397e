import type { Backend, Frontend, HaproxyConfig, Server } from "../../../components/haproxy";

export const server: Server = { name: "app1", address: "192.0.2.1", port: 80 };

/** Parts of a model that differ from the others; `frontend` and `backend` change fields of the only ones. */
export interface Parts extends Partial<HaproxyConfig> {
    readonly frontend?: Partial<Frontend>;
    readonly backend?: Partial<Backend>;
}

/** The model of a case. */
export function verdictModel({ frontend, backend, ...rest }: Parts): HaproxyConfig {
    return {
        version: "2.2",
        frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "app", ...frontend }],
        backends: [{ name: "app", servers: [server], ...backend }],
        ...rest,
    };
}

/** A frontend and a backend in mode tcp. */
export const tcp = { frontend: { mode: "tcp" }, backend: { mode: "tcp" } } as const;

export const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** A rule that responses may have. */
export const onResponse = { action: "set-header", name: "X-A", format: "a" } as const;

/** An acl that only requests can match. */
export const onRequest = { path: ["/x"], name: "x" };

/** A backend without servers. */
export const alone = (answer: Partial<Backend>): Parts => ({ backend: { servers: [], ...answer } });
