# openpgp_key FINGERPRINT FILE KEYRING: appends the key with this fingerprint to the keyring, with what belongs to it. If the file has none,
# says on standard error what it has, and fails.
#
# RFC 9580: armor in section 6, packets in 4.2, fingerprints of version 4 in 5.5.4.2.
use strict;

my ($wanted, $path, $keyring) = @ARGV;
local $/;
open my $file, "<:raw", $path or die "$!\n";
my $data = <$file>;

# Blocks of armor: the line at the beginning, headers, an empty line, base64, perhaps a checksum.
if (my @blocks = $data =~ /^-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t\r]*\n(?:[^\n]*:[^\n]*\n)*[ \t\r]*\n(.*?)^(?:=|-----END)/msg) {
    $data = "";
    for my $base64 (@blocks) {
        $base64 =~ tr|A-Za-z0-9+/||cd;
        $base64 =~ tr|A-Za-z0-9+/| -_|;
        $data .= join "", map { unpack "u", chr(32 + int(length($_) * 3 / 4)) . $_ } $base64 =~ /.{1,60}/gs;
    }
}

# Signatures, subkeys and user ids belong to the key before them.
my %belongs = map { $_ => 1 } 2, 13, 14, 17;
my ($key, @keys);
while (length $data) {
    my ($tag, $length, $header) = header() or last;
    last if $header + $length > length $data;
    my $body = substr $data, $header, $length;
    if ($tag == 6 || $tag == 5) {
        $key = { own => "\x99" . pack("n", $length) . $body, rest => "" };
        push @keys, $key if $tag == 6 && $length < 65536 && ord($body) == 4;
    } elsif ($key && $belongs{$tag}) {
        $key->{rest} .= substr $data, 0, $header + $length;
    }
    $data = substr $data, $header + $length;
}

my @found = map { fingerprint($_->{own}) } @keys;
for my $n (0 .. $#keys) {
    next if $found[$n] ne $wanted;
    open my $out, ">>:raw", $keyring or die "$!\n";
    print $out $keys[$n]{own}, $keys[$n]{rest};
    close $out or die "$!\n";
    exit 0;
}
die @found ? "it has @found[0 .. ($#found < 9 ? $#found : 9)]\n" : "it has no OpenPGP key of version 4\n";

# The tag of the next packet, the length of its body and that of its header; nothing if it is no packet, or if the length is not known
# beforehand, which keys never have.
sub header {
    my ($type, @octets) = unpack "C6", $data;
    return unless $type & 0x80;
    if ($type & 0x40) {
        return ($type & 0x3f, $octets[0], 2) if @octets && $octets[0] < 192;
        return ($type & 0x3f, (($octets[0] - 192) << 8) + $octets[1] + 192, 3) if @octets > 1 && $octets[0] < 224;
        return ($type & 0x3f, unpack("N", substr $data, 2, 4), 6) if @octets > 4 && $octets[0] == 255;
        return;
    }
    my $size = (1, 2, 4)[$type & 3] or return;
    return if @octets < $size;
    return (($type >> 2) & 15, unpack($size == 1 ? "C" : $size == 2 ? "n" : "N", substr $data, 1, $size), 1 + $size);
}

sub fingerprint {
    open my $out, ">:raw", "$path.id" or die "$!\n";
    print $out @_;
    close $out or die "$!\n";
    open my $sum, "-|", "sha1sum", "$path.id" or die "$!\n";
    my $digest = substr <$sum>, 0, 40;
    unlink "$path.id";
    return $digest;
}
