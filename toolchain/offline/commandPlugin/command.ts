// The resource type command:remote:Command.
import { randomBytes } from "node:crypto";
import type { Call, ResourceType } from "../provider/resourceType";
import { diffProperties, type Properties, pick, reveal, unknown, type Value } from "../provider/values";
import { findFailures, inputNames, withDefaults } from "./properties";
import type { CommandState } from "./remoteCommand";

/** What a command has printed, or nothing if there is none to run. */
async function run(command: Value | undefined, state: Properties, { urn, signal, log }: Call) {
    const text = reveal(command ?? null);
    if (typeof text !== "string") {
        return undefined;
    }
    // Loaded only if a command runs, because a preview needs no SSH.
    const { runRemoteCommand } = await import("./remoteCommand.js");
    return runRemoteCommand(reveal(state) as unknown as CommandState, text, signal, (line) => log.status(urn, line));
}

export const command: ResourceType = {
    check(news) {
        const failures = findFailures(news);
        return failures.length > 0 ? { failures } : { inputs: withDefaults(news) };
    },

    diff(state, inputs) {
        const changes = diffProperties(pick(state, inputNames), pick(inputs, inputNames));
        // As the real plugin: only adding or removing all triggers replaces the resource.
        return new Map([...changes].map(([path, change]) => [path, { change, replaces: path === "triggers" }]));
    },

    async create(inputs, call) {
        const id = call.urn.split("::").slice(3).join("::") + randomBytes(4).toString("hex");
        if (call.preview) {
            return { id, state: { ...inputs, stdout: unknown, stderr: unknown } };
        }
        const printed = (await run(inputs.create, inputs, call)) ?? { stdout: "", stderr: "" };
        return { id, state: { ...inputs, ...printed } };
    },

    async update(olds, inputs, call) {
        if (call.preview) {
            return { ...inputs, stdout: unknown, stderr: unknown };
        }
        const { stdout = "", stderr = "" } = olds;
        const state = { ...inputs, stdout, stderr };
        return { ...state, ...(await run(inputs.update ?? inputs.create, state, call)) };
    },

    async delete(state, call) {
        await run(state.delete, state, call);
    },
};
