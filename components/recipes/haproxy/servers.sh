# Servers that leave a configuration: guards against a search that finds too few, and the drain of those that leave. haproxy_servers has
# a line for each backend: its name, minServers, maxShrinkPercent, seconds to drain, with "-" for none, whether it may have backups: yes or
# no, and minUp, see gate.sh. haproxy_allow_shrink is yes if the guards are off.

# A line for each server that the next reload drains, text about it for messages, and the seconds that it takes at most.
drain=
drain_words=
drain_longest=0

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

# Reports whether the settings for one up are needed, and what the host lacks, as the preflight has noted. It has not run if nothing
# differs.
haproxy_settings() {
    haproxy_setting allowShrink "$haproxy_allow_shrink" shrinks
    haproxy_setting restart "$haproxy_restart" restarts
    [ ! -e "$stage/short" ] || cat -- "$stage/short"
}

# haproxy_setting NAME SET NOTE
haproxy_setting() {
    if [ "$2" != yes ]; then
        return
    elif [ -e "$stage/$3" ]; then
        setting "$1" needed
    else
        setting "$1" unneeded
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

# Sets drain, drain_words and drain_longest if a reload follows, and only once, because a restore activates, too. Reads activation; adds to
# activation_reason.
haproxy_plan_drain() {
    drain=
    drain_words=
    drain_longest=0
    [ "$activation" = reload ] && [ -s "$stage/drain" ] || return 0
    drain=$(cat -- "$stage/drain")
    rm -f -- "$stage/drain"
    names=
    count=0
    split_lines
    for line in $drain; do
        count=$((count + 1))
        [ "$count" -gt 5 ] || names="$names ${line%% *}"
        line=${line#* }
        [ "${line%% *}" -le "$drain_longest" ] || drain_longest=${line%% *}
    done
    unsplit
    [ "$count" -le 5 ] || names="$names and $((count - 5)) more"
    drain_words="; first drains$names, up to $drain_longest s"
    activation_reason=$activation_reason$drain_words
}

# Stops new sessions on the servers that leave, and waits until they have none, each within its limit. Does not wait for a server that is
# down or cannot be asked. If this is killed, the next run undoes it, or drains again.
haproxy_drain() {
    [ -n "$drain" ] || return 0
    haproxy_note "$(printf '%s\n' "$drain" | sed -n 's/^\(.*\) [0-9]* ours$/drain \1/p')"
    haproxy_read_notes
    haproxy_drain_noted
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

# Our notes about the servers of one worker, for the unit's reload, see programs/haproxy-reload.pl. The first line is its process; then
# follow "drain BACKEND/SERVER", which we have drained, and "up BACKEND/SERVER", whose health the next worker does not inherit.

# haproxy_note LINES: replaces the notes. Reads running_worker.
haproxy_note() {
    put_text "$run/server-notes" "$running_worker$NL$1"
}

# Sets notes to those about the running worker, and running_unfinished if it has servers that we have drained. Reads running_worker.
haproxy_read_notes() {
    notes=
    [ -r "$run/server-notes" ] || return 0
    {
        read -r noted_worker
        [ "$noted_worker" = "$running_worker" ] || return 0
        while read -r line; do notes=$notes$line$NL; done
    } <"$run/server-notes"
    case $notes in *"drain "*) running_unfinished=yes ;; esac
}

# Drains the servers in notes.
haproxy_drain_noted() {
    split_lines
    for line in $notes; do
        haproxy_talk "@1 set server ${line#drain } state drain" >/dev/null 2>&1
    done
    unsplit
}

# Makes the servers ready that a converge has drained and not removed. One that somebody has put into maintenance since then stays there.
haproxy_undo() {
    [ -e "$run/server-notes" ] || return 0
    haproxy_read_notes
    case $notes in
    # By programs: a shell takes minutes to find a server among many.
    *"drain "*) drained=$(haproxy_server_stats | cut -d , -f 1,2,18 | sed -n '/,DRAIN/ { s|,DRAIN.*||; s|,|/|p; }') ;;
    *) drained= ;;
    esac
    split_lines
    for name in $drained; do
        case $NL$notes in *"${NL}drain $name$NL"*) haproxy_talk "@1 set server $name state ready" >/dev/null 2>&1 ;; esac
    done
    unsplit
    rm -f -- "$run/server-notes"
}

# Notes, before last good files come back, which servers were up with them: what a bad configuration has found since then says nothing
# about them. Reads tx_baseline.
haproxy_note_up() {
    [ -s "$tx_baseline" ] || return 0
    noted=
    while read -r backend _ _ _ names; do
        for name in $names; do noted="${noted}up $backend/$name$NL"; done
    done <"$tx_baseline"
    haproxy_note "$noted"
}

# Sets standing to what is said of the servers, and standing_warning to what somebody has set. A why-run has asked already, with
# haproxy_running.
haproxy_standing() {
    ! applying ||
        running_servers=$NL$(haproxy_ask_master "$haproxy_master" "@1 show servers state" "$run/server-notes" 2>/dev/null)
    haproxy_sum serving
    standing=$sum
    haproxy_sum "by hand"
    standing_warning=
    [ -n "$sum" ] || return 0
    kept="kept over reloads"
    [ "$haproxy_states" = yes ] || kept="lost at the next reload"
    standing_warning="set by hand: ${sum%; undo *}; $kept; undo ${sum##*; undo }"
}

# haproxy_sum TITLE: sets sum to that line of running_servers; empty if there is none.
haproxy_sum() {
    sum=
    case $running_servers in *"$NL$1$TAB"*) ;; *) return 0 ;; esac
    sum=${running_servers#*"$NL$1$TAB"}
    sum=${sum%%"$NL"*}
}
