import type { File } from "../../convergence/kinds/index";
import { yamlFile } from "../yaml";
import { directory, permissions } from "./files";

/** The agent's process check: counts processes of exactly these names, and reports a service check `process.up` for each. */
export function processCheck(names: readonly string[]): File {
    return {
        kind: "file",
        path: `${directory}/conf.d/process.d/conf.yaml`,
        content: yamlFile({
            init_config: {},
            instances: names.map((name) => ({ name, search_string: [name], exact_match: true })),
        }),
        ...permissions,
    };
}
