import { z } from "zod";
import { anyText, anyTexts, flag, formOf } from "../../forms";
import { sha256 } from "../sha256";
import { serviceIssues, when } from "./checks";
import { type CallContext, type ResourceKind, yesNo } from "./kind";

/** A systemd service: its state now and after a boot. */
export interface Service {
    kind: "service";
    /** Unit name, as in `haproxy.service`. */
    name: string;
    /** Whether it starts at boot. @default true */
    enabled?: boolean;
    /** Whether it runs now. @default true */
    running?: boolean;
    /** Paths of declared files; the process must have been reloaded since they were written. @default [] */
    reloadOn?: string[];
    /** Paths of declared files; the process must have been started since they were written. @default [] */
    restartOn?: string[];
    /**
     * What a later converge does once it has left the run list, after resources declared later are undone: `stop` stops and disables it,
     * `restart` restarts it if it runs, so that it forgets files that are undone. @default - it stays as it is
     */
    removed?: "stop" | "restart";
    /**
     * Whether its start may wait for something outside of this host: then a start is not waited for, and a unit that is still starting
     * counts as running. Not with `reloadOn` and `restartOn`. @default false
     */
    mayWait?: boolean;
}

/** A digest of what the files hold, and their positions. */
function watched(paths: string[], context: CallContext): string[] {
    return [
        paths.length === 0 ? "" : sha256(paths.map((path) => context.file(path).sum).join("")),
        paths.map((path) => context.path(path)).join(" "),
    ];
}

/** What TypeScript knows about {@link Service}. */
export const service: ResourceKind<Service> = {
    shellFunction: "service",
    nameOf: ({ name }) => name,
    form: formOf<Service>()(
        z.strictObject({
            kind: z.literal("service"),
            name: anyText,
            enabled: flag.optional(),
            running: flag.optional(),
            reloadOn: anyTexts.optional(),
            restartOn: anyTexts.optional(),
            removed: z.enum(["stop", "restart"]).optional(),
            mayWait: flag.optional(),
        }),
    ),
    issues: ({ name, mayWait = false, reloadOn = [], restartOn = [] }) => [
        ...serviceIssues(name),
        ...when(
            mayWait && reloadOn.length + restartOn.length > 0,
            "a service that may wait cannot be made to read files; leave out reloadOn and restartOn",
        ),
    ],
    claims: ({ name }) => [{ on: `service ${name}` }],
    facts: ({ name }) => ({ units: [name] }),
    reads: ({ reloadOn = [], restartOn = [] }) => [...reloadOn, ...restartOn],
    args: ({ name, enabled = true, running = true, reloadOn = [], restartOn = [], mayWait = false }, context) => [
        context.unit(name),
        name,
        yesNo(enabled),
        running && mayWait ? "waits" : yesNo(running),
        ...watched(reloadOn, context),
        ...watched(restartOn, context),
    ],
    manifest: ({ name, removed }) => (removed === undefined ? [] : [`service\t${name}\t${removed}`]),
    remembered: ({ enabled = true, running = true, reloadOn = [], restartOn = [] }) => ({
        enabled: yesNo(enabled),
        disabled: yesNo(enabled),
        running: yesNo(running),
        stopped: yesNo(running),
        outdated: [...reloadOn, "", ...restartOn].join(":"),
    }),
    wording: {
        missing: () => "does not exist",
        disabled: (have) => `is ${have}, would be enabled`,
        enabled: () => "is enabled, would be disabled",
        stopped: (have) => `is ${have || "stopped"}, would be started`,
        running: () => "runs, would be stopped",
        outdated: (have) => `has not read its current files, would be ${have}ed`,
    },
};
