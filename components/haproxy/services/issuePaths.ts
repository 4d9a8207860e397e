import type { Backend, HaproxyConfig } from "../model";
import type { Issue } from "../validate/issues";
import type { Service } from "./types";

/** A service as its list has it, and what it was compiled to. */
export interface Compiled {
    readonly service: Service;
    /** Its place in the list. */
    readonly index: number;
    readonly backend: Backend;
}

/** Places in a backend that services have under another name. */
const renamed: readonly (readonly [RegExp, string])[] = [
    [/^(httpchk|protocolCheck|tcpChecks|httpChecks)\b(\[\d+\])?/, "check"],
    [/^(cookie|stickTable)\b/, "persistence"],
    [/^defaultServer\.ssl\b/, "serverTls"],
    [/^defaultServer\.slowstart\b/, "slowStart"],
    [/^defaultServer\.maxconn\b/, "serverMaxconn"],
    [/^defaultServer\.checkPort\b/, "check.port"],
    [/^defaultServer\b/, "check"],
];

/** Issues of a model by their places in the services, where these have said what is wrong, and nobody has changed it since. */
export function servicePaths(issues: readonly Issue[], compiled: readonly Compiled[], config: HaproxyConfig): Issue[] {
    const owners = new Map(compiled.map((one) => [one.backend, one]));
    return issues.map((issue) => {
        const [, n, rest = ""] = /^backends\[(\d+)\](?:\.(.*))?$/.exec(issue.path) ?? [];
        const backend = n === undefined ? undefined : config.backends[Number(n)];
        const owner = backend && owners.get(backend);
        if (!owner) {
            return issue;
        }
        const argument = argumentOf(rest, owner);
        return { ...issue, path: `services[${owner.index}]${argument === undefined ? "" : `.${argument}`}` };
    });
}

/** The place in the service of one in its backend; undefined if the service does not say it. */
function argumentOf(place: string, { service, backend }: Compiled): string | undefined {
    const [, list, element, rest = ""] = /^(raw|httpRequestRules|servers)\[(\d+)\](.*)$/.exec(place) ?? [];
    if (list === "servers") {
        const name = backend.servers?.[Number(element)]?.name ?? "";
        if (rest === ".weight" && service.weights?.[name] !== undefined) {
            return "weights";
        }
        return service.servers?.[Number(element)] === undefined ? undefined : place;
    }
    if (list === "raw" || list === "httpRequestRules") {
        // Those of the service are the last ones.
        const own = Number(element) - ((backend[list]?.length ?? 0) - (service[list]?.length ?? 0));
        return own < 0 ? undefined : `${list}[${own}]${rest}`;
    }
    const [pattern, name] = renamed.find(([candidate]) => candidate.test(place)) ?? [/$/, ""];
    const argument = place.replace(pattern, name);
    return argument.replace(/[.[].*/, "") in service ? argument : undefined;
}
