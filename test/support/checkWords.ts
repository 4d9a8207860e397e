import { filesOf, label, type Resource } from "../../components/convergence/kinds/index";
import type { Difference, WhyRun } from "../../components/convergence/preview/whyRun";

/** The differences of a why-run as the check of a host says them, a line each. */
export function checkWords(resources: readonly Resource[], { differences }: Pick<WhyRun, "differences">): string[] {
    return differences.map((difference) => {
        const [, position, nth] = /^r(\d+)(?:\.(\d+))?$/.exec(difference.id) ?? [];
        const resource = position === undefined ? undefined : resources[Number(position)];
        const part = resource === undefined ? "" : partOf(resource, difference, Number(nth));
        const subject = resource === undefined ? undeclared(difference) : label(resource);
        return `differs\t${subject}\t${part === "" ? "" : `${part}: `}${difference.aspect}`;
    });
}

/** The file of a transaction by its name, or the kernel parameter. */
function partOf(resource: Resource, { aspect, have }: Difference, nth: number): string {
    switch (resource.kind) {
        case "transaction":
            return filesOf(resource)[nth - 1]?.path.replace(/.*\//, "") ?? "";
        case "sysctl":
            return /^(value|less|unloaded|unfinished)$/.test(aspect) ? (have.split(" ")[0] ?? "") : "";
        default:
            return "";
    }
}

/** What has left the run list, or the host itself. */
const undeclared = ({ aspect, have }: Difference) => (/^unlisted\b/.test(aspect) ? have : "host");
