# busy_servers.pl ELAPSED: says whether a drain has to wait.
#
# Standard input has a line for each server that is drained: backend/server, seconds, mark. After an empty line come the servers of the
# process as CSV. Prints "wait" or, if no server has time left, "late", and which servers still have sessions; prints nothing if none has.
use strict;

my ($elapsed) = @ARGV;
my (%bound, @busy);
my $word = "late";
while (<STDIN>) { last if !/^(\S+) (\d+) /; $bound{$1} = $2 }
while (<STDIN>) {
    my ($backend, $name, $queued, $sessions, $status) = (split /,/)[0, 1, 2, 4, 17];
    my $bound = $bound{"$backend/$name"} // next;
    next if $status =~ /^(DOWN|MAINT)/ || !($queued + $sessions);
    $word = "wait" if $elapsed < $bound;
    push @busy, "$backend/$name " . ($queued + $sessions);
}
print "$word " . join ", ", @busy if @busy;
