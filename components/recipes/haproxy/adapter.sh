# The adapter of HAProxy: how its configuration is validated, activated and proven. The rest of it is in unit.sh, preflight.sh,
# limits.sh, servers.sh, proof.sh and gate.sh. docs/adapters.md describes what each function has to do.
#
# Parameters, set by the recipe:
#   haproxy_config       path of haproxy.cfg
#   haproxy_unit         systemd unit
#   haproxy_master       path of the master's socket
#   haproxy_release      lowest release, major.minor
#   haproxy_binds        a line each: address, port, what to ask there (http, tcp or nothing), interface or "-", and marks: transparent,
#                        v6only
#   haproxy_directories  directories of stats sockets
#   haproxy_chroot       directory; may be empty
#   haproxy_fds, haproxy_maxconn, haproxy_memory  file descriptors, connections, and kB that they need
#   haproxy_names        servers that are given by name
#   haproxy_servers      see servers.sh
#   haproxy_states       yes if reloads hand over the states of servers
#   haproxy_restart      yes if a restart may raise a limit of the running process
#   haproxy_gate_limit, haproxy_bake  seconds, see gate.sh
#   haproxy_accept_down  backends whose servers may all be down, with blanks between them
#   haproxy_hard_stop    seconds after which HAProxy ends an old worker
#   haproxy_old_workers  old workers that may still have connections when the next reload begins; each keeps its memory
#   haproxy_certificates a line for each certificate that HAProxy loads and whose fingerprint is known: its name, SHA-1
#   haproxy_bundles      directory of these certificates

# Whether there is anything to check the files with. If the unit's program is gone, the preflight says so.
haproxy_installed() {
    haproxy_command
    command -v "$haproxy_program" >/dev/null || command -v haproxy >/dev/null
}

# haproxy_check STAGE [OPTION]: runs the unit's command with -c, the stage mounted over the live directory, and no states of servers: the
# checker warns of those that are down, and some releases warn if their file is missing. A mount over the file itself would end when a
# reload by hand replaces it.
haproxy_check() (
    haproxy_command
    haproxy_environment
    mkdir -p -- "$stage/no-states" && echo 1 >"$stage/no-states/server-states" || return
    # eval: quoted by systemd, see haproxy_command.
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout -k 5 60 unshare -m --propagation private sh -c "$tx_namespace"'
        mount --bind "$1" "$2" || { echo "the stage could not be mounted over $2"; exit 32; }
        mount --bind "$3" "$4" || exit 32
        eval "exec $5 -c $6"' sh "$1" "$tx_directory" "$stage/no-states" "$run" "$command_line" "${2-}"
)

# haproxy_validate STAGE: prints the words of the checker if it refuses. Checks nothing if the service has no program or would not read
# the stage: the preflight says so.
haproxy_validate() {
    haproxy_command
    command -v "$haproxy_program" >/dev/null || return 0
    ! files=$(haproxy_unit_files 2>/dev/null) || haproxy_reads "$files" || return 0
    haproxy_version_fits || return
    haproxy_check "$1" -dW >"$stage/check.out" 2>&1
    checked=$?
    if [ "$checked" = 1 ] && [ -n "$tx_allowed" ]; then
        haproxy_check_allowed "$1"
    fi
    case $checked in
    0) ;;
    124) printf '%s\n' "haproxy did not finish its check within 60 s; look for a server name that resolves slowly" ;;
    # 2 is also the status of the shell if it cannot read the command line.
    2) haproxy_check_words | grep -v -e '(no listener)' || printf '%s\n' "no frontend or listener would be left" ;;
    *) haproxy_check_words | haproxy_without_summary || haproxy_check_words ;;
    esac
    return $checked
}

# Prints the output of the check without dates and process ids, so that equal refusals of several hosts are equal text.
haproxy_check_words() {
    sed 's|^\(\[[A-Z]*]\)[ 0-9/]*([0-9]*) *: *|\1 |' "$stage/check.out"
}

# Leaves out what says no more than that there is an error. Fails if nothing is left.
haproxy_without_summary() {
    grep -v -e '^\[NOTICE]' -e 'New worker' -e 'configuration file is valid' -e '^$' \
        -e 'Error(s) found in configuration file' -e 'Fatal errors found in configuration'
}

# haproxy_check_allowed STAGE: checks again without -dW, which makes warnings fail. Sets checked to 0 if tx_allowed allows all of them;
# otherwise leaves those that it does not allow in $stage/check.out. A quiet unit shows no warnings.
haproxy_check_allowed() {
    haproxy_check "$1" >"$stage/check.all" 2>&1 && grep -q '^\[WARNING]' "$stage/check.all" || return 0
    split_lines
    set --
    for text in $tx_allowed; do
        set -- "$@" -e "$text"
    done
    unsplit
    grep '^\[WARNING]' "$stage/check.all" | grep -v -F "$@" >"$stage/check.out" || checked=0
}

# haproxy_blames_files WORDS: whether the checker names a line that this version of HAProxy refuses on every host.
haproxy_blames_files() {
    split_lines
    for line in $1; do
        case $line in
        *"[$haproxy_config:"*"unknown keyword"* | *"[$haproxy_config:"*" expects "*" but got "*)
            unsplit
            return
            ;;
        esac
    done
    unsplit
    return 1
}

# Whether the service's program is of the declared release or a newer one; prints why not. Reads haproxy_program.
haproxy_version_fits() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    case $tx_namespace in
    "") version=$("$haproxy_program" -v) ;;
    *) version=$(unshare -m --propagation private sh -c "$tx_namespace"'exec "$0" -v' "$haproxy_program") ;;
    esac
    version=${version#*ersion }
    version=${version%%[!0-9.]*}
    major=${version%%.*}
    minor=${version#*.}
    minor=${minor%%.*}
    [ "$major" -gt "${haproxy_release%%.*}" ] ||
        { [ "$major" = "${haproxy_release%%.*}" ] && [ "$minor" -ge "${haproxy_release#*.}" ]; } && return
    remedy="set version to \"$major.$minor\" (in a stack, haproxy.version), or upgrade the host"
    case $major.$minor in [01].* | 2.[01]) remedy="upgrade the host" ;; esac
    printf 'this host has haproxy %s, the configuration is for %s or newer; %s\n' "$version" "$haproxy_release" "$remedy"
    return 1
}

# haproxy_talk COMMANDS: prints the answer on the master's socket.
haproxy_talk() {
    haproxy_ask_master "$haproxy_master" "$1"
}

# Sets running_digest and running_since (seconds since 1970): what the running worker has read, and when; running_worker: its process;
# running_failed, how many reloads have failed; running_old and running_older, see haproxy_sort_old; running_unfinished, see
# haproxy_read_notes; running_other, what it serves instead of declared certificates, and running_others, their names with blanks around
# each; in a why-run, running_servers, what is said of the servers. If not as the installed program, running_other says that.
haproxy_running() {
    running_digest=
    running_since=
    running_failed=0
    running_worker=
    running_old=
    running_older=
    running_unfinished=
    running_servers=
    running_other=
    running_others=
    [ -S "$haproxy_master" ] || return 0
    asked="show proc;@1 get var proc.cfg"
    applying || asked="$asked;@1 show servers state"
    split_lines
    # shellcheck disable=SC2086 # split at newlines, on purpose
    set -- $haproxy_certificates
    unsplit
    answer=$(haproxy_ask_master "$haproxy_master" "$asked" "$run/server-notes" "$haproxy_bundles" "$@" 2>/dev/null) || return 0
    case $answer in *"${NL}certificates$TAB"*)
        running_other=${answer##*"${NL}certificates$TAB"}
        answer=${answer%"${NL}certificates$TAB"*}
        running_others=" ${running_other%%"$TAB"*} "
        running_other=${running_other#*"$TAB"}
        ;;
    esac
    applying || running_servers=$NL$answer
    # Before 2.4 the digest is in the description, which a shell takes 30 ms to find in the long answer.
    case $answer in *"value=<"*) ;; *) answer=$answer$NL$(haproxy_talk '@1 show info desc' 2>/dev/null) ;; esac
    haproxy_old_workers_of "${answer#*"# old workers$NL"}"
    case $answer in
    *"# workers$NL"[0-9]*) running_worker=${answer#*"# workers$NL"} ;;
    # After a failed reload, a master before 2.5 lists its worker among the old ones, and counts reloads instead of failures.
    *"# workers$NL# old workers$NL"*"[was: "*)
        running_worker=$newest
        running_failed=${answer#*" master "}
        # shellcheck disable=SC2086 # columns
        set -- ${running_failed%%"$NL"*}
        running_failed=$2
        ;;
    # From 3.1 on, a master whose reload has failed lists the worker that still serves among the old ones.
    *"[failed: "*"# workers$NL# old workers$NL"[0-9]*) running_worker=$newest ;;
    *) return 0 ;;
    esac
    running_worker=${running_worker%%[!0-9]*}
    case $answer in *"[failed: "*) running_failed=${answer#*"[failed: "} ;; esac
    running_failed=${running_failed%%[!0-9]*}
    case $answer in
    *"value=<"*)
        running_digest=${answer#*"value=<"}
        running_digest=${running_digest%%">"*}
        ;;
    *"${NL}description: "* | *"${NL}Description: "*)
        running_digest=${answer#*"${NL}"[dD]"escription: "}
        running_digest=${running_digest%%[!0-9a-f]*}
        ;;
    esac
    haproxy_sort_old
    haproxy_read_notes
    process_started "$running_worker"
    running_since=$started
    haproxy_is_installed || running_other="HAProxy runs, but not as the program $program that is installed now"
}

# Whether master and worker are the program that a reload would start, the first of the master's arguments, or that is unknown. It is another one
# if the package was upgraded since then. Reads answer and running_worker, sets program.
haproxy_is_installed() {
    running_master=${answer#*"$NL"}
    running_master=${running_master%%[!0-9]*}
    program=
    # The shell leaves out the zeros between the arguments.
    IFS= read -r program 2>/dev/null <"/proc/$running_master/cmdline"
    program=${program%%-*}
    # A path with a minus sign may lead to a directory, as /opt/haproxy-2.8/haproxy. Some containers do not let root look at a worker.
    set -- "/proc/$running_master/root$program"
    [ -f "$1" ] || return 0
    for process in "$running_master" "$running_worker"; do
        # shellcheck disable=SC3013 # dash and busybox have it
        [ ! -e "/proc/$process/exe" ] || [ "/proc/$process/exe" -ef "$1" ] || return
    done
}

# haproxy_old_workers_of LINES: sets old to the processes in lines of `show proc`, and newest to the one with the fewest reloads since.
haproxy_old_workers_of() {
    old=
    newest=
    fewest=
    split_lines
    for line in $1; do
        case $line in [0-9]*) ;; *) break ;; esac
        old="$old ${line%%[!0-9]*}"
        reloads=${line#*worker}
        reloads=${reloads#*"]"}
        reloads=${reloads#"${reloads%%[0-9]*}"}
        reloads=${reloads%%[!0-9]*}
        if [ -z "$fewest" ] || [ "$reloads" -lt "$fewest" ]; then
            fewest=$reloads
            newest=${line%%[!0-9]*}
        fi
    done
    unsplit
}

# Sorts the workers in old: running_old are those that end after our hard-stop-after; running_older are those that may never end, because
# they started before this host had its owner, or because the running configuration is not ours.
haproxy_sort_old() {
    ours_since=
    if [ -n "$old" ] && [ -n "$running_digest" ]; then
        ours_since=$(stat -c %Y "$lib/owner" 2>/dev/null)
    fi
    for pid in $old; do
        process_started "$pid"
        if [ "$pid" = "$running_worker" ]; then
            continue
        elif [ -n "$ours_since" ] && [ "$started" -ge "$ours_since" ]; then
            running_old="$running_old $pid"
        else
            running_older="$running_older $pid"
        fi
    done
}

# haproxy_too_many PIDS: whether these are more old workers than allowed. Sets count.
haproxy_too_many() {
    # shellcheck disable=SC2086 # split at blanks, on purpose
    set -- $1
    count=$#
    [ "$count" -gt "$haproxy_old_workers" ]
}

# Sets activation, activation_reason and drain.
haproxy_activation() {
    activation=reload
    activation_reason="no connection is lost"
    state=$(systemctl show -p ActiveState -p MainPID -p CanReload -p ExecReload -- "$haproxy_unit")
    case $state in
    *ActiveState=active* | *ActiveState=reloading*) ;;
    *)
        activation=start
        activation_reason="it is not running"
        return
        ;;
    esac
    main=${state#*MainPID=}
    main=${main%%"$NL"*}
    reloadable=yes
    case $state in *CanReload=no*) reloadable= ;; esac
    if [ -z "$running_worker" ] && haproxy_is_mute; then
        activation=restart
        activation_reason="the running process has no master socket, which reloads are proven with"
    elif haproxy_process_files "$main" && ! haproxy_reads "$files"; then
        activation=restart
        activation_reason="the running process was started with other files ($(haproxy_listed "$files")), which a reload would read again"
    elif [ -z "$reloadable" ]; then
        activation=restart
        activation_reason="$haproxy_unit has no ExecReload, so connections are lost; to keep them, add ExecReload=/bin/kill -USR2 \$MAINPID to the unit"
    elif haproxy_is_limited; then
        activation=restart
        activation_reason="the running process is limited to $hard file descriptors, $haproxy_fds are needed"
    elif haproxy_too_many "$running_old"; then
        haproxy_patience
        activation_reason="$activation_reason. $count old workers still have connections; an up waits until $haproxy_old_workers are left, at most $patience s"
    elif haproxy_too_many "$running_older"; then
        activation_reason="$activation_reason. $count old workers of a configuration that is not ours still have connections, and each keeps its memory"
    fi
    [ "$activation" = restart ] || haproxy_keeps_states "$state" ||
        activation_reason="$activation_reason. Servers that are down get requests until their first check, and what was set by hand is lost, because the unit has another ExecReload${says:+ (see $says)}; remove it, or set serverStates: false"
    haproxy_plan_drain
}

# haproxy_keeps_states PROPERTIES: whether the unit's reload hands over the states of servers, as declared, or will after this converge. Sets
# says. Reads changed.
haproxy_keeps_states() {
    case $haproxy_states,$1,$changed in
    no,* | *"haproxy-reload signal"* | *"systemdUnit[$haproxy_unit.d/10-server-states.conf]"*) return 0 ;;
    esac
    haproxy_command
    haproxy_says ExecReload=
    return 1
}

# Whether nothing listens on the master's socket: status 1 is a failed connection, not a slow master.
haproxy_is_mute() {
    haproxy_talk 'show proc' >/dev/null 2>&1
    [ $? = 1 ]
}

# Sets patience to the seconds to wait for old workers: after hard-stop-after all have ended.
haproxy_patience() {
    find_time_left
    patience=$haproxy_hard_stop
    [ "$patience" -le "$time_left" ] || patience=$time_left
}

# Waits, before anything is touched, until few enough old workers are left, so that frequent reloads never fill the memory. Workers that
# may never end are only warned of. Sets activation_reason.
haproxy_await() {
    [ "$activation" = reload ] || return 0
    haproxy_patience
    find_now
    since=$now
    say_at=$now
    while haproxy_running && haproxy_too_many "$running_old"; do
        find_now
        [ $((now - since)) -lt "$patience" ] ||
            fail "$count old workers still have connections after $patience s, $haproxy_old_workers are allowed; its files and its running process are untouched; run again later, raise haproxy.oldWorkers, lower hard-stop-after, or end them (kill$running_old)"
        if [ "$say_at" -le "$now" ]; then
            say "$label: waiting: $count old workers have connections, $haproxy_old_workers are allowed"
            say_at=$((now + 30))
        fi
        sleep 0.5
    done
    ! haproxy_too_many "$running_older" ||
        say "$label: warning: $count old workers of a configuration that is not ours still have connections, and each keeps its memory; to end them: kill$running_older"
    activation_reason="no connection is lost$drain_words"
}

# haproxy_activate ACTIVATION: prints why it failed.
haproxy_activate() {
    case $1 in
    start)
        systemctl reset-failed -- "$haproxy_unit" 2>/dev/null
        # It may have been started with the old files in the meantime, by hand or by the boot.
        state=$(systemctl show -p ActiveState --value -- "$haproxy_unit")
        systemctl start -- "$haproxy_unit" &&
            case $state in active | activating | reloading) systemctl reload-or-restart -- "$haproxy_unit" ;; esac
        ;;
    *)
        [ -z "$tx_restoring" ] || haproxy_note_up
        haproxy_drain
        # It may have ended meanwhile.
        [ "$1" = restart ] || set -- reload-or-restart
        systemctl "$1" -- "$haproxy_unit"
        ;;
    esac || {
        haproxy_reason
        return 1
    }
}

# Prints why an activation failed: the daemon's alerts since it began, without access logs. None may name the cause, because a unit
# checks quietly before a reload, and journald drops lines of a daemon that logs much; then it asks the check and the preflight. Reads
# activated_at, sets haproxy_alerts.
haproxy_reason() {
    haproxy_undo
    journalctl --sync 2>/dev/null
    haproxy_alerts=$(
        journalctl -q --no-pager -o cat --since="@$activated_at" "_SYSTEMD_UNIT=$haproxy_unit" _TRANSPORT=stdout |
            grep ALERT | haproxy_without_summary
    )
    [ -z "$haproxy_alerts" ] || printf '%s\n' "$haproxy_alerts"
    # The end of a worker is not a cause.
    printf '%s\n' "$haproxy_alerts" | grep -v 'exited with code' | grep -q . ||
        { haproxy_validate "$tx_directory" && haproxy_preflight ""; }
}
