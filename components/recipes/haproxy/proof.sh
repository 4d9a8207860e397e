# The proof that an activation has done what it was to do. The parameters are those of haproxy.sh.

# Seconds: for a new worker to start, as both the reload's own check and its start may take the 60 s of ours; for a started one to
# listen and answer.
haproxy_start_limit=75
haproxy_answer_limit=15

# haproxy_prove DIGEST: within bounds a worker that was not there before has it, owns every listener and answers. An empty
# digest asks for any such worker. What was running is known from before the activation: its digest may be the same, with
# another content, and its reload may have failed already.
haproxy_prove() {
    worker_before=$running_worker
    failed_before=$running_failed
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
        # Where nothing was activated, the worker is the one that was there before.
        if [ -n "$running_worker" ] && { [ "$activation" = none ] || [ "$running_worker" != "$worker_before" ]; } &&
            { [ -z "$1" ] || [ "$running_digest" = "$1" ]; }; then
            # The listeners that are declared are not those of the last good files.
            if [ "$1" != "$tx_digest" ] || lacking=$(haproxy_listens && haproxy_answers); then
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
    ! haproxy_too_many "$running_old" ||
        printf '%s\n' "$count workers of earlier reloads still have connections: the next reload waits for some to end"
}

# Every declared address and port is held by the new worker, and no longer by the one before, which would still answer.
haproxy_listens() {
    listeners=$(ss -Hltnp)
    held=$(printf '%s\n' "$listeners" | grep -F "pid=$running_worker,")
    late=
    [ "$worker_before" = "$running_worker" ] || late=$(printf '%s\n' "$listeners" | grep -F "pid=${worker_before:-none},")
    split_lines
    for bind in $haproxy_binds; do
        unsplit
        # shellcheck disable=SC2086 # address, port, what to ask, interface, whether v6only
        set -- $bind
        haproxy_device "$4"
        place=$device:$2
        case $1,${5-} in
        "*,"*) place=" 0.0.0.0$place" ;;
        ::,*v6only*) place=" [::]$place" ;;
        ::,*) ;;
        *:*) place=" [$1]$place" ;;
        *) place=" $1$place" ;;
        esac
        lacking=
        case $late in *"$place "*) lacking="the worker of before still listens" ;; esac
        case $held in *"$place "*) ;; *) lacking="the new worker does not listen" ;; esac
        [ -z "$lacking" ] || {
            printf '%s\n' "$lacking on $1:$2"
            return 1
        }
        split_lines
    done
    unsplit
}

# Each port accepts a connection, where the host can make one; one that speaks HTTP also gets a request. An answer that takes its
# time is the server's.
haproxy_answers() {
    # shellcheck disable=SC2016 # perl's variables
    printf '%s\n' "$haproxy_binds" | perl -MIO::Socket::IP -e '
        chomp(my @binds = <STDIN>);
        for (@binds) {
            my ($address, $port, $mode) = split / /;
            next if $mode eq "nothing";
            $address = "127.0.0.1" if $address eq "*" || $address eq "0.0.0.0";
            if ($address eq "::") {
                # Where IPv6 is turned off for all interfaces, nobody can connect.
                open my $table, "<", "/proc/net/if_inet6" or next;
                grep { /^0{31}1 / } <$table> or next;
                $address = "::1";
            }
            my $socket = IO::Socket::IP->new(PeerHost => $address, PeerPort => $port, Timeout => 3)
                or do { print "$address port $port does not accept connections: $@\n"; exit 1 };
            next if $mode ne "http";
            print $socket "GET / HTTP/1.0\r\nUser-Agent: haproxy-fleet proof\r\n\r\n";
            my $line = eval { local $SIG{ALRM} = sub { die }; alarm 3; my $first = <$socket>; alarm 0; $first };
            next if !defined $line || $line =~ m{^HTTP/};
            print "$address port $port does not speak HTTP\n";
            exit 1;
        }'
}
