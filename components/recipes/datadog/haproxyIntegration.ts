import type { File } from "../../convergence/kinds/index";
import { LOG_FILE } from "../rsyslog/index";
import { agentFile } from "./agentFile";
import { environmentTag, serviceName, tagTexts } from "./tags";
import type { DatadogArgs } from "./types";

/**
 * The agent's haproxy integration: what to read HAProxy's metrics from, and which file holds its log. The metrics have the tags of the
 * host themselves: of a new host, Datadog may join the tags only after minutes.
 */
export function haproxyIntegration(args: DatadogArgs): File {
    const { endpoint = "http://127.0.0.1:8405/metrics", logs = true } = args;
    const service = serviceName(args);
    const texts = tagTexts(args);
    const isNamed = texts.some((text) => text.startsWith("service:"));
    const tags = [...environmentTag(args), ...texts, ...(isNamed ? [] : [`service:${service}`])];
    return agentFile("conf.d/haproxy.d/conf.yaml", {
        init_config: {},
        instances: [{ use_openmetrics: true, openmetrics_endpoint: endpoint, tags }],
        ...(logs && { logs: [{ type: "file", path: LOG_FILE, service, source: "haproxy" }] }),
    });
}
