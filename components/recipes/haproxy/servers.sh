# Servers that leave a configuration: guards against a search that finds too few, and the drain of those that leave. haproxy_servers has
# a line for each backend: its name, minServers, maxShrinkPercent, seconds to drain, with "-" for none, and whether it may have backups:
# yes or no. haproxy_allow_shrink is yes if the guards are off.

# A line for each server that the next reload drains, and text about it for messages.
drain=
drain_words=

# haproxy_preflight_servers STAGE: refuses what breaks a guard, or creates $stage/shrinks if that is allowed. Writes the servers to drain
# to $stage/drain, a line each.
haproxy_preflight_servers() {
    rm -f -- "$stage/drain" "$stage/shrinks"
    [ -n "$haproxy_servers" ] || return 0
    shrunk=$(haproxy_servers_after "$haproxy_servers" |
        haproxy_judge_servers "$1${haproxy_config#"$tx_directory"}" "$haproxy_config" "$stage/drain") ||
        haproxy_refuse "the running servers could not be compared with those declared"
    if [ -z "$shrunk" ]; then
        return
    elif [ "$haproxy_allow_shrink" = yes ]; then
        : >"$stage/shrinks"
    else
        haproxy_refuse "$shrunk"
    fi
}

# Reports whether allowShrink is needed. Nothing is compared, and $stage/shrinks is missing, if nothing differs.
haproxy_settings() {
    if [ "$haproxy_allow_shrink" != yes ]; then
        return
    elif [ -e "$stage/shrinks" ]; then
        setting allowShrink needed
    else
        setting allowShrink unneeded
    fi
}

# Prints the servers of the running worker as CSV; nothing if none runs. Reads running_worker.
haproxy_server_stats() {
    [ -z "$running_worker" ] || haproxy_talk '@1 show stat -1 4 -1' 2>/dev/null
}

# haproxy_servers_after LINES: prints the lines, an empty one, and the servers. They go through a pipe, because the arguments of a program
# may have only 128 kB.
haproxy_servers_after() {
    printf '%s\n\n' "$1"
    haproxy_server_stats
}

# Sets drain and drain_words if a reload follows, and only once, because a restore activates, too. Reads activation; adds to
# activation_reason.
haproxy_plan_drain() {
    drain=
    drain_words=
    [ "$activation" = reload ] && [ -s "$stage/drain" ] || return 0
    drain=$(cat -- "$stage/drain")
    rm -f -- "$stage/drain"
    names=
    count=0
    longest=0
    split_lines
    for line in $drain; do
        count=$((count + 1))
        [ "$count" -gt 5 ] || names="$names ${line% *}"
        [ "${line##* }" -le "$longest" ] || longest=${line##* }
    done
    unsplit
    [ "$count" -le 5 ] || names="$names and $((count - 5)) more"
    drain_words="; first drains$names, up to $longest s"
    activation_reason=$activation_reason$drain_words
}

# Stops new sessions on the servers that leave, and waits until they have none, each within its limit. Does not wait for a server that is
# down or cannot be asked. If this is killed, the next run reloads, because the files are already newer than the process.
haproxy_drain() {
    [ -n "$drain" ] || return 0
    haproxy_set_servers drain
    find_now
    drain_since=$now
    said_at=0
    while :; do
        find_time_left
        elapsed=$((now - drain_since))
        [ "$time_left" -gt 0 ] || elapsed=1000000
        busy=$(haproxy_servers_after "$drain" | haproxy_busy_servers "$elapsed")
        case $busy in
        "wait "*)
            if [ "$said_at" -le "$elapsed" ]; then
                say_now "$label: draining, sessions left: ${busy#wait }"
                said_at=$((elapsed + 5))
            fi
            ;;
        "late "*)
            say_now "$label: not drained in time, the old worker keeps these sessions: ${busy#late }"
            return
            ;;
        *) return ;;
        esac
        sleep 0.2
    done
}

# haproxy_set_servers STATE: of all servers in drain.
haproxy_set_servers() {
    split_lines
    for line in $drain; do
        haproxy_talk "@1 set server ${line% *} state $1" >/dev/null 2>&1
    done
    unsplit
}
