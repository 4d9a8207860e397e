# How the master is asked, and what its servers do: functions of ask_master.pl and of the program of a status. The answers are read whole:
# $/ is undefined.

# ask SOCKET COMMANDS: returns the answer. Ends the program with status 1 if nothing listens there.
sub ask {
    my $master;
    # AF_UNIX and SOCK_STREAM: to load Socket takes longer than all else here, and an up asks eight times.
    socket($master, 1, 1, 0) && connect($master, pack "S a108", 1, $_[0]) or exit 1;
    syswrite $master, $_[1];
    shutdown $master, 1;
    return scalar <$master>;
}

# HAProxy 2.2 ends itself, and all of its connections, if the commands of a connection fill its buffer, which has 16 kB if not less.
sub batches {
    my @batches = shift;
    for (@_) {
        push @batches, "" if length $batches[-1] > 4000;
        $batches[-1] .= $_;
    }
    return @batches;
}

# The servers in an answer to "show servers state": values by column, and the name with the backend.
sub servers {
    my ($columns, @rows) = grep { /^# be|^\d+ / } split /\n/, $_[0];
    my @columns = split / /, substr $columns // "", 2;
    # HAProxy 2.2 lists its own worker, too.
    return map {
        my %server;
        @server{@columns} = split / /;
        $server{name} = "$server{be_name}/$server{srv_name}";
        \%server
    } grep { !/^\d+ MASTER \d+ cur-/ } @rows;
}

# ours NOTES PROCESSES: our notes, if they are about the running worker.
sub ours {
    open my $file, "<", $_[0] or return "";
    my ($worker, $ours) = split /\n/, <$file>, 2;
    return $_[1] =~ /^# workers\n(?:$worker\s|# old)/m && $ours || "";
}

# set_by_hand SERVER OURS: pairs of what somebody has set and what undoes it. Leaves out our own drains, and servers with an agent, which
# sets the same.
sub set_by_hand {
    my ($server, $ours) = @_;
    my ($name, $admin, $now, $declared) = @$server{qw(name srv_admin_state srv_uweight srv_iweight)};
    return if $server->{srv_agent_state} & 2 || $ours =~ /^drain \Q$name\E$/m;
    my $set = "set server $name";
    return (
        ($admin & 5) == 1 ? ["in maintenance", "$set state ready"] : (),
        $admin & 8 ? ["drained", "$set state ready"] : (),
        ($admin & 5) == 4 ? ["ready, though declared disabled", "$set state maint"] : (),
        ($server->{srv_check_state} & 6) == 2 ? ["without health checks", "enable health $name"] : (),
        $now != $declared ? ["with weight $now instead of $declared", "$set weight $declared"] : (),
    );
}

# The backends of servers: name, count of servers, and each that does not serve, with the reason. Does not count servers that are declared
# to take nothing.
sub backends {
    my @checks = qw(- - - - HANA SOCKERR L4OK L4TOUT L4CON L6OK L6TOUT L6RSP L7TOUT L7RSP - L7OK L7OKC L7STS PROCERR PROCTOUT PROCOK);
    my (@backends, %of);
    for my $server (@_) {
        my ($name, $admin, $weight, $status) = @$server{qw(be_name srv_admin_state srv_uweight srv_check_status)};
        next if ($admin & 5) == 5 || $server->{srv_iweight} == 0 && $weight == 0;
        push @backends, $of{$name} = [$name] if !$of{$name};
        my $backend = $of{$name};
        $$backend[1]++;
        my $check = $checks[$status] // "-";
        my $why = $admin & 32 ? "unresolved" : $admin & 3 ? "in maintenance" : $admin & 24 ? "drained" : $weight == 0 ? "weight 0"
            : $server->{srv_op_state} % 3 == 0 ? $check =~ /OK$|-/ ? "down" : $check
            : ($server->{srv_check_state} & 6) == 6 && $status < 2 ? "not checked yet" : next;
        push @$backend, "$server->{srv_name} $why";
    }
    return @backends;
}
