import type { File } from "../../convergence/kinds/index";
import { isSlot } from "../../convergence/slots";
import { yamlSlotValue } from "../yaml";
import { agentFile } from "./agentFile";
import { tagTexts } from "./tags";
import type { DatadogArgs } from "./types";

/** The agent's own settings, with the API key. */
export function agentSettings(args: DatadogArgs): File {
    const { apiKey, site = "datadoghq.com", environment, hostname, logs = true } = args;
    const tags = tagTexts(args);
    return {
        ...agentFile("datadog.yaml", {
            api_key: apiKey,
            site,
            ...(hostname !== undefined && { hostname }),
            ...(environment !== undefined && { env: environment }),
            ...(tags.length > 0 && { tags }),
            logs_enabled: logs,
        }),
        slotIssue: keyIssue,
        slotValue: yamlSlotValue,
    };
}

/** Why a text cannot be an API key, without quoting it; undefined if it can. */
export function keyIssue(key: string): string | undefined {
    if (key === "") {
        return "is empty; set the API key of the organization";
    }
    // Datadog rejects such a key with no other sign than missing data. U+0085 and its neighbours are no blanks for a regular expression.
    return !isSlot(key) && /[\s\0-\x1f\x7f-\x9f]/.test(key)
        ? "holds blanks, line breaks or control characters; set the API key alone"
        : undefined;
}
