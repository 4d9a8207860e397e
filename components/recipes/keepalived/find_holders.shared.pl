# holders DEVICE PEER ADDRESSES: returns who else has the addresses, as `peer ADDRESS MAC` or `other ADDRESS MAC`. Asks by ARP from no address
# (RFC 5227), so that no host learns a wrong one.
sub holders {
    my ($device, $peer, $addresses) = @_;
    my ($AF_PACKET, $ARP) = (17, 0x0806);
    my @wanted = map { m{^([\d.]+)/} } split / /, $addresses;
    my $mac = pack "H12", contents("$device/address") =~ tr/://dr;
    my $all = pack "S n l S C C a8", $AF_PACKET, $ARP, contents("$device/ifindex"), 1, 0, 6, "\xff" x 6;
    socket(my $socket, $AF_PACKET, SOCK_DGRAM, unpack "S", pack "n", $ARP) or return;
    bind $socket, $all or return;
    my %has;
    for (1 .. 3) {
        send $socket, pack("n n C C n a6 a4 a6 a4", 1, 0x0800, 6, 4, 1, $mac, "\0" x 4, "\0" x 6, inet_aton($_)), 0, $all for @wanted, $peer;
        my $left = 0.3;
        while ($left > 0) {
            vec(my $bits = "", fileno $socket, 1) = 1;
            (my $found, $left) = select $bits, undef, undef, $left;
            last if $found < 1;
            my $answer;
            defined recv $socket, $answer, 2048, 0 or last;
            my ($theirs, $address) = unpack "x8 a6 a4", $answer;
            $has{inet_ntoa $address}{$theirs} = 1 if $theirs ne $mac;
        }
        last unless grep { !$has{$_} } @wanted, $peer;
    }
    return map {
        my $address = $_;
        map { ($has{$peer}{$_} ? "peer" : "other") . " $address " . join ":", unpack "(H2)6", $_ } sort keys %{$has{$address}};
    } @wanted;
}

sub contents {
    open my $file, "<", "/sys/class/net/$_[0]" or return "";
    chomp(my $line = <$file> // "");
    return $line;
}
