import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { machineAptSettings, machineMirror, resolvConf, sources } from "./machine/aptMirror";
import { run } from "./machine/exec";
import { withLock } from "./machine/lock";
import { nspawnCommand } from "./machine/nspawn";
import { cacheDir } from "./machine/paths";
import { mountsUnder } from "./machine/system";

/**
 * `bare`: a fresh Debian with sshd. `app`: the same with an nginx that says who it is. `data`: the same with PostgreSQL (5432,
 * user and database `lab`), Redis (6379), an SMTP server (25, mailbox `lab`), and a TLS service of its own certificate (6443), each of which
 * says who it is. `haproxy`: with HAProxy and varnishtest installed, to run their programs in; no host boots from it.
 */
export type Image = "bare" | "app" | "data" | "haproxy";

/** Where the services of an image answer. */
export const servicePorts: Record<Image, number[]> = { bare: [], app: [80], data: [25, 5432, 6379, 6443], haproxy: [] };

/** The Debian suites that hosts and images can be of: their HAProxy is 2.2, 2.6, 3.0. */
export const suites = ["bullseye", "bookworm", "trixie"] as const;
export type Suite = (typeof suites)[number];

const include = [
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

/** Downloaded, not installed: a converge installs them on a bare host without waiting for a mirror. */
const downloaded = ["haproxy", "keepalived", "nginx-light", "rsyslog", "logrotate", "socat", "nftables", "cron", "jq"];

const bareScript = `
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --yes --no-install-recommends --download-only ${downloaded.join(" ")}
# Timers and consoles that only slow a boot down or make noise while something is measured.
for unit in apt-daily.timer apt-daily-upgrade.timer man-db.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \\
    fstrim.timer logrotate.timer systemd-tmpfiles-clean.timer console-getty.service getty.target systemd-networkd.service \\
    systemd-resolved.service systemd-timesyncd.service; do
    ln -sf /dev/null /etc/systemd/system/$unit
done
# A load's access logs would reach the rate limit, and the daemon's own words would be dropped with them.
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\\nRateLimitIntervalSec=0\\n' >/etc/systemd/journald.conf.d/lab.conf
# The base holds no identity: each host gets its own before its first boot.
rm -f /etc/ssh/ssh_host_*
: >/etc/machine-id
rm -f /etc/motd /etc/update-motd.d/* /etc/hostname
`;

const nginxConf = `# Answers every path with its own name and service, so that a client sees who served it.
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

/** The file that tells the app image's nginx which service it is. */
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

const tlsConf = `# Speaks TLS by itself, as the API server of a cluster does.
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

// varnishtest alone: the package of varnish would bring a C compiler, too.
const haproxyScript = `
export DEBIAN_FRONTEND=noninteractive
apt-get -qq install --yes --no-install-recommends haproxy
mkdir /tmp/varnish
cd /tmp/varnish
apt-get -qq -o APT::Sandbox::User=root download varnish $(apt-cache depends varnish | grep -o 'libvarnishapi[0-9]*')
for package in *.deb; do dpkg-deb -x $package .; done
cp usr/bin/varnishtest /usr/bin
cp -P usr/lib/*/libvarnishapi.so.* /usr/lib
rm -r /tmp/varnish
varnishtest -h >/dev/null || [ $? = 1 ]
`;

const scripts: Record<Exclude<Image, "bare">, string> = { app: appScript, data: dataScript, haproxy: haproxyScript };

interface Layer {
    dir: string;
    lower: string[];
    script: string;
}

const key = (...parts: string[]) => createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 12);

/** The image as a stack of directories, uppermost first, named by suite and by the digest of their recipe. */
function layers(image: Image, suite: Suite): Layer[] {
    const bareKey = key(suite, include.join(), bareScript);
    const bare = { dir: join(cacheDir, `base-${suite}-${bareKey}`), lower: [], script: bareScript };
    if (image === "bare") return [bare];
    const script = scripts[image];
    const upper = { dir: join(cacheDir, `${image}-${suite}-${key(bareKey, script)}`), lower: [bare.dir], script };
    return [upper, bare];
}

/**
 * Builds the missing layers of an image and answers their directories, uppermost first. An interrupted build leaves only a
 * `.partial` directory, which the next one replaces, and the packages it had downloaded, which the next one uses.
 *
 * @throws when debootstrap or apt fails; the log next to the layer has the whole output
 */
export async function buildImage(
    image: Image,
    suite: Suite = "bookworm",
    note: (text: string) => void = () => undefined,
) {
    const stack = layers(image, suite);
    if (stack.some((layer) => !existsSync(layer.dir)))
        await withLock(join(cacheDir, `${suite}.lock`), async () => {
            for (const layer of [...stack].reverse()) if (!existsSync(layer.dir)) await buildLayer(layer, suite, note);
        });
    return stack.map((layer) => layer.dir);
}

/** Held by a build's long steps themselves, which live on when the build is killed. */
const stepLock = (suite: string) => join(cacheDir, `${suite}.step.lock`);

async function buildLayer(layer: Layer, suite: string, note: (text: string) => void): Promise<void> {
    const partial = `${layer.dir}.partial`;
    const root = layer.lower.length ? join(partial, "root") : partial;
    const upper = layer.lower.length ? join(partial, "upper") : partial;
    // Not before what an earlier, killed build may still run has ended.
    await run("flock", [stepLock(suite), "true"], { timeout: 1_800_000 });
    await discard(partial);
    await mkdir(root, { recursive: true });
    const log: string[] = [];
    const onOutput = (chunk: string) => {
        log.push(chunk);
        const line = chunk.trim().split("\n").at(-1) ?? "";
        note(`${basename(layer.dir)}: ${line.replace(/^[IEW]: /, "").slice(0, 70)}`);
    };
    try {
        if (layer.lower.length) {
            await mkdir(upper, { recursive: true });
            await mkdir(join(partial, "work"), { recursive: true });
            const options = `lowerdir=${layer.lower.join(":")},upperdir=${upper},workdir=${join(partial, "work")}`;
            await run("mount", ["-t", "overlay", "overlay", "-o", options, root]);
        } else await bootstrap(root, suite, onOutput);
        const inside = nspawnCommand({ root, command: ["sh", "-euc", layer.script] });
        await run("flock", [stepLock(suite), ...inside], { timeout: 900_000, onOutput });
        await release(partial);
        await rename(upper, layer.dir);
        await discard(partial);
    } catch (error) {
        await writeFile(`${layer.dir}.log`, log.join(""));
        throw error;
    }
}

async function bootstrap(root: string, suite: string, onOutput: (chunk: string) => void): Promise<void> {
    const mirror = await machineMirror();
    const debs = join(cacheDir, `debs-${suite}`);
    await mkdir(debs, { recursive: true });
    const options = ["--variant=minbase", `--include=${include.join(",")}`, `--cache-dir=${debs}`];
    const command = ["debootstrap", ...options, suite, root, mirror.main];
    await run("flock", [stepLock(suite), ...command], { timeout: 1_800_000, onOutput });
    const apt = join(root, "etc/apt");
    await rm(join(apt, "sources.list"), { force: true });
    await writeFile(join(apt, "sources.list.d/debian.sources"), sources(suite, mirror));
    const settings = `Acquire::Languages "none";\nAPT::Keep-Downloaded-Packages "true";\n${await machineAptSettings()}\n`;
    await writeFile(join(apt, "apt.conf.d/90lab"), settings);
    await rm(join(root, "etc/resolv.conf"), { force: true });
    await writeFile(join(root, "etc/resolv.conf"), await resolvConf());
}

/** Removes what an interrupted build left. Its mounts first: what is mounted there is the machine's own. */
async function discard(partial: string): Promise<void> {
    await release(partial);
    await rm(partial, { recursive: true, force: true });
}

async function release(partial: string): Promise<void> {
    for (const mount of mountsUnder(partial)) await run("umount", ["--lazy", mount]);
}
