# The adapter of HAProxy: how its configuration is checked, activated and proven. Set by the recipe: haproxy_config,
# haproxy_unit, haproxy_master (socket), haproxy_release (lowest), haproxy_binds (a line each: address, port, what to ask there:
# http, tcp or nothing, interface or -, "transparent" where it is), haproxy_directories (those of its sockets), haproxy_chroot,
# haproxy_fds, haproxy_maxconn and haproxy_memory (kB that it needs), haproxy_names (servers given by name), haproxy_hard_stop
# (seconds after which an old worker is ended), haproxy_old_workers (of earlier reloads that may still have connections when the next
# one comes: each keeps its memory). The rest of it is in preflight.sh, servers.sh and proof.sh.

haproxy_installed() {
    command -v haproxy >/dev/null
}

# The unit's own command line with the environment it would get, so that the check sees what the service will see.
haproxy_command() {
    properties=$(systemctl show -p Environment -p EnvironmentFiles -p ExecStart -- "$haproxy_unit")
    environment=${properties#*Environment=}
    case $properties in Environment=* | *"${NL}Environment="*) ;; *) environment= ;; esac
    environment=${environment%%"$NL"*}
    case $environment in *"[unprintable]"*) haproxy_bus_environment ;; esac
    command_line=${properties#*argv\[\]=}
    [ "$command_line" != "$properties" ] || command_line="haproxy -Ws -f $haproxy_config"
    command_line=${command_line%%" ;"*}
    environment_files=$(printf '%s\n' "$properties" | sed -n 's/^EnvironmentFiles=\(.*\) (.*/\1/p')
}

# systemd before 246 does not print a value with blanks: the bus has it, in double quotes.
haproxy_bus_environment() {
    bus=org.freedesktop.systemd1
    object=$(busctl call "$bus" /org/freedesktop/systemd1 "$bus.Manager" LoadUnit s "$haproxy_unit")
    object=${object#*\"}
    environment=$(busctl get-property "$bus" "${object%\"*}" "$bus.Service" Environment | sed 's/[$`]/\\&/g')
    environment=${environment#as * }
}

# Puts the unit's environment into this process.
haproxy_environment() {
    [ -z "$environment" ] || eval "export $environment"
    split_lines
    for file in $environment_files; do
        unsplit
        [ ! -r "$file" ] || haproxy_environment_file <"$file"
        split_lines
    done
    unsplit
}

# systemd reads such a file as assignments, a line each, and not as shell.
haproxy_environment_file() {
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in [A-Z_a-z]*=*) ;; *) continue ;; esac
        case ${line%%=*} in *[!A-Z_a-z0-9]*) continue ;; esac
        value=${line#*=}
        case $value in
        \"*\" | \'*\')
            value=${value#?}
            value=${value%?}
            ;;
        esac
        export "${line%%=*}=$value"
    done
}

# The service's command line as systemd expands it, with blanks around each word.
haproxy_words() (
    haproxy_command
    haproxy_environment
    set +u
    eval "printf ' %s ' $command_line"
)

# haproxy_check STAGE [OPTION]: the unit's command, told to check only, with the stage in the place of the live directory.
haproxy_check() (
    haproxy_command
    haproxy_environment
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout -k 5 60 unshare -m --propagation private sh -c '
        mount --bind "$1" "$2" || { echo "the stage could not be put in the place of $2"; exit 32; }
        eval "exec $3 -c $4"' sh "$1" "$tx_directory" "$command_line" "${2-}"
)

haproxy_validate() {
    haproxy_version_fits || return
    haproxy_check "$1" -dW >"$stage/check.out" 2>&1
    checked=$?
    [ "$checked" != 1 ] || [ -z "$tx_allowed" ] || haproxy_check_allowed "$1"
    case $checked in
    0) ;;
    124) printf '%s\n' "haproxy did not finish checking within 60 s: does a server name fail to resolve slowly?" ;;
    # The shell's own status for a command line that it cannot read is 2 as well.
    2) grep -v -e '(no listener)' "$stage/check.out" || printf '%s\n' "no frontend or listener would be left" ;;
    *) grep -v -e '^\[NOTICE]' -e 'New worker' -e 'configuration file is valid' -e '^$' "$stage/check.out" ;;
    esac
    return $checked
}

# A check that warnings do not fail passes, in $checked, where each of them is allowed; a quiet unit shows none. Of others,
# only those that are not allowed are told.
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

# Whether the checker's words name a line of the configuration that no HAProxy of this version would take.
haproxy_own_fault() {
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

haproxy_version_fits() {
    version=$(haproxy -v)
    version=${version#*ersion }
    version=${version%%[!0-9.]*}
    major=${version%%.*}
    minor=${version#*.}
    minor=${minor%%.*}
    [ "$major" -gt "${haproxy_release%%.*}" ] ||
        { [ "$major" = "${haproxy_release%%.*}" ] && [ "$minor" -ge "${haproxy_release#*.}" ]; } && return
    printf 'this host has haproxy %s, the stack declares %s or newer: lower the declared version or upgrade the host\n' \
        "$version" "$haproxy_release"
    return 1
}

# haproxy_talk COMMANDS: what the processes answer on the master's socket. A host that stands still for a while is still heard.
haproxy_talk() {
    # shellcheck disable=SC2016 # perl's variables
    perl -MSocket -e 'alarm 20; socket(S, AF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un($ARGV[0])) or exit 1;
        syswrite(S, "$ARGV[1]\n"); shutdown(S, 1); local $/; print <S>;' "$haproxy_master" "$1"
}

# In $running_digest and $running_since (seconds since 1970): what the worker that serves has read, and when.
haproxy_running() {
    running_digest=
    running_since=
    running_failed=0
    running_worker=
    running_old=
    running_older=
    [ -S "$haproxy_master" ] || return 0
    answer=$(haproxy_talk 'show proc;@1 get var proc.cfg' 2>/dev/null) || return 0
    # Before 2.4 the digest is in the description, which a shell takes 30 ms to find among all that is told with it.
    case $answer in *"value=<"*) ;; *) answer=$answer$NL$(haproxy_talk '@1 show info desc' 2>/dev/null) ;; esac
    haproxy_old_workers_of "${answer#*"# old workers$NL"}"
    case $answer in
    *"# workers$NL"[0-9]*) running_worker=${answer#*"# workers$NL"} ;;
    # A master before 2.5 whose reload has failed counts its worker as one of before, and no failures but all reloads.
    *"# workers$NL# old workers$NL"*"[was: "*)
        running_worker=$newest
        running_failed=${answer#*" master "}
        # shellcheck disable=SC2086 # columns
        set -- ${running_failed%%"$NL"*}
        running_failed=$2
        ;;
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
    process_started "$running_worker"
    running_since=$started
}

# haproxy_old_workers_of LINES: in $old the processes that lines of `show proc` begin with; before 2.5 in $newest that of the fewest
# reloads ago.
haproxy_old_workers_of() {
    old=
    newest=
    fewest=
    split_lines
    for line in $1; do
        case $line in [0-9]*) ;; *) break ;; esac
        old="$old ${line%%[!0-9]*}"
        case $line in *"[was: "*) ;; *) continue ;; esac
        reloads=${line#*"]"}
        reloads=${reloads#"${reloads%%[0-9]*}"}
        reloads=${reloads%%[!0-9]*}
        if [ -z "$fewest" ] || [ "$reloads" -lt "$fewest" ]; then
            fewest=$reloads
            newest=${line%%[!0-9]*}
        fi
    done
    unsplit
}

# The workers of before: in $running_old those that end after our hard-stop-after; in $running_older those that may never end, as they
# have started before this host had its owner, or as what runs now is not ours either.
haproxy_sort_old() {
    ours_since=
    [ -z "$old" ] || [ -z "$running_digest" ] || ours_since=$(stat -c %Y "$lib/owner" 2>/dev/null)
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

# haproxy_too_many PIDS: whether these are more workers of before than may be; how many in $count.
haproxy_too_many() {
    # shellcheck disable=SC2086 # split at blanks, on purpose
    set -- $1
    count=$#
    [ "$count" -gt "$haproxy_old_workers" ]
}

haproxy_activation() {
    activation=reload
    activation_reason="without losing a connection"
    state=$(systemctl show -p ActiveState -p MainPID -- "$haproxy_unit")
    case $state in
    *ActiveState=active* | *ActiveState=reloading*) ;;
    *)
        activation=start
        activation_reason="it does not run"
        return
        ;;
    esac
    main=${state#*MainPID=}
    main=${main%%"$NL"*}
    haproxy_descriptor_limit
    haproxy_hard_limit "/proc/$main/limits"
    if [ -z "$running_worker" ] && haproxy_is_mute; then
        activation=restart
        activation_reason="the running process has no master socket, by which a reload is proven"
    elif [ "$hard" -lt "$haproxy_fds" ] && [ "$descriptor_limit" -ge "$haproxy_fds" ] &&
        [ $((0x${capabilities##*[!0-9a-f]} >> 24 & 1)) = 0 ]; then
        activation=restart
        activation_reason="the running process is limited to $hard file descriptors, $haproxy_fds are needed"
    elif haproxy_too_many "$running_old"; then
        haproxy_patience
        activation_reason="$activation_reason; $count workers of earlier reloads still have some, so an up first waits until $haproxy_old_workers are left, up to $patience s"
    elif haproxy_too_many "$running_older"; then
        activation_reason="$activation_reason; $count workers of a configuration that is not ours still have some, and each keeps its memory"
    fi
    haproxy_plan_drain
}

# Nobody listens on the master's socket: perl could not connect. A master that is merely slow does not count.
haproxy_is_mute() {
    haproxy_talk 'show proc' >/dev/null 2>&1
    [ $? = 1 ]
}

# In $patience, how many seconds to wait for old workers: all are gone after hard-stop-after.
haproxy_patience() {
    find_time_left
    patience=$haproxy_hard_stop
    [ "$patience" -le "$time_left" ] || patience=$time_left
}

# Before anything is touched: a reload waits until old workers have ended, so that they never pile up. Those that may never end keep
# no host from being converged.
haproxy_await() {
    [ "$activation" = reload ] || return 0
    haproxy_patience
    find_now
    since=$now
    told=$now
    while haproxy_running && haproxy_too_many "$running_old"; do
        find_now
        [ $((now - since)) -lt "$patience" ] ||
            fail "$count workers of earlier reloads still have connections after $patience s, $haproxy_old_workers may; its files and its running process are untouched: run again later, raise haproxy.oldWorkers, lower hard-stop-after, or end them (kill$running_old)"
        if [ "$told" -le "$now" ]; then
            say "$label: waiting: $count workers of earlier reloads have connections, $haproxy_old_workers may"
            told=$((now + 30))
        fi
        sleep 0.5
    done
    ! haproxy_too_many "$running_older" ||
        say "$label: WARNING: $count workers of a configuration that is not ours still have connections, and each keeps its memory; to end them: kill$running_older"
    activation_reason="without losing a connection$drain_words"
}

haproxy_activate() {
    case $1 in
    start)
        systemctl reset-failed -- "$haproxy_unit" 2>/dev/null
        # Somebody, or the boot, may have started it meanwhile, with the files of before.
        state=$(systemctl show -p ActiveState --value -- "$haproxy_unit")
        systemctl start -- "$haproxy_unit" &&
            case $state in active | activating | reloading) systemctl reload -- "$haproxy_unit" ;; esac
        ;;
    *)
        haproxy_drain
        systemctl "$1" -- "$haproxy_unit"
        ;;
    esac || {
        haproxy_reason
        return 1
    }
}

# Why an activation failed: the daemon's own words since then, access logs aside. A unit checks quietly before a reload, and
# journald drops lines of a daemon that logs much: then the check and the preflight tell.
haproxy_reason() {
    haproxy_set_servers ready
    journalctl --sync 2>/dev/null
    journalctl -q --no-pager -o cat --since="@$activated_at" "_SYSTEMD_UNIT=$haproxy_unit" _TRANSPORT=stdout | grep ALERT ||
        { haproxy_validate "$tx_directory" && haproxy_preflight ""; }
}
