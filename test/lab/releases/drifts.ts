import type { Release } from "../../support/releases";

/** What is done by hand, and what a preview then says. */
type Drift = [command: string, ...says: RegExp[]];

const ofLogsAndMetrics: Drift[] = [
    [
        "sed -i 's/^    log 127.0.0.1:514 .*/    log \\/dev\\/log local0/' /etc/haproxy/haproxy.cfg",
        /^ {6}\+ {4}log 127\.0\.0\.1:514 len 8192 format rfc5424 local0 info$/m,
    ],
    [
        'sed -i \'s/protocol="tcp"/protocol="udp"/; s/port="6514"/port="514"/\' /etc/rsyslog.d/49-haproxy.conf',
        /^ {6}- .*protocol="udp"/m,
        /^ {6}\+ .*port="6514" protocol="tcp"/m,
    ],
    ["systemctl stop rsyslog.service syslog.socket", /service\[rsyslog\.service\]\n.*is inactive, would be started/],
    ["chown daemon:adm /etc/logrotate.d/haproxy", /logrotate\.d\/haproxy: owner is daemon:adm, declared root:root/],
    ["dpkg --remove rsyslog-gnutls >/dev/null", /rsyslog-gnutls is not installed/],
    ["rm /etc/systemd/system/haproxy-logrotate.service", /\[haproxy-logrotate\.service\]\n.*does not exist/],
    [
        "sed -i 's/^OnCalendar=.*/OnCalendar=weekly/' /etc/systemd/system/haproxy-logrotate.timer",
        /systemdUnit\[haproxy-logrotate\.timer\]/,
        /^ {6}-OnCalendar=weekly$/m,
    ],
    [
        "systemctl disable --quiet --now haproxy-logrotate.timer",
        /service\[haproxy-logrotate\.timer\]\n.*is disabled, would be enabled/,
    ],
    ["rm /etc/apt/keyrings/datadog.gpg", /packageRepository\[datadog\]\n.*keyring/],
    ["echo 'Enabled: no' >>/etc/apt/sources.list.d/datadog.sources", /^ {6}-Enabled: no$/m],
    [
        "sed -i 's/^api_key: .*/api_key: other/' /etc/datadog-agent/datadog.yaml",
        /^ {6}\+api_key: "‹datadog\.api-key›"$/m,
    ],
    [
        "chmod 0644 /etc/datadog-agent/conf.d/haproxy.d/conf.yaml",
        /haproxy\.d\/conf\.yaml\]\n.*mode is 0644, declared 0640/,
    ],
    ["rm /etc/datadog-agent/conf.d/process.d/conf.yaml", /process\.d\/conf\.yaml\]\n.*does not exist/],
    [
        "echo SupplementaryGroups=daemon >>/etc/systemd/system/datadog-agent.service.d/10-haproxy-fleet.conf",
        /^ {6}-SupplementaryGroups=daemon$/m,
    ],
    ["systemctl stop datadog-agent.service", /service\[datadog-agent\.service\]\n.*is inactive, would be started/],
    ["rm -r /var/lib/haproxy-fleet/forwards", /execute\[prove the connection to logs1:6514\]/],
];

const ofTuning: Drift[] = [
    ["echo 128 >/proc/sys/net/core/somaxconn", /net\.core\.somaxconn is 128/],
    ["echo '32768\t60999' >/proc/sys/net/ipv4/ip_local_port_range", /ip_local_port_range is 32768 60999/],
    ["echo 'net.ipv4.tcp_tw_reuse = 0' >>/etc/sysctl.d/60-haproxy-fleet.conf", /sysctl\[60-haproxy-fleet\]/],
    ["rm /etc/modules-load.d/haproxy-fleet.conf", /modules-load\.d\/haproxy-fleet\.conf\]\n.*does not exist/],
];

const ofPackages: Drift[] = [
    ["apt-mark -qq unhold rsyslog haproxy >/dev/null", /rsyslog is not on hold/, /haproxy is not on hold/],
];

const ofAlert: Drift[] = [
    [
        "sed -i 's/^StartLimitBurst=.*/StartLimitBurst=2/' /etc/systemd/system/haproxy.service.d/20-alert.conf",
        /^ {6}-StartLimitBurst=2$/m,
        /^ {6}\+StartLimitBurst=30$/m,
    ],
    ["chmod 0644 /usr/local/lib/haproxy-fleet/alert", /lib\/haproxy-fleet\/alert\]\n.*mode is 0644, declared 0755/],
    [
        "echo true >/usr/local/lib/haproxy-fleet/alert-command",
        /alert-command\]\n.*content differs.*\n.*only hidden parts/,
    ],
    ["rm /etc/systemd/system/haproxy-fleet-alert@.service", /\[haproxy-fleet-alert@\.service\]\n.*does not exist/],
];

/** Shell that deletes the rule of nftables for a port. */
const deleteRule = (port: number) =>
    `nft delete rule inet haproxy_fleet input handle "$(nft -a list table inet haproxy_fleet | sed -n 's/.*tcp dport ${port} accept # handle //p')"`;

/** One drift of the firewall for each release, because there is only one firewall on a host. */
const ofFirewall: Record<Release["version"], Drift> = {
    "2.2": [
        `${deleteRule(80)}; nft add rule inet haproxy_fleet input tcp dport 8081 accept`,
        /lacks: tcp dport 80 accept/,
        /has also: tcp dport 8081 accept/,
    ],
    "2.6": ["nft delete table inet haproxy_fleet", /has none of its rules/],
    "2.8": [
        "ufw delete allow 80/tcp >/dev/null; ufw default allow incoming >/dev/null",
        /lacks: allow tcp 80 0\.0\.0\.0\/0/,
        /ufw's default for what comes in is ACCEPT, not DROP/,
    ],
    "3.0": [
        "systemctl disable --quiet haproxy-fleet-firewall.service; : >/etc/haproxy-fleet-firewall.nft",
        /firewall\.nft is not as declared/,
    ],
    "3.2": [
        "nft 'chain inet haproxy_fleet input { policy accept; }'",
        /lacks: .*policy drop/,
        /has also: .*policy accept/,
    ],
};

/** A drift of each kind of thing, for a host of the release. */
export function driftsOf(version: Release["version"]): Drift[] {
    return [...ofLogsAndMetrics, ...ofTuning, ...ofPackages, ...ofAlert, ofFirewall[version]];
}
