import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { onlyDeclared } from "./convergence/declaredHosts";
import { type Resource, resourceForm } from "./convergence/kinds/index";
import { resourceError } from "./convergence/resourceError";
import { warn } from "./convergence/sharedMessages";
import { count } from "./convergence/text";
import type { Customized } from "./customized";
import { type FormIssue, formIssues } from "./forms";
import { type HaproxyConfig, type Issue, isError } from "./haproxy";

/** What is converged on hosts before or after HAProxy; a function gets the name of the host. */
export type HostResources = Resource[] | ((host: string) => Resource[]);

const resourceList = z.array(resourceForm);

/** Issues of form in what is converged before or after HAProxy. */
export function resourceIssues(key: "before" | "after", list: unknown): FormIssue[] {
    return formIssues(resourceList, list).map(({ path, message }) => ({ path: `${key}${path}`, message }));
}

/** An issue of form as an error among others. */
export function asError(issue: FormIssue): Issue {
    return { rule: "form", ...issue, severity: "error" };
}

/** An issue for people: its path and message. The path is left out if the message names the same, as in `certificate shop: …`. */
function words({ path, message }: Issue): string {
    const [, list = "", name] = /^(certificates|authorities)\.(.+)$/.exec(path) ?? [];
    const subject = name === undefined ? path : `${list === "certificates" ? "certificate" : "authority"} ${name}`;
    return path === "" || `: ${message}`.includes(`: ${subject}: `) ? message : `${path}: ${message}`;
}

/** Shows what is wrong with the arguments of a component. */
export class Reporter {
    constructor(
        private readonly component: pulumi.Resource,
        private readonly name: string,
    ) {}

    /** All errors in one; warnings are shown and stop nothing. */
    report(issues: readonly Issue[]): void {
        const errors = issues.filter(isError);
        if (errors.length > 0) {
            throw this.failure(
                [`${count(errors.length, "error")} in what is declared`, ...errors.map(words)].join("\n  "),
            );
        }
        for (const warning of issues) {
            warn(this.name, words(warning), this.component);
        }
    }

    /** Issues of several hosts, equal ones once; with the names of the hosts unless all have them. */
    reportOf(found: readonly { readonly host: string; readonly issues: readonly Issue[] }[]): void {
        const hosts = new Map<string, { issue: Issue; names: string[] }>();
        for (const { host, issues } of found) {
            for (const issue of issues) {
                const key = [issue.path, issue.message].join("\n");
                const known = hosts.get(key) ?? { issue, names: [] };
                known.names.push(host);
                hosts.set(key, known);
            }
        }
        this.report(
            [...hosts.values()].map(({ issue, names }) =>
                names.length === found.length || issue.path.startsWith("hosts.")
                    ? issue
                    : { ...issue, message: `on ${names.join(", ")}: ${issue.message}` },
            ),
        );
    }

    /**
     * The configuration that `customize` returns. If services have errors, it lacks parts that `customize` may expect; if that throws
     * then, those errors are reported instead.
     */
    customized(host: string, issues: readonly Issue[], customize: () => Customized): HaproxyConfig {
        let result: Customized;
        try {
            result = customize();
        } catch (error) {
            this.report(issues);
            throw this.failure(`customize: fails for ${host}: ${messageOf(error)}; correct it`);
        }
        const { returned, changed } = result;
        if (changed !== undefined) {
            const remedy = "return a changed copy, because all hosts share the configuration";
            throw this.failure(`customize: changes ${changed} of the configuration that it is called with; ${remedy}`);
        }
        if (typeof returned !== "object" || returned === null || !("frontends" in returned)) {
            const remedy = "return the configuration that it is called with, or a changed copy";
            throw this.failure(`customize: returned ${shown(returned)}; ${remedy}`);
        }
        return returned as HaproxyConfig;
    }

    /** What is converged before or after HAProxy. A function that returns no list would go unnoticed. */
    listOf(key: "before" | "after", list: HostResources = [], host: string): Resource[] {
        let resources: unknown = list;
        try {
            resources = typeof list === "function" ? list(host) : list;
        } catch (error) {
            throw this.failure(`${key}: fails for ${host}: ${messageOf(error)}; correct it`);
        }
        if (!Array.isArray(resources)) {
            throw this.failure(`${key}: returned ${shown(resources)} for ${host}; return a list of resources`);
        }
        if (typeof list === "function") {
            const issues = resourceIssues(key, resources);
            this.report(issues.map((one) => asError({ ...one, message: `on ${host}: ${one.message}` })));
        }
        return resources;
    }

    warnOfAcceptDown(names: readonly string[] = []): void {
        const verb = names.length === 1 ? "has" : "have";
        if (names.length > 0) {
            const problem = `an up keeps a configuration with which ${names.join(", ")} ${verb} no server up`;
            const remedy = "npm run pulumi -- config rm acceptDown (in a program of your own, the argument acceptDown)";
            warn(this.name, `acceptDown: ${problem}; remove it after the up: ${remedy}`, this.component);
        }
    }

    /** Says in a preview what only the up can show. */
    ahead(texts: readonly string[]): void {
        if (pulumi.runtime.isDryRun() && onlyDeclared() === undefined) {
            for (const text of texts) void pulumi.log.info(`${this.name}: ${text}`, this.component);
        }
    }

    private failure(text: string): Error {
        return resourceError(`${this.name}: ${text}`, this.component);
    }
}

/** What somebody has thrown, which may be anything. */
function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}

function shown(value: unknown): string {
    return value instanceof Promise
        ? "a promise"
        : typeof value === "object" && value !== null
          ? "an object"
          : String(value);
}
