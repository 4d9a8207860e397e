# The adapter of rsyslog: how its configuration is validated, activated and proven. docs/adapters.md describes what each function has to do.
#
# Parameters, set by the recipe:
#   rsyslog_config    path of our file
#   rsyslog_unit      systemd unit
#   rsyslog_log       the log of HAProxy
#   rsyslog_port      the UDP port on 127.0.0.1
#   rsyslog_ca        file of certificates that may sign that of the receiver; empty without a forward
#   rsyslog_forwards  directory of records of proven forwards
#   rsyslog_requests  a line each: address, port, and http or tcp

rsyslog_installed() {
    command -v rsyslogd >/dev/null
}

# rsyslog_check DIRECTORY: runs the checker with the directory in place of the live one. It writes all of the configuration, as read, to
# $stage/rsyslogd-check/all.conf; seen from rsyslogd, that is in its own directory, because AppArmor allows it to write only there.
rsyslog_check() {
    rm -rf -- "$stage/rsyslogd-check"
    mkdir -p -- "$stage/rsyslogd-check" || return
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout -k 5 60 unshare -m --propagation private sh -c '
        mount --bind "$1" "$2" || { echo "the stage could not be mounted over $2"; exit 32; }
        all=
        [ ! -d /var/spool/rsyslog ] || { mount --bind "$3" /var/spool/rsyslog && all="-o /var/spool/rsyslog/all.conf"; }
        exec rsyslogd -N1 $all' sh "$1" "$tx_directory" "$stage/rsyslogd-check" 2>&1
}

# rsyslog_words: prints what rsyslogd says is wrong in its output, without versions and links.
rsyslog_words() {
    sed 's/^rsyslogd: //; s/ *\[v8\.[^]]*]$//; s/  */ /g; /config validation run/d; /insecure default in use/d' | uniq
}

# rsyslog_validate STAGE: refuses what rsyslogd says of the stage, but not of the live files: mistakes in other files are not ours, unless
# rsyslogd would not start because of them.
rsyslog_validate() {
    output=$(rsyslog_check "$1")
    checked=$?
    [ "$checked" != 0 ] || return 0
    output=$(printf '%s\n' "$output" | rsyslog_words)
    case $checked,$output in
    1,*'(AbortOnUncleanConfig="on")'*) ;;
    1,*) checked= ;;
    124,*) output="rsyslogd did not finish its check within 60 s" ;;
    esac
    if [ -n "$checked" ]; then
        printf '%s\n' "$output"
        return 1
    fi
    mv -f -- "$stage/rsyslogd-check" "$stage/rsyslogd-checked"
    {
        printf '%s\n' "$tx_allowed"
        rsyslog_check "$tx_directory" | rsyslog_words
    } | sed '/^$/d' >"$stage/rsyslogd-known"
    rm -rf -- "$stage/rsyslogd-check"
    mv -f -- "$stage/rsyslogd-checked" "$stage/rsyslogd-check"
    case $output in *"'imuxsock' is unknown"*)
        output="rsyslog has not loaded imuxsock when it reads $rsyslog_config; load it before the includes in /etc/rsyslog.conf, with SysSock.Use=\"off\" if the journal is read otherwise$NL$output"
        ;;
    esac
    ! printf '%s\n' "$output" | grep -v -F -f "$stage/rsyslogd-known"
}

rsyslog_blames_files() {
    case $1 in *"parsing file $rsyslog_config,"*) ;; *) return 1 ;; esac
}

# What rsyslogd accepts, and then drops lines or connections.
rsyslog_preflight() {
    refused=
    if [ -n "$rsyslog_ca" ]; then
        [ -n "$(find /usr/lib /usr/lib64 -maxdepth 3 -name lmnsd_gtls.so 2>/dev/null | head -n 1)" ] ||
            rsyslog_refuse "rsyslog has no driver for TLS (lmnsd_gtls.so); reinstall the package rsyslog-gnutls"
        [ -s "$rsyslog_ca" ] ||
            rsyslog_refuse "$rsyslog_ca does not exist or is empty, so no certificate could be verified; install it, or set caFile"
    fi
    # A socket of IPv6 alone has brackets. In a container, the holder may be unknown; then the proof decides.
    holder=$(ss -Hlunp "sport = :$rsyslog_port" 2>/dev/null |
        grep -e " 127\.0\.0\.1:$rsyslog_port " -e " 0\.0\.0\.0:$rsyslog_port " -e " \*:$rsyslog_port " |
        grep -F 'users:(("' | grep -v -F '("rsyslogd"')
    if [ -n "$holder" ]; then
        holder=${holder#*'users:(("'}
        rsyslog_refuse "${holder%%'"'*} has UDP port $rsyslog_port, so rsyslog would get no line of HAProxy; stop it, or move it to another port or address"
    fi
    if [ -s "$stage/rsyslogd-check/all.conf" ]; then
        conflicts=$(rsyslog_find_conflicts "$rsyslog_config" "$rsyslog_log" "$rsyslog_port" "$rsyslog_ca" <"$stage/rsyslogd-check/all.conf")
        [ -z "$conflicts" ] || rsyslog_refuse "$conflicts"
    fi
    [ -z "$refused" ]
}

# rsyslog_refuse WORDS
rsyslog_refuse() {
    refused=yes
    printf '%s\n' "$1"
}

# rsyslogd reads its files only when it starts, so a process that is younger than them has them. rsyslog_activate makes sure that it is
# younger by a whole second. In a why-run, the facts say all.
rsyslog_running() {
    running_digest=
    running_since=
    if applying; then
        process_started "$(systemctl show -p MainPID --value -- "$rsyslog_unit")"
    else
        rsyslog_unit_started
    fi
    [ "$started" -gt 0 ] || return 0
    running_since=$started
    running_digest=older
    [ "$started" -le "$tx_written" ] || running_digest=$tx_digest
}

# Sets started from the facts of the unit; 0 if it does not run. Reads unit_names.
rsyslog_unit_started() {
    started=0
    number=0
    split_lines
    for name in $unit_names; do
        unsplit
        number=$((number + 1))
        if [ "$name" = "$rsyslog_unit" ]; then
            unit_property "$number" ActiveState
            case $value in active | reloading) unit_started "$number" ;; esac
            return
        fi
        split_lines
    done
    unsplit
}

rsyslog_activation() {
    if [ -z "$running_since" ]; then
        activation=start
        activation_reason="rsyslog does not run"
    else
        activation=restart
        activation_reason="rsyslog reads its files only when it starts; lines that HAProxy sends meanwhile are lost: for 10 to 200 ms, or up to 2 s while a receiver is away"
    fi
}

# rsyslog_activate ACTIVATION: prints why it failed. Systemd refuses to start a unit that has been started often, even if each start was
# asked for.
rsyslog_activate() {
    rm -rf -- "$rsyslog_forwards"
    written=$(stat -c %Y -- "$rsyslog_config" 2>/dev/null || echo 0)
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
        [ "$(date +%s)" -le "$written" ] || break
        sleep 0.1
    done
    systemctl reset-failed -- "$rsyslog_unit" syslog.socket 2>/dev/null
    systemctl "$1" -- "$rsyslog_unit" || {
        rsyslog_journal
        return 1
    }
}

# rsyslog_prove DIGEST: proves that a line reaches the log. Files that are back after a failure may not have that log at all.
rsyslog_prove() {
    tries=0
    until systemctl is-active --quiet -- "$rsyslog_unit"; do
        tries=$((tries + 1))
        if [ "$tries" -ge 50 ]; then
            printf '%s\n' "rsyslog does not run"
            rsyslog_journal
            return 1
        fi
        sleep 0.2
    done
    [ "$1" = "$tx_digest" ] || return 0
    printf '%s\n' "$rsyslog_requests" | rsyslog_find_line "$rsyslog_log" "$rsyslog_port" "$product" || {
        df -P -- "${rsyslog_log%/*}" | tail -n 1 | {
            read -r _ _ _ free _
            [ "$free" != 0 ] || printf '%s\n' "the file system of $rsyslog_log is full; make room"
        }
        rsyslog_journal
        return 1
    }
}

# Prints what rsyslogd has said since the activation, without what is normal.
rsyslog_journal() {
    journalctl --sync 2>/dev/null
    journalctl -q --no-pager -o cat --since="@$activated_at" "_SYSTEMD_UNIT=$rsyslog_unit" SYSLOG_IDENTIFIER=rsyslogd 2>/dev/null |
        grep -v -e '^\[origin software=' -e 'Acquired UNIX socket' -e 'actual os socket rcvbuf' -e imklog \
            -e 'certificate file is not set' -e 'key file is not set' | rsyslog_words
}
