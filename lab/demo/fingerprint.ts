import type { Host } from "../host";

/** What a preview must not change: the file and the serving process. */
export interface Fingerprint {
    sum: string;
    worker: string;
}

export async function fingerprint(host: Host): Promise<Fingerprint> {
    const command = "sha256sum </etc/haproxy/haproxy.cfg; pgrep -n -P $(systemctl show -p MainPID --value haproxy)";
    const [sum = "", worker = ""] = (await host.exec(command)).stdout.split("\n");
    return { sum: sum.slice(0, 16), worker };
}
