# The part of the preflight about file descriptors and memory. adapter.sh lists the parameters.

# Checks that the service may open as many files as the declared connections need, and that the running process may, too, unless it may be
# restarted.
haproxy_preflight_descriptors() {
    haproxy_descriptor_limit
    if [ "$descriptor_limit" -lt "$haproxy_fds" ]; then
        haproxy_short "file descriptors" "$haproxy_fds (2 x maxconn $haproxy_maxconn + $((haproxy_fds - 2 * haproxy_maxconn)))" "$descriptor_limit"
        haproxy_refuse "maxconn needs $haproxy_fds file descriptors, this host allows the service $descriptor_limit; lower maxconn, or raise LimitNOFILE of the service and the host's own limit" "$limited_by"
    elif haproxy_is_limited; then
        : >"$stage/restarts"
        [ "$haproxy_restart" = yes ] ||
            haproxy_refuse "pending: the running process may have $hard file descriptors, maxconn needs $haproxy_fds, and only a restart can raise that, which loses its connections; allow it once: npm run pulumi -- up --config restart=now (in a program of your own: restart: \"now\"), or lower maxconn"
    fi
}

# haproxy_preflight_memory STAGE: checks that the memory is enough for all declared connections at their busiest. If the running worker may
# have as many of the same kind already, the next one is not refused.
haproxy_preflight_memory() {
    haproxy_memory_limit
    [ -n "$memory" ] && [ "$memory" -lt "$haproxy_memory" ] || return 0
    [ "$(haproxy_running_maxconn)" -lt "$haproxy_maxconn" ] || haproxy_adds_tls "$1${haproxy_config#"$tx_directory"}" || return 0
    haproxy_short memory "$((haproxy_memory / 1024)) MB (maxconn $haproxy_maxconn x $((haproxy_memory / haproxy_maxconn)) kB)" "$((memory / 1024)) MB"
    haproxy_refuse "maxconn $haproxy_maxconn needs $((haproxy_memory / 1024)) MB of memory at its busiest, $memory_owner $((memory / 1024)) MB; lower maxconn to $((haproxy_maxconn * memory / haproxy_memory)), or $memory_remedy"
}

# haproxy_adds_tls FILE: whether it has TLS to clients or to servers, and the live file has none.
haproxy_adds_tls() {
    for lines in bind 'server|server-template|default-server'; do
        has_tls="^[[:space:]]*($lines)[[:space:]].*[[:space:]]ssl([[:space:]]|\$)"
        ! grep -E -q -s "$has_tls" "$1" || grep -E -q -s "$has_tls" "$haproxy_config" || return 0
    done
    return 1
}

# Sets memory to kB: that of the host, or the limit of the service's cgroup or one around it; empty if unknown. Sets memory_owner and
# memory_remedy for messages.
haproxy_memory_limit() {
    memory=$(grep -s '^MemTotal:' /proc/meminfo)
    memory=${memory%% kB*}
    memory=${memory##* }
    memory_owner="this host has"
    memory_remedy="give the host more"
    haproxy_command
    haproxy_property MemoryMax
    limits=$value
    haproxy_property ControlGroup
    group=$value
    while :; do
        [ ! -r "/sys/fs/cgroup$group/memory.max" ] || limits=$limits$NL$(cat "/sys/fs/cgroup$group/memory.max")
        [ -n "$group" ] || break
        group=${group%/*}
    done
    split_lines
    for limit in $limits; do
        # "max" is no limit, and a number this long is none in practice, and too long for shell arithmetic.
        case $limit in *[!0-9]* | ????????????????*) continue ;; esac
        [ "$((limit / 1024))" -lt "${memory:-$limit}" ] || continue
        memory=$((limit / 1024))
        memory_owner="the service may have"
        memory_remedy="raise MemoryMax of the service or of its slice"
    done
    unsplit
}

# Prints the maxconn of the running worker; 0 if none runs.
haproxy_running_maxconn() {
    answer=
    [ -z "$running_worker" ] || answer=$NL$(haproxy_talk '@1 show info' 2>/dev/null)
    case $answer in *"${NL}Maxconn: "*) ;; *) answer="${NL}Maxconn: 0" ;; esac
    answer=${answer#*"${NL}Maxconn: "}
    printf %s "${answer%%[!0-9]*}"
}

# Sets descriptor_limit to what a process that is started now can have, limited_by to systemdUnit if only the unit's limit is too low, and
# main to the running process, or 0. With CAP_SYS_RESOURCE, root raises its own limit up to fs.nr_open; without, as in some containers,
# the limit is that of init or of the unit.
haproxy_descriptor_limit() {
    limited_by=
    haproxy_command
    haproxy_property MainPID
    main=${value:-0}
    if haproxy_may_raise 1 CapBnd; then
        descriptor_limit=$(cat /proc/sys/fs/nr_open)
        haproxy_property CapabilityBoundingSet
        case $value in *cap_sys_resource*) return ;; esac
    else
        haproxy_hard_limit /proc/1/limits
        descriptor_limit=$hard
    fi
    haproxy_property LimitNOFILE
    # Longer numbers, and "infinity", are no limit.
    case $value in *[!0-9]* | ?????????????*) return ;; esac
    [ "${value:-0}" -ge "$descriptor_limit" ] || {
        descriptor_limit=${value:-0}
        limited_by=systemdUnit
    }
}

# haproxy_may_raise PID SET: whether this set of the process has CAP_SYS_RESOURCE, and in the first user namespace, as the kernel demands.
haproxy_may_raise() {
    capabilities=$(grep -s -h -e "^$2:" -e ' 4294967295$' "/proc/$1/status" "/proc/$1/uid_map")
    case $capabilities in *" 0 "*) ;; *) return 1 ;; esac
    capabilities=${capabilities%%"$NL"*}
    [ $((0x${capabilities##*[!0-9a-f]} >> 24 & 1)) = 1 ]
}

# Whether the running process cannot have the descriptors that are needed, as a reload keeps it. Reads main; sets hard.
haproxy_is_limited() {
    [ "$main" != 0 ] || return
    haproxy_hard_limit "/proc/$main/limits"
    [ "$hard" != 0 ] && [ "$hard" -lt "$haproxy_fds" ] && ! haproxy_may_raise "$main" CapEff
}

# haproxy_hard_limit FILE: sets hard to the hard limit of open files in a /proc/PID/limits.
haproxy_hard_limit() {
    hard=$(grep -s 'Max open files' "$1")
    # shellcheck disable=SC2086 # words of a line
    set -- $hard
    hard=${5:-0}
}
