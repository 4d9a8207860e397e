import { readFileSync } from "node:fs";
import type { SshTarget } from "../../components/convergence/ssh/ssh";
import type { Host } from "../../lab/host";
import type { Lab } from "../../lab/lab";

/** How a host of the lab is reached: as root, with the lab's key, the host's key pinned. */
export function targetOf(lab: Lab, host: Host): SshTarget {
    return {
        address: host.address,
        port: 22,
        user: "root",
        hostKey: host.hostKey,
        privateKey: readFileSync(lab.privateKeyPath, "utf8"),
    };
}
