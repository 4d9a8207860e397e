import assert from "node:assert/strict";
import type { Backend, Bind, Frontend, HaproxyConfig, Server } from "../../../../components/haproxy";
import { validate } from "../../../../components/haproxy/validate/index";

export const server: Server = { name: "app1", address: "192.0.2.1", port: 80 };
export const backend: Backend = { name: "app", servers: [server] };
export const frontend: Frontend = { name: "http", binds: [{ port: 80 }], defaultBackend: "app" };
export const good: HaproxyConfig = { version: "2.6", frontends: [frontend], backends: [backend] };

export const withFrontend = (change: Partial<Frontend>, rest: Partial<HaproxyConfig> = {}): HaproxyConfig => ({
    ...good,
    frontends: [{ ...frontend, ...change }],
    ...rest,
});
export const withBackend = (change: Partial<Backend>, rest: Partial<HaproxyConfig> = {}): HaproxyConfig => ({
    ...good,
    backends: [{ ...backend, ...change }],
    ...rest,
});
export const withServer = (change: Partial<Server>): HaproxyConfig =>
    withBackend({ servers: [{ ...server, ...change }] });
export const withBinds = (...binds: Bind[]): HaproxyConfig => withFrontend({ binds });

/** A suite of models by title, each with the rule and path of every issue; none for a valid model. */
export function cases(suite: string, models: Record<string, readonly [HaproxyConfig, ...string[]]>): void {
    describe(suite, () => {
        for (const [title, [config, ...expected]] of Object.entries(models)) {
            it(`${expected.length === 0 ? "accepts" : "finds"} ${title}`, () => {
                const found = validate(config).map(({ rule, path }) => `${rule} ${path}`);
                assert.deepEqual(found.sort(), [...expected].sort());
            });
        }
    });
}
