# watch_servers.pl TASK [BACKEND...]: judges by the servers of the running process, given as CSV, whether the backends still work.
#
# With TASK "baseline", prints a line for each backend: its name; how many of its servers are up: checked ones, unchecked ones, backups;
# and their names. A server that has no result of a check yet does not count, and a line "wait" follows; with TASK "assume", it counts.
#
# Otherwise standard input has, before the CSV, two parts that end with an empty line: the rules of the recipe, whose sixth word is minUp,
# and the baseline. BACKENDs are accepted as they are. Prints "lost" and a line for each loss, else "up"; or, with TASK "wait", "wait" as
# long as a check that matters has no result, then "rest" as long as another has none. With TASK "last-wait" a server without a result
# counts as up, and one whose last check has failed as down, though HAProxy may want more checks. With other TASKs what HAProxy says of a
# server counts, whatever its last check has found. Prints "silent" if there is no CSV.
#
# A backend counts by its servers that are no backups, unless only backups were up before, or no other is left.
use strict;

my ($task, @accepted) = @ARGV;
my ($waits, $settles) = ($task eq "wait", $task eq "last-wait");
my (%minimum, %before);
if ($task !~ /^(baseline|assume)$/) {
    while (<STDIN>) { chomp; last if $_ eq ""; my @rule = split / /; $minimum{$rule[0]} = $rule[5] }
    while (<STDIN>) { chomp; last if $_ eq ""; my ($backend, @up) = split / /; $before{$backend} = \@up }
}
my (@columns, @backends, %servers);
while (<STDIN>) {
    chomp;
    if (s/^# //) { @columns = split /,/; next }
    my %row;
    @row{@columns} = split /,/, $_, -1;
    next if !@columns || !defined $row{weight};
    push @backends, $row{pxname} if !$servers{$row{pxname}};
    push @{$servers{$row{pxname}}}, server(\%row);
}

# In maintenance, drained or without weight, a server is out on purpose; not if its name does not resolve (yet).
sub server {
    my ($row) = @_;
    my $unresolved = $row->{status} eq "MAINT (resolution)";
    (my $check = $row->{check_status}) =~ s/^\* //;
    my $up = $row->{status} =~ /^(UP|no check)/;
    my $checked = $check ne "" || $row->{status} =~ /^(UP|DOWN|NOLB)/ || $unresolved;
    # A server that is down without a check has been so in the process before.
    my $waits = $check =~ /^(INI|UNK)$/ && $up;
    my $passes = $check eq "" || $check =~ /OK/;
    return {
        name => $row->{svname},
        check => $unresolved ? "unresolved" : $check . ($check =~ /^L7/ && $row->{check_code} > 0 ? "/$row->{check_code}" : ""),
        backup => $row->{bck} ? 1 : 0,
        out => !$unresolved && $row->{status} =~ /^(MAINT|DRAIN)/ || $row->{weight} == 0,
        up => $up,
        checked => $checked,
        waits => $waits,
        works => $up && $passes,
        fails => !$passes && $check !~ /^(INI|UNK)$/,
        # Its status is about to change, or not.
        open => $unresolved || $check =~ /^(INI|UNK)$/ || $row->{status} =~ m{^(UP|DOWN) \d+/\d+} || $up && !$passes,
    };
}

if ($task =~ /^(baseline|assume)$/) {
    my $wait = !@columns;
    for my $backend (@backends) {
        my @up = grep { !$_->{out} && $_->{up} } @{$servers{$backend}};
        $wait ||= grep { $_->{waits} } @up;
        @up = grep { !$_->{waits} } @up if $task eq "baseline";
        my @active = grep { !$_->{backup} } @up;
        my $checked = grep { $_->{checked} } @active;
        print join(" ", $backend, $checked, @active - $checked, @up - @active, map { $_->{name} } @up), "\n";
    }
    print "wait\n" if $wait && $task eq "baseline";
    exit;
}
print("silent\n"), exit if !@columns;

my ($wait, $rest, $works, $may_work, %lost, @words, @new);
my @gone = grep { !$servers{$_} } sort keys %before;
for my $backend (@backends) {
    my @in = grep { !$_->{out} } @{$servers{$backend}};
    $rest ||= grep { $_->{waits} } @in;
    next if !(grep { $_->{checked} } @in) || grep { $_ eq $backend } @accepted;
    my $before = $before{$backend} ? $backend : (grep { had($_, @in) } @gone)[0];
    my ($checked, $unchecked, $backups) = defined $before ? @{$before{$before}} : (0, 0, 0);
    my $had = $checked + $unchecked || $backups;
    my @kind = grep { !$_->{backup} } @{$servers{$backend}};
    @kind = @{$servers{$backend}} if !@kind || $had && !($checked + $unchecked);
    my $least = need($minimum{$backend}, scalar @kind);
    $least = $had if $had < $least;
    @kind = grep { !$_->{out} } @kind;
    my $up = grep { works($_) } @kind;
    my $open = grep { $waits && $_->{open} && !works($_) } @kind;
    if ($up + $open < $least) {
        my $down = checks(@kind);
        my $now = $up + $open ? "$up of " . @kind . " servers up$down, minUp is $minimum{$backend}"
            : ((grep { works($_) } @in) ? "only backups up" : "no server up") . $down;
        push @words, "backend $backend has $now; before, " . ($before eq $backend ? "it" : $before) . " had $had";
        $lost{$backend} = 1;
    }
    $works ||= grep { works($_) } @in;
    $may_work ||= grep { $waits && $_->{open} } @in;
    push @new, $backend if !defined $before;
    $wait ||= $up < $least;
}
# If nothing works any more, a backend that is new may be an old one with other servers.
my ($old) = grep { $before{$_}[0] } @gone;
if (!@words && !$works && @new && defined $old) {
    $wait ||= $may_work;
    %lost = map { $_ => 1 } $may_work ? () : @new;
    push @words, map { "backend $_ has no server up" . checks(@{$servers{$_}}) . "; before, $old had some" } sort keys %lost;
}
if (@words) {
    print "lost\n", map { "$_\n" } @words[0 .. ($#words > 3 ? 3 : $#words)];
    print "and " . (@words - 4) . " more\n" if @words > 4;
    my @names = sort keys %lost;
    print "If they may be down, accept it once: npm run pulumi -- up --config acceptDown=", join(",", @names),
        " (in a program of your own: acceptDown: [", join(", ", map { "\"$_\"" } @names), "])\n";
} else {
    print $waits && $wait ? "wait\n" : $waits && $rest ? "rest\n" : "up\n";
}

# had BACKEND, SERVERS: whether all of these were up in a backend, which has got another name then.
sub had {
    my (undef, undef, undef, @names) = @{$before{shift()}};
    my %names = map { $_ => 1 } @names;
    return @_ && !grep { !$names{$_->{name}} } @_;
}

sub works { return $waits ? $_[0]{works} : $_[0]{up} && !($settles && $_[0]{fails}) }

sub need {
    my ($least, $of) = @_;
    return 1 if !defined $least || $least eq "-";
    return $least if $least !~ s/%$//;
    my $share = int(($least * $of + 99) / 100);
    return $share > 1 ? $share : 1;
}

sub checks {
    my @down = grep { !$_->{works} } @_;
    my $text = join ", ", map { "$_->{name} " . ($_->{check} eq "" ? "down" : $_->{check}) } @down[0 .. ($#down > 2 ? 2 : $#down)];
    return @down ? " ($text" . (@down > 3 ? " and " . (@down - 3) . " more" : "") . ")" : "";
}
