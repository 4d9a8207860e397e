# The gate: whether the backends still have working servers after an activation. It is judged against the baseline: what worked before.

# Seconds to wait for the first results of checks that do not decide anything.
haproxy_first_limit=3

# Prints what works now, for haproxy_gate. A process that has just started has no results of checks yet: waits for them until it is 10 s
# old, then takes the others to be up, as HAProxy does. Reads running_worker, running_since and tx_now.
haproxy_baseline() {
    find_now
    watch_until=$((now + running_since + 10 - tx_now))
    # If the clock was set back, it seems younger than it is.
    [ "$watch_until" -le $((now + 10)) ] || watch_until=$now
    while baseline=$(haproxy_server_stats | haproxy_watch_servers baseline) && [ "$now" -lt "$watch_until" ]; do
        case $NL$baseline in *"${NL}wait") ;; *) break ;; esac
        sleep 0.2
        find_now
    done
    case $NL$baseline in *"${NL}wait") baseline=$(haproxy_server_stats | haproxy_watch_servers assume) ;; esac
    printf '%s\n' "$baseline"
}

# haproxy_gate BASELINE: waits until the checks have shown what works, then watches the servers for haproxy_bake seconds more. Fails if a
# backend has lost its servers, and prints which. Without a baseline it only waits a moment, so that more can be said of the servers
# afterwards. A gate that begins late has some of the time that is left for the last steps.
haproxy_gate() {
    haproxy_running
    find_time_left
    limit=$haproxy_first_limit
    [ ! -s "$1" ] || limit=$haproxy_gate_limit
    [ "$time_left" -ge 15 ] || time_left=15
    [ "$limit" -le "$time_left" ] || limit=$time_left
    haproxy_watch "$1" wait "$limit" "waits for the first health checks of its servers" || return
    find_time_left
    limit=$haproxy_bake
    [ "$limit" -le "$time_left" ] || limit=$time_left
    [ -s "$1" ] && [ -z "$tx_restoring" ] && [ "$limit" != 0 ] || return 0
    # HAProxy works, and this may last: the host takes part again, so that it can take over.
    resume 2>&8
    haproxy_watch "$1" now "$limit" "watches its servers for $haproxy_bake s"
}

# haproxy_watch BASELINE TASK SECONDS TEXT: judges the servers until nothing is left to wait for, or time is up; with the task "now", until
# time is up. For results that do not matter, it waits haproxy_first_limit. Fails if something is lost or HAProxy has fallen silent, and
# prints it.
haproxy_watch() {
    find_now
    watch_since=$now
    said_at=$now
    silent_since=
    while :; do
        find_now
        elapsed=$((now - watch_since))
        task=$2
        [ "$elapsed" -lt "$3" ] || task=last-$2
        verdict=$(haproxy_judge_gate "$1" "$task")
        case $verdict in
        silent) silent_since=${silent_since:-$now} ;;
        *) silent_since= ;;
        esac
        case $task,$verdict in
        # The master does not answer during a reload, which someone else may have begun.
        *,silent)
            if [ $((now - silent_since)) -ge "$haproxy_answer_limit" ]; then
                echo "HAProxy does not answer on its master socket"
                return 1
            fi
            haproxy_running
            ;;
        *,lost*)
            printf '%s\n' "${verdict#lost"$NL"}"
            return 1
            ;;
        last-*,* | wait,up) return 0 ;;
        wait,rest) [ "$elapsed" -lt "$haproxy_first_limit" ] || return 0 ;;
        esac
        if [ $((now - said_at)) -ge 2 ]; then
            say_now "$label: $4"
            said_at=$((now + 8))
        fi
        sleep 0.2
    done
}

# haproxy_judge_gate BASELINE TASK: prints the verdict of watch_servers.pl.
haproxy_judge_gate() {
    # shellcheck disable=SC2086 # names of backends
    {
        [ -z "$haproxy_servers" ] || printf '%s\n' "$haproxy_servers"
        echo
        [ ! -s "$1" ] || cat -- "$1"
        echo
        haproxy_server_stats
    } | haproxy_watch_servers "$2" $haproxy_accept_down
}

# Sets the seconds that an up waits at most: drain_wait, gate_wait and bake_wait. Reads activation, good_digest, tx_digest.
haproxy_waits() {
    drain_wait=$drain_longest
    gate_wait=0
    bake_wait=0
    [ "$activation,$good_digest" != "none,$tx_digest" ] || return 0
    gate_wait=$haproxy_first_limit
    [ -n "$good_digest" ] || return 0
    gate_wait=$haproxy_gate_limit
    bake_wait=$haproxy_bake
}
