#!/usr/bin/perl
# Proves that rsyslog is connected to the receiver of HAProxy's lines. Called by a converge. Managed by haproxy-fleet.
#
# haproxy-fleet-prove-forward HOST PORT LISTEN [RECORD]: sends a line to rsyslog, on UDP port LISTEN of 127.0.0.1, and waits until rsyslogd
# has held a connection to HOST for a second and has got bytes on it: it closes one at once if the certificate or its name is wrong. Then
# makes the file RECORD. Otherwise prints what rsyslogd says, and fails.
use strict;
use IO::Socket::IP;
use Socket qw(getaddrinfo getnameinfo NI_NUMERICHOST NIx_NOSERV SOCK_STREAM);

my ($host, $port, $listen, $record) = @ARGV;
my $began = time;
my $sender = IO::Socket::IP->new(PeerHost => "127.0.0.1", PeerPort => $listen, Proto => "udp") or die "no UDP socket: $@\n";
$sender->send("<134>1 - - haproxy-fleet - - - proof of the connection to $host:$port");

# The local addresses of rsyslogd's connections on which it has got something.
sub connections {
    my ($error, @found) = getaddrinfo($host, $port, { socktype => SOCK_STREAM });
    my %peer = map { $_ => 1 } map { (getnameinfo($_->{addr}, NI_NUMERICHOST, NIx_NOSERV))[1] } @found;
    my %held;
    my $local;
    for (`ss -Htnpi state established "dport = :$port" 2>/dev/null`) {
        if (/^\S/) {
            my (undef, undef, $from, $to) = split;
            $to =~ s/:\d+$//;
            $to =~ s/^\[(?:::ffff:)?|\]$//g;
            $local = /\(\("rsyslogd",/ && $peer{$to} ? $from : undef;
        } elsif (defined $local && /\bbytes_received:[1-9]/) {
            $held{$local} = 1;
        }
    }
    return \%held;
}

# What rsyslogd has said since the start of this program that may be the reason.
sub reasons {
    system "journalctl --sync 2>/dev/null";
    my (@words, %said);
    for (`journalctl -q --no-pager -o cat --since=\@$began _SYSTEMD_UNIT=rsyslog.service SYSLOG_IDENTIFIER=rsyslogd`) {
        s/ *\[v8\.[^\]]*\]$//;
        next if /^\[origin |^imuxsock: Acquired|imklog|rcvbuf size|(certificate|key) file is not set|insecure default|re-starting with|^action |^omfwd: \[wrkr/;
        push @words, $_ if !$said{$_}++;
    }
    return @words;
}

# After a failure, rsyslogd tries again 5 to 30 s later.
my ($before, @words) = {};
for my $second (1 .. 40) {
    sleep 1;
    my $held = connections();
    if (grep { $before->{$_} } keys %$held) {
        exit if !defined $record;
        my ($directory) = $record =~ m{(.*)/};
        -d $directory or mkdir $directory, 0700 or die "$directory: $!\n";
        open my $file, ">", $record or die "$record: $!\n";
        exit;
    }
    $before = $held;
    last if $second >= 10 && $second % 5 == 0 && (@words = reasons());
}
print "rsyslog has no TLS connection to $host port $port; its lines wait in the queue on this host, and the next up tries again",
    @words ? "; rsyslog says:\n" : ", and rsyslog does not say why\n", @words;
exit 1;
