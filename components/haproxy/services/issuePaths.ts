import type { Backend, Frontend, HaproxyConfig } from "../model";
import type { Service } from "./types";

/** A service and the backend that was compiled from it. */
export interface Compiled {
    readonly service: Service;
    /** Its position in the list of services. */
    readonly index: number;
    readonly backend: Backend;
}

/** Fields of a backend that have another name in services. */
const renamed: readonly (readonly [RegExp, string])[] = [
    [/^(httpchk|protocolCheck|tcpChecks|httpChecks)\b(\[\d+\])?/, "check"],
    [/^(cookie|stickTable)\b/, "persistence"],
    [/^defaultServer\.ssl\b/, "serverTls"],
    [/^defaultServer\.slowstart\b/, "slowStart"],
    [/^defaultServer\.maxconn\b/, "serverMaxconn"],
    [/^defaultServer\.checkPort\b/, "check.port"],
    [/^defaultServer\b/, "check"],
];

/**
 * The path in the services for a path in the model; the same path if no service declares that part, or if it was changed since.
 *
 * @param frontends The compiled ones.
 */
export function servicePath(
    path: string,
    compiled: ReadonlyMap<Backend, Compiled>,
    frontends: ReadonlySet<Frontend>,
    config: HaproxyConfig,
): string {
    const [, list, n, rest = ""] = /^(backends|frontends)\[(\d+)\](?:\.(.*))?$/.exec(path) ?? [];
    if (list === "backends") {
        const backend = config.backends[Number(n)];
        const owner = backend && compiled.get(backend);
        const argument = owner && argumentOf(rest, owner);
        return owner ? `services[${owner.index}]${argument === undefined ? "" : `.${argument}`}` : path;
    }
    const frontend = config.frontends[Number(n)];
    const name = list && frontend && frontends.has(frontend) ? backendName(rest, frontend) : undefined;
    const owner = name === undefined ? undefined : [...compiled.values()].find(({ service }) => service.name === name);
    return owner && config.backends.includes(owner.backend) ? `services[${owner.index}]` : path;
}

/** The backend that a part of a frontend names, or the only one that its requests can go to. */
function backendName(path: string, { useBackends = [], defaultBackend }: Frontend): string | undefined {
    if (useBackends.length === 0) {
        return defaultBackend;
    }
    const rule = /^useBackends\[(\d+)\]/.exec(path)?.[1];
    return rule === undefined
        ? path === "defaultBackend"
            ? defaultBackend
            : undefined
        : useBackends[Number(rule)]?.backend;
}

/** The path in a service of a path in its backend; undefined if the service does not declare it. */
function argumentOf(path: string, compiled: Compiled): string | undefined {
    const { service, backend } = compiled;
    const [, list, element, rest = ""] = /^(raw|httpRequestRules|servers)\[(\d+)\](.*)$/.exec(path) ?? [];
    if (list === "servers") {
        const name = backend.servers?.[Number(element)]?.name ?? "";
        if (rest === ".weight" && service.weights?.[name] !== undefined) {
            return "weights";
        }
        return service.servers?.[Number(element)] === undefined ? undefined : path;
    }
    if (list === "raw" || list === "httpRequestRules") {
        // The service's own are the last ones.
        const own = Number(element) - ((backend[list]?.length ?? 0) - (service[list]?.length ?? 0));
        return own < 0 ? undefined : `${list}[${own}]${rest}`;
    }
    if (path === "defaultServer") {
        // Several arguments may stand on this line.
        const names = Object.keys(backend.defaultServer ?? {}).map((key) =>
            argumentOf(`${path}.${key}`, compiled)?.replace(/\..*/, ""),
        );
        return new Set(names).size === 1 ? names[0] : undefined;
    }
    const [pattern, name] = renamed.find(([candidate]) => candidate.test(path)) ?? [/$/, ""];
    const argument = path.replace(pattern, name);
    return argument.replace(/[.[].*/, "") in service ? argument : undefined;
}
