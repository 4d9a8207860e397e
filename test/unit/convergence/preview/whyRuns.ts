import type { Resource } from "../../../../components/convergence/kinds/index";
import { makePlan } from "../../../../components/convergence/payload/plan";
import {
    differenceText,
    previewReport,
    type Report,
    refusalText,
} from "../../../../components/convergence/preview/previewReport";
import type { WhyRun } from "../../../../components/convergence/preview/whyRun";
import { slot } from "../../../../components/convergence/slots";

/** The answer of a host on which nothing differs, with changes. */
export function whyRunWith(change: Partial<WhyRun> = {}): WhyRun {
    return {
        bootId: "b",
        token: "t",
        differences: [],
        live: new Map(),
        refused: [],
        unchecked: [],
        activations: [],
        settings: [],
        secretLines: [],
        warnings: [],
        shortages: [],
        longest: [],
        serving: [],
        ...change,
    };
}

/** The report about an answer, and its text. */
export function reportOn(
    resources: Resource[],
    whyRun: Partial<WhyRun>,
    slots: Record<string, string> = {},
    unknown: string[] = [],
): Report & { text: string } {
    const report = previewReport(whyRunWith(whyRun), makePlan(resources), slots, unknown);
    const about = [{ host: "lb1", ...report }];
    return { ...report, text: report.severity === "refusal" ? refusalText(about) : differenceText(about) };
}

/** The lines of the report about an answer. */
export function words(...args: Parameters<typeof reportOn>): string[] {
    return reportOn(...args).text.split("\n");
}

/** A difference of the first resource. */
export const differs = (aspect: string, have = "", id = "r0") => ({ id, aspect, have });

export const packages: Resource = { kind: "packages", names: ["haproxy"] };
export const transaction: Resource = {
    kind: "transaction",
    name: "demo",
    directory: "/etc/demo",
    files: [
        { path: "/etc/demo/a", content: "a\n" },
        { path: "/etc/demo/b", content: `b ${slot("digest")}\n` },
    ],
    adapter: { name: "demo", script: "", parameters: {} },
};
