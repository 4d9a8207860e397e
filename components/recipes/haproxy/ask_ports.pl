# ask_ports.pl PRODUCT: connects to each port, if this host can: an address that it lacks, such as that of a pair, may be another host's. A
# port that speaks HTTP also gets a request; a slow answer counts as one, because the server is slow then.
#
# Standard input has the binds, a line each: address, port, and http, tcp or nothing. Prints the first port that does not work, and fails.
use strict;
use IO::Socket::IP;

my ($product) = @ARGV;
chomp(my @binds = <STDIN>);
my %own = map { $_ => 1 } qx(ip -o addr show) =~ m{ inet6? ([^/ ]+)}g;
for (@binds) {
    my ($address, $port, $mode) = split / /;
    next if $mode eq "nothing";
    $address = "127.0.0.1" if $address eq "*" || $address eq "0.0.0.0";
    if ($address eq "::") {
        # If IPv6 is off on all interfaces, no connection is possible.
        open my $table, "<", "/proc/net/if_inet6" or next;
        grep { /^0{31}1 / } <$table> or next;
        $address = "::1";
    }
    next unless $own{$address} || $address =~ /^127\./;
    my $socket = IO::Socket::IP->new(PeerHost => $address, PeerPort => $port, Timeout => 3)
        or do { print "$address port $port does not accept connections: $@\n"; exit 1 };
    next if $mode ne "http";
    print $socket "GET / HTTP/1.0\r\nUser-Agent: $product proof\r\n\r\n";
    my $line = eval { local $SIG{ALRM} = sub { die }; alarm 3; my $first = <$socket>; alarm 0; $first };
    next if !defined $line || $line =~ m{^HTTP/};
    print "$address port $port does not speak HTTP\n";
    exit 1;
}
