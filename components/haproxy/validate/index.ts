import type { FormIssue } from "../../forms";
import type { HaproxyConfig } from "../model";
import { allProxies } from "../model/lookup";
import { modelFormIssues } from "../model/schema/index";
import { atLeast, oldestVersion, releaseOf } from "../model/versions";
import { remembering } from "../remembering";
import { backendIssues } from "./backends";
import { bindIssues } from "./binds";
import { certificateIssues } from "./certificates";
import { mapIssues } from "./files";
import { globalIssues } from "./global";
import { checkIssues } from "./healthChecks";
import { type Issue, IssueList, show } from "./issues";
import { proxyIssues } from "./proxies";
import { referenceIssues } from "./references";
import { serverIssues } from "./servers";
import { stringIssues } from "./strings";

export { type Issue, IssueList, isError, withoutIgnored } from "./issues";

/**
 * Finds what HAProxy's own checker does not report, or only without its path: mistakes that it accepts, unknown references, and text that
 * would break the file. HAProxy judges its language itself. If the data does not have the form of a model, only that is reported, because
 * nothing else can be judged then.
 *
 * @example
 * ```typescript
 * import { haproxy } from "haproxy-fleet";
 *
 * const model: haproxy.HaproxyConfig = {
 *     version: "2.6",
 *     frontends: [{ name: "http", binds: [{ port: 80 }], defaultBackend: "shop" }],
 *     backends: [{ name: "shop", servers: [{ name: "shop1", address: "192.0.2.21", port: 8080 }] }],
 * };
 * for (const { severity, path, message } of haproxy.validate(model)) {
 *     console.log(`${severity}: ${path}: ${message}`);
 * }
 * ```
 */
export const validate = remembering((config: HaproxyConfig): readonly Issue[] => {
    const form = modelFormIssues(config);
    return form.length > 0 ? form.map(ofForm) : contentIssues(config);
});

function ofForm(issue: FormIssue): Issue {
    return { rule: "form", ...issue, severity: "error" };
}

function contentIssues(config: HaproxyConfig): Issue[] {
    const version = releaseOf(config);
    const issues = new IssueList();
    // For an older release, the renderer would use keywords that only newer ones know.
    if (!atLeast(version, oldestVersion)) {
        issues.error("version", "version", `release ${show(version)}: not supported; use ${oldestVersion} or later`);
    }
    stringIssues(config, issues);
    if (issues.issues.length > 0) {
        // The other checks render parts of the model, which fails on such text.
        return issues.issues;
    }
    globalIssues(config, issues);
    const proxies = allProxies(config);
    for (const placed of proxies) {
        proxyIssues(placed, issues);
        serverIssues(placed, issues);
        checkIssues(placed, issues);
    }
    bindIssues(config, issues);
    backendIssues(proxies, config, issues);
    referenceIssues(proxies, config, issues);
    mapIssues(config, issues);
    certificateIssues(config, issues);
    return issues.issues;
}
