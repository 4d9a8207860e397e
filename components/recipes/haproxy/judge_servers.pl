# judge_servers.pl FILE LIVE DRAIN: compares the servers of the running process with those that FILE declares.
#
# Standard input has the rules, a line each: backend, minServers, maxShrinkPercent, seconds to drain, "-" for none, and "no" if the backend
# has no backup servers on purpose. After an empty line come the servers of the process as CSV; if there are none, those of LIVE count.
# Prints what a rule refuses. Writes to DRAIN a line for each server to drain: backend/server, seconds, and "ours", or "hand" if it is
# drained already.
#
# Servers and backup servers are counted separately, because each kind is a search of its own. A backup that becomes a server is no loss. A
# server is drained only if a working one stays, because the new configuration's servers take no requests before the reload.
use strict;

my ($file, $live, $drain) = @ARGV;
my @rules;
while (<STDIN>) { chomp; last if $_ eq ""; push @rules, $_ }
sub configured {
    my ($section, $backup, %found);
    open my $config, "<", $_[0] or return {};
    while (<$config>) {
        # Nothing can be compared: only an up knows these lines.
        exit if /^\s*unknown:/;
        if (/^\s*(global|defaults|frontend|backend|listen|peers|userlist|mailers|resolvers|cache|http-errors|program|ring|fcgi-app|log-forward)(?:\s+(\S+))?/) {
            ($section, $backup) = ($1 eq "backend" || $1 eq "listen" ? $2 : undef, 0);
            $found{$section} = {} if defined $section;
        }
        next if !defined $section;
        # The last of these words counts; without one, what default-server says.
        my ($word) = reverse /\s((?:no-)?backup)(?=\s|$)/g;
        my $kind = defined $word ? ($word eq "backup" ? 1 : 0) : $backup;
        $backup = $kind if /^\s*default-server\s/;
        $found{$section}{$1} = { backup => $kind } if /^\s*server\s+(\S+)/;
        next if !/^\s*server-template\s+(\S+)\s+(\d+)(?:-(\d+))?\s/;
        $found{$section}{"$1$_"} = { backup => $kind } for defined $3 ? $2 .. $3 : 1 .. $2;
    }
    return \%found;
}
sub running {
    my (@columns, %found);
    while (<STDIN>) {
        chomp;
        if (s/^# //) { @columns = split /,/; next }
        my %row;
        @row{@columns} = split /,/, $_, -1;
        next if !@columns || !defined $row{bck};
        $found{$row{pxname}}{$row{svname}} = {
            backup => $row{bck} ? 1 : 0,
            works => $row{status} =~ /^(UP|no check)/ && $row{weight} > 0,
            drains => scalar $row{status} =~ /^(UP|no check|DRAIN|NOLB)/,
            mark => $row{status} =~ /^DRAIN/ ? "hand" : "ours",
        };
    }
    return \%found;
}
sub list {
    my ($title, @names) = @_;
    my $text = "";
    $text .= " " . shift @names while @names && length $text < 200;
    return "    $title:" . ($text || " none") . (@names ? " and " . @names . " more" : "") . "\n";
}
my ($now, $declared, @faults, @gone) = (running(), configured($file));
$now = configured($live) if !%$now;
for (@rules) {
    my ($backend, $min, $percent, $seconds, $backups) = split / /;
    my ($before, $after) = ($now->{$backend} || {}, $declared->{$backend} || {});
    for my $backup (0, 1) {
        my @before = grep { $before->{$_}{backup} == $backup } sort keys %$before;
        my @after = grep { $after->{$_}{backup} == $backup } sort keys %$after;
        my $kind = ($backup ? "backup server" : "server") . (@after == 1 ? "" : "s");
        next if $backup && $backups eq "no";
        my $promoted = $backup ? grep { $after->{$_} && !$after->{$_}{backup} } @before : 0;
        my $lost = @before - @after - $promoted;
        my $shrink = @before ? int 100 * $lost / @before : 0;
        my $limit = !$backup && $min ne "-" && @after < $min ? "minServers is $min"
            : $percent ne "-" && 100 * $lost > $percent * @before
            ? "a shrink by $shrink %, maxShrinkPercent is $percent" : next;
        push @faults, "backend $backend would have " . @after . " $kind, now it has " . @before . ": $limit\n"
            . list("now", @before) . list("declared", @after);
    }
    next if $seconds eq "-";
    for my $name (grep { $before->{$_}{drains} && !$after->{$_} } sort keys %$before) {
        my @stay = grep { $before->{$_}{works} && $after->{$_} } keys %$before;
        push @gone, "$backend/$name $seconds $before->{$name}{mark}\n"
            if grep { $before->{$name}{backup} || !$before->{$_}{backup} } @stay;
    }
}
if (@gone) {
    open my $list, ">", $drain or die "$drain: $!";
    print $list @gone;
}
exit if !@faults;
print @faults[0 .. ($#faults > 3 ? 3 : $#faults)];
print "and " . (@faults - 4) . " more\n" if @faults > 4;
print "If servers are missing, correct their tags or the search; if they should go, allow it once: "
    . "npm run pulumi -- up --config allowShrink=true (in a program of your own: allowShrink: true)\n";
