import type { DebPackage } from "./debPackage";

/** Where the stand-in notes each start: a line with time, `pid`, `groups`, and `config`, the digest of all files that it has read. */
export const AGENT_STARTS = "/var/log/datadog/starts";

/** Version of the stand-in that apt prefers. */
export const AGENT_VERSION = "1:7.71.0-1";

/** An older version, which has to be asked for. */
export const OLDER_AGENT_VERSION = "1:7.70.0-1";

const AGENT = `#!/bin/sh
# Stands in for the Datadog Agent, which the lab cannot download: reads its files, notes its start, and stays.
set -eu
case \${1-} in
version) echo "Agent @VERSION@ (stand-in)"; exit ;;
run) ;;
*) echo "the stand-in knows: run, version" >&2; exit 2 ;;
esac
if [ ! -r /etc/datadog-agent/datadog.yaml ]; then
    echo "no readable /etc/datadog-agent/datadog.yaml" >&2
    exit 1
fi
config=$(find /etc/datadog-agent -name '*.yaml' | LC_ALL=C sort | xargs cat | sha256sum)
echo "$(date +%s) pid=$$ groups=$(id -Gn | tr ' ' ,) config=\${config%% *}" >>${AGENT_STARTS}
trap 'exit 0' TERM INT
while :; do sleep 3600 & wait $!; done
`;

const UNIT = `[Unit]
Description=Datadog Agent (stand-in)
After=network.target
StartLimitIntervalSec=10
StartLimitBurst=5

[Service]
User=dd-agent
Restart=on-failure
ExecStart=/opt/datadog-agent/bin/agent/agent run

[Install]
WantedBy=multi-user.target
`;

// As the vendor's package does it: the unit is enabled, and started only if there is a configuration.
const POSTINST = `#!/bin/sh
set -e
getent passwd dd-agent >/dev/null ||
    useradd --system --user-group --home-dir /opt/datadog-agent --no-create-home --shell /usr/sbin/nologin dd-agent
chown -R dd-agent:dd-agent /etc/datadog-agent /var/log/datadog
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl --quiet enable datadog-agent.service
    if [ -e /etc/datadog-agent/datadog.yaml ]; then systemctl restart datadog-agent.service; fi
fi
`;

const PRERM = `#!/bin/sh
set -e
if [ -d /run/systemd/system ] && [ "$1" = remove ]; then
    systemctl --quiet disable --now datadog-agent.service
fi
`;

/** A stand-in for the package `datadog-agent`: its account, directories, unit and program, but no Agent. */
export function datadogAgent(version: string = AGENT_VERSION): DebPackage {
    return {
        name: "datadog-agent",
        version,
        description: "stand-in for the Datadog Agent",
        files: {
            "DEBIAN/postinst": POSTINST,
            "DEBIAN/prerm": PRERM,
            "opt/datadog-agent/bin/agent/agent": AGENT.replace("@VERSION@", version),
            "lib/systemd/system/datadog-agent.service": UNIT,
            "etc/datadog-agent/datadog.yaml.example": "api_key:\n",
            "etc/datadog-agent/conf.d/haproxy.d/conf.yaml.example": "instances:\n",
            "etc/datadog-agent/conf.d/process.d/conf.yaml.example": "instances:\n",
            "var/log/datadog/.keep": "",
        },
        programs: ["opt/datadog-agent/bin/agent/agent"],
    };
}
