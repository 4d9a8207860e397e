import { prepareDatadogCheck, runDatadogCheck } from "../datadogCheck/run";
import type { Lab } from "../lab";
import { step } from "../machine/progress";
import { bold, othersWrote, say, table } from "../print";
import { chapter, expect } from "./chapter";
import { loadBalancers } from "./fleet";

const FILE = "/etc/datadog-agent/conf.d/haproxy.d/conf.yaml";
const METRIC = "haproxy.backend.http.requests.count";

/** Runs Datadog's own check with the file of a load balancer, and shows a metric that the agent would send. */
export async function metricChapter(lab: Lab): Promise<void> {
    await chapter(
        "Datadog's check reads the metrics",
        "The lab has no Datadog: a package with the agent's account and unit stands in for the agent. Its check is Datadog's own, " +
            `from PyPI. It runs in the network of a load balancer, with the ${FILE} of that host.`,
        async () => {
            const prepared = await step("Datadog's check, once", prepareDatadogCheck);
            othersWrote();
            if ("why" in prepared) return `left out: ${prepared.why}`;
            const [balancer] = loadBalancers(lab);
            if (!balancer) throw new Error("the lab has no load balancer");
            const host = lab.host(balancer.name);
            say(`  ${bold(`${host.name}: check of ${FILE}`)}`);
            const { metrics, errors } = await runDatadogCheck(host, prepared.folder, (await host.read(FILE)) ?? "");
            expect(errors.length === 0, `the check must succeed: ${errors.join("; ")}`);
            const shown = metrics.filter(({ name }) => name === METRIC);
            expect(shown.length > 0 && shown.some(({ value }) => value > 0), `the check must send ${METRIC}`);
            table(
                ["METRIC", "TYPE", "VALUE", "TAGS"],
                shown.map(({ name, type, value, tags }) => [name, type, String(value), tags.join(" ")]),
            );
            return `${metrics.length} metrics, without an error`;
        },
    );
}
