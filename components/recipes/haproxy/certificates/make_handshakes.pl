# make_handshakes.pl BUNDLES ROOTS: makes TLS handshakes with HAProxy. Standard input has them, a line each: certificate, address, port,
# name to ask for or "-", and "rsa" to offer nothing else, or "-". BUNDLES is the directory of the bundles. Each must come with its
# intermediates, and lead to one of ROOTS, a file, unless that is empty. Dates are not judged.
#
# Fails, and says why, if another certificate comes, or none because HAProxy refuses the handshake. A connection that is closed without a
# word proves nothing: a rule may refuse connections from the host itself. Nor does an address that another host has at the moment.
use strict;
use IO::Socket::IP;

my ($bundles, $roots) = @ARGV;
my ($shown, @silent) = (0);
chomp(my @handshakes = <STDIN>);
for (@handshakes) {
    my ($name, $address, $port, $asked, $key) = split / /;
    $address = "127.0.0.1" if $address eq "*" || $address eq "0.0.0.0";
    $address = "::1" if $address eq "::";
    my $place = ($address =~ /:/ ? "[$address]" : $address) . ":$port";
    if (!is_own($address)) {
        push @silent, "$name at $place (not an address of this host)";
        next;
    }
    my $rsa = join ":", map { ("RSA-PSS+SHA$_", "RSA+SHA$_") } 256, 384, 512;
    my $said = run("timeout", "-k", 1, 5, "openssl", "s_client", "-connect", $place, "-showcerts", "-cipher", "ALL:!aNULL:\@SECLEVEL=0",
        $asked eq "-" ? "-noservername" : ("-servername", $asked), $key eq "rsa" ? ("-sigalgs", $rsa) : (),
        $roots eq "" ? () : ("-CAfile", $roots, "-partial_chain", "-no_check_time"));
    my ($subject, $for) = ("certificate $name: $place", $asked eq "-" ? "clients that ask for no name" : $asked);
    fail("$subject: openssl makes no handshake: " . ($said =~ /(\S.*)/)[0]) if $said =~ /\S/ && $said !~ /^CONNECTED|connect:errno/m;
    my @served = certificates($said);
    if (!@served) {
        my ($alert) = $said =~ /(alert [a-z ]+)/;
        fail("$subject refuses the handshake for $for ($alert); correct the names or the TLS settings of its bind") if $alert;
        push @silent, "$name at $place (" . ($said =~ /connect:errno/ ? "no connection" : $said =~ /\S/ ? "closed" : "no answer in 5 s") . ")";
        next;
    }
    open my $file, "<", "$bundles/$name.pem" or fail("$subject: $bundles/$name.pem cannot be read");
    my @declared = do { local $/; certificates(scalar <$file>) };
    fail("$subject serves another for $for; served: " . described($served[0]), "declared: " . described($declared[0]))
        if $served[0] ne $declared[0];
    fail("$subject serves it with other intermediates than declared for $for; see what else loads certificates on this host")
        if "@served[0 .. $#declared]" ne "@declared";
    fail("$subject serves a chain that does not lead to the declared roots ($1); give the missing intermediates, or correct roots")
        if $roots ne "" && $said =~ /Verify return code: [1-9]\d* \((.*?)\)/;
    $shown++;
}
print "$shown by handshake" . (@silent ? ", not " . join(", ", @silent[0 .. ($#silent > 2 ? 2 : $#silent)])
    . (@silent > 3 ? ", ..." : "") : "") . "\n";

# Whether a connection to an address stays on this host: then it comes from the same address. Nothing is sent.
sub is_own {
    my ($address) = @_;
    return 1 if $address =~ /^127\./;
    my $socket = IO::Socket::IP->new(PeerHost => $address, PeerPort => 9, Proto => "udp") or return 0;
    return $socket->sockaddr eq $socket->peeraddr;
}

# Prints the output of a command, also what it says on standard error.
sub run {
    open my $command, "-|", "sh", "-c", "exec \"\$@\" 2>&1 </dev/null", "sh", @_ or return "";
    local $/;
    return scalar <$command> // "";
}

# The certificates in a text, as base64.
sub certificates {
    return map { s/\s//gr } $_[0] =~ /-----BEGIN CERTIFICATE-----(.*?)-----END/sg;
}

sub described {
    my ($base64) = @_;
    my $pem = "-----BEGIN CERTIFICATE-----\n" . join("\n", $base64 =~ /.{1,64}/g) . "\n-----END CERTIFICATE-----";
    my $said = run("sh", "-c", "printf \"%s\\n\" \"\$1\" | openssl x509 -noout -subject -fingerprint -sha256", "sh", $pem);
    my ($subject) = $said =~ /subject=(.*)/;
    my ($sha256) = $said =~ /Fingerprint=(\S+)/i;
    return "$subject, SHA-256 " . lc($sha256 =~ s/://gr);
}

sub fail {
    print map { "$_\n" } @_;
    exit 1;
}
