# watch_servers.pl TASK [BACKEND...]: judges by the servers of the running process, given as CSV, whether the backends still work.
#
# With TASK "baseline", prints a line for each backend: its name; how many of its servers are up: checked ones, unchecked ones, backups;
# and their names. A server that has no result of a check yet does not count.
#
# Otherwise standard input has, before the CSV, two parts that end with an empty line: the rules of the recipe, whose sixth word is minUp,
# and the baseline. BACKENDs are accepted as they are. Prints "lost" and a line for each loss, else "up"; or, with TASK "wait", "wait" as
# long as a check that could still matter has no result. With other TASKs what HAProxy says of a server counts, whatever its last check
# has found.
#
# A backend counts by its servers that are no backups, unless only backups were up before, or no other is left.
use strict;

my ($task, @accepted) = @ARGV;
my $waits = $task eq "wait";
my (%minimum, %before);
if ($task ne "baseline") {
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

# In maintenance, drained, closing or without weight, a server is out on purpose.
sub server {
    my ($row) = @_;
    (my $check = $row->{check_status}) =~ s/^\* //;
    my $up = $row->{status} =~ /^(UP|no check)/;
    my $checked = $check ne "" || $row->{status} =~ /^(UP|DOWN)/;
    my $waits = $check =~ /^(INI|UNK)$/;
    my $passes = $check eq "" || $check =~ /OK/;
    return {
        name => $row->{svname},
        check => $check . ($row->{check_code} ne "" && $check =~ /^L7/ ? "/$row->{check_code}" : ""),
        backup => $row->{bck} ? 1 : 0,
        out => $row->{status} =~ /^(MAINT|DRAIN|NOLB)/ || $row->{weight} == 0,
        up => $up,
        checked => $checked,
        waits => $waits,
        works => $up && $passes,
        # Its status is about to change, or not.
        open => $waits || $row->{status} =~ m{^(UP|DOWN) \d+/\d+} || $up && !$passes,
    };
}

if ($task eq "baseline") {
    for my $backend (@backends) {
        my @up = grep { !$_->{out} && $_->{up} && !$_->{waits} } @{$servers{$backend}};
        my @active = grep { !$_->{backup} } @up;
        my $checked = grep { $_->{checked} } @active;
        print join(" ", $backend, $checked, @active - $checked, @up - @active, map { $_->{name} } @up), "\n";
    }
    exit;
}
if (!@columns) {
    print $waits ? "wait\n" : "lost\nHAProxy does not answer on its master socket\n";
    exit;
}

my ($wait, $works, %lost, @words, @new);
for my $backend (@backends) {
    next if grep { $_ eq $backend } @accepted;
    my @in = grep { !$_->{out} } @{$servers{$backend}};
    next if !grep { $_->{checked} } @in;
    my ($checked, $unchecked, $backups) = @{$before{$backend} || [0, 0, 0]};
    my $had = $checked + $unchecked || $backups;
    my @kind = grep { !$_->{backup} } @{$servers{$backend}};
    @kind = @{$servers{$backend}} if !@kind || $had && !($checked + $unchecked);
    my $least = need($minimum{$backend}, scalar @kind);
    $least = $had if $had < $least;
    @kind = grep { !$_->{out} } @kind;
    my $up = grep { works($_) } @kind;
    my $open = grep { $waits && $_->{open} && !works($_) } @kind;
    if ($up + $open < $least) {
        my $now = $up ? "$up of " . @kind . " servers up, minUp is $minimum{$backend}" : "no server up";
        push @words, "backend $backend has $now; before, it had $had" . checks(@kind);
        $lost{$backend} = 1;
    }
    $works ||= grep { works($_) || $waits && $_->{open} } @in;
    push @new, $backend if !$before{$backend};
    $wait ||= $up < $least || grep { $_->{waits} } @in;
}
# A backend that is new may be an old one with another name.
if (!@words && @new && !$works && grep { $before{$_}[0] && !$servers{$_} } keys %before) {
    for my $backend (@new) {
        push @words, "backend $backend has no server up; before, a backend that is gone had some" . checks(@{$servers{$backend}});
        $lost{$backend} = 1;
    }
}
if (@words) {
    print "lost\n", map { "$_\n" } @words[0 .. ($#words > 3 ? 3 : $#words)];
    print "and " . (@words - 4) . " more\n" if @words > 4;
    my @names = sort keys %lost;
    print "If they may be down, accept it once: npm run pulumi -- up --config acceptDown=", join(",", @names),
        " (in a program of your own: acceptDown: [", join(", ", map { "\"$_\"" } @names), "])\n";
} else {
    print $wait && $waits ? "wait\n" : "up\n";
}

sub works { return $waits ? $_[0]{works} : $_[0]{up} }

sub need {
    my ($least, $of) = @_;
    return 1 if !defined $least || $least eq "-";
    return $least if $least !~ s/%$//;
    my $share = int(($least * $of + 99) / 100);
    return $share > 1 ? $share : 1;
}

sub checks {
    my @down = grep { !$_->{works} } @_;
    my $text = join ", ", map { "$_->{name} " . ($_->{check} eq "" ? "down" : $_->{check}) } @down[0 .. ($#down > 4 ? 4 : $#down)];
    return (@down ? ": $text" : "") . (@down > 5 ? " and " . (@down - 5) . " more" : "");
}
