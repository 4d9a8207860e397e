import type { File } from "../../convergence/kinds/index";
import { agentFile } from "./agentFile";

/** The agent's process check: counts processes of exactly these names, and reports a service check `process.up` for each. */
export function processCheck(names: readonly string[]): File {
    return agentFile("conf.d/process.d/conf.yaml", {
        init_config: {},
        instances: names.map((name) => ({ name, search_string: [name], exact_match: true })),
    });
}
