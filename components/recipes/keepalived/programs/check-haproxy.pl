#!/usr/bin/perl
# Whether HAProxy serves, by its own health page. Managed by haproxy-fleet.
#
# check-haproxy DIGEST       is called by keepalived. Status 0 if HAProxy on this host serves. If it does not and none_serves is keep, also
#                            if the peer does not serve either: then who has the addresses keeps them. But a HAProxy that still answers
#                            does more for clients than one that does not run.
# check-haproxy ask ADDRESS  prints the answer of the health page at ADDRESS; status 0 if HAProxy there serves.
use strict;
use Socket;
use Fcntl;

my $SETTINGS = "/etc/keepalived/pair.conf";
my $RUN = "/run/haproxy-fleet-pair";
my $PROGRAMS = "/usr/local/libexec/haproxy-fleet";
my $BACK = "$RUN/stepped-back";

my %pair = (port => 8407, path => "/", none_serves => "keep", timeout => 2);
if (open my $file, "<", $SETTINGS) {
    while (<$file>) {
        $pair{$1} = $2 if /^(\w+)=(.*)$/;
    }
}

if (@ARGV == 2 && $ARGV[0] eq "ask") {
    my $answer = page($ARGV[1], 1);
    print "$answer\n";
    exit !serves($answer);
}
note($ARGV[0]) if @ARGV;
# Two requests, and the start of this program, within the time that keepalived gives.
my $each = 0.45 * $pair{timeout};
my $own = page($pair{address}, $each);
if (serves($own)) {
    return_to_pair() if -e $BACK;
    exit 0;
}
exit 1 if $pair{none_serves} ne "keep";
my $peer = page($pair{peer}, $each);
exit(serves($peer) || ($peer =~ m{^HTTP/} && $own =~ /^Connection refused/));

# This host stays out because its peer is MASTER and does not hear it, see step_back of pair. If that one does not serve in three checks in a
# row, nobody would have the addresses.
sub return_to_pair {
    # Not anew, because a timer may end it meanwhile.
    open my $file, "+<", $BACK or return;
    my $times = serves(page($pair{peer}, $each)) ? 0 : 1 + (<$file> // 0);
    return system "$PROGRAMS/pair", "resume" if $times >= 3;
    seek $file, 0, 0;
    print $file "$times\n";
}

# Notes with which digest keepalived has called this, and since when: so the converge knows which files it has read.
sub note {
    my ($digest) = @_;
    if (open my $file, "<", "$RUN/digest") {
        return if (<$file> // "") =~ /^\Q$digest\E /;
    }
    open my $file, ">", "$RUN/digest.new" or return;
    print $file "$digest ", time, "\n";
    close $file and rename "$RUN/digest.new", "$RUN/digest";
}

sub serves { return $_[0] =~ m{^HTTP/1\.[01] 200\b} }

# The first line of the answer, or what went wrong. The health page answers only loopback and the declared addresses of both hosts, so where
# the question comes from is not left to routes. Linux tells in select how much of the time is left.
sub page {
    my ($address, $left) = @_;
    my $packed = inet_aton($address) or return "$address is no address";
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or return "socket: $!";
    fcntl($socket, F_SETFL, O_NONBLOCK);
    bind $socket, pack_sockaddr_in(0, inet_aton($address eq $pair{address} ? "127.0.0.1" : $pair{address}));
    my ($bits, $found, $answer) = ("", 0, "");
    vec($bits, fileno $socket, 1) = 1;
    if (!connect $socket, pack_sockaddr_in($pair{port}, $packed)) {
        return "$!" unless $!{EINPROGRESS};
        ($found, $left) = select undef, my $ready = $bits, undef, $left;
        return "no connection in time" unless $found;
        my $error = unpack "i", getsockopt $socket, SOL_SOCKET, SO_ERROR;
        return "" . ($! = $error) if $error;
    }
    local $SIG{PIPE} = "IGNORE";
    syswrite $socket, "GET $pair{path} HTTP/1.0\r\n\r\n" or return "$!";
    while ($answer !~ /\n/) {
        ($found, $left) = select my $ready = $bits, undef, undef, $left;
        return "no answer in time" unless $found;
        my $got = sysread $socket, $answer, 4096, length $answer;
        return "$!" unless defined $got;
        last unless $got;
    }
    return "the connection was closed" unless $answer =~ /^([ -~]{1,80})/;
    return $1;
}
