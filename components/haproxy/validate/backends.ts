import { serverGuardIssues } from "../host/serverGuards";
import type { HaproxyConfig } from "../model";
import { type AnyProxy, defaultsOf, modeOf, type PlacedProxy } from "../model/lookup";
import { templateNames } from "../render/servers";
import { checkIssues } from "./healthChecks";
import { type IssueList, show } from "./issues";
import { persistenceIssues } from "./persistence";
import { nameIssues, optionIssues, serverIssues, templateIssues } from "./servers";

/** What is wrong with the backend's part of a backend or listen section. */
export function backendIssues(placed: PlacedProxy, config: HaproxyConfig, issues: IssueList): void {
    const { section, proxy: backend, path } = placed;
    const { servers = [], serverTemplates: templates = [], raw = [] } = backend;
    const where = `${section} ${backend.name}`;
    issues.balance(backend.balance, `${path}.balance`, where);
    const balance = backend.balance ?? defaultsOf(backend.from, config)?.balance ?? "";
    if (modeOf(backend, config) === "tcp" && /^(uri|url_param|hdr)/.test(balance)) {
        issues.error(`${path}.balance`, `balance ${show(balance)} of ${where} needs mode http: use another`);
    }
    if (modeOf(backend, config) === "tcp" && backend.cookie) {
        issues.error(`${path}.cookie`, `cookie of ${where} needs mode http: use stickRules`);
    }
    checkIssues(backend, path, where, issues);
    persistenceIssues(placed, issues);
    if (
        section === "backend" &&
        servers.length === 0 &&
        templates.length === 0 &&
        backend.stickTable === undefined &&
        !answers(backend) &&
        !raw.some((line) => /^\s*(server|server-template|http-request|dispatch|stick-table)\s/.test(line))
    ) {
        issues.error(`${path}.servers`, `no server in ${where}, so every request gets a 503: add one`);
    }
    issues.unique(
        [...servers.map(({ name }) => name), ...templates.flatMap(templateNames)],
        (i) => (i < servers.length ? `${path}.servers.${i}.name` : `${path}.serverTemplates`),
        `server in ${where}`,
    );
    servers.forEach((server, i) => {
        serverIssues(server, `${path}.servers.${i}`, where, issues);
    });
    templates.forEach((template, i) => {
        templateIssues(template, `${path}.serverTemplates.${i}`, where, issues);
    });
    nameIssues(placed, issues);
    serverGuardIssues(backend, path, where, issues);
    if (backend.defaultServer) {
        optionIssues(backend.defaultServer, `${path}.defaultServer`, `default-server of ${where}`, issues);
    }
}

/** A backend without servers that answers by itself. */
function answers({ httpRequestRules = [] }: AnyProxy): boolean {
    return httpRequestRules.length > 0;
}
