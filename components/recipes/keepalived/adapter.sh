# The adapter of keepalived: how its configuration is validated, activated and proven, and what a pair needs besides. The rest of it is in
# preflight.sh and pair.sh. docs/adapters.md describes what each function has to do.
#
# Parameters, set by the recipe:
#   keepalived_config    path of keepalived.conf
#   keepalived_settings  path of pair.conf
#   keepalived_programs  directory of the pair's programs
#   keepalived_unit      systemd unit
#   keepalived_host      name of this host
#
# The running process calls its check with the digest of its files, and the check writes that, and since when, to the file digest. A reload
# runs the check at once.

# Files of the programs and of the unit.
keepalived_run=/run/haproxy-fleet-pair
keepalived_joins=$lib/pair-joins
keepalived_identity=$lib/pair-identity
# The role in the last why-run.
keepalived_asked=$run/keepalived-role

keepalived_installed() {
    command -v keepalived >/dev/null
}

# keepalived_check STAGE: runs the checker with the stage in place of the live directory. Reads on_device. The checker sees a /run with only
# what its unit has there: without the directory, 2.3 ends by a segmentation fault, and without journald's socket it logs nothing.
keepalived_check() {
    rm -rf -- "$stage/keepalived-run" && mkdir -p -- "$stage/keepalived-run/${keepalived_run#/run/}" || return
    echo 0 >"$stage/keepalived-run/${keepalived_run#/run/}/yield"
    echo "interface $on_device" >"$stage/keepalived-run/${keepalived_run#/run/}/interface.conf"
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout -k 5 60 unshare -m --propagation private sh -c "$tx_namespace"'
        mount --bind "$1" "$2" && mount --bind "$3" /run || { echo "the stage could not be mounted over $2"; exit 32; }
        exec keepalived -t -f "$4"' sh "$1" "$tx_directory" "$stage/keepalived-run" "$keepalived_config" 2>&1
}

# keepalived_validate STAGE: any output refuses, because keepalived goes on without what it does not understand; 2.1 says so with status 0.
keepalived_validate() {
    if [ ! -s "$1/${keepalived_config##*/}" ]; then
        printf '%s\n' "$keepalived_config: is missing or empty"
        return 1
    fi
    keepalived_read "$1/${keepalived_settings##*/}"
    keepalived_find_device
    # The preflight refuses such an own address, and names it. One that is not known yet is on no interface either.
    case $on_device in "" | lo) return 0 ;; esac
    output=$(keepalived_check "$1")
    checked=$?
    output=$(printf '%s\n' "$output" | keepalived_words)
    # The first up brings the programs.
    if [ ! -e "$keepalived_programs/check-haproxy" ]; then
        output=$(printf '%s\n' "$output" | grep -v -e '^Disabling track script')
        [ -n "$output" ] || checked=0
    fi
    if [ -n "$tx_allowed" ] && [ -n "$output" ] && [ "$checked" -lt 6 ]; then
        printf '%s\n' "$tx_allowed" >"$stage/keepalived-allowed"
        output=$(printf '%s\n' "$output" | grep -v -F -f "$stage/keepalived-allowed")
        checked=0
    fi
    [ "$checked$output" != 0 ] || return 0
    case $checked in
    124) output="keepalived did not finish its check within 60 s" ;;
    *) output=${output:-"keepalived ended its check with status $checked, without a word"} ;;
    esac
    printf '%s\n' "$output"
    return 1
}

# keepalived_ignores DIFFERENCE: whether a verdict stays the same if this is repaired first. A package may bring another keepalived, and a
# directory of its programs another owner or mode.
keepalived_ignores() {
    case $1 in "packages["* | "directory[/usr/local/libexec"*) return 1 ;; esac
}

# keepalived_words: prints what keepalived says, with lines of files as path:N, without times and processes.
keepalived_words() {
    sed 's/^[A-Z][a-z][a-z] [A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]* [0-9]*: //; s/^(\(\/[^ ]*\): Line \([0-9]*\)) /\1:\2: /; /^$/d' | uniq
}

keepalived_blames_files() {
    case $1 in *"$keepalived_config:"*"Unknown keyword"*) ;; *) return 1 ;; esac
}

# The digest, and when it was read, as the running process says. A process that waits for the peer has read nothing yet, but
# await-peer has: so it must not be older than the files.
keepalived_running() {
    running_digest=
    running_since=
    running_other=
    keepalived_state=$(systemctl show -p ActiveState -p MainPID -p ControlPID -p InvocationID -- "$keepalived_unit")
    case $keepalived_state in
    *ActiveState=active* | *ActiveState=reloading*)
        running_since=1
        running_digest=other
        ! read -r running_digest running_since 2>/dev/null <"$keepalived_run/digest" || :
        keepalived_pid=${keepalived_state#*MainPID=}
        keepalived_pid=${keepalived_pid%%"$NL"*}
        # shellcheck disable=SC3013 # dash and busybox have it
        [ ! -e "/proc/$keepalived_pid/exe" ] || [ "/proc/$keepalived_pid/exe" -ef "$(command -v keepalived)" ] ||
            running_other="keepalived runs, but not as the program that is installed now"
        keepalived_contradicts
        ;;
    *ActiveState=activating*)
        keepalived_pid=${keepalived_state#*ControlPID=}
        process_started "${keepalived_pid%%"$NL"*}"
        [ "$started" -gt 0 ] || return 0
        running_since=$started
        running_digest=older
        ! read -r running_digest 2>/dev/null <"$keepalived_run/awaits" || :
        ;;
    esac
}

# Sets running_other if keepalived does not fit its host: the role and the interface say different things, for example because somebody has
# taken an address off; or the own address has moved to another interface, such as a new bridge, where keepalived hears nothing.
keepalived_contradicts() {
    [ "$mode" != check ] || return 0
    keepalived_find_role
    case $role,$holds in
    MASTER,none | MASTER,some | BACKUP,all | BACKUP,some | FAULT,all | FAULT,some)
        running_other="keepalived says that it is $role, but $holds of the service addresses are on this host"
        ;;
    esac
    device_now=$(keepalived_read "$keepalived_settings" && keepalived_find_device && printf %s "$on_device")
    device_used=$device_now
    ! read -r _ device_used 2>/dev/null <"$keepalived_run/interface.conf" || :
    [ -z "$device_now" ] || [ "$device_used" = "$device_now" ] ||
        running_other="keepalived uses $device_used, but the own address is on $device_now now"
}

# Sets activation and activation_reason. A reload takes every change, and the addresses stay where they are; but a host that is not MASTER
# must not become one with an identity that the MASTER does not know.
keepalived_activation() {
    keepalived_read_identity
    keepalived_find_role
    activation=restart
    if [ -z "$running_since" ]; then
        activation=start
        activation_reason="keepalived does not run"
    elif [ -n "$tx_restoring" ] && [ -n "$keepalived_changes" ] && [ "$running_digest" = "$tx_digest" ]; then
        activation_reason="the other host may know the $keepalived_changes of the files that failed, so this host waits if that one is MASTER"
    elif [ -n "$tx_target" ] || [ -d "$tx_kept" ]; then
        activation_reason="another keepalived is installed; if this host is MASTER, it hands the addresses over before"
    elif [ -n "$keepalived_changes" ] && [ "$role" = MASTER ] && [ "$holds" != none ]; then
        activation=reload
        activation_reason="this host is MASTER and stays it with another $keepalived_changes"
        case $keepalived_changes in *"router id"* | *"own address"*)
            activation_reason="$activation_reason; keepalived begins anew with that, so no host has the addresses for about 4 adverts"
            ;;
        esac
    elif [ -n "$running_other" ]; then
        activation_reason="$running_other; if this host is MASTER, it hands the addresses over before"
    elif [ -n "$keepalived_changes" ]; then
        activation_reason="with another $keepalived_changes, this host waits until the other one has it, too, so that there are never two MASTERs"
    elif [ "$role" = WAITING ]; then
        activation_reason="this host waits for the other one, with older files"
    elif [ "$role" = MASTER ] && keepalived_leaves; then
        activation=reload
        activation_reason="this host hands the addresses over before, and stays out"
    else
        activation=reload
        activation_reason="no advert is missed, and $(keepalived_outlook)"
    fi
}

# Prints what a reload means for the addresses. A BACKUP does not know the priority of the MASTER, so one that rises is all it sees.
keepalived_outlook() {
    keepalived_print_declared
    declared=$stage/keepalived-declared
    new_port=$(sed -n 's/^port=//p' "$declared")
    new_priority=$(sed -n 's/^ *priority //p' "$declared")
    failback=$(sed -n 's/^failback=//p' "$declared")
    rm -f -- "$declared"
    old_port=$(sed -n 's/^port=//p' "$keepalived_settings" 2>/dev/null)
    old_priority=$(sed -n 's/^ *priority //p' "$keepalived_config" 2>/dev/null)
    if [ "$role,$failback" = BACKUP,immediate ] && [ "${new_priority:-0}" -gt "${old_priority:-0}" ]; then
        echo "the addresses may come here for a moment, because the priority of this host rises before that of the other one"
    elif [ -n "$old_port" ] && [ "$new_port" != "$old_port" ]; then
        echo "checks fail until both HAProxy and keepalived of both hosts have port $new_port of the health page; the addresses stay where they are with noneServes keep"
    else
        echo "the addresses stay where they are"
    fi
}

# Before the files change: hands over, if this host is MASTER and is not to go on. The converge takes it back when it ends, see handOver.sh.
keepalived_await() {
    keepalived_compare_role
    # Even if this converge is killed with new files in place, and the host boots with them.
    case $activation,${keepalived_changes-} in start,?* | restart,?*)
        step "note that this host joins the pair" put_text "$keepalived_joins" "$keepalived_changes"
        ;;
    esac
    [ "${role-}" = MASTER ] && [ "$holds" != none ] && [ -r "$keepalived_settings" ] || return 0
    if [ -n "${keepalived_changes-}" ] && { [ "$activation" = restart ] || keepalived_leaves; }; then
        keepalived_read "$keepalived_settings"
        fail "the addresses cannot be handed over, because $peer_name waits until the $keepalived_changes changes here, too; its files and its running process are untouched; make two ups, one of them for that alone"
    elif [ "$activation" = restart ]; then
        keepalived_why="keepalived is restarted"
    elif keepalived_leaves; then
        keepalived_why="this host is to stand by"
    else
        return 0
    fi
    note_hand_over
    step "hand the addresses over" try "$keepalived_programs/pair" yield -t "$((deadline + 60))" "$keepalived_why"
    [ "$tried" = 0 ] ||
        fail "the addresses cannot be handed over ($keepalived_why); its files and its running process are untouched" "$words"
    say "$label: $words"
}

# Refuses a new identity if the MASTER is another host than when they were asked. Their order comes from that: a MASTER that took it first
# would be silent for the other one, which would become MASTER, too.
keepalived_compare_role() {
    role_asked=${role-}
    ! read -r role_asked 2>/dev/null <"$keepalived_asked" || :
    case ${keepalived_changes:+$role_asked,${role-}} in
    MASTER,MASTER) ;;
    MASTER,BACKUP | *,MASTER)
        fail "the $keepalived_changes of the pair changes, but this host is $role now, and was ${role_asked:-STOPPED} when it was asked; its files and its running process are untouched; run up again"
        ;;
    esac
}

# Whether the host is to stand by from now on.
keepalived_leaves() {
    case $tx_changed$NL in *"$NL$tx_directory/standby$NL"*) [ "$(each_file keepalived_print_standby)" != 0 ] ;; *) return 1 ;; esac
}

# For each_file.
keepalived_print_standby() {
    [ "$field_path" != "$tx_directory/standby" ] || "$field_content"
}

# keepalived_activate ACTIVATION: prints why it failed. Does not wait for a start, because that may have to wait for the peer.
keepalived_activate() {
    keepalived_read_identity
    case $1,$keepalived_changes in start,?* | restart,?*)
        put_text "$keepalived_joins" "$keepalived_changes" || return
        ;;
    esac
    # A process that was started without our drop-in has no such directory.
    (umask 022 && mkdir -p -- "$keepalived_run")
    rm -f -- "$keepalived_run/digest" "$keepalived_run/awaits"
    case $1 in
    reload)
        keepalived_read "$keepalived_settings"
        keepalived_find_device
        # Without a name, keepalived would end. If no interface has the address now, the former one is as good.
        [ -z "$on_device" ] || put_text "$keepalived_run/interface.conf" "interface $on_device"
        systemctl reload -- "$keepalived_unit"
        ;;
    *)
        systemctl reset-failed -- "$keepalived_unit" 2>/dev/null
        systemctl --no-block restart -- "$keepalived_unit"
        ;;
    esac || {
        keepalived_journal
        return 1
    }
}

# keepalived_prove DIGEST: waits until a process has these files, and its role is settled: MASTER with all addresses, BACKUP of a peer that
# serves, FAULT for a reason, or WAITING. Prints the role in words.
keepalived_prove() {
    keepalived_read "$keepalived_settings"
    find_now
    keepalived_since=$now
    # A host that joins listens for four intervals before keepalived starts, which needs up to four more to become MASTER.
    keepalived_limit=$((now + 15 + 8 * advertise + $(keepalived_rise)))
    while :; do
        find_now
        keepalived_running
        if [ "$running_digest" = "$1" ] || { [ -z "$1" ] && [ -n "$running_since" ]; }; then
            keepalived_find_role
            if keepalived_is_settled; then
                keepalived_identity_of "$keepalived_config" "$keepalived_settings" >"$keepalived_identity.new" &&
                    mv -f "$keepalived_identity.new" "$keepalived_identity"
                printf '%s\n' "$keepalived_says"
                return
            fi
        fi
        if [ "$now" -ge "$keepalived_limit" ]; then
            keepalived_failure="keepalived has not settled within $((now - keepalived_since)) s; it is $role and has $holds of the addresses"
            [ "$role" != FAULT ] ||
                keepalived_failure="$keepalived_failure; HAProxy's health page on $address: $("$keepalived_programs/check-haproxy" ask "$address" 2>&1)"
            [ "$running_digest" = "$1" ] || keepalived_failure="no process of keepalived has read these files within $((now - keepalived_since)) s"
            break
        fi
        sleep 0.2
    done
    printf '%s\n' "$keepalived_failure"
    keepalived_journal
    return 1
}

# Prints after how many seconds a HAProxy that serves again ends FAULT, at most 120.
keepalived_rise() {
    keepalived_interval=$(sed -n 's/^    interval \([1-9][0-9]*\)$/\1/p' "$keepalived_config" | head -n 1)
    keepalived_rises=$(sed -n 's/^    rise \([1-9][0-9]*\)$/\1/p' "$keepalived_config" | head -n 1)
    keepalived_rises=$(((${keepalived_interval:-1} + 1) * ${keepalived_rises:-1}))
    [ "$keepalived_rises" -le 120 ] || keepalived_rises=120
    printf %s "$keepalived_rises"
}

# Whether the role is final. Sets keepalived_says. Reads role and holds.
keepalived_is_settled() {
    case $role,$holds in
    MASTER,all) keepalived_says="this host is MASTER, and has $addresses" ;;
    WAITING,none)
        [ -s "$keepalived_run/waits" ] || return
        keepalived_says="this host waits: $(cat "$keepalived_run/waits")"
        ;;
    BACKUP,none)
        # It would become MASTER after 3 adverts and a part of one.
        keepalived_has_master || keepalived_lasts $((4 * advertise + 1)) || return
        keepalived_says="this host is BACKUP of $peer_name"
        ;;
    FAULT,none)
        keepalived_outside && return
        # keepalived begins in this state, until the first checks have passed.
        keepalived_lasts 4 || return
        answer=$("$keepalived_programs/check-haproxy" ask "$address" 2>&1)
        # One that serves again ends FAULT a few checks later.
        case $answer in "HTTP/"*" 503"*) ;; *) return 1 ;; esac
        keepalived_says="this host is in FAULT, because HAProxy's health page says that it does not serve: $answer"
        ;;
    *) return 1 ;;
    esac
}

# keepalived_lasts SECONDS: whether the state has lasted for so long.
keepalived_lasts() {
    read -r _ entered 2>/dev/null <"$keepalived_run/state" || return
    read_clock
    [ $((clock - entered)) -gt $(($1 * 100)) ]
}

# keepalived_outside: whether the host is to stay out. Sets keepalived_says.
keepalived_outside() {
    word=0
    read -r word 2>/dev/null <"$tx_directory/standby" || :
    keepalived_says="this host stands by: it stays out until standby is lifted"
    [ "${word:-0}" = 0 ] || return 0
    read -r word 2>/dev/null <"$keepalived_run/yield" || :
    keepalived_says="this host stays out until the converge ends"
    [ "${word:-0}" != 0 ]
}

# Prints what keepalived has said since the activation.
keepalived_journal() {
    journalctl --sync 2>/dev/null
    journalctl -q --no-pager -o cat --since="@$activated_at" -u "$keepalived_unit" 2>/dev/null |
        grep -v -e '^Starting ' -e '^Started ' -e '^Running on ' -e '^Command line' -e '^Configuration file' -e '^NOTICE' -e '^Startup complete' \
            -e '^Registering ' -e '^Opening ' -e '^Reload' -e 'Got notification' | keepalived_words
}
