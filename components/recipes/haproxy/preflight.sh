# What HAProxy's own checker cannot see and a reload would trip over. The parameters are those of haproxy.sh.

# haproxy_preflight STAGE: a function for each subject, a line for each fault. Without a stage, servers are not judged.
haproxy_preflight() {
    faults=
    haproxy_preflight_binds
    haproxy_preflight_directories
    haproxy_preflight_master
    haproxy_preflight_descriptors
    haproxy_preflight_memory "$1"
    haproxy_preflight_names
    [ -z "$1" ] || haproxy_preflight_servers "$1"
    [ -z "$faults" ]
}

haproxy_fault() {
    faults=yes
    printf '%s\n' "$1"
}

# The addresses and interfaces are there, the ports are free.
haproxy_preflight_binds() {
    addresses=$NL$(ip -o addr show | tr -s ' ' '\n' | cut -d/ -f1)$NL
    haproxy_other_listeners
    split_lines
    for bind in $haproxy_binds; do
        unsplit
        # shellcheck disable=SC2086 # address, port, what to ask, interface, whether transparent or v6only
        set -- $bind
        case $1,${5-} in
        ::,*)
            # There also where no interface has an address of it.
            [ -e /proc/net/if_inet6 ] ||
                haproxy_fault "the kernel of this host has no IPv6 (bind [::]:$2): enable it (ipv6.disable of the kernel's command line), or do not listen on it"
            ;;
        *,*transparent*) ;;
        *)
            haproxy_bind_address "$1" ||
                haproxy_fault "no interface has the address $1 (bind $1:$2): add it, or bind *:$2"
            ;;
        esac
        if haproxy_device "$4"; then
            haproxy_port_free "$1" "$2" "$device" "${5-}"
        else
            haproxy_fault "this host has no interface $4 (bind $1:$2): correct its name, or bind without it"
        fi
        split_lines
    done
    unsplit
}

# In $listeners, as ss shows them, a line each: all that are not the service's own, which may be thousands.
haproxy_other_listeners() {
    listeners=
    service_pid=
    split_lines
    for listener in $(ss -Hltnp); do
        haproxy_is_service "$listener" || listeners=$listeners$NL$listener
    done
    unsplit
}

# haproxy_is_service OWNER (as ss tells it): whether a process of the unit has it; of one that does, the pid in $service_pid.
haproxy_is_service() {
    case $1 in *"pid=${service_pid:-none},"*) return ;; esac
    owners=$1
    while :; do
        case $owners in *pid=*) owners=${owners#*pid=} ;; *) return 1 ;; esac
        service_pid=${owners%%,*}
        case $(cat "/proc/$service_pid/cgroup" 2>/dev/null)$NL in
        *"/$haproxy_unit$NL"* | *"/$haproxy_unit/"*) return 0 ;;
        esac
        service_pid=
    done
}

# A wildcard, an address of this host, or any address where the kernel lets processes bind to foreign ones.
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

# haproxy_device INTERFACE: in $device as ss shows it, after % and by its first name; empty for -.
haproxy_device() {
    device=
    [ "$1" != - ] || return 0
    device=$(ip -o link show dev "$1" 2>/dev/null) || return
    device=${device#*: }
    device=%${device%%[:@]*}
}

# haproxy_port_free ADDRESS PORT DEVICE MARKS: none of $listeners is there, on this address, a wildcard, or for a wildcard
# on any; on this device, or on no particular one.
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
        *%*) [ -z "$3" ] || [ "%${occupied#*%}" = "$3" ] || continue ;;
        esac
        occupied=${occupied%%%*}
        occupied=${occupied#\[}
        occupied=${occupied%\]}
        # ss shows :: that serves IPv4 too as *, and HAProxy binds :: that way unless it is told v6only.
        case $4,$occupied in *v6only*,*.*) continue ;; esac
        case $1,$occupied in
        "$1,$1" | *,"*" | ::,* | *:*,::) ;;
        *:*,* | *,*:*) continue ;;
        "*",* | 0.0.0.0,* | *,0.0.0.0) ;;
        *) continue ;;
        esac
        unsplit
        haproxy_taken_by "$owner"
        haproxy_fault "port $2 is taken by $taken_by: stop it, or bind another port"
        return
    done
    unsplit
}

# haproxy_taken_by OWNER (as ss tells it): who that is, in $taken_by; a haproxy that somebody has started by hand is another process like
# any.
haproxy_taken_by() {
    taken_by="a process that ss cannot name"
    case $1 in *pid=*) ;; *) return ;; esac
    taken_by=${1#*\"}
    owners=${1#*pid=}
    taken_by="${taken_by%%\"*} (pid ${owners%%,*})"
    case $taken_by in haproxy" "*) taken_by="$taken_by, which is not $haproxy_unit" ;; esac
}

# The directories that HAProxy does not make itself.
haproxy_preflight_directories() {
    if [ -n "$haproxy_chroot" ]; then
        [ -d "$haproxy_chroot" ] || haproxy_fault "the chroot directory $haproxy_chroot does not exist"
    fi
    split_lines
    for directory in $haproxy_directories; do
        [ -d "$directory" ] || haproxy_fault "the directory $directory of a stats socket does not exist"
    done
    unsplit
}

# By the unit's command line, which systemd does not tell of a masked one.
haproxy_preflight_master() {
    case $(haproxy_words) in
    *" -S  $haproxy_master "* | *" -S  $haproxy_master,"*) return ;;
    esac
    case $(systemctl show -p LoadState --value -- "$haproxy_unit") in
    masked) haproxy_fault "$haproxy_unit is masked, so that nothing can start or reload it: find out who did that and why, then unmask it (systemctl unmask $haproxy_unit)" ;;
    *) haproxy_fault "the service runs without a master socket: add -S $haproxy_master to its EXTRAOPTS (/etc/default/haproxy)" ;;
    esac
}

# Whether the service may have as many file descriptors as the declared connections need.
haproxy_preflight_descriptors() {
    haproxy_descriptor_limit
    [ "$descriptor_limit" -ge "$haproxy_fds" ] ||
        haproxy_fault "maxconn needs $haproxy_fds file descriptors, this host allows the service $descriptor_limit: lower maxconn, or raise LimitNOFILE of the service and the host's own limit"
}

# haproxy_preflight_memory STAGE: whether the declared connections fit into the memory at their busiest. Where the worker that serves
# may have as many of the same kind, that is no reason to refuse the next one.
haproxy_preflight_memory() {
    haproxy_memory_limit
    [ -n "$memory" ] && [ "$memory" -lt "$haproxy_memory" ] || return 0
    [ "$(haproxy_running_maxconn)" -lt "$haproxy_maxconn" ] || haproxy_adds_tls "$1${haproxy_config#"$tx_directory"}" || return 0
    haproxy_fault "maxconn $haproxy_maxconn needs $((haproxy_memory / 1024)) MB of memory at its busiest, $memory_owner $((memory / 1024)) MB: lower maxconn to $((haproxy_maxconn * memory / haproxy_memory)), or $memory_remedy"
}

# haproxy_adds_tls FILE: whether its connections have TLS, to clients or to servers, where those of the live file have none.
haproxy_adds_tls() {
    for lines in bind 'server|server-template|default-server'; do
        has_tls="^[[:space:]]*($lines)[[:space:]].*[[:space:]]ssl([[:space:]]|\$)"
        ! grep -E -q -s "$has_tls" "$1" || grep -E -q -s "$has_tls" "$haproxy_config" || return 0
    done
    return 1
}

# In $memory, kB: the host's, or what the service's cgroup, or one around it, may have of it. Empty where nothing is told.
haproxy_memory_limit() {
    memory=$(grep -s '^MemTotal:' /proc/meminfo)
    memory=${memory%% kB*}
    memory=${memory##* }
    memory_owner="this host has"
    memory_remedy="give the host more"
    limits=$(systemctl show -p MemoryMax --value -- "$haproxy_unit")
    group=$(systemctl show -p ControlGroup --value -- "$haproxy_unit")
    while :; do
        [ ! -r "/sys/fs/cgroup$group/memory.max" ] || limits=$limits$NL$(cat "/sys/fs/cgroup$group/memory.max")
        [ -n "$group" ] || break
        group=${group%/*}
    done
    split_lines
    for limit in $limits; do
        # No number is no limit, and neither is one that a shell may not reckon with.
        case $limit in *[!0-9]* | ????????????????*) continue ;; esac
        [ "$((limit / 1024))" -lt "${memory:-$limit}" ] || continue
        memory=$((limit / 1024))
        memory_owner="the service may have"
        memory_remedy="raise MemoryMax of the service or of its slice"
    done
    unsplit
}

# What the worker that serves has; 0 where none does.
haproxy_running_maxconn() {
    told=
    [ -z "$running_worker" ] || told=$NL$(haproxy_talk '@1 show info' 2>/dev/null)
    case $told in *"${NL}Maxconn: "*) ;; *) told="${NL}Maxconn: 0" ;; esac
    told=${told#*"${NL}Maxconn: "}
    printf %s "${told%%[!0-9]*}"
}

# In $descriptor_limit: root with CAP_SYS_RESOURCE raises its own limit up to fs.nr_open; elsewhere the hard limit of init
# bounds what the unit asks for.
haproxy_descriptor_limit() {
    capabilities=$(grep -s CapBnd /proc/1/status)
    if [ $((0x${capabilities##*[!0-9a-f]} >> 24 & 1)) = 1 ]; then
        descriptor_limit=$(cat /proc/sys/fs/nr_open)
        return
    fi
    haproxy_hard_limit /proc/1/limits
    descriptor_limit=$hard
    unit_limit=$(systemctl show -p LimitNOFILE --value -- "$haproxy_unit")
    [ "${unit_limit:-0}" -ge "$descriptor_limit" ] || descriptor_limit=${unit_limit:-0}
}

# haproxy_hard_limit FILE: of open files, in $hard.
haproxy_hard_limit() {
    hard=$(grep -s 'Max open files' "$1")
    # shellcheck disable=SC2086 # words of a line
    set -- $hard
    hard=${5:-0}
}

# Server names resolve, all of those that HAProxy would not start without. A resolver that does not answer is asked no further: a
# why-run that waits for each name would end with no word of the cause.
haproxy_preflight_names() {
    for name in $haproxy_names; do
        timeout 5 getent ahosts "$name" >/dev/null
        case $? in
        0) ;;
        124)
            haproxy_fault "the resolver of this host does not answer within 5 s, asked for the server name $name: look at /etc/resolv.conf and the network, or use an address"
            return
            ;;
        *) haproxy_fault "the server name $name does not resolve on this host: correct it, or use an address" ;;
        esac
    done
}
