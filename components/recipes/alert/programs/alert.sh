#!/bin/sh
# Tells people when HAProxy dies, and when a converge of this host fails. Managed by haproxy-fleet.
#
#   alert stopped UNIT      an end of the service; systemd calls it (ExecStopPost)
#   alert started UNIT      a start of the service; systemd calls it (ExecStartPost)
#   alert converge-failed   a converge calls it, with the cause on standard input
#   alert converge-done     a converge calls it
#   alert test              for people: sends a word now
#   alert handle EVENT UNIT what haproxy-fleet-alert@EVENT.service runs
#
# Only the last may take its time: the others note an event and start it, because a service or a converge waits for them.
#
# A word is what the command is run for. Events, by name: died-ID, the service with this invocation has ended; failed, systemd may have given
# it up; up-ID and settled-ID, it has started, and may have recovered; converge-failed-ID and converge-done-ID; later-KIND, events that were
# left out are due; test.
set -uf
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
umask 077
cd /

product=haproxy-fleet
command=/usr/local/lib/$product/alert-command
# Gone after a boot, with all that is only about limits: event.NAME, what a handler has to know; told.KIND, when the last word was;
# left.KIND, how many events were left out since, and the last of them; given-up, which end has been noted; last-converge.
state=/run/$product/alert
# open.UNIT: a word has said that it is bad, and none that it is good again. Survives a boot, unless the disk is full.
kept=/var/lib/$product
converge=$product-converge.service

# note EVENT TEXT: hands an event to a handler.
note() {
    mkdir -p "$state" && printf '%s\n' "$2" >"$state/event.$1" &&
        timeout 5 systemctl --quiet --no-block start -- "$product-alert@$1.service"
}

# arm EVENT SECONDS: starts a handler then.
arm() {
    event=$product-alert@$1
    set -- --quiet --on-active="$2" --timer-property=AccuracySec=100ms --unit="$event.service"
    # It may be armed already, for the time of an earlier setting.
    systemd-run "$@" 2>/dev/null || { systemctl stop -- "$event.timer" && systemd-run "$@"; }
}

# Notes an end that was not asked for. systemd.exec(5) lists the results. A stop or a restart is a job of systemd; a process that ends by
# itself, or by a signal from elsewhere, has none.
stopped() {
    case ${SERVICE_RESULT-} in
    exec-condition) return ;;
    success)
        job=$(timeout 5 systemctl show -p Job --value -- "$1") || return
        case $job in "" | 0) ;; *) return ;; esac
        ;;
    esac
    find_cause
    note "died-${INVOCATION_ID:-$$}" "$cause"
}

# Sets cause.
find_cause() {
    case ${SERVICE_RESULT-},${EXIT_CODE-},${EXIT_STATUS-} in
    success,*) cause="it ended although systemd did not stop it, perhaps by a signal from elsewhere" ;;
    signal,* | core-dump,*) cause="it was killed by SIG${EXIT_STATUS-}" ;;
    oom-kill,*) cause="the kernel killed one of its processes, because the memory was used up" ;;
    timeout,*) cause="it was killed, because it did not start or stop in time" ;;
    watchdog,*) cause="it was killed, because it did not answer systemd" ;;
    # HAProxy ends with the status of a worker that was killed: 128 and the signal.
    exit-code,exited,1[3-9][0-9] | exit-code,exited,129)
        cause="its worker was killed by SIG$(kill -l "$((EXIT_STATUS - 128))" 2>/dev/null)"
        ;;
    exit-code,exited,*) cause="it exited with status $EXIT_STATUS" ;;
    exit-code,*) cause="a command that runs before its start failed" ;;
    *) cause="systemd says ${SERVICE_RESULT:-nothing}" ;;
    esac
}

# Notes a start if a word may follow that the service has recovered. Its end may not have been handled yet.
started() {
    if is_open "$1" || has_event died-; then
        timeout 5 systemctl --quiet --no-block start -- "$product-alert@up-${INVOCATION_ID:-$$}.service"
    fi
}

# has_event PREFIX: whether an event waits whose name begins so.
has_event() {
    set +f
    set -- "$state/event.$1"*
    set -f
    [ -e "$1" ]
}

converge_failed() {
    IFS= read -r cause || :
    note "converge-failed-$$" "$cause"
}

converge_done() {
    if is_open "$converge" || [ -e "$state/left.converge-failed" ] || has_event converge-failed-; then
        note "converge-done-$$" ""
    fi
}

# handle EVENT UNIT
handle() {
    unit=$2
    host=$(uname -n)
    mkdir -p "$state" || exit
    case $1 in
    up-*)
        arm "settled-${1#up-}" "$SETTLE"
        return
        ;;
    failed) await_end || return 0 ;;
    esac
    # Two words at the same time would both be the first.
    exec 9>"$state/lock"
    flock 9
    read -r now _ </proc/uptime
    now=${now%.*}
    case $1 in
    died-* | converge-*)
        [ -e "$state/event.$1" ] || return
        IFS= read -r text <"$state/event.$1" || :
        rm -f "$state/event.$1"
        ;;
    esac
    case $1 in
    died-*) report died "$unit" "$unit on $host died: $text" ;;
    failed) report_end ;;
    settled-*) ! is_up "${1#settled-}" || recover "$unit" "$unit on $host has recovered: up for $SETTLE s" died failed ;;
    converge-failed-*)
        printf 'failed\n' >"$state/last-converge"
        report converge-failed "$converge" "a converge of $host failed: $text"
        ;;
    converge-done-*)
        printf 'done\n' >"$state/last-converge"
        recover "$converge" "a converge of $host has succeeded again" converge-failed
        ;;
    later-*) report_left "${1#later-}" ;;
    test) tell test "$unit" "$unit on $host: this is only a test" ;;
    esac
}

# Waits until systemd has either started the service again or given it up. Fails unless it was given up. Newer versions of systemd say
# that a service has failed before each start. Sets ended, when that was.
await_end() {
    looks=0
    while [ "$looks" -lt 300 ]; do
        properties=$(systemctl show -p ActiveState -p InactiveEnterTimestampMonotonic -- "$unit") || return
        case $properties in
        *ActiveState=failed*)
            ended=${properties#*Monotonic=}
            ended=${ended%%[!0-9]*}
            return 0
            ;;
        *ActiveState=activating* | *ActiveState=deactivating*) ;;
        *) return 1 ;;
        esac
        looks=$((looks + 1))
        sleep 0.2
    done
    return 1
}

# Reports that systemd has given the service up, once. Reads ended.
report_end() {
    noted=
    [ ! -r "$state/given-up" ] || read -r noted <"$state/given-up" || :
    [ "$noted" != "$ended" ] || return 0
    printf '%s\n' "$ended" >"$state/given-up"
    read_left died
    deaths=
    [ "$left" = 0 ] || deaths="; deaths left out since the last word: $left, the last because ${last#*: }"
    rm -f "$state/left.died"
    report failed "$unit" "$unit on $host is down, and systemd does not start it again$deaths. Once it is repaired: systemctl reset-failed $unit && systemctl start $unit"
}

# is_up INVOCATION: whether the service still runs with it.
is_up() {
    properties=$(systemctl show -p ActiveState -p InvocationID -- "$unit")
    case $properties in *ActiveState=active* | *ActiveState=reloading*) ;; *) return 1 ;; esac
    case $properties in *"InvocationID=$1"*) ;; *) return 1 ;; esac
}

# report KIND UNIT TEXT: sends a word, or leaves it out if the last one of this kind was a short time ago. Reads now.
report() {
    told=
    [ ! -r "$state/told.$1" ] || read -r told <"$state/told.$1" || :
    read_left "$1"
    if [ -n "$told" ] && [ $((now - told)) -lt "$EVERY" ]; then
        printf '%s\n' "$((left + 1))" "$3" >"$state/left.$1"
        printf '%s, left out: %s\n' "$1" "$3"
        arm "later-$1" $((told + EVERY - now))
        return
    fi
    count "$3"
    tell "$1" "$2" "$counted"
    open "$2"
}

# count TEXT: sets counted to the text with the number of events since the last word, this one included. Reads left.
count() {
    counted=$1
    [ "$left" = 0 ] || counted="$1 ($((left + 1)) times since the last word)"
}

# read_left KIND: sets left, how many events were left out, and last, the text of the last one.
read_left() {
    left=0
    last=
    [ ! -r "$state/left.$1" ] || { read -r left && IFS= read -r last; } <"$state/left.$1" || :
}

# report_left KIND: sends a word about the events that were left out, unless another word has said it. Reads unit.
report_left() {
    read_left "$1"
    [ "$left" != 0 ] || return 0
    about=$unit
    good=
    case $1 in
    converge-failed)
        about=$converge
        converged=
        [ ! -r "$state/last-converge" ] || read -r converged <"$state/last-converge" || :
        [ "$converged" != "done" ] || good="the last one has succeeded"
        ;;
    *) ! is_settled || good="it is up again" ;;
    esac
    left=$((left - 1))
    count "$last"
    tell "$1" "$about" "$counted${good:+; $good}"
    [ -n "$good" ] || open "$about"
}

# Whether the service has been up for long enough.
is_settled() {
    properties=$(systemctl show -p ActiveState -p ActiveEnterTimestampMonotonic -- "$unit")
    case $properties in *ActiveState=active* | *ActiveState=reloading*) ;; *) return 1 ;; esac
    since=${properties#*Monotonic=}
    since=${since%%[!0-9]*}
    [ $((now - since / 1000000)) -ge "$SETTLE" ]
}

# recover UNIT TEXT KIND...: sends a word that it is good again, if one has said that it is bad.
recover() {
    is_open "$1" || return 0
    about=$1
    good=$2
    shift 2
    more=0
    for kind; do
        read_left "$kind"
        more=$((more + left))
        rm -f "$state/left.$kind"
    done
    [ "$more" = 0 ] || good="$good; events left out since the last word: $more"
    tell recovered "$about" "$good"
    rm -f "$state/open.$about" "$kept/alert.open.$about"
}

open() {
    : >"$state/open.$1"
    [ ! -d "$kept" ] || : >"$kept/alert.open.$1"
}

is_open() {
    [ -e "$state/open.$1" ] || [ -e "$kept/alert.open.$1" ]
}

# tell EVENT UNIT TEXT: sends a word. It counts as sent if the command fails, too. Reads now.
tell() {
    printf '%s: %s\n' "$1" "$3"
    printf '%s\n' "$now" >"$state/told.$1"
    rm -f "$state/left.$1"
    printf '%s\n' "$3" >"$state/text"
    tries=0
    while ! run_command "$@"; do
        show_output
        tries=$((tries + 1))
        [ "$tries" -lt 3 ] || break
        sleep "$PAUSE"
    done
    [ "$tries" != 0 ] || show_output
    rm -f "$state/text" "$state/pipe" "$state/out" "$state/words"
}

# run_command EVENT UNIT TEXT: runs the command, and leaves the beginning of its output in a file. A process that it leaves behind may hold
# its output open, but neither our lock nor us.
run_command() {
    if [ ! -r "$command" ]; then
        printf '%s is missing, so no word is sent; run an up\n' "$command" >"$state/out"
        return 0
    fi
    rm -f "$state/pipe"
    mkfifo "$state/pipe"
    # shellcheck disable=SC2016 # expanded by the inner shell
    sh -c 'head -c 8192 >"$1"; exec cat >/dev/null' sh "$state/out" <"$state/pipe" 9>&- &
    reader=$!
    HOME=/root ALERT_EVENT=$1 ALERT_UNIT=$2 ALERT_HOST=$host ALERT_TEXT=$3 \
        timeout -k 5 "$LIMIT" sh "$command" <"$state/text" >"$state/pipe" 2>&1 9>&-
    status=$?
    { sleep 1 && kill "$reader"; } >/dev/null 2>&1 9>&- &
    wait "$reader"
    case $status in
    0) return ;;
    124 | 137) printf 'the command did not end within %s s\n' "$LIMIT" ;;
    *) printf 'the command has failed with status %s\n' "$status" ;;
    esac
    return 1
}

# Prints what the command has printed, but for lines that repeat a word of it: a shell's message may quote a token. Reads state.
show_output() {
    if [ -r "$command" ]; then
        { tr -s '[:space:]"'"'" '\n' <"$command" && tr -cs '[:alnum:]' '\n' <"$command"; } |
            LC_ALL=C grep '........' >"$state/words"
        LC_ALL=C grep -a -v -F -f "$state/words" "$state/out"
        hidden=$(LC_ALL=C grep -a -c -F -f "$state/words" "$state/out")
        [ "${hidden:-0}" = 0 ] || printf 'lines that are not shown, because they repeat words of the command: %s\n' "$hidden"
    else
        cat "$state/out"
    fi
}

case ${1-} in
stopped | started) "$1" "$2" ;;
converge-failed) converge_failed ;;
converge-done) converge_done ;;
test) systemctl start -- "$product-alert@test.service" && journalctl -q --no-pager -o cat -n 5 -t "$product-alert" ;;
handle) handle "$2" "$3" ;;
*)
    printf '%s\n' "usage: $0 test" >&2
    exit 2
    ;;
esac
