# Asks on an Ethernet device, again and again, who has an IPv4 address, and prints who answers. Runs on the machine, outside of the hosts.
#
# usage: perl askOwners.pl DEVICE ADDRESS MILLISECONDS
#
# One line per question: the time it was sent in milliseconds of the monotonic clock, then the MAC address of everyone who answered before the
# next question. The kernel's own resolver would keep one answer and drop the others: hence a raw socket.
use strict;
use warnings;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use constant { AF_PACKET => 17, SOCK_RAW => 3, ETH_P_ARP => 0x0806, REQUEST => 1, REPLY => 2 };
# Ethernet header, then the packet of RFC 826 for Ethernet and IPv4.
use constant FRAME => 'a6 a6 n n n C C n a6 a4 a6 a4';

my ($device, $address, $every) = @ARGV;
my $target = pack 'C4', split /\./, $address;
# RFC 5227: a probe has no sender address, so that it changes nobody's table.
my $nobody = "\0" x 4;

sub property {
    my ($name) = @_;
    open my $file, '<', "/sys/class/net/$device/$name" or die "$device: no such device\n";
    chomp(my $value = <$file>);
    return $value;
}

socket my $socket, AF_PACKET, SOCK_RAW, unpack('S', pack 'n', ETH_P_ARP) or die "socket: $!\n";
# struct sockaddr_ll, packet(7)
bind $socket, pack 'S n i S C C a8', AF_PACKET, ETH_P_ARP, property('ifindex'), 0, 0, 0, '' or die "bind: $!\n";
my $own = pack 'H2' x 6, split /:/, property('address');
my $question = pack FRAME, "\xff" x 6, $own, ETH_P_ARP, 1, 0x0800, 6, 4, REQUEST, $own, $nobody, "\0" x 6, $target;

sub answers_until {
    my ($end) = @_;
    my %from;
    while ((my $left = $end - clock_gettime(CLOCK_MONOTONIC)) > 0) {
        my $set = '';
        vec($set, fileno $socket, 1) = 1;
        next unless select($set, undef, undef, $left) > 0;
        defined recv $socket, my $frame, 2048, 0 or next;
        next if length $frame < 42;
        my ($to, undef, undef, undef, undef, undef, undef, $kind, $sender, $who, undef, $for) = unpack FRAME, $frame;
        # Announcements of the address (gratuitous ARP) are for all, not for us.
        $from{join ':', unpack '(H2)6', $sender} = 1 if $kind == REPLY && $to eq $own && $who eq $target && $for eq $nobody;
    }
    return sort keys %from;
}

$| = 1;
$SIG{PIPE} = 'DEFAULT';
my $next = clock_gettime(CLOCK_MONOTONIC);
for (;;) {
    my $sent = clock_gettime(CLOCK_MONOTONIC);
    # Who has been stopped for a while does not catch up.
    $next = $sent if $sent - $next > $every / 1000;
    $next += $every / 1000;
    # A bridge without any cable refuses it.
    send $socket, $question, 0;
    my @answers = answers_until($next);
    printf "%.3f %s\n", $sent * 1000, join ',', @answers;
}
