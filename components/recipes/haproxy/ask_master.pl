# ask_master.pl SOCKET COMMANDS [NOTES [DIRECTORY CERTIFICATE...]]: prints the answer on the master's socket. Waits 20 s, so that a briefly
# frozen host still answers. Status 1: nothing listens there.
#
# With NOTES, the file of our own notes, the servers of the answer to "show servers state" are summed up in two lines, each left out if it
# would be empty: "by hand", TAB, the servers that somebody has set, and "serving", TAB, the backends that lack servers.
#
# Each CERTIFICATE that HAProxy has to have from DIRECTORY is a name and a SHA-1 fingerprint. If it has others, a line is added:
# "certificates", TAB, their names, TAB, what it has instead.
#
# What it shares with the program of a status is in ask_master.shared.pl.
use strict;

my ($path, $commands, $notes, $directory, @certificates) = @ARGV;
my %declared = map { split / / } @certificates;
alarm 20;
local $/;
my @asked = batches("$commands\n", map { "\@1 show ssl cert $directory/$_.pem\n" } sort keys %declared);
my $answer = join "", map { ask($path, $_) } @asked;
my $served = $answer =~ s/^(?:Filename: |Can't display the certificate).*//ms ? $& : "";
my @servers = defined $notes && $answer =~ s/^# be_id be_name .*\n(?:\d.*\n)*/\0/m ? servers($&) : ();
my $summary = by_hand() . serving();
$answer =~ s/\0/$summary/;
print $answer, $served eq "" ? "" : others($served);

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

sub by_hand {
    my $ours = ours($notes, $answer);
    my (%found, $set, $undo);
    for my $server (@servers) {
        my @found = set_by_hand($server, $ours);
        push @{$found{$_->[0]}}, $server->{name} for @found;
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

sub serving {
    my @backends = backends(@servers);
    my @lacking = map {
        my ($name, $count, @servers) = @$_;
        my $shown = join ", ", @servers[0 .. ($#servers > 1 ? 1 : $#servers)];
        "$name " . ($count - @servers) . " of $count ($shown" . (@servers > 2 ? ", ..." : "") . ")"
    } sort { $$a[1] - @$a <=> $$b[1] - @$b } grep { @$_ > 2 } @backends;
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
