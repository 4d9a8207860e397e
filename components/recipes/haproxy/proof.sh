# Proves that an activation has had its effect. adapter.sh lists the parameters.

# Seconds for a new worker to start, because the reload's own check may take as long as ours, 60 s; and for a started one to listen and
# answer.
haproxy_start_limit=75
haproxy_answer_limit=15

# haproxy_prove DIGEST: waits, within limits, until a new worker has the digest, holds every listener and answers. With an empty digest any
# new worker will do. Reads running_worker and running_failed from before the activation, because the old worker may have the same digest
# with other contents, and may have failed to reload before.
haproxy_prove() {
    worker_before=$running_worker
    failed_before=$running_failed
    certificates_before=$running_others
    find_now
    since=$now
    started_at=
    proven=
    while :; do
        find_now
        haproxy_running
        if [ "$running_failed" -gt "$failed_before" ] ||
            { [ -z "$running_worker" ] && ! systemctl is-active --quiet -- "$haproxy_unit"; }; then
            haproxy_reason
            return 1
        fi
        # If nothing was activated, the worker is still the same.
        if [ -n "$running_worker" ] && { [ "$activation" = none ] || [ "$running_worker" != "$worker_before" ]; } &&
            { [ -z "$1" ] || [ "$running_digest" = "$1" ]; }; then
            # The last good files may have other listeners than those declared.
            if ! haproxy_is_installed; then
                lacking="the running process is not the program $program that is installed"
            elif [ "$1" != "$tx_digest" ] || lacking=$(haproxy_listens && haproxy_answers); then
                proven=yes
                break
            fi
            started_at=${started_at:-$now}
            [ $((now - started_at)) -lt "$haproxy_answer_limit" ] || break
        elif [ $((now - since)) -ge "$haproxy_start_limit" ]; then
            lacking="after $haproxy_start_limit s the running process has ${running_digest:-no digest}, not $1"
            [ "$running_worker" != "$worker_before" ] ||
                lacking="after $haproxy_start_limit s no new worker has started"
            break
        fi
        sleep 0.1
    done
    if [ -z "$proven" ]; then
        printf '%s\n' "$lacking"
        haproxy_reason
        return 1
    fi
    [ "$1" != "$tx_digest" ] || [ -z "$haproxy_certificates$haproxy_handshakes" ] || haproxy_prove_certificates || return
    ! haproxy_too_many "$running_old" ||
        printf '%s\n' "$count old workers still have connections; the next reload waits until $haproxy_old_workers are left"
}

# Whether the new worker holds every declared address and port, and the old one none, because it would still answer. Reads worker_before
# and running_worker; prints what is wrong.
haproxy_listens() {
    listeners=$(ss -Hltnp)
    held=$(printf '%s\n' "$listeners" | grep -F "pid=$running_worker,")
    late=
    [ "$worker_before" = "$running_worker" ] || late=$(printf '%s\n' "$listeners" | grep -F "pid=${worker_before:-none},")
    split_lines
    for bind in $haproxy_binds; do
        unsplit
        # shellcheck disable=SC2086 # address, port, what to ask, interface, marks
        set -- $bind
        haproxy_device "$4"
        location=$device:$2
        case $1,${5-} in
        "*,"*) location=" 0.0.0.0$location" ;;
        ::,*v6only*) location=" [::]$location" ;;
        ::,*) ;;
        *:*) location=" [$1]$location" ;;
        *) location=" $1$location" ;;
        esac
        lacking=
        case $late in *"$location "*) lacking="the old worker still listens" ;; esac
        case $held in *"$location "*) ;; *) lacking="the new worker does not listen" ;; esac
        if [ -n "$lacking" ]; then
            printf '%s\n' "$lacking on $1:$2"
            return 1
        fi
        split_lines
    done
    unsplit
}

# Whether each port accepts connections, and answers if it speaks HTTP.
haproxy_answers() {
    printf '%s\n' "$haproxy_binds" | haproxy_ask_ports "$product"
}
