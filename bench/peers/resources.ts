import type { File, Resource } from "../../components/convergence/kinds/index";

/** The package lists are those of the image; all contenders install without recommended packages. */
export const packages = ["haproxy", "logrotate", "rsyslog"];
export const account = { name: "edge", shell: "/usr/sbin/nologin" };
export const directory = { path: "/etc/edge", mode: "0750" };

const servers = (backend: string) =>
    Array.from({ length: 10 }, (_, n) => `    server ${backend}-${n} 192.0.2.${n + 1}:8080 check`);

const haproxy = [
    "global",
    "    user haproxy",
    "    group haproxy",
    "    maxconn 4000",
    "defaults",
    "    mode http",
    "    timeout connect 5s",
    "    timeout client 30s",
    "    timeout server 30s",
    "frontend web",
    "    bind :80",
    "    use_backend api if { path_beg /api/ }",
    "    default_backend app",
    ...["app", "api"].flatMap((backend) => [`backend ${backend}`, "    balance leastconn", ...servers(backend)]),
];

const config = "/etc/haproxy/haproxy.cfg";
const logging = "/etc/rsyslog.d/60-edge.conf";
export const dropIn = "/etc/systemd/system/haproxy.service.d/10-limits.conf";

/** Five files and a drop-in. */
export const files = [
    { path: config, lines: haproxy, mode: "0640" },
    { path: "/etc/edge/blocked.txt", lines: ["192.0.2.66", "198.51.100.0/24"], mode: "0644" },
    { path: "/etc/edge/503.http", lines: ["HTTP/1.0 503 Service Unavailable", "", "Come back soon."], mode: "0644" },
    { path: logging, lines: ["local0.* /var/log/edge.log"], mode: "0644" },
    { path: "/etc/logrotate.d/edge", lines: ["/var/log/edge.log {", "    daily", "    rotate 7", "}"], mode: "0644" },
    { path: dropIn, lines: ["[Service]", "LimitNOFILE=65536"], mode: "0644" },
];
export const text = ({ lines }: { lines: string[] }) => `${lines.join("\n")}\n`;

/** Services, and the files that they must have read: a change of one restarts the service. */
export const services = [
    { name: "haproxy", reads: [config, dropIn] },
    { name: "rsyslog", reads: [logging] },
];

/** The same as resources of this library. */
export function resources(): Resource[] {
    const plain = files.filter(({ path }) => path !== dropIn);
    return [
        { kind: "packages", names: packages },
        { kind: "group", name: account.name },
        { kind: "user", name: account.name, group: account.name, shell: account.shell },
        { kind: "directory", ...directory },
        ...plain.map((file): File => ({ kind: "file", path: file.path, content: text(file), mode: file.mode })),
        {
            kind: "systemdUnit",
            name: "haproxy.service.d/10-limits.conf",
            content: files.map((file) => (file.path === dropIn ? text(file) : "")).join(""),
        },
        ...services.map(
            ({ name, reads }): Resource => ({ kind: "service", name: `${name}.service`, restartOn: reads }),
        ),
    ];
}
