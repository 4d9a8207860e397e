import type { Resource } from "../../components/convergence/kinds/index";
import type { HaproxyConfig } from "../../components/haproxy/model";
import { haproxy } from "../../components/recipes/haproxy/index";
import type { Host } from "../../lab/host";

/** A small load balancer that answers itself and never sends a request to its server, with other parts of its configuration. */
export function smallLoadBalancer(server = "app1", change: Partial<HaproxyConfig> = {}): Resource[] {
    const config: HaproxyConfig = {
        version: "2.6",
        // A lab host cannot have more than 20000 file descriptors.
        global: { maxconn: 1000 },
        frontends: [
            { name: "http", binds: [{ port: 80 }], raw: ["http-request return status 200"], defaultBackend: "app" },
        ],
        backends: [{ name: "app", servers: [{ name: server, address: "192.0.2.21", port: 8080 }] }],
        ...change,
    };
    return haproxy(config);
}

/**
 * Everything that a restart, a reload or a write changes: the newest worker (old ones may end at any moment), the
 * invocation of the unit, and the times of files.
 */
export async function restartTraces(host: Host): Promise<string> {
    const { stdout } = await host.exec(`
        systemctl show -p InvocationID -p MainPID -p NRestarts haproxy.service
        pgrep -n -P "$(systemctl show -p MainPID --value haproxy.service)"
        stat -c '%n %i %y' /etc/haproxy/haproxy.cfg /etc/systemd/system/haproxy.service.d/*`);
    return stdout;
}
