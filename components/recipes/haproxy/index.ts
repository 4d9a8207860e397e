import type { Resource, Transaction } from "../../convergence/resources";
import { DIGEST_SLOT, slot } from "../../convergence/slots";
import { hostRequirements, type Listener } from "../../haproxy/host/requirements";
import { serverGuardRules } from "../../haproxy/host/serverGuards";
import type { HaproxyConfig } from "../../haproxy/model";
import { canonical } from "../../haproxy/model/addresses";
import { filesOf, fleetDirectory } from "../../haproxy/render/files";
import { globalDefaults, render } from "../../haproxy/render/index";
import { secretFault } from "../../haproxy/render/quoting";
import { adapterScript } from "../../scripts";
import { renderTemplate } from "../../templates";

const DIRECTORY = "/etc/haproxy";
const UNIT = "haproxy.service";

/** What the recipe may be told beside the configuration. */
export interface HaproxyOptions {
    /**
     * Parts of lines in which HAProxy's own check warns, as in `"missing timeouts for frontend 'web'"`: these warnings do not count, any
     * other refuses the configuration. @default []
     */
    allowWarnings?: string[];
    /** Whether servers may become fewer than their guards say, `minServers` and `maxShrinkPercent`; for one up. @default false */
    allowShrink?: boolean;
    /**
     * How many workers of earlier reloads may still have connections when the next reload comes: it waits for others to end, at most
     * for `hardStopAfter`, and is refused then. Each keeps its memory. @default 5
     */
    oldWorkers?: number;
}

/**
 * HAProxy: package, account, limits, configuration, service.
 *
 * @throws {Error} If `oldWorkers` is no whole number from 1 on.
 */
export function haproxy(config: HaproxyConfig, options: HaproxyOptions = {}): Resource[] {
    const { user = globalDefaults.user, group = globalDefaults.group } = config.global ?? {};
    return [
        // Before the package, so that the first start has it: a limit cannot be raised by a reload.
        { kind: "systemdUnit", name: `${UNIT}.d/10-limits.conf`, content: limits(config) },
        // iproute2 and perl serve the checks before an activation and the proof after it.
        { kind: "packages", names: ["haproxy", "iproute2", "perl-base"] },
        { kind: "group", name: group },
        // HAProxy takes its group by itself: an account that is there for others, such as www-data, keeps its own.
        { kind: "user", name: user, ...(user === group && { group }) },
        configuration(config, options, group),
        { kind: "service", name: UNIT },
    ];
}

function limits(config: HaproxyConfig): string {
    const descriptors = Math.max(65_536, hostRequirements(config).fdsNeeded);
    return renderTemplate("limits.conf.mustache", { descriptors });
}

/** Readable by HAProxy's group, as the file may hold passwords. */
function configuration(
    config: HaproxyConfig,
    { allowWarnings = [], allowShrink = false, oldWorkers = 5 }: HaproxyOptions,
    group: string,
): Transaction {
    if (!Number.isSafeInteger(oldWorkers) || oldWorkers < 1) {
        throw new Error(`oldWorkers of haproxy: expected a whole number, at least 1, got ${oldWorkers}`);
    }
    const needs = hostRequirements(config);
    return {
        kind: "transaction",
        name: "haproxy",
        directory: DIRECTORY,
        allowWarnings,
        files: [
            {
                path: `${DIRECTORY}/haproxy.cfg`,
                content: render(config, { digest: slot(DIGEST_SLOT) }),
                group,
                mode: "0640",
                slotFault: secretFault,
            },
            // Opened as root, at start and by a reload.
            ...filesOf(config).map((file) => ({ ...file, group, mode: "0640", slotFault: secretFault })),
        ],
        owned: [fleetDirectory],
        adapter: {
            name: "haproxy",
            script: adapterScript("haproxy", "adapter", "preflight", "servers", "proof"),
            parameters: {
                config: `${DIRECTORY}/haproxy.cfg`,
                unit: UNIT,
                master: "/run/haproxy-master.sock",
                release: config.version,
                binds: needs.binds.map(listener).join("\n"),
                directories: needs.socketDirectories.join("\n"),
                chroot: needs.chroot,
                fds: String(needs.fdsNeeded),
                maxconn: String(needs.maxconn),
                memory: String(needs.memoryNeeded),
                hard_stop: String(needs.hardStopAfter),
                old_workers: String(oldWorkers),
                names: needs.serverNames.join(" "),
                servers: serverGuardRules(config, allowShrink),
            },
        },
    };
}

/** What the adapter is to hold the host's listeners against. */
function listener({ address, port, mode, interface: device = "-", transparent, v6only }: Listener): string {
    // Connections that the host makes to itself come in by no interface, and to an address of others they do not come at all.
    const ask = device !== "-" || transparent ? "nothing" : mode;
    const marks = [...(transparent ? ["transparent"] : []), ...(v6only ? ["v6only"] : [])];
    return [canonical(address), port, ask, device, ...(marks.length > 0 ? [marks.join(",")] : [])].join(" ");
}
