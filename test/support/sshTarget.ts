import { readFileSync } from "node:fs";
import type { SshTarget } from "../../components/convergence/ssh/ssh";
import type { Host } from "../../lab/host";
import type { Lab } from "../../lab/lab";

/** How to reach a lab host: as root, with the lab's key, and with the host's key pinned. */
export function sshTargetOf(lab: Lab, host: Host): SshTarget {
    return {
        address: host.address,
        port: 22,
        user: "root",
        hostKey: host.hostKey,
        privateKey: readFileSync(lab.privateKeyPath, "utf8"),
    };
}
