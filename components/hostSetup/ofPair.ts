/** What the setup of a host has for its pair. */
import { isIPv4 } from "node:net";
import type { Resource } from "../convergence/kinds/index";
import type { HaproxyConfig } from "../haproxy";
import { checkOf, needsNonlocalBind, type Pair, sidesOf } from "../keepalived/index";
import type { FirewallSettings } from "../recipes/firewall/index";
import type { TuningSettings } from "../recipes/tuning/index";
import type { LogsAndMetrics } from "./logsAndMetrics";

/** A host of a pair, by its name in it. */
export interface PairedHost {
    readonly pair: Pair;
    readonly host: string;
}

/** The parts of a setup that a pair has a part in. */
interface Setup extends LogsAndMetrics<unknown> {
    readonly firewall?: true | FirewallSettings;
    readonly tuning?: true | TuningSettings;
}

/** The processes that Datadog counts on a host of a pair. */
const processes = ["haproxy", "keepalived"];

/**
 * The setup with what a pair needs: the other host's adverts and checks pass a declared firewall, HAProxy may listen on the service
 * addresses while the other host has them, and Datadog counts keepalived's processes, too.
 */
export function setupOfPair<S extends Setup>(setup: S, config: HaproxyConfig, paired: PairedHost): S {
    const { firewall, tuning, datadog } = setup;
    return {
        ...setup,
        ...(firewall && { firewall: withPeer(firewall === true ? {} : firewall, paired) }),
        ...(tuning && { tuning: tuned(tuning === true ? {} : tuning, config, paired) }),
        ...(datadog && { datadog: { processes, ...datadog } }),
    };
}

/** The tuning with the port of the health page, which no outgoing connection may take. */
function tuned(tuning: TuningSettings, config: HaproxyConfig, { pair }: PairedHost): TuningSettings {
    const { port } = checkOf(pair.settings);
    const reservedPorts = [...(tuning.reservedPorts ?? []), ...(port < 1024 ? [] : [port])];
    return { ...tuning, reservedPorts, ...(needsNonlocalBind(config, pair) && { nonlocalBind: true }) };
}

/** The firewall with rules for the other host. An address that only an up knows has none in a preview. */
function withPeer(firewall: FirewallSettings, { pair, host }: PairedHost): FirewallSettings {
    const { vrrp = [], allow = [] } = firewall;
    const { address } = sidesOf(pair, host).peer;
    return isIPv4(address)
        ? {
              ...firewall,
              vrrp: [...vrrp, address],
              allow: [...allow, { protocol: "tcp", port: checkOf(pair.settings).port, from: [address] }],
          }
        : firewall;
}

/** The kernel's parameters that let HAProxy listen on the service addresses, for a host without other tuning. */
export function nonlocalBind(config: HaproxyConfig, { pair }: PairedHost): Resource[] {
    return needsNonlocalBind(config, pair)
        ? [
              {
                  kind: "sysctl",
                  name: "60-haproxy-fleet",
                  values: {
                      "net.ipv4.ip_nonlocal_bind": { value: 1 },
                      "net.ipv6.ip_nonlocal_bind": { value: 1, optional: true },
                  },
              },
          ]
        : [];
}
