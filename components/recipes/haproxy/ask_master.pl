# ask_master.pl SOCKET COMMANDS [NOTES [DIRECTORY CERTIFICATE...]]: prints the answer on the master's socket. Waits 20 s, so that a briefly
# frozen host still answers. Status 1: nothing listens there.
#
# With NOTES, the file of our own notes, the servers of the answer to "show servers state" are summed up in two lines, each left out if it
# would be empty: "by hand", TAB, the servers that somebody has set, and "serving", TAB, the backends that lack servers.
#
# Each CERTIFICATE that HAProxy has to have from DIRECTORY is a name and a SHA-1 fingerprint. If it has others, a line is added:
# "certificates", TAB, their names, TAB, what it has instead.
use strict;

my ($path, $commands, $notes, $directory, @certificates) = @ARGV;
my %declared = map { split / / } @certificates;
alarm 20;
local $/;
# HAProxy 2.2 ends itself, and all of its connections, if the commands of a connection fill its buffer, which has 16 kB if not less.
my @asked = ("$commands\n");
for (sort keys %declared) {
    push @asked, "" if length $asked[-1] > 4000;
    $asked[-1] .= "\@1 show ssl cert $directory/$_.pem\n";
}
my $answer = join "", map { ask($_) } @asked;
my $served = $answer =~ s/^(?:Filename: |Can't display the certificate).*//ms ? $& : "";
if (defined $notes && $answer =~ s/^# (be_id be_name .*)\n((?:\d.*\n)*)/\0/m) {
    my @columns = split / /, $1;
    # HAProxy 2.2 lists its own worker, too.
    my @servers = map { my %server; @server{@columns} = split / /; \%server } grep { !/^\d+ MASTER \d+ cur-/ } split /\n/, $2;
    my $summary = by_hand(@servers) . serving(@servers);
    $answer =~ s/\0/$summary/;
}
print $answer, $served eq "" ? "" : others($served);

sub ask {
    my $master;
    # AF_UNIX and SOCK_STREAM: to load Socket takes longer than all else here, and an up asks eight times.
    socket($master, 1, 1, 0) && connect($master, pack "S a108", 1, $path) or exit 1;
    syswrite $master, $_[0];
    shutdown $master, 1;
    return scalar <$master>;
}

# What is served instead of declared certificates.
sub others {
    my %served = map { m{^\Q$directory\E/(.*)\.pem\n}o ? ($1, $_) : () } split /^Filename: /m, $_[0];
    my @others = sort grep { ($served{$_} // "") !~ /^SHA1 FingerPrint: $declared{$_}$/mi } keys %declared;
    return "" if !@others;
    my ($first, $more) = ($others[0], $#others);
    my %field = ($served{$first} // "") =~ /^(notAfter|SHA1 FingerPrint|Subject): (.*)/mg;
    return "certificates\t@others\tcertificate $first: HAProxy "
        . ($served{$first} ? "serves $field{Subject} until $field{notAfter}, SHA-1 " . lc($field{"SHA1 FingerPrint"})
            . ", not the declared one, SHA-1 $declared{$first}" : "has not loaded it")
        . ($more ? "; $more more differ" : "") . "\n";
}

# Leaves out our own drains, and servers with an agent, which sets the same.
sub by_hand {
    # The notes are about one worker.
    open my $file, "<", $notes;
    my ($worker, $ours) = split /\n/, defined $file ? <$file> : "", 2;
    $ours = "" if !defined $ours || $answer !~ /^# workers\n(?:$worker\s|# old)/m;
    my (%found, $set, $undo);
    for my $server (@_) {
        my ($admin, $now, $declared) = @$server{qw(srv_admin_state srv_uweight srv_iweight)};
        my $name = "$server->{be_name}/$server->{srv_name}";
        next if $server->{srv_agent_state} & 2 || $ours =~ /^drain \Q$name\E$/m;
        my @found = (
            ($admin & 5) == 1 ? ["in maintenance", "set server $name state ready"] : (),
            $admin & 8 ? ["drained", "set server $name state ready"] : (),
            ($admin & 5) == 4 ? ["ready, though declared disabled", "set server $name state maint"] : (),
            ($server->{srv_check_state} & 6) == 2 ? ["without health checks", "enable health $name"] : (),
            $now != $declared ? ["with weight $now instead of $declared", "set server $name weight $declared"] : (),
        );
        push @{$found{$_->[0]}}, $name for @found;
        $undo ||= $found[0][1] if @found;
        $set += @found;
    }
    return "" if !$undo;
    my ($left, $more, @groups) = (8, 0);
    for my $state (sort keys %found) {
        my @names = splice @{$found{$state}}, 0, $left;
        $left -= @names;
        $more += @{$found{$state}};
        push @groups, join(", ", @names) . " $state" if @names;
    }
    return "by hand\t" . join(", ", @groups) . ($more ? " and $more more" : "") . "; "
        . ($set > 1 ? "undo each in HAProxy's runtime API, such as" : "undo in HAProxy's runtime API") . ": $undo\n";
}

# Does not count servers that are declared to take nothing.
sub serving {
    my @checks = qw(- - - - HANA SOCKERR L4OK L4TOUT L4CON L6OK L6TOUT L6RSP L7TOUT L7RSP - L7OK L7OKC L7STS PROCERR PROCTOUT PROCOK);
    my (@backends, %count, %lack);
    for my $server (@_) {
        my ($backend, $admin, $weight) = @$server{qw(be_name srv_admin_state srv_uweight)};
        next if ($admin & 5) == 5 || $server->{srv_iweight} == 0 && $weight == 0;
        push @backends, $backend if !$count{$backend}++;
        my $check = $checks[$server->{srv_check_status}] // "-";
        my $why = $admin & 32 ? "unresolved" : $admin & 3 ? "in maintenance" : $admin & 24 ? "drained" : $weight == 0 ? "weight 0"
            : $server->{srv_op_state} % 3 == 0 ? $check eq "-" ? "down" : $check
            : ($server->{srv_check_state} & 6) == 6 && $server->{srv_check_status} < 2 ? "not checked yet" : next;
        push @{$lack{$backend}}, "$server->{srv_name} $why";
    }
    my @lacking = map {
        my @servers = @{$lack{$_}};
        my $shown = join ", ", @servers[0 .. ($#servers > 1 ? 1 : $#servers)];
        "$_ " . ($count{$_} - @servers) . " of $count{$_} ($shown" . (@servers > 2 ? ", ..." : "") . ")"
    } sort { $count{$a} - @{$lack{$a}} <=> $count{$b} - @{$lack{$b}} } grep { $lack{$_} } @backends;
    return "" if !@backends;
    my $others = @backends - @lacking;
    return "serving\t" . (@backends == 1 ? "its backend is up" : "all " . @backends . " backends are up") . "\n" if !@lacking;
    my $end = $others ? "; $others other" . ($others == 1 ? " is" : "s are") . " up" : "";
    # A line for people has 300 characters.
    my $shown = @lacking < 5 ? @lacking : 5;
    $shown-- while $shown > 1 && length join(", ", @lacking[0 .. $shown - 1]) > 220;
    my $more = @lacking - $shown;
    return "serving\tnot all up: " . join(", ", @lacking[0 .. $shown - 1]) . ($more ? " and $more more" : "") . "$end\n";
}
