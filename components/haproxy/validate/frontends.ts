import type { HaproxyConfig } from "../model";
import { globalDefaults } from "../model/defaults";
import { modeOf, type PlacedProxy } from "../model/lookup";
import { mapPath } from "../render/files";
import { optional } from "../render/lines";
import { bindIssues } from "./binds";
import { conditionIssues, declared } from "./conditions";
import { type IssueList, show } from "./issues";

/** What is wrong with the frontend's part of a frontend or listen section. */
export function frontendIssues(placed: PlacedProxy, config: HaproxyConfig, issues: IssueList): void {
    const { section, proxy, path } = placed;
    const { binds = [], raw = [], useBackends = [], defaultBackend } = proxy;
    const where = `${section} ${proxy.name}`;
    if (binds.length === 0 && !raw.some((line) => /^\s*bind\s/.test(line))) {
        issues.error("no-bind", `${path}.binds`, `no bind in ${where}: add one with a port`);
    }
    binds.forEach((bind, i) => {
        bindIssues(bind, `${path}.binds.${i}`, where, modeOf(proxy, config), issues);
    });
    const maxconn = config.global?.maxconn ?? globalDefaults.maxconn;
    issues.whole(proxy.maxconn, 1, maxconn, `${path}.maxconn`, `maxconn of ${where} (the process has ${maxconn})`);
    useBackends.forEach((rule, i) => {
        const place = `${path}.useBackends.${i}.backend`;
        if (rule.backend.includes("%[")) {
            issues.line(rule.backend, place, `use_backend of ${where}`);
            for (const name of mappedNames(rule.backend, config)) {
                backendReference(name, placed, place, config, issues);
            }
        } else {
            backendReference(rule.backend, placed, place, config, issues);
        }
        conditionIssues(rule.if, "request", placed, `${path}.useBackends.${i}.if`, issues);
        issues.words(
            `use_backend ${rule.backend} if ${(rule.if ?? []).join(" ")}`,
            `${path}.useBackends.${i}`,
            `use_backend ${rule.backend} of ${where}`,
        );
    });
    raw.forEach((line, i) => {
        const [, name] = /^\s*(?:use_backend|default_backend)\s+([^\s%]+)(?:\s|$)/.exec(line) ?? [];
        if (name !== undefined) {
            backendReference(name, placed, `${path}.raw.${i}`, config, issues);
        }
    });
    const always = useBackends.findIndex((rule) => (rule.if ?? []).length === 0);
    if (always >= 0 && (always < useBackends.length - 1 || defaultBackend !== undefined)) {
        const rule = `use_backend ${useBackends[always]?.backend} in ${where}`;
        issues.warning(
            "unreachable-rule",
            `${path}.useBackends.${always}`,
            `${rule} has no condition, so nothing after it is ever used`,
        );
    }
    if (defaultBackend !== undefined) {
        backendReference(defaultBackend, placed, `${path}.defaultBackend`, config, issues);
    }
}

/** The names that an expression can come to, where its last converter is a map of the model. */
function mappedNames(expression: string, { maps = [] }: HaproxyConfig): string[] {
    const [, file, fallback] = /,map(?:_[a-z]+)*\(([^,)]+)(?:,([^)]+))?\)\]$/.exec(expression) ?? [];
    const entries = maps.find(({ name }) => mapPath(name) === file)?.entries ?? [];
    return [
        ...new Set([...entries.flatMap(({ value }) => optional(value)), ...(fallback === undefined ? [] : [fallback])]),
    ];
}

function backendReference(
    name: string,
    { section, proxy }: PlacedProxy,
    path: string,
    config: HaproxyConfig,
    issues: IssueList,
): void {
    const { backends, listens = [] } = config;
    const called = (candidate: { readonly name: string }) => candidate.name === name;
    const backend = backends.find(called) ?? listens.find(called);
    const where = `${section} ${proxy.name}`;
    if (!backend) {
        const known = declared(
            [...backends, ...listens].map((candidate) => candidate.name),
            "backend",
        );
        issues.error("unknown-backend", path, `unknown backend ${show(name)} in ${where}: ${known}`);
    } else if (modeOf(proxy, config) === "http" && modeOf(backend, config) === "tcp") {
        issues.error(
            "mode-mismatch",
            path,
            `backend ${name} has mode tcp but ${where} has mode http: give both the same`,
        );
    }
}
