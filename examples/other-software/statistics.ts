import type { resources } from "haproxy-fleet";

const program = `#!/bin/sh
# Keeps HAProxy's statistics of the last minute.
set -eu
echo '@1 show stat' | socat - /run/haproxy-master.sock >/run/haproxy-statistics.part
mv /run/haproxy-statistics.part /run/haproxy-statistics.csv
`;

const service = `[Unit]
Description=Keep HAProxy's statistics

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/haproxy-statistics
`;

const timer = `[Unit]
Description=Keep HAProxy's statistics, each minute

[Timer]
OnActiveSec=0
OnUnitActiveSec=1min

[Install]
WantedBy=timers.target
`;

/** A recipe for what runs beside HAProxy: a timer that writes its statistics into a file. It needs socat. */
export function statistics(): resources.Resource[] {
    return [
        { kind: "file", path: "/usr/local/sbin/haproxy-statistics", content: program, mode: "0755" },
        { kind: "systemdUnit", name: "haproxy-statistics.service", content: service },
        { kind: "systemdUnit", name: "haproxy-statistics.timer", content: timer },
        { kind: "service", name: "haproxy-statistics.timer" },
    ];
}
