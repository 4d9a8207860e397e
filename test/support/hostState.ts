import type { Host } from "../../lab/host";
import { run } from "../../lab/machine/exec";

/**
 * Everything on a host for which a converge is responsible, a line each: files with type, mode, owner and content, packages,
 * accounts, units, kernel parameters and packet filters, what the running processes have read, what we remember, leftovers. Times, process
 * ids, the token and how the last converge has ended, which no two runs share, are left out; so is the check, which is of the last plan.
 */
const SCRIPT = `
# A converge reports its end before systemd has noticed it.
while [ -n "$(systemctl list-units --all --plain --no-legend haproxy-fleet-converge.service)" ]; do sleep 0.05; done
tree() {
    find "$@" -xdev \\( -name '*-' -o -name ld.so.cache -o -name .pwd.lock -o -name token -o -path '*fleet/check' -o -name last-converge \\) -prune -o -printf '%y %m %u:%g %p %l\\n'
    find "$@" -xdev \\( -name '*-' -o -name ld.so.cache -o -name token -o -name declared -o -path '*fleet/check' -o -name last-converge \\) -prune -o -type f -print0 | xargs -0 sha256sum
}
tree /etc /srv /usr/local /home /var/lib/haproxy-fleet | sort
find /etc /srv /usr /var -xdev \\( -name '*haproxy-fleet-new' -o -path '/var/lib/haproxy-fleet/*.new' \\)
[ -s /var/lib/haproxy-fleet/token ] && echo token stored
# The first line is the token.
[ ! -e /var/lib/haproxy-fleet/declared ] || tail -n +2 /var/lib/haproxy-fleet/declared | sed 's/^/declared /'
dpkg-query -W -f 'package \${Package} \${Version} \${Status}\\n'
ls /var/lib/dpkg/updates
getent passwd | sed 's/^/user /'
getent group | sed 's/^/group /'
systemctl list-units --no-legend --no-pager --plain --all --type=service |
    awk '$1 !~ /^(user|session|systemd-|modprobe)/ && $2 == "loaded" { print "unit", $1, $3, $4 }' | sort
systemctl show -p Id -p NeedDaemonReload '*.service' | grep -B1 NeedDaemonReload=yes
ss -Hltn | awk '{ print "listens", $4 }' | sort
# Not what is counted, and not what each boot makes anew.
find /proc/sys/net -type f ! -path '*/conf/*' ! -path '*/neigh/*' ! -name nf_conntrack_count ! -name tcp_fastopen_key |
    xargs grep -s '' | sed 's,^/proc/sys/,sysctl ,' | sort
[ ! -e /run/echod/loaded ] || sed 's/^/echod has /' /run/echod/loaded
ls -A /run/haproxy-fleet | grep -e '^in' -e '^payload' -e '^stage' -e '^why-run' -e '^package'
`;

export async function hostState(host: Host): Promise<string[]> {
    // The host itself may lack nft.
    const filters = run("ip", ["netns", "exec", host.namespace, "nft", "-s", "list", "ruleset"]);
    const { stdout } = await host.exec(`${SCRIPT}\n${RUNNING_HAPROXY}`);
    const rules = (await filters).stdout.split("\n").filter((line) => line.trim() !== "");
    return [...stdout.trimEnd().split("\n"), ...rules.map((line) => `filter ${line.trim()}`)];
}

/** Prints the digest that the running haproxy reports, without our own runtime. */
const RUNNING_HAPROXY = `
[ ! -S /run/haproxy-master.sock ] || perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0);
    connect(S, sockaddr_un("/run/haproxy-master.sock")) or exit;
    syswrite(S, "\\@1 get var proc.cfg\\n"); shutdown(S, 1); print "haproxy has ", <S>'
`;
