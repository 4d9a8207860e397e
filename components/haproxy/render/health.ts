import { isSlot, withEncoding } from "../../convergence/slots";
import type { View } from "../../templates";
import type { HaproxyConfig, HealthPage } from "../model";
import { globalDefaults } from "../model/defaults";
import { defaultsOf, hasLine, type PlacedProxy } from "../model/lookup";
import { from, fromEach } from "./lineIndex";
import { words } from "./lines";
import { word } from "./quoting";

/** More than a few hosts need that ask one request at a time. */
const mostReserved = 20;

/** The view of the health page. */
export function healthView(config: HaproxyConfig, nameOf: (health: HealthPage) => string): View[] {
    const { health } = config;
    return health === undefined
        ? []
        : [
              {
                  name: from("health", nameOf(health)),
                  port: from("health.port", `${health.port}`),
                  maxconn: reserved(config),
                  from: from("health.from", words(["127.0.0.0/8", ...health.from.map(source)])),
                  needs: fromEach("health.needs", health.needs, (name) => word(name)),
              },
          ];
}

/** A slot must hold an address. */
function source(address: string): string {
    return isSlot(address) ? withEncoding(address, "haproxy-address") : address;
}

/**
 * The connections of a section that declares no limit. At `global.maxconn` HAProxy accepts nothing more, not even for the health page, so
 * that a host which is only busy would seem to be dead; measured with 2.2 and 3.2.
 */
export function maxconnBesideHealth({ proxy, section }: PlacedProxy, config: HaproxyConfig): number | undefined {
    const declared = [proxy.raw, defaultsOf(proxy.from, config)?.raw].some((raw) => hasLine(raw, "maxconn"));
    const reserves = config.health !== undefined && section !== "backend" && !declared;
    return reserves ? Math.max(1, connections(config) - reserved(config)) : undefined;
}

function reserved(config: HaproxyConfig): number {
    return Math.min(mostReserved, Math.max(1, Math.floor(connections(config) / 10)));
}

function connections({ global = {} }: HaproxyConfig): number {
    return global.maxconn ?? globalDefaults.maxconn;
}
