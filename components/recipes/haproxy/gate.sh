# The gate: whether the backends still have working servers after an activation. It is judged against the baseline: what worked before.

# Prints what works now, for haproxy_gate. Reads running_worker.
haproxy_baseline() {
    haproxy_server_stats | haproxy_watch_servers baseline
}

# haproxy_gate BASELINE: waits until each server has been checked, then watches them for haproxy_bake seconds more. Fails if a backend has
# lost its servers, and prints which. Without a baseline it only waits, so that what is said of the servers afterwards is true.
haproxy_gate() {
    haproxy_running
    haproxy_watch "$1" wait "$haproxy_gate_limit" "waits for the first health checks of its servers" || return
    [ -s "$1" ] && [ "$haproxy_bake" != 0 ] || return 0
    haproxy_watch "$1" now "$haproxy_bake" "watches its servers for $haproxy_bake s"
}

# haproxy_watch BASELINE TASK SECONDS TEXT: judges the servers until nothing is left to wait for, or time is up; with the task "now", until
# time is up. Fails if something is lost, and prints it.
haproxy_watch() {
    find_now
    watch_until=$((now + $3))
    said_at=$now
    while :; do
        find_time_left
        task=$2
        [ "$now" -lt "$watch_until" ] && [ "$time_left" -gt 0 ] || task=last
        verdict=$(haproxy_judge_gate "$1" "$task")
        case $task,$verdict in
        *,lost*)
            printf '%s\n' "${verdict#lost"$NL"}"
            return 1
            ;;
        last,* | wait,up) return 0 ;;
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

# Sets the seconds that an up waits at most: drain_wait, gate_wait and bake_wait. Reads activation, good_digest.
haproxy_waits() {
    drain_wait=$drain_longest
    gate_wait=0
    bake_wait=0
    [ "$activation" != none ] || return 0
    gate_wait=$haproxy_gate_limit
    [ -z "$good_digest" ] || bake_wait=$haproxy_bake
}
