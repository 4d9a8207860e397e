#!/usr/bin/perl
# Reloads HAProxy so that its servers keep their states. Called by the unit's drop-in 10-server-states.conf. Managed by haproxy-fleet.
#
# haproxy-reload check PID: runs the command of the master PID with -c; prints its words and fails if it refuses the files.
# haproxy-reload signal PID SOCKET DIRECTORY: writes DIRECTORY/server-states, which the new worker reads, and signals the master. SOCKET is
# the master's. If states cannot be kept, it says why, and the reload goes on without them.
#
# States that outlive their reload would be wrong later, after a `kill -USR2` or a start by hand. So the file has them only until the new
# worker has read it; then, and after 30 s at the latest, a guard cuts it back to its first line. The guard also does so if this program is
# killed. A start reads no states, because the unit's ExecStartPre empties the file.
#
# Which states are kept: of a server that still has its address and port, all; otherwise what was set by hand (maintenance, drain, weight,
# disabled checks). DOWN is not kept without a check, because nothing would end it. Nor is UP if the last check has failed: the new worker
# would want all `fall` checks anew, so frequent reloads would keep a dead server up; without its state, one check takes it down.
use strict;
use Fcntl;

# Columns of a state file of version 1. Those after them (TLS, ports and addresses of checks) would override the new configuration.
my @columns = qw(be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change
    srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port
    srvrecord);
my $RUNNING = 2;
# Bits of the administrative state: maintenance by hand, by a tracked server, by the configuration, by resolution; and drain by hand.
my ($FMAINT, $IMAINT, $CMAINT, $FDRAIN, $RMAINT) = (1, 2, 4, 8, 32);
# Results of checks that have failed: HANA, SOCKERR, L4TOUT, L4CON, L6TOUT, L6RSP, L7TOUT, L7RSP, L7STS, PROCERR, PROCTOUT.
my %failed = map { ($_ => 1) } 4, 5, 7, 8, 10 .. 13, 17 .. 19;
my $VERSION = "1\n";
my $SECTIONS = join "|", qw(global defaults frontend backend listen peers userlist mailers resolvers cache http-errors program ring fcgi-app
    log-forward log-profile traces crt-store acme);

my ($verb, $pid, $socket, $directory) = @ARGV;
$pid =~ /^[1-9]\d*$/ or die "usage: haproxy-reload check PID | signal PID SOCKET DIRECTORY\n";
$verb eq "check" ? check() : reload();

sub contents {
    open my $file, "<", $_[0] or return "";
    local $/;
    return <$file> // "";
}

# The command of the master, without what it has added for its last reload.
sub command {
    my ($program, @words) = split /\0/, contents("/proc/$pid/cmdline");
    my @kept = $program // die "haproxy-reload: process $pid: not running\n";
    while (defined(my $word = shift @words)) {
        if ($word eq "-x") { shift @words }
        elsif ($word =~ /^-s[ft]$/) { shift @words while @words && $words[0] =~ /^\d+$/ }
        else { push @kept, $word }
    }
    return @kept;
}

sub check {
    my ($program, @arguments) = command();
    chdir "/proc/$pid/cwd";
    my $child = open(my $output, "-|") // die "haproxy-reload: fork: $!\n";
    if (!$child) {
        open STDERR, ">&", \*STDOUT;
        exec { $program } $program, "-c", @arguments or print("$program: $!\n"), exit 1;
    }
    my $words = do { local $/; <$output> };
    exit 0 if close $output;
    print STDERR $words;
    exit 1;
}

sub reload {
    my $live = "$directory/server-states";
    my ($file, $tell, $worker, $master) = (undef, undef, 0, "");
    eval {
        mkdir $directory, 0700;
        unlink "$live.new";
        sysopen($file, "$live.new", O_WRONLY | O_CREAT | O_EXCL, 0600) && syswrite($file, $VERSION) or die "$live.new: $!\n";
        $tell = guard($file, "$live.new");
        my $lines = eval {
            my @before = notes();
            (($worker, $master), my $dump) = dump_states();
            # A converge that begins or ends drains meanwhile changes notes and states one after the other.
            kept($dump, $worker, @before, notes());
        };
        print STDERR "haproxy-reload: states of servers are not kept: $@" if $@;
        syswrite($file, $lines // "") == length($lines // "") && rename "$live.new", $live or die "$live: $!\n";
        1;
    } or do {
        print STDERR "haproxy-reload: states of servers are not kept: $@";
        # Of an earlier reload, if its guard was killed.
        truncate $live, length $VERSION if -s $live;
    };
    kill "USR2", $pid or die "haproxy-reload: process $pid: $!\n";
    syswrite $tell, "$worker $master\n" if $tell;
}

# guard FILE, NAME: starts a process that cuts FILE back when nothing is to read it any more. Returns a handle to write to, after the signal,
# which worker has been replaced, and the master's line before.
sub guard {
    my ($file, $name) = @_;
    $SIG{PIPE} = "IGNORE";
    pipe(my $hear, my $tell) && defined(my $child = fork) or die "guard: $!\n";
    return $tell if $child;
    close $tell;
    open STDIN, "<", "/dev/null";
    open $_, ">", "/dev/null" for \*STDOUT, \*STDERR;
    my ($worker, $master) = (<$hear> // "") =~ /^(\d+) (.*)\n/;
    my $end = time + 30;
    while ($worker && time < $end) {
        select undef, undef, undef, 0.05;
        my $answer = ask("show proc;\@1 show info", 1) // next;
        # A worker that answers has read the file.
        last if $answer =~ /^Pid: (\d+)/m && $1 != $worker;
        # From 3.1 on, earlier failures count until the new worker is ready.
        last if master($answer) ne $master && (failed($answer) > failed($master) || $answer =~ /^# workers\n# old workers/m);
    }
    truncate $file, length $VERSION;
    unlink $name if (stat $name)[1] == (stat $file)[1];
    exit 0;
}

# ask COMMANDS, SECONDS: the answer of the master; nothing if it gives none in time.
sub ask {
    my ($commands, $seconds) = @_;
    return eval {
        local $SIG{ALRM} = sub { die };
        alarm $seconds;
        # AF_UNIX and SOCK_STREAM: to load Socket takes longer than all else here.
        socket(my $cli, 1, 1, 0) or die;
        connect($cli, pack "S a108", 1, $socket) or die;
        syswrite $cli, "$commands\n";
        shutdown $cli, 1;
        my $answer = do { local $/; <$cli> };
        alarm 0;
        $answer;
    } // do { alarm 0; undef };
}

# The line of the master in an answer to `show proc`, without its age. It changes with each reload.
sub master {
    my ($line) = $_[0] =~ /^\d+\s+master\s+(.*?)\s+\d+d\d+h/m;
    return $line // "";
}

# How many reloads have failed one after the other, in an answer to `show proc` or the master's line; 0 before 2.5, which do not say.
sub failed { return $_[0] =~ /\[failed: (\d+)/ ? $1 : 0 }

# The worker, the master's line, and the states. A master that is still at its last reload does not answer for a moment.
sub dump_states {
    -S $socket or die "$socket: no such socket\n";
    # A busy machine may pause for seconds.
    for (my $end = time + 15; time < $end; select undef, undef, undef, 0.1) {
        # A worker that has just started may never answer what it was asked too early.
        my $answer = ask("show proc;\@1 show info;\@1 show servers state", 5) // next;
        my ($worker) = $answer =~ /^Pid: (\d+)/m or next;
        return ($worker, master($answer), $1) if $answer =~ /^1\n(# be_id .*\n)\n/ms;
    }
    die "$socket: no answer\n";
}

# Notes of our own, each after the worker that it is about: drains that are not an operator's, and servers whose state is not to be trusted.
sub notes {
    my ($worker, @notes) = split /\n/, contents("$directory/server-notes");
    return map { "$worker $_" } @notes;
}

# kept DUMP, WORKER, NOTES: the lines of the new state file.
sub kept {
    my ($dump, $worker, @notes) = @_;
    my ($declared, $sure) = declared();
    my %note = map { ($_ => 1) } @notes;
    my ($header, @rows) = split /\n/, $dump;
    my (@names, @kept, %state) = split / /, substr $header, 2;
    for (@rows) {
        my %row;
        @row{@names} = split / /;
        my $name = "$row{be_name}/$row{srv_name}";
        my $new = $declared->{$name} // next;
        # What an agent has set would stay for ever without it.
        next if $row{srv_agent_state} & 2 && $sure && !$new->{"agent-check"};
        my $old = $row{srv_admin_state};
        my $admin = $old & ($FMAINT | $CMAINT | $FDRAIN);
        $admin &= ~$FDRAIN if $admin & $FMAINT || $note{"$worker drain $name"};
        my $weight = $sure && defined $new->{weight} ? $new->{weight} : $row{srv_iweight};
        my $by_hand = ($admin != 0 && $admin != ($FMAINT | $CMAINT)) || $row{srv_uweight} != $row{srv_iweight}
            || grep { ($_ & 6) == 2 } @row{"srv_check_state", "srv_agent_state"};
        my $checked = $new->{check} || ($new->{"agent-check"} && !($row{srv_check_state} & 2));
        my $whole = $sure && !$new->{track} && same($new, \%row) && !$note{"$worker up $name"} && !($old & ($FMAINT | $IMAINT | $RMAINT))
            && ($row{srv_op_state} == $RUNNING ? !$failed{$row{srv_check_status}} : $checked);
        $state{$name} = $row{srv_op_state} if $whole;
        next if !$whole && !$by_hand;
        if (!defined $new->{port}) {
            print STDERR "haproxy-reload: $name: what was set by hand is not kept, because its port cannot be read from the configuration\n";
            next;
        }
        @row{qw(srv_addr srv_fqdn srvrecord)} = ("-") x 3;
        @row{qw(srv_port srv_admin_state)} = ($new->{port}, $admin);
        $row{srv_uweight} = $weight if $row{srv_uweight} == $row{srv_iweight};
        $row{srv_iweight} = $weight;
        # So that a result of the new worker can be told from one of the old.
        @row{qw(srv_check_status srv_check_result)} = (1, 0);
        push @kept, [\%row, $new->{track}];
    }
    for (@kept) {
        my ($row, $track) = @$_;
        my $leader = defined $track && $track !~ m{/} ? "$row->{be_name}/$track" : $track;
        $row->{srv_op_state} = $state{$leader // "$row->{be_name}/$row->{srv_name}"} // $RUNNING;
    }
    return join "", "# @columns\n", map { join(" ", @{$_->[0]}{@columns}) . "\n" } @kept;
}

# Whether a server still has its address or name, and its port. An address that was set by hand is not kept.
sub same {
    my ($new, $row) = @_;
    return 0 if !defined $new->{host} || $row->{srv_port} ne $new->{port};
    return lc $row->{srv_fqdn} eq lc $new->{host} if $row->{srv_fqdn} ne "-";
    my ($before, $after) = map { packed($_) } $row->{srv_addr}, $new->{host};
    return defined $before && defined $after && $before eq $after;
}

sub packed {
    return pack "C4", split /\./, $_[0] if $_[0] =~ /^(?:(?:25[0-5]|(?:2[0-4]|1\d|[1-9]?)\d)(?:\.(?!$)|$)){4}$/;
    return undef if $_[0] !~ /:/;
    require Socket;
    return Socket::inet_pton(Socket::AF_INET6(), $_[0]);
}

# The servers that the master will read, by backend/name; and whether that is sure, which it is not with conditional blocks around
# sections or servers. host and port are undefined where they cannot be known.
sub declared {
    my (%found, %defaults, $section, $set);
    my ($sure, $inherited, $blocks) = (1, {}, 0);
    my %environment = map { /^(\w+)=(.*)/s } split /\0/, contents("/proc/$pid/environ");
    for my $file (files()) {
        open my $config, "<", $file or die "$file: $!\n";
        while (<$config>) {
            $blocks++ if /^\s*\.if\b/;
            $blocks-- if /^\s*\.endif\b/;
            $sure = 0 if $blocks && /^\s*(?:$SECTIONS|(?:default-)?server|server-template)(?:\s|$)/;
            %environment = () if /^\s*(?:pre|un|re)?setenv\s/;
            die "$file: zero-warning makes HAProxy refuse states\n" if /^\s*zero-warning\b/;
            if (/^\s*(?:$SECTIONS)(?:\s|$)/) {
                my ($keyword, @words) = words($_, \%environment);
                my ($from) = "@words" =~ /(?:^| )from (\S+)/;
                $set = { %{ defined $from ? $defaults{$from} // {} : $keyword eq "defaults" ? {} : $inherited } };
                $section = $keyword =~ /^(?:backend|listen)$/ ? $words[0] : undef;
                $inherited = $defaults{$words[0] // ""} = $set if $keyword eq "defaults";
            }
            elsif (/^\s*default-server\s/) { settings($set, words($_, \%environment)) }
            elsif (defined $section && /^\s*server(-template)?\s/) {
                my (undef, $name, @words) = words($_, \%environment);
                my ($first, $last) = defined $1 ? (shift @words) =~ /^(\d+)(?:-(\d+))?$/ : ();
                my ($host, $port) = address(shift @words);
                my %server = (%$set, port => $port);
                # The members of a template may change their addresses among each other.
                $server{host} = $host if !defined $first || defined packed($host);
                settings(\%server, @words);
                for (defined $last ? $first .. $last : defined $first ? 1 .. $first : "") {
                    my $key = "$section/$name$_";
                    $found{$key} = $found{$key} ? {} : { %server };
                }
            }
        }
    }
    return (\%found, $sure);
}

# settings SET, WORDS: adds to SET what the words after an address say.
sub settings {
    my ($set, @words) = @_;
    while (defined(my $word = shift @words)) {
        if ($word =~ /^(no-)?((?:agent-)?check)$/) { $set->{$2} = !$1 }
        elsif ($word eq "weight") { ($set->{weight}) = (shift @words) =~ /^(\d+)$/ }
        elsif ($word eq "track") { $set->{track} = shift @words }
        elsif ($word =~ /^(?:cookie|agent-send|namespace)$/) { shift @words }
    }
    $set->{weight} //= 1 if !exists $set->{weight};
}

# The host and port of an address; no host if it is not that of an IP server.
sub address {
    my ($host, $port) = $_[0] =~ /^(?:ipv[46]@)?(.*?)(?::([^]:]*))?$/s;
    return (undef, 0) if $host =~ m{^/|@};
    $port = defined $port && $port ne "" ? ($port =~ /^\+?(\d+)$/)[0] : 0;
    $host =~ s/^\[(.*)\]$/$1/;
    return ($host =~ /[\0*]|^_|^$/ ? undef : $host, $port);
}

# words LINE, ENVIRONMENT: the words of a line of the configuration. What cannot be expanded becomes a NUL.
sub words {
    my ($line, $environment) = @_;
    my @words;
    my $open;
    while ($line =~ /\G(?:(\s+)|(#)|\\(.)|'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\s#\\'"]+)|.)/gs) {
        if (defined $1) { $open = 0; next }
        last if defined $2;
        my $piece = $3 // $4 // $5 // $6 // "\0";
        if (defined $5) { $piece =~ s/\\(.)/$1/gs }
        $piece =~ s!\$(?:\{(\w+)\}|(\w+))!$environment->{$1 // $2} // "\0"!ge if !defined $3 && !defined $4;
        $piece =~ tr/$/\0/;
        push @words, "" if !$open++;
        $words[-1] .= $piece;
    }
    return @words;
}

# The files that the master reads, in its order.
sub files {
    my ($program, @words) = command();
    my @given;
    while (defined(my $word = shift @words)) {
        if ($word eq "--") { push @given, splice @words }
        elsif ($word =~ /^-f/) { push @given, shift @words }
        elsif ($word =~ /^-[CLmNnp]/) { shift @words }
        elsif ($word eq "-dW") { die "-dW makes HAProxy refuse states\n" }
    }
    # Its mounts may differ from ours.
    return map { -d $_ ? sort glob "\Q$_\E/*.cfg" : $_ } map { m{^/} ? "/proc/$pid/root$_" : "/proc/$pid/cwd/$_" } @given;
}
