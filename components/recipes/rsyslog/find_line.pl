# find_line.pl LOG PORT PRODUCT: asks one listener of HAProxy after the other until the line of a request is in the log. Without any
# listener, or if no line appears, sends a line of its own to the port.
#
# Standard input has the listeners, a line each: address, port, and http or tcp. Fails if HAProxy logs none of the requests that have
# ended, or if rsyslog does not write its own line. A request that waits for a server that hangs says nothing about the log.
use strict;
use IO::Socket::IP;

my ($log, $port, $product) = @ARGV;
chomp(my @listeners = grep { /\S/ } <STDIN>);
my $id = sprintf "%08x%08x%08x", time, $$, rand 2 ** 32;
my $position = -s $log || 0;
my $inode = (stat $log)[1] || 0;
my $rest = "";
my $others = 0;
# What is waited for: patterns by the name of the listener. Those before it are waited for on, because a busy host may be late.
my %expected;

# Returns the name of a listener whose line appears within some seconds, or an empty text. Counts other lines.
sub appears {
    my ($seconds) = @_;
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
                    next;
                }
                for my $name (sort keys %expected) {
                    return $name if grep { $line =~ $_ } @{$expected{$name}};
                }
                $others++;
            }
        }
        select undef, undef, undef, 0.1;
    }
    return "";
}

sub proven {
    print "the line of a request to $_[0] is in $log\n";
    exit;
}

$SIG{PIPE} = "IGNORE";
my (@silent, @unknown);
for (@listeners) {
    my ($address, $number, $ask) = split / /;
    my $name = "$address port $number";
    $address = "127.0.0.1" if $address eq "*" || $address eq "0.0.0.0";
    $address = "::1" if $address eq "::";
    my $socket = IO::Socket::IP->new(PeerHost => $address, PeerPort => $number, Timeout => 3);
    if (!$socket) {
        push @unknown, "$name ($@)";
        next;
    }
    my ($own, $source) = ($socket->sockhost, $socket->sockport);
    $expected{$name} = [qr/\Q$product-$id\E-$number\b/, qr/(?<![\d.])\Q$own\E\b.*\b$source\b/];
    # To TLS and other protocols this is an error, which HAProxy logs, too; without any data it would not.
    print $socket "GET /$product-$id-$number HTTP/1.0\r\nUser-Agent: $product proof\r\n\r\n";
    $socket->flush;
    # The line is written when the session has ended. A server that waits for more does not end it.
    my ($read, $bytes, $late) = (1, 0, 0);
    eval {
        local $SIG{ALRM} = sub { $late = 1; die };
        alarm($ask eq "http" ? 3 : 1);
        $bytes += $read while $bytes < 2 ** 20 && ($read = sysread $socket, my $answer, 65536);
        alarm 0;
    };
    close $socket;
    my $found = appears(3);
    proven($found) if $found ne "";
    if ($late || $read) {
        push @unknown, "$name (not answered in time)";
    } else {
        push @silent, $name;
    }
}
my $sender = IO::Socket::IP->new(PeerHost => "127.0.0.1", PeerPort => $port, Proto => "udp");
print $sender "<134>1 - - $product - - - proof $id" if $sender;
$expected{own} = [qr/proof $id/];
my $found = appears(5);
if ($found eq "") {
    print "rsyslog does not write what it gets on 127.0.0.1 port $port to $log\n";
    exit 1;
}
proven($found) if $found ne "own";
if (@silent && !$others) {
    print "rsyslog writes what it gets, but HAProxy logs none of ", scalar @silent, " requests: ", join(", ", @silent),
        "; see the lines with log in haproxy.cfg: a target 127.0.0.1:$port, \"log global\", and no \"option dontlog-normal\"\n";
    exit 1;
}
if (@silent) {
    print "the line of no request to ", join(", ", @silent), " is in $log, but other lines of HAProxy are\n";
} else {
    print "a line that was sent to 127.0.0.1 port $port is in $log\n";
}
print "HAProxy ended no request to ", join(", ", @unknown), ", so their lines are not known\n" if @unknown;
