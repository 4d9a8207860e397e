import type { Firewall } from "../kinds/firewall";
import type { SeenFirewall } from "./whyRun";

/** What a host's packet filter drops although it is declared. Says nothing of what it cannot know. */
export function firewallWarnings(_declared: Firewall, _seen: SeenFirewall): string[] {
    return [];
}
