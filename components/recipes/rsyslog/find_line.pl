# find_line.pl LOG PORT PRODUCT: asks one listener of HAProxy after the other until the line of a request is in the log. Without any
# listener, or if no line appears, sends a line of its own to the port.
#
# Standard input has the listeners, a line each: address, port, and http or tcp. Fails if HAProxy logs none of the requests, or if rsyslog
# does not write its own line.
use strict;
use IO::Socket::IP;

my ($log, $port, $product) = @ARGV;
chomp(my @listeners = grep { /\S/ } <STDIN>);
my $id = sprintf "%08x%08x%08x", time, $$, rand 2 ** 32;
my $position = -s $log || 0;
my $inode = (stat $log)[1] || 0;
my $rest = "";
my $others = 0;

# Whether a line that matches one of the patterns appears within some seconds. Counts other lines.
sub appears {
    my ($seconds, @patterns) = @_;
    for (1 .. $seconds * 10) {
        if (open my $file, "<", $log) {
            my ($found, $size) = (stat $file)[1, 7];
            ($position, $rest, $inode) = (0, "", $found) if $found != $inode || $size < $position;
            seek $file, $position, 0;
            while (my $line = <$file>) {
                $position += length $line;
                $line = $rest . $line;
                $rest = "";
                if ($line !~ /\n$/) {
                    $rest = $line;
                } elsif (grep { $line =~ $_ } @patterns) {
                    return 1;
                } else {
                    $others++;
                }
            }
        }
        select undef, undef, undef, 0.1;
    }
    return 0;
}

$SIG{PIPE} = "IGNORE";
my @silent;
for (@listeners) {
    my ($address, $number, $ask) = split / /;
    my $name = "$address port $number";
    $address = "127.0.0.1" if $address eq "*" || $address eq "0.0.0.0";
    $address = "::1" if $address eq "::";
    my $socket = IO::Socket::IP->new(PeerHost => $address, PeerPort => $number, Timeout => 3);
    if (!$socket) {
        push @silent, "$name ($@)";
        next;
    }
    my ($own, $source) = ($socket->sockhost, $socket->sockport);
    # To TLS and other protocols this is an error, which HAProxy logs, too; without any data it would not.
    print $socket "GET /$product-$id HTTP/1.0\r\nUser-Agent: $product proof\r\n\r\n";
    $socket->flush;
    # The line is written when the session has ended. A server that waits for more does not end it.
    eval { local $SIG{ALRM} = sub { die }; alarm $ask eq "http" ? 3 : 1; sysread $socket, my $answer, 4096; alarm 0 };
    close $socket;
    if (appears(3, qr/\Q$product-$id\E/, qr/(?<![\d.])\Q$own\E\b.*\b$source\b/)) {
        print "the line of a request to $name is in $log\n";
        exit;
    }
    push @silent, $name;
}
my $sender = IO::Socket::IP->new(PeerHost => "127.0.0.1", PeerPort => $port, Proto => "udp");
print $sender "<134>1 - - $product - - - proof $id" if $sender;
if (!appears(5, qr/proof $id/)) {
    print "rsyslog does not write what it gets on 127.0.0.1 port $port to $log\n";
    exit 1;
}
if (!@silent) {
    print "a line that was sent to 127.0.0.1 port $port is in $log\n";
} elsif ($others) {
    print "the line of no request to ", join(", ", @silent), " is in $log, but other lines of HAProxy are\n";
} else {
    print "rsyslog writes what it gets, but HAProxy logs none of ", scalar @silent, " requests: ", join(", ", @silent),
        "; see the lines with log in haproxy.cfg: a target 127.0.0.1:$port, \"log global\", and no \"option dontlog-normal\"\n";
    exit 1;
}
