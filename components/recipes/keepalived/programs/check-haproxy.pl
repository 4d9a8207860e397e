#!/usr/bin/perl
# Whether HAProxy serves, by its own health page. Managed by haproxy-fleet.
#
# check-haproxy              is called by keepalived. Status 0 if HAProxy on this host serves. If it does not and none_serves is keep, also
#                            if the peer does not serve either: then who has the addresses keeps them.
# check-haproxy ask ADDRESS  prints the answer of the health page at ADDRESS; status 0 if HAProxy there serves.
use strict;
use Socket;
use Fcntl;

my %pair = (port => 8407, path => "/", none_serves => "keep", check_timeout => 1);
if (open my $file, "<", "/etc/keepalived/pair.conf") {
    while (<$file>) {
        $pair{$1} = $2 if /^(\w+)=(.*)$/;
    }
}

if (@ARGV) {
    @ARGV == 2 && $ARGV[0] eq "ask" or die "usage: check-haproxy [ask ADDRESS]\n";
    my $answer = page($ARGV[1], 1);
    print "$answer\n";
    exit !serves($answer);
}
exit 0 if serves(page("127.0.0.1", $pair{check_timeout}));
exit 1 if $pair{none_serves} ne "keep" || serves(page($pair{peer}, $pair{check_timeout}));
exit 0;

sub serves { return $_[0] =~ m{^HTTP/1\.[01] 200\b} }

# The first line of the answer, or what went wrong. Linux tells in select how much of the time is left.
sub page {
    my ($address, $left) = @_;
    my $packed = inet_aton($address) or return "$address is no address";
    socket(my $socket, PF_INET, SOCK_STREAM, 0) or return "socket: $!";
    fcntl($socket, F_SETFL, O_NONBLOCK);
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
