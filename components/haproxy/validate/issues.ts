import { showSlots } from "../../convergence/slots";
import { printable } from "../render/quoting";
import { type ErrorRule, rules, type WarningRule, warningRules } from "./rules";

/** A problem in what is declared, found before any host is touched. */
export interface Issue {
    /** Stable id of the rule that found it, such as `unused-backend`: see docs/issues.md. */
    readonly rule: string;
    /** Path in the data, such as `backends[0].servers[2].port`. */
    readonly path: string;
    /** `<subject>: <problem>; <remedy>`. */
    readonly message: string;
    /** An error would stop HAProxy or change what it does; a warning is only probably a mistake. */
    readonly severity: "error" | "warning";
}

/** Collects issues. In paths, `servers.0` is the same as `servers[0]`. */
export class IssueList {
    readonly issues: Issue[] = [];

    error(rule: ErrorRule, path: string, message: string): void {
        this.add(rule, path, message, "error");
    }

    warning(rule: WarningRule, path: string, message: string): void {
        this.add(rule, path, message, "warning");
    }

    private add(rule: string, path: string, message: string, severity: Issue["severity"]): void {
        const bracketed = path.replace(/\.(\d+)(?=\.|$)/g, "[$1]");
        this.issues.push({ rule, path: bracketed, message: printable(showSlots(message)), severity });
    }
}

/** Whether an issue must be corrected before anything is converged. */
export function isError({ severity }: Issue): boolean {
    return severity === "error";
}

/**
 * Leaves out the ignored warnings.
 *
 * @param ignored Ids of warnings. Any other id adds an error.
 */
export function withoutIgnored(issues: readonly Issue[], ignored: readonly string[] = []): Issue[] {
    const wrong = ignored.flatMap((id, i): Issue[] => {
        const problem = Object.hasOwn(rules, id) ? "is an error, which cannot be ignored" : "is not the id of a rule";
        const message = `ignoreIssues: ${show(id)} ${problem}; use ${[...warningRules].sort().join(", ")}`;
        return warningRules.includes(id)
            ? []
            : [{ rule: "ignore-issues", path: `ignoreIssues[${i}]`, message, severity: "error" }];
    });
    return [...wrong, ...issues.filter((issue) => isError(issue) || !ignored.includes(issue.rule))];
}

/** Quotes a value for a message: slots by name, and at most 120 characters. */
export function show(value: string): string {
    const text = JSON.stringify(showSlots(value));
    return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}

/** Lists the declared names, as a remedy. */
export function declared(names: Iterable<string>, kind: string): string {
    const list = [...new Set(names)].sort();
    const shown = list.length > 20 ? [...list.slice(0, 20), `${list.length - 20} more`] : list;
    return list.length === 0 ? `declare a ${kind} first` : `declared are ${shown.join(", ")}`;
}
