# ask_haproxy.pl SOCKET NOTES: prints what a status says of the HAProxy behind the master's socket, fields with TABs between them:
#   haproxy, version, seconds since the worker started, connections, maxconn, old workers
#   backend, name, servers that are declared to take requests, and each of them that takes none, with the reason
#   hand, server, what somebody has set, the command that undoes it
#   certificate, end of validity as OpenSSL prints it, path
#   unasked, how many certificates there are whose end is not known
# NOTES is the file of our own drains. Status 1: nothing listens there; 3: no worker answers; 142: no answer within 8 s.
# ask_master.shared.pl follows.
use strict;

my ($path, $notes) = @ARGV;
local $/;
alarm 8;
my $processes = ask($path, "show proc\n") // "";
my (undef, %section) = split /^# (.*)\n/m, $processes;
my ($worker) = ($section{workers} // "") =~ /^(\d+)/m;
my %reloads = ($section{"old workers"} // "") =~ /^(\d+) +worker +(?:\[was: \d+ *\] +)?(\d+)/mg;
# After a failed reload, some releases list the worker that still serves among the old ones.
($worker) = sort { $reloads{$a} <=> $reloads{$b} } keys %reloads if !defined $worker;
defined $worker or exit 3;
delete $reloads{$worker};
my $info = worker("show info");
my ($version, $uptime, $connections, $maxconn) = map { $info =~ /^$_: (.*)/m ? $1 : "" } qw(Version Uptime_sec CurrConns Maxconn);
$version ne "" or exit 3;
row("haproxy", $version, $uptime, $connections, $maxconn, scalar keys %reloads);
my @servers = servers(worker("show servers state"));
row("backend", @$_) for backends(@servers);
my $ours = ours($notes, $processes);
for my $server (@servers) {
    row("hand", $server->{name}, @$_) for set_by_hand($server, $ours);
}
# Those that somebody has only begun to replace have a star.
my ($listed) = worker("show ssl cert") =~ /^# filename\n(.*)/ms;
my @names = grep { !/^[#*]|^$/ } split /\n/, $listed // "";
my $known = 0;
# What is not known by then is left out: thousands take a while.
local $SIG{ALRM} = sub { die "late\n" };
alarm 6;
eval {
    for (batches("", map { "\@!$worker show ssl cert " . quoted($_) . "\n" } @names)) {
        for (split /^Filename: /m, ask($path, $_) // "") {
            my ($name) = /^(.*)/;
            next if !/^notAfter: (.*)/m;
            row("certificate", $1, $name);
            $known++;
        }
    }
};
row("unasked", @names - $known) if $known < @names;

sub worker { return ask($path, "\@!$worker $_[0]\n") // "" }

# As the parser of commands wants it.
sub quoted {
    my ($name) = @_;
    $name =~ s{([^\w./:\@+-])}{\\$1}g;
    return $name;
}

sub row { print join("\t", @_), "\n" }
