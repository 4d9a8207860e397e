# The detached apply: a transient unit, which outlives the connection. Its fixed name is the lock of the host.
#
# A converge is named by its token, which no other payload has. Its files are in $run: payload.TOKEN waits to be launched, apply.TOKEN
# runs; began.TOKEN, log.TOKEN, report.TOKEN and result.TOKEN are what it leaves for those who follow it. The last line of
# a payload that waits is a comment that says who runs the up; began.TOKEN has that, TAB, the login, and below them when the apply began.

converge_unit=$product-converge
forget_unit=$product-forget

# Seconds for which a payload waits to be launched: longer than a roll over many hosts takes.
kept_seconds=86400
# Minutes for which the result, log and report of an apply are kept, because they may still be read.
kept_minutes=60

# Writes what the program's command runs, with the token, if it is missing or from another version. A host that was as declared when
# it was asked has no payload. A token counts only on the machine that has stored it: another one may have taken over the address.
keep_launcher() {
    launcher="cd /
for file in payload apply; do
    [ ! -f $run/\$file.\$1 ] || exec /bin/sh $run/\$file.\$1 launch
done
have= noted= machine=
[ ! -r $lib/token ] || { read -r have && read -r noted; } <$lib/token
[ ! -r /etc/machine-id ] || read -r machine </etc/machine-id
if [ \"\$have\" = \"\$1\" ] && [ \"\${noted:-\$machine}\" = \"\$machine\" ]; then
    echo '$product reports:' && echo 'nothing to do' && rm -f $lib/unreported
    exit 0
fi
echo 'nothing was done: since it was asked, this host was restarted, or another machine took over its address, or more than a day has passed; run again' >&2
exit 1
"
    have=
    while IFS= read -r line; do have=$have$line$NL; done 2>/dev/null <"$run/launch"
    [ "$have" = "$launcher" ] || { printf %s "$launcher" >"$run/launch.$$" && mv -f "$run/launch.$$" "$run/launch"; }
}

# leave TOKEN WHO: keeps this payload until it is launched, and who runs the up. Sets mode, label, token.
leave() {
    mode=launch
    label=host
    token=$1
    trap 'rm -f "$0"' EXIT
    trap 'exit 1' HUP INT PIPE TERM
    verify_payload
    keep_launcher
    lock
    # Each payload that is left starts the timer anew, so it may never end for those of interrupted ups.
    find "$run" -maxdepth 1 -name 'payload.*' -mmin "+$((kept_seconds / 60))" -delete
    forget_later
    # Of an earlier converge that has failed where the host looked the same: the program would take them for those of this one.
    read_holder
    holds_this || rm -f "$run/result.$1" "$run/log.$1" "$run/guard/ready.$1"
    printf '# %s\n' "$2" >>"$0" && mv -f -- "$0" "$run/payload.$1" || exit 1
}

# Arms a timer, because a payload holds secrets and its up may have been interrupted. Starts its time anew.
forget_later() {
    systemctl --quiet stop "$forget_unit.timer" 2>/dev/null
    systemd-run --quiet --collect --unit="$forget_unit" --on-active="$kept_seconds" --timer-property=AccuracySec=60 \
        -- /bin/sh -c "rm -f $run/payload.*" || exit 1
}

# Starts the apply, joins it if it runs already, or waits for another one; then follows it to its end. Sets mode, label, waited.
launch() {
    mode=launch
    label=host
    case $0 in
    "$run/payload."*) trap 'rm -f "$0"' EXIT ;;
    esac
    trap 'exit 1' HUP INT PIPE TERM
    waited=0
    while :; do
        lock
        read_holder
        case $holder_state in
        active | activating | deactivating | reloading)
            ! holds_this || break
            unlock
            wait_for_holder
            ;;
        *)
            find_machine
            read_token
            if [ "$have_token" = "$token" ]; then
                # The same converge has ended meanwhile.
                begin_report && echo "nothing to do" && note_reported
                exit 0
            fi
            [ "$waited" = 0 ] || say_or_quit "the host is free: starting"
            start_apply && break
            unlock
            sleep 0.2
            ;;
        esac
    done
    # From here on another up may leave a payload with this name.
    trap - EXIT
    unlock
    follow
}

# Separates the report from what the login has printed before, such as a greeting.
begin_report() {
    echo "$product reports:"
}

# Whether the running converge is this one. Reads holder.
holds_this() {
    case $holder in
    *" id=$token") ;;
    *) false ;;
    esac
}

# An up now knows that the converge has ended well.
note_reported() {
    rm -f "$lib/unreported"
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

# Refuses a payload that has changed on its way.
verify_payload() {
    read -r header <"$0"
    sum=$(tail -n +2 "$0" | sha256sum)
    [ "${sum%% *}" = "${header##*sha256=}" ] || refuse "the payload arrived damaged; nothing was done; run again"
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

# Moves the payload and starts the unit. Fails if another converge was faster.
start_apply() {
    remove_abandoned
    rm -f "$run/result.$token" "$run/log.$token" "$run/report.$token"
    payload=$run/apply.$token
    : >"$run/log.$token"
    who=$(sed -n '$s/^# //p' "$0")
    mv -f -- "$0" "$payload" || fail "the payload has left this host meanwhile; nothing was done; run again"
    client=${SSH_CONNECTION:-local}
    login="${SUDO_USER:-root} from ${client%% *}"
    printf '%s\t%s\n' "$who" "$login" >"$run/began.$token"
    # Otherwise needrestart would restart the converge after an upgrade of a library. "systemctl kill" ends it all the same. Older
    # systemd-run does not know the property.
    find_systemd_version
    set --
    [ "${systemd_version:-0}" -lt 239 ] || set -- -p RefuseManualStop=yes
    systemd-run --quiet --collect --unit="$converge_unit" "$@" \
        --description="$product by ${who:+$who as }$login at $(date -u +%H:%M:%S)Z id=$token" \
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
    rm -f "$run"/apply.*
    set -- "$run"/in.* "$run"/why-run.*
    set -f
    for old; do
        [ ! -e "$old" ] || [ -d "/proc/${old##*.}" ] || rm -rf -- "$old"
    done
    find "$run" -maxdepth 1 \( -name 'result.*' -o -name 'log.*' -o -name 'report.*' -o -name 'began.*' \) \
        -mmin "+$kept_minutes" -delete
}

# Shows the log of the apply, waits for its end and exits with its status. The apply writes to a file, so that it does not notice if the
# connection is lost.
follow() {
    read_holder
    # Another converge may have begun since this one ended.
    case $holder_pid,$holder in
    [1-9]*" id=$token")
        show_progress &
        tail -n +1 -f -s 0.05 --pid="$holder_pid" "$run/log.$token" | show_log
        kill "$!" 2>/dev/null
        ;;
    *) show_log <"$run/log.$token" ;;
    esac
    await_result
    judge_result
    case $ending in
    "")
        begin_report && cat "$run/report.$token" && note_reported
        exit 0
        ;;
    failed) ;;
    *)
        last=$(last_words <"$run/log.$token" | sed -n '$s/^[*] //;$p')
        say "the converge $ending; its last words: ${last:-none}"
        ;;
    esac
    exit 1
}

# Shows all lines but those of progress. Each goes through say, because the log may hold output of tools, too.
show_log() {
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in "* "*) ;; *) say "$line" ;; esac
    done
}

# Says every second what the apply does, unless it has said so before: a short converge says only what it has done. The pauses let go of
# the connection, so that it can be closed.
show_progress() {
    shown=
    while sleep 1 >/dev/null 2>&1 && [ -d "/proc/$holder_pid" ]; do
        line=$(tail -n 1 "$run/log.$token")
        case $line in
        "$shown") ;;
        "* "*)
            shown=$line
            say "${line#"* "}" || exit
            ;;
        esac
    done
}

# Waits for the result, which the unit's last process writes: on a busy host, long after the last line of the log. Stops if the unit has
# gone.
await_result() {
    naps=0
    until [ -s "$run/result.$token" ]; do
        sleep 0.05
        naps=$((naps + 1))
        [ $((naps % 20)) = 0 ] || continue
        read_holder
        case $holder_state,$holder in
        active,*" id=$token" | deactivating,*" id=$token") ;;
        *) return ;;
        esac
    done
}

judge_result() {
    result=
    [ ! -r "$run/result.$token" ] || read -r result <"$run/result.$token" || :
    judge
}

# Sets ending to how the converge has ended: empty if it succeeded, "failed" if it has said why. systemd.exec(5) lists the results. The
# default action of some signals is a success there, but an apply that was ended has not done its work. Reads result.
judge() {
    # shellcheck disable=SC2086 # result, code, status, seconds
    set -- $result
    again="nothing else was done; run again"
    case ${1-}\ ${2-}\ ${3-} in
    "success exited 0")
        ending=
        [ -s "$run/report.$token" ] || ending="ended without a report; run again"
        ;;
    "exit-code exited 1") ending=failed ;;
    "deadline "*) ending="was ended at its deadline, after $4 s; run again, or give it a longer one" ;;
    "oom-kill "*) ending="was ended by the kernel, because the memory was used up; $again" ;;
    *" killed "* | *" dumped "*) ending="was ended by SIG$3 after ${4-0} s, as by systemctl kill or a shutdown; $again" ;;
    *" exited "*) ending="ended with status $3; $again" ;;
    *) ending="has left no result (${result:-its unit is gone}); $again" ;;
    esac
}

# systemd runs this when the apply has ended, in whatever way. Removes everything else before it writes the result.
result() {
    [ ! -e "$run/yielding" ] || timeout -k 1 "$resume_seconds" /bin/sh "$0" resume >>"$run/log.$token" 2>&1
    rm -rf "$run/stage" "$0"
    by=
    began=
    [ ! -r "$run/began.$token" ] || { IFS= read -r by && read -r began; } <"$run/began.$token" || :
    find_now
    elapsed=$((now - ${began:-$now}))
    ended=${SERVICE_RESULT-}
    # A unit that does not stop in time has this result, too.
    [ "$ended" != timeout ] || [ "$elapsed" -lt $((deadline - 1)) ] || ended=deadline
    done=
    case "$ended ${EXIT_CODE-} ${EXIT_STATUS-}" in
    "success exited 0")
        done=yes
        [ ! -d "$lib" ] || : >"$lib/unreported"
        ;;
    esac
    result="$ended ${EXIT_CODE-} ${EXIT_STATUS-} $elapsed"
    find_cause
    [ ! -d "$lib" ] || note_end
    printf '%s\n' "$result" >"$run/result.$token.new"
    mv -f "$run/result.$token.new" "$run/result.$token"
    # Otherwise a payload that arrives now could lose its timer.
    lock
    # Left by another up to which the host has looked the same.
    [ -z "$done" ] || rm -f "$run/payload.$token"
    set +f
    set -- "$run"/payload.*
    set -f
    [ -e "$1" ] || systemctl --quiet --no-block stop "$forget_unit.timer" 2>/dev/null || :
    unlock
    call_hook </dev/null >/dev/null 2>&1
}

# Notes how the converge has ended, for people: seconds since 1970, how many it took, who ran it, the login, and how; TABs separate them.
# Reads elapsed, by and ending.
note_end() {
    { printf '%s\t%s\t%s\t' "$(date +%s)" "$elapsed" "${by:-$TAB}" && say "${ending:-done}" 2>&1; } >"$lib/last-converge.new" &&
        mv -f "$lib/last-converge.new" "$lib/last-converge"
}

# Sets ending as judge does, but to the cause if the log says it. Reads result.
find_cause() {
    judge
    case $ending in
    "") ;;
    failed)
        # The line that says why, and the words of a tool below it.
        while IFS= read -r line; do
            case $ending,$line in
            *,"* "*) ;;
            failed,*" failed: "* | failed,"refused: "*) ending=$line ;;
            failed,*) ;;
            *,"    "*) ending="$ending; ${line#"    "}" ;;
            *) break ;;
            esac
        done <"$run/log.$token"
        ;;
    *) ending="it $ending" ;;
    esac
}

# Tells the program of the recipe alert, if this host has it, how the converge has ended: converge-done, or converge-failed with the cause on
# standard input. Last, because whoever follows the converge has its result already. Reads ending.
call_hook() {
    hook=/usr/local/lib/$product/alert
    [ -x "$hook" ] || return 0
    set -- converge-done
    [ -z "$ending" ] || set -- converge-failed
    printf '%.400s\n' "$ending" | timeout -k 1 5 "$hook" "$1"
}
