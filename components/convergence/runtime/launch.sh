# The detached apply: a transient unit of a fixed name, which is the host's lock and outlives the connection.

unit=$product-converge

# Minutes for which the result of an apply, its log and its report are kept: their reader may still be at it.
kept=60

# launch: starts the apply, or joins the one that is the same, or waits for another; then follows it to its end.
launch() {
    mode=launch
    label=host
    trap 'rm -f "$0"' EXIT
    trap 'exit 1' HUP INT PIPE TERM
    verify_payload
    require_host
    waited=0
    while :; do
        lock
        read_holder
        case $holder_state in
        active | activating | deactivating | reloading)
            case $holder in
            *" id=$payload_id") break ;;
            esac
            unlock
            wait_for_holder
            ;;
        *)
            finished_before && break
            [ "$waited" = 0 ] || heard "the host is free: starting"
            start_apply && break
            unlock
            sleep 0.2
            ;;
        esac
    done
    unlock
    follow
}

# Half a second, at most as many as the deadline has. Every 5 s a line goes out, as nothing else tells that nobody listens any more:
# whoever has given up must not converge later, to what may be old by then.
wait_for_holder() {
    [ $((waited % 10)) != 0 ] || heard "waiting: another converge holds this host (${holder#"$product "})"
    [ "$waited" -lt $((deadline * 2)) ] ||
        refuse "another converge has held this host for $deadline s (${holder#"$product "}); nothing was done: look at what it does, then run again"
    waited=$((waited + 1))
    sleep 0.5
}

# heard WORDS: says them, and ends where the connection is gone.
heard() {
    say "$1" || exit 1
}

# From the look at who holds the host to the start of the unit, nobody else may come in between: the start clears the traces
# of the last converge, and must not find those of one that has just begun.
lock() {
    exec 9>"$run/lock"
    flock 9
}

unlock() {
    exec 9>&-
}

# What has arrived is what was sent.
verify_payload() {
    read -r header <"$0"
    payload_id=${header##*sha256=}
    sum=$(tail -n +2 "$0" | sha256sum)
    [ "${sum%% *}" = "$payload_id" ] || refuse "the payload arrived damaged; nothing was done: run again"
}

# The unit's state, main process and description, the latter naming who started it.
read_holder() {
    lines=$NL$(systemctl show -p ActiveState -p MainPID -p Description -- "$unit.service")$NL
    holder_state=${lines#*"${NL}ActiveState="}
    holder_state=${holder_state%%"$NL"*}
    holder_pid=${lines#*"${NL}MainPID="}
    holder_pid=${holder_pid%%"$NL"*}
    holder=${lines#*"${NL}Description="}
    holder=${holder%%"$NL"*}
}

# The very same converge has ended well while nobody was connected: its result is the answer. Not for ever, and not where the
# host has forgotten it, since the same differences may be there again.
finished_before() {
    result=
    [ -z "$(find "$run/result.$payload_id" -mmin "-$kept" 2>/dev/null)" ] || read -r result <"$run/result.$payload_id" || :
    read_token
    [ "$result" = "success exited 0" ] && [ "$have_token" = "$token" ]
}

start_apply() {
    remove_abandoned
    rm -f "$run/result.$payload_id" "$run/log.$payload_id" "$run/report.$payload_id"
    payload=$run/payload.$payload_id
    : >"$run/log.$payload_id"
    mv -f -- "$0" "$payload"
    client=${SSH_CONNECTION:-local}
    systemd-run --quiet --collect --unit="$unit" \
        --description="$product by ${SUDO_USER:-root} from ${client%% *} at $(date -u +%H:%M:%S)Z id=$payload_id" \
        -p RuntimeMaxSec="$deadline" -p TimeoutStopSec=10 -p "ExecStopPost=/bin/sh $payload result" \
        -- /bin/sh "$payload" apply 2>"$run/launch.out" && return
    # Somebody was faster: back to waiting. Anything else is an error.
    mv -f -- "$payload" "$0"
    read_holder
    case $holder_state in
    active | activating | deactivating) return 1 ;;
    esac
    fail "systemd-run could not start the converge" "$(last_words <"$run/launch.out")"
}

# Payloads whose connection broke while they were sent, stages of why-runs that were killed, and what ended applies have left.
remove_abandoned() {
    set +f
    rm -f "$run"/payload.*
    set -- "$run"/in.* "$run"/why-run.*
    set -f
    for old; do
        [ -d "/proc/${old##*.}" ] || rm -rf -- "$old"
    done
    find "$run" -maxdepth 1 \( -name 'result.*' -o -name 'log.*' -o -name 'report.*' \) -mmin "+$kept" -delete
}

# The apply writes to a file: if this end of the connection goes away, it does not notice. What it has not said itself, such as a
# tool's complaint, has not been made fit for the engine either.
follow() {
    read_holder
    # Another converge may have begun since this one has ended.
    case $holder_pid,$holder in
    [1-9]*" id=$payload_id") tail -n +1 -f -s 0.05 --pid="$holder_pid" "$run/log.$payload_id" ;;
    *) cat "$run/log.$payload_id" ;;
    esac | while IFS= read -r line || [ -n "$line" ]; do say "$line"; done
    await_result
    result=
    [ ! -r "$run/result.$payload_id" ] || read -r result <"$run/result.$payload_id" || :
    case $result in
    "success "*)
        cat "$run/report.$payload_id"
        exit 0
        ;;
    "exit-code "*) ;;
    "timeout "*) say "deadline passed: the converge was ended after $deadline s while doing: $(last_words <"$run/log.$payload_id" | tail -n 1)" ;;
    *) say "the converge was killed (${result:-no result}) while doing: $(last_words <"$run/log.$payload_id" | tail -n 1)" ;;
    esac
    exit 1
}

# The unit's last process writes the result, on a busy host long after the log's last line; where the unit is gone, nobody does.
await_result() {
    naps=0
    until [ -s "$run/result.$payload_id" ]; do
        sleep 0.05
        naps=$((naps + 1))
        [ $((naps % 20)) = 0 ] || continue
        read_holder
        case $holder_state,$holder in
        active,*" id=$payload_id" | deactivating,*" id=$payload_id") ;;
        *) return ;;
        esac
    done
}

# result: run by systemd when the apply has ended, however it did. Who reads the result finds nothing else of it left.
result() {
    rm -rf "$run/stage" "$0"
    printf '%s %s %s\n' "${SERVICE_RESULT-}" "${EXIT_CODE-}" "${EXIT_STATUS-}" >"$run/result.$payload_id.new"
    mv -f "$run/result.$payload_id.new" "$run/result.$payload_id"
}
