import local from "../../stacks/local";
import { prepareDatadogCheck, runDatadogCheck } from "../datadogCheck/run";
import type { Lab } from "../lab";
import { step } from "../machine/progress";
import { bold, othersWrote, paragraph, say, table } from "../print";
import { chapter, expect } from "./chapter";
import { loadBalancers } from "./fleet";

const FILE = "/etc/datadog-agent/conf.d/haproxy.d/conf.yaml";
const METRIC = "haproxy.backend.http.responses.count";

/** Runs Datadog's own check with the file of a load balancer, and shows a metric that the agent would send. */
export async function metricChapter(lab: Lab): Promise<void> {
    await chapter(
        "Datadog's check reads the metrics",
        "Datadog cannot be reached from here, so a stand-in for its agent is installed, from a signed repository. The agent's check " +
            "is Datadog's own: the OpenMetrics check from PyPI runs in the network of a load balancer, with the file of that host.",
        async () => {
            const prepared = await step("Datadog's check, once", prepareDatadogCheck);
            othersWrote();
            if ("why" in prepared) return `left out: ${prepared.why}`;
            const [balancer] = loadBalancers(lab);
            if (!balancer) throw new Error("the lab has no load balancer");
            const host = lab.host(balancer.name);
            say(`  ${bold(`${host.name}: ${FILE}`)}`);
            const { metrics, errors } = await runDatadogCheck(host, prepared.folder, (await host.read(FILE)) ?? "");
            expect(errors.length === 0, `the check must succeed: ${errors.join("; ")}`);
            const shown = metrics.filter(({ name, tags }) => name === METRIC && tags.includes("code:2xx"));
            expect(
                local.services.every(({ name }) =>
                    shown.some(({ value, tags }) => value > 0 && tags.includes(`proxy:${name}`)),
                ),
                `the check must find requests to each service: ${JSON.stringify(shown)}`,
            );
            const common = shown[0]?.tags.filter((tag) => shown.every(({ tags }) => tags.includes(tag))) ?? [];
            table(
                ["METRIC", "TYPE", "VALUE", "TAGS"],
                shown.map(({ name, type, value, tags }) => [
                    name,
                    type,
                    String(value),
                    [...tags.filter((tag) => !common.includes(tag)), "…"].join(" "),
                ]),
            );
            paragraph(`… ${common.join(" ")}`);
            say();
            return `${metrics.length} metrics of ${host.name}`;
        },
    );
}
