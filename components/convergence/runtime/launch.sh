# The detached apply: a transient unit, which outlives the connection. Its fixed name is the lock of the host.

converge_unit=$product-converge

# Minutes for which the result, log and report of an apply are kept, because they may still be read.
kept_minutes=60

# Starts the apply, joins an identical one, or waits for another one; then follows it to its end. Sets mode, label, waited.
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
            [ "$waited" = 0 ] || say_or_quit "the host is free: starting"
            start_apply && break
            unlock
            sleep 0.2
            ;;
        esac
    done
    unlock
    follow
}

# Waits half a second, and in all at most as long as the deadline. Prints a line every 5 s, because only that shows whether the
# connection is still there: a program that has given up must not converge later, to a state that may be old by then. Reads holder;
# adds to waited.
wait_for_holder() {
    [ $((waited % 10)) != 0 ] || say_or_quit "waiting: another converge holds this host (${holder#"$product "})"
    [ "$waited" -lt $((deadline * 2)) ] ||
        refuse "another converge has held this host for $deadline s (${holder#"$product "}); nothing was done; look at what it does, then run again"
    waited=$((waited + 1))
    sleep 0.5
}

# say_or_quit TEXT: ends the run if the connection is gone.
say_or_quit() {
    say "$1" || exit 1
}

# Nothing may come between reading who holds the host and starting the unit: the start removes the files of the last converge, which
# must not be those of one that has just begun.
lock() {
    exec 9>"$run/lock"
    flock 9
}

unlock() {
    exec 9>&-
}

# Refuses a payload that has changed on its way. Sets payload_id.
verify_payload() {
    read -r header <"$0"
    payload_id=${header##*sha256=}
    sum=$(tail -n +2 "$0" | sha256sum)
    [ "${sum%% *}" = "$payload_id" ] || refuse "the payload arrived damaged; nothing was done; run again"
}

# Sets holder_state, holder_pid and holder to the state, main process and description of the unit; the latter says who started it.
read_holder() {
    lines=$NL$(systemctl show -p ActiveState -p MainPID -p Description -- "$converge_unit.service")$NL
    holder_state=${lines#*"${NL}ActiveState="}
    holder_state=${holder_state%%"$NL"*}
    holder_pid=${lines#*"${NL}MainPID="}
    holder_pid=${holder_pid%%"$NL"*}
    holder=${lines#*"${NL}Description="}
    holder=${holder%%"$NL"*}
}

# Whether an identical converge has succeeded, so that its result is the answer. Not after an hour, and not if the host has another
# token now, because the same differences may have come back. Reads payload_id and token.
finished_before() {
    result=
    [ -z "$(find "$run/result.$payload_id" -mmin "-$kept_minutes" 2>/dev/null)" ] || read -r result <"$run/result.$payload_id" || :
    read_token
    [ "$result" = "success exited 0" ] && [ "$have_token" = "$token" ]
}

# Moves the payload and starts the unit. Fails if another converge was faster.
start_apply() {
    remove_abandoned
    rm -f "$run/result.$payload_id" "$run/log.$payload_id" "$run/report.$payload_id"
    payload=$run/payload.$payload_id
    : >"$run/log.$payload_id"
    mv -f -- "$0" "$payload"
    client=${SSH_CONNECTION:-local}
    # Otherwise needrestart would restart the converge after an upgrade of a library. "systemctl kill" ends it all the same. Older
    # systemd-run does not know the property.
    set --
    [ "$systemd_version" -lt 239 ] || set -- -p RefuseManualStop=yes
    systemd-run --quiet --collect --unit="$converge_unit" "$@" \
        --description="$product by ${SUDO_USER:-root} from ${client%% *} at $(date -u +%H:%M:%S)Z id=$payload_id" \
        -p RuntimeMaxSec="$deadline" -p TimeoutStopSec=10 -p "ExecStopPost=/bin/sh $payload result" \
        -- /bin/sh "$payload" apply 2>"$run/launch.out" && return
    # If another converge was faster, wait for it. Anything else is an error.
    mv -f -- "$payload" "$0"
    read_holder
    case $holder_state in
    active | activating | deactivating) return 1 ;;
    esac
    fail "systemd-run could not start the converge" "$(last_words <"$run/launch.out")"
}

# Removes payloads that did not arrive completely, stages of why-runs that were killed, and files of applies that have ended.
remove_abandoned() {
    set +f
    rm -f "$run"/payload.*
    set -- "$run"/in.* "$run"/why-run.*
    set -f
    for old; do
        [ -d "/proc/${old##*.}" ] || rm -rf -- "$old"
    done
    find "$run" -maxdepth 1 \( -name 'result.*' -o -name 'log.*' -o -name 'report.*' \) -mmin "+$kept_minutes" -delete
}

# Shows the log of the apply, waits for its end and exits with its status. The apply writes to a file, so that it does not notice if the
# connection is lost. Each line goes through say, because the log may hold output of tools, too.
follow() {
    read_holder
    # Another converge may have begun since this one ended.
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
    "timeout "*) say "the converge was ended at its deadline of $deadline s, during: $(last_words <"$run/log.$payload_id" | tail -n 1)" ;;
    *) say "the converge was killed (${result:-no result}), during: $(last_words <"$run/log.$payload_id" | tail -n 1)" ;;
    esac
    exit 1
}

# Waits for the result, which the unit's last process writes: on a busy host, long after the last line of the log. Stops if the unit has
# gone.
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

# systemd runs this when the apply has ended, in whatever way. Removes everything else before it writes the result.
result() {
    rm -rf "$run/stage" "$0"
    printf '%s %s %s\n' "${SERVICE_RESULT-}" "${EXIT_CODE-}" "${EXIT_STATUS-}" >"$run/result.$payload_id.new"
    mv -f "$run/result.$payload_id.new" "$run/result.$payload_id"
}
