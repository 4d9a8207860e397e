import { checkIssues } from "./checkIssues";
import { type Faults, show } from "./faults";
import type { HaproxyConfig } from "./model";
import { persistenceIssues } from "./persistenceIssues";
import { type AnyProxy, modeOf, type PlacedProxy } from "./proxies";
import { removalIssues } from "./removal";
import { optionIssues, serverIssues, templateIssues } from "./serverIssues";

/** What is wrong with the backend's part of a backend or listen section. */
export function backendIssues(
    { section, proxy: backend, path }: PlacedProxy,
    config: HaproxyConfig,
    faults: Faults,
): void {
    const { servers = [], raw = [] } = backend;
    const where = `${section} ${backend.name}`;
    faults.balance(backend.balance, `${path}.balance`, where);
    if (modeOf(backend, config) === "tcp" && /^(uri|url_param|hdr)/.test(backend.balance ?? "")) {
        faults.error(
            `${path}.balance`,
            `balance ${show(backend.balance ?? "")} of ${where} needs mode http: use another`,
        );
    }
    checkIssues(backend, path, where, faults);
    persistenceIssues(backend, path, where, faults);
    if (
        section === "backend" &&
        servers.length === 0 &&
        (backend.serverTemplates ?? []).length === 0 &&
        backend.stickTable === undefined &&
        !answers(backend) &&
        !raw.some((line) => /^\s*(server|server-template|http-request|dispatch|stick-table)\s/.test(line))
    ) {
        faults.error(`${path}.servers`, `no server in ${where}, so every request gets a 503: add one`);
    }
    faults.unique(
        servers.map(({ name }) => name),
        (i) => `${path}.servers.${i}.name`,
        `server in ${where}`,
    );
    servers.forEach((server, i) => {
        serverIssues(server, `${path}.servers.${i}`, where, faults);
    });
    backend.serverTemplates?.forEach((template, i) => {
        templateIssues(template, `${path}.serverTemplates.${i}`, where, faults);
    });
    removalIssues(backend, path, where, faults);
    if (backend.defaultServer) {
        optionIssues(backend.defaultServer, `${path}.defaultServer`, `default-server of ${where}`, faults);
    }
}

/** A backend without servers that answers by itself. */
function answers({ httpRequestRules = [] }: AnyProxy): boolean {
    return httpRequestRules.length > 0;
}
