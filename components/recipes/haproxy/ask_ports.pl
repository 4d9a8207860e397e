# ask_ports.pl PRODUCT: connects to each port, if this host can: an address that it lacks, such as that of a pair, may be another host's. A
# port that speaks HTTP also gets a request; a slow answer counts as one, because the server is slow then.
#
# Standard input has the binds, a line each: address, port, and http, tcp or nothing. Prints the first port that does not work, and fails.
use strict;

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
    my $socket = connected($address, $port) or do { print "$address port $port does not accept connections: $@\n"; exit 1 };
    next if $mode ne "http";
    syswrite $socket, "GET / HTTP/1.0\r\nUser-Agent: $product proof\r\n\r\n";
    my $line = eval { local $SIG{ALRM} = sub { die }; alarm 3; my $first = <$socket>; alarm 0; $first };
    next if !defined $line || $line =~ m{^HTTP/};
    print "$address port $port does not speak HTTP\n";
    exit 1;
}

# A connection, or nothing and $@. Each reload does this, and to load IO::Socket::IP takes longer than all else here, so IPv4 goes without:
# 2 is AF_INET, 1 SOCK_STREAM.
sub connected {
    my ($address, $port) = @_;
    if ($address !~ /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/) {
        require IO::Socket::IP;
        return IO::Socket::IP->new(PeerHost => $address, PeerPort => $port, Timeout => 3);
    }
    my $name = pack "S n C4 x8", 2, $port, $1, $2, $3, $4;
    my $socket;
    my $connected = eval {
        local $SIG{ALRM} = sub { die "Connection timed out\n" };
        alarm 3;
        socket($socket, 2, 1, 0) && connect($socket, $name) or die "$!\n";
    };
    alarm 0;
    chomp $@;
    return $connected && $socket;
}
