# Finds what would make a reload fail but HAProxy's own checker cannot see. adapter.sh lists the parameters.

# haproxy_preflight STAGE: prints a line for each reason to refuse, and fails if there is one. Without a stage, servers are not compared.
# Also runs in a why-run before HAProxy is installed; then it checks what stays true afterwards, and prints what it could not check.
haproxy_preflight() {
    refused=
    unchecked=
    rm -f -- "$stage/short" "$stage/restarts"
    haproxy_preflight_binds
    if haproxy_installed; then
        haproxy_preflight_program
        haproxy_preflight_master
    fi
    haproxy_preflight_directories
    haproxy_preflight_descriptors
    haproxy_preflight_memory "$1"
    haproxy_preflight_names
    [ -z "$1" ] || haproxy_preflight_servers "$1"
    [ -z "$refused" ] || return
    [ -z "$unchecked" ] || printf '%s\n' "$unchecked"
}

# haproxy_refuse REASON [REPAIR]: sets refused. In a why-run, notes whether the reason stays when the earlier resources that differ are
# repaired. Of our own, only those of the kind REPAIR may change it: packages or systemdUnit, which is the unit's limits. All others may.
haproxy_refuse() {
    refused=yes
    applying || haproxy_may_repair "${2-}" || : >"$tx_firm"
    printf '%s\n' "$1"
}

# haproxy_short WHAT NEEDED HAVE: notes what the host lacks, for a table in the preview.
haproxy_short() {
    printf 'short\t%s\t%s\t%s\n' "$1" "$2" "$3" >>"$stage/short"
}

# haproxy_ignores LINE: whether this earlier difference is about the program that reloads, its drop-in, packages that are installed with
# HAProxy's, which are there already, rules of a firewall, or kernel parameters that neither a start nor a bind needs.
haproxy_ignores() {
    case $1 in
    "packages["*"haproxy "*"]$TAB"*)
        case $package_facts in *"${NL}haproxy${TAB}installed$TAB"*"${NL}iproute2${TAB}installed$TAB"*) ;; *) return 1 ;; esac
        ;;
    "sysctl["*"nonlocal_bind: "* | "sysctl["*"fs.nr_open: "*) return 1 ;;
    "sysctl["* | "file[/etc/modules-load.d/"* | "firewall["*) ;;
    *"[/usr/local/lib/$product"* | "systemdUnit[$haproxy_unit.d/10-server-states.conf]"* | "packages[rsyslog "*) ;;
    *) return 1 ;;
    esac
}

# haproxy_may_repair REPAIR: see haproxy_refuse. Reads tx_before.
haproxy_may_repair() {
    split_lines
    for line in $tx_before; do
        case $line in
        "group["* | "user["*) continue ;;
        "packages["* | "systemdUnit[$haproxy_unit.d/10-limits.conf]"*)
            [ "${line%%[*}" = "$1" ] || continue
            ;;
        esac
        unsplit
        return 0
    done
    unsplit
    return 1
}

# Checks that the service's program exists and reads our file. It may read others, too: the checker has all of them. Reads what
# haproxy_command sets.
haproxy_preflight_program() {
    if ! command -v "$haproxy_program" >/dev/null; then
        haproxy_says "$haproxy_program"
        haproxy_refuse "$haproxy_unit runs $haproxy_program${says:+ (see $says)}, which does not exist; install it, or correct the unit" packages
        return
    fi
    # Validation would say so, but there is none if values are unknown.
    [ "$tx_digest" != unknown ] || version=$(haproxy_version_fits) || haproxy_refuse "$version" packages
    # If the shell cannot read the command line, the check says so.
    files=$(haproxy_unit_files 2>/dev/null) || return 0
    ! haproxy_reads "$files" || return 0
    if [ -z "$files" ]; then
        haproxy_says ExecStart=
        haproxy_refuse "$haproxy_unit names no file for HAProxy to read${says:+ (see $says)}; add -f $haproxy_config to its command line" packages
        return
    fi
    files=$(haproxy_listed "$files")
    haproxy_says "${files%%, *}"
    remedy="look for the setting with systemctl cat $haproxy_unit"
    case $says in
    "") ;;
    *.service | *.conf) remedy="correct or remove that setting, then run systemctl daemon-reload" ;;
    *) remedy="correct or remove that setting" ;;
    esac
    haproxy_refuse "$haproxy_unit reads $files${says:+, as $says says}, not $haproxy_config; $remedy" packages
}

# Checks that addresses and interfaces exist, and that ports are free. Needs iproute2, which an up installs.
haproxy_preflight_binds() {
    if ! command -v ip >/dev/null || ! command -v ss >/dev/null; then
        unchecked="without iproute2, addresses and ports were not checked"
        return
    fi
    addresses=$NL$(ip -o addr show | tr -s ' ' '\n' | cut -d/ -f1)$NL
    haproxy_other_listeners
    split_lines
    for bind in $haproxy_binds; do
        unsplit
        # shellcheck disable=SC2086 # address, port, what to ask, interface, marks
        set -- $bind
        case $1,${5-} in
        ::,*)
            # It can be bound even if no interface has an IPv6 address.
            [ -e /proc/net/if_inet6 ] ||
                haproxy_refuse "the kernel of this host has no IPv6 (bind [::]:$2); enable it (ipv6.disable of the kernel's command line), or do not listen on it"
            ;;
        *,*transparent*) ;;
        *)
            haproxy_bind_address "$1" ||
                haproxy_refuse "no interface has the address $1 (bind $1:$2); add it, or bind *:$2"
            ;;
        esac
        if haproxy_device "$4"; then
            haproxy_port_free "$1" "$2" "$device" "${5-}"
        else
            haproxy_refuse "this host has no interface $4 (bind $1:$2); correct its name, or bind without it"
        fi
        split_lines
    done
    unsplit
}

# Sets listeners to those of other processes, lines of ss. The service's own may be thousands.
haproxy_other_listeners() {
    listeners=
    service_pid=
    split_lines
    for listener in $(ss -Hltnp); do
        haproxy_is_service "$listener" || listeners=$listeners$NL$listener
    done
    unsplit
}

# haproxy_is_service LISTENER: whether a process of the unit holds it, or only processes that have ended since, like an old worker. Sets
# service_pid to that process, to find its other listeners fast.
haproxy_is_service() {
    case $1 in *"pid=${service_pid:-none},"*) return ;; esac
    owners=$1
    ended=
    while :; do
        case $owners in *pid=*) owners=${owners#*pid=} ;; *) break ;; esac
        service_pid=${owners%%,*}
        case $(cat "/proc/$service_pid/cgroup" 2>/dev/null)$NL in
        *"/$haproxy_unit$NL"* | *"/$haproxy_unit/"*) return 0 ;;
        esac
        if [ -e "/proc/$service_pid" ]; then
            ended=no
        else
            ended=${ended:-yes}
        fi
        service_pid=
    done
    [ "$ended" = yes ]
}

# haproxy_bind_address ADDRESS: whether it can be bound: a wildcard, an address of this host, or any if ip_nonlocal_bind is on. Reads
# addresses.
haproxy_bind_address() {
    case $1 in
    "*" | 0.0.0.0) return 0 ;;
    *:*) nonlocal=/proc/sys/net/ipv6/ip_nonlocal_bind ;;
    *) nonlocal=/proc/sys/net/ipv4/ip_nonlocal_bind ;;
    esac
    case $addresses in *"$NL$1$NL"*) return 0 ;; esac
    case $1 in 127.*) return 0 ;; esac
    [ "$(cat "$nonlocal" 2>/dev/null)" = 1 ]
}

# haproxy_device INTERFACE: sets device to % and the interface's main name, as ss shows it; empty for "-". Fails if there is none.
haproxy_device() {
    device=
    [ "$1" != - ] || return 0
    device=$(ip -o link show dev "$1" 2>/dev/null) || return
    device=${device#*: }
    device=%${device%%[:@]*}
}

# haproxy_port_free ADDRESS PORT DEVICE MARKS: refuses if one of listeners conflicts: on the same address or if either is a wildcard, and on
# the same device or if either has none.
haproxy_port_free() {
    split_lines
    for listener in $listeners; do
        unsplit
        # shellcheck disable=SC2086 # the bind; state, queues, local address, peer, processes
        set -- "$1" "$2" "$3" "$4" $listener
        occupied=$8
        owner=${10-}
        split_lines
        [ "${occupied##*:}" = "$2" ] || continue
        occupied=${occupied%:*}
        case $occupied in
        *%*)
            if [ -n "$3" ] && [ "%${occupied#*%}" != "$3" ]; then
                continue
            fi
            ;;
        esac
        occupied=${occupied%%%*}
        occupied=${occupied#\[}
        occupied=${occupied%\]}
        # ss shows "::" that accepts IPv4, too, as "*". HAProxy binds "::" like that unless v6only is set.
        case $4,$occupied in *v6only*,*.*) continue ;; esac
        case $1,$occupied in
        "$1,$1" | *,"*" | ::,* | *:*,::) ;;
        *:*,* | *,*:*) continue ;;
        "*",* | 0.0.0.0,* | *,0.0.0.0) ;;
        *) continue ;;
        esac
        unsplit
        haproxy_taken_by "$owner"
        haproxy_refuse "port $2 is taken by $taken_by; stop it, or bind another port"
        return
    done
    unsplit
}

# haproxy_taken_by OWNER: sets taken_by to a name for it. OWNER is a column of ss.
haproxy_taken_by() {
    taken_by="a process that ss cannot name"
    case $1 in *pid=*) ;; *) return ;; esac
    taken_by=${1#*\"}
    owners=${1#*pid=}
    taken_by="${taken_by%%\"*} (pid ${owners%%,*})"
    case $taken_by in haproxy" "*) taken_by="$taken_by, which is not $haproxy_unit" ;; esac
}

# Checks the directories that HAProxy does not create itself.
haproxy_preflight_directories() {
    [ -z "$haproxy_chroot" ] || haproxy_has "$haproxy_chroot" ||
        haproxy_refuse "the chroot directory $haproxy_chroot does not exist; create it, or declare another chroot"
    split_lines
    for directory in $haproxy_directories; do
        unsplit
        haproxy_has "$directory" || haproxy_makes "$directory" ||
            haproxy_refuse "the directory $directory of a stats socket does not exist; $remedy"
        split_lines
    done
    unsplit
}

# haproxy_has DIRECTORY: whether it is there, or comes with the package that is still missing. Reads tx_before.
haproxy_has() {
    [ ! -d "$1" ] || return 0
    case $tx_before,$1 in *"${NL}packages["*,/var/lib/haproxy | *"${NL}packages["*,/run/haproxy) return 0 ;; esac
    return 1
}

# haproxy_makes DIRECTORY: whether systemd makes it when it starts the service. Sets remedy.
haproxy_makes() {
    remedy="create it, or declare another path for the socket"
    file=$(grep -r -l -s -w -F -- "$1" /etc/tmpfiles.d /usr/lib/tmpfiles.d | head -n 1)
    [ -z "$file" ] || remedy="make it again (systemd-tmpfiles --create $file)"
    case " $(systemctl show -p RuntimeDirectory --value -- "$haproxy_unit") " in
    *" ${1#/run/} "*) ! systemctl is-active --quiet -- "$haproxy_unit" ;;
    *) return 1 ;;
    esac
}

# Checks that the unit's command line has our master socket. systemd shows no command line for a masked unit.
haproxy_preflight_master() {
    case $(haproxy_words 2>/dev/null) in
    *" -S  $haproxy_master "* | *" -S  $haproxy_master,"*) return ;;
    esac
    case $(systemctl show -p LoadState --value -- "$haproxy_unit") in
    masked) haproxy_refuse "$haproxy_unit is masked, so nothing can start or reload it; find out who masked it and why, then unmask it (systemctl unmask $haproxy_unit)" packages ;;
    *) haproxy_refuse "the service has no master socket, which reloads are proven with; add -S $haproxy_master to its EXTRAOPTS (/etc/default/haproxy)" packages ;;
    esac
}

# Checks that all server names resolve that HAProxy needs to start. A resolver that does not answer is not asked again, because a why-run
# that waited for each name would time out without saying why.
haproxy_preflight_names() {
    for name in $haproxy_names; do
        timeout 5 getent ahosts "$name" >/dev/null
        case $? in
        0) ;;
        124)
            haproxy_refuse "the resolver of this host does not answer within 5 s, asked for the server name $name; look at /etc/resolv.conf and the network, or use an address"
            return
            ;;
        *) haproxy_refuse "the server name $name does not resolve on this host; correct it, or use an address" ;;
        esac
    done
}
