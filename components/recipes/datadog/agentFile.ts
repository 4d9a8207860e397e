import type { File } from "../../convergence/kinds/index";
import { yamlFile } from "../yaml";

/**
 * A YAML file that the agent reads. Owner and mode are those of the agent's own package, which gives its account everything in this
 * directory at each upgrade.
 *
 * @param path below /etc/datadog-agent
 */
export function agentFile(path: string, data: object): File {
    return {
        kind: "file",
        path: `/etc/datadog-agent/${path}`,
        content: yamlFile(data),
        owner: "dd-agent",
        group: "dd-agent",
        mode: "0640",
    };
}
