/** Where the agent reads its settings. */
export const directory = "/etc/datadog-agent";

/** Owner and mode as the agent's own installer sets them: its package makes everything there its account's, at each upgrade. */
export const permissions = { owner: "dd-agent", group: "dd-agent", mode: "0640" };
