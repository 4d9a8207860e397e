import type { Backend, Frontend, HaproxyConfig, Stats, Userlist } from "../model";
import { withoutWeights } from "./hostWeights";
import type { Service } from "./types";

/** A service and the backend that was compiled from it. */
export interface Compiled {
    readonly service: Service;
    /** Its position in the list of services. */
    readonly index: number;
    readonly backend: Backend;
}

/** The parts of a configuration that services were compiled to. */
export interface CompiledParts {
    readonly backends: ReadonlyMap<Backend, Compiled>;
    /** The same services by name. */
    readonly byName: ReadonlyMap<string, Compiled>;
    readonly frontends: ReadonlySet<Frontend>;
    /** Each has the name of its service. */
    readonly userlists: ReadonlySet<Userlist>;
    readonly stats?: Stats;
}

/** Notes what belongs to which service. */
export function compiledParts(config: HaproxyConfig, services: readonly Service[]): CompiledParts {
    const backends = new Map(config.backends.map((backend) => [backend.name, backend]));
    const all = services.map((service, index) => {
        const backend = backends.get(service.name) as Backend;
        return { service, index, backend };
    });
    return {
        backends: new Map(all.map((compiled) => [compiled.backend, compiled])),
        byName: new Map(all.map((compiled) => [compiled.service.name, compiled])),
        frontends: new Set(config.frontends),
        userlists: new Set(config.userlists),
        stats: config.stats,
    };
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

/** The path in the services for a path in the model; the same path if no service declares that part, or if it was changed since. */
export function servicePath(path: string, parts: CompiledParts, config: HaproxyConfig): string {
    const [, list, n, rest = ""] = /^(backends|frontends|userlists)\[(\d+)\](?:\.(.*))?$/.exec(path) ?? [];
    switch (list) {
        case "backends": {
            const backend = config.backends[Number(n)];
            const owner = backend && parts.backends.get(withoutWeights(backend));
            const argument = owner && argumentOf(rest, owner);
            return owner ? `services[${owner.index}]${argument === undefined ? "" : `.${argument}`}` : path;
        }
        case "frontends": {
            const frontend = config.frontends[Number(n)];
            const name = frontend && parts.frontends.has(frontend) ? backendName(rest, frontend) : undefined;
            const owner = name === undefined ? undefined : parts.byName.get(name);
            return owner && backendsOf(config).has(owner.backend) ? `services[${owner.index}]` : path;
        }
        case "userlists": {
            const userlist = config.userlists?.[Number(n)];
            const owner = userlist && parts.userlists.has(userlist) ? parts.byName.get(userlist.name) : undefined;
            return owner ? `services[${owner.index}].basicAuth${rest === "" ? "" : `.${rest}`}` : path;
        }
        default:
            return parts.stats !== undefined && config.stats === parts.stats
                ? path.replace(/^stats\.auth\[0\]/, "stats.auth")
                : path;
    }
}

const backendSets = new WeakMap<HaproxyConfig, ReadonlySet<Backend>>();

/** The backends of a configuration, which is asked for each line of a file. */
function backendsOf(config: HaproxyConfig): ReadonlySet<Backend> {
    const known = backendSets.get(config) ?? new Set(config.backends.map(withoutWeights));
    backendSets.set(config, known);
    return known;
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
