#!/usr/bin/perl
# pair-warnings PEER ROUTER-ID: reads lines of keepalived's journal (journalctl -o short-unix), and prints what they say of mistakes, once
# each, as `warning TEXT SECONDS-AGO` with TABs. Managed by haproxy-fleet.
use strict;

my ($peer, $id) = @ARGV;
my $others = "converge both hosts; if they are alike, another keepalived on the network has router id $id: give this pair another one (pair.routerId)";
# Words of keepalived 2.1 to 2.3, how often they must come, and what they mean. Two hosts that start at once are both MASTER for a moment.
my @meanings = (
    [qr/received an invalid passwd/, 1, "adverts with another password arrive; $others"],
    [qr/received a \d+ auth\b.*expecting/, 1, "adverts arrive with a password where there is none, or without one; $others"],
    [qr/unexpected ip number count|expected \d+ VIPs but received|not present in MASTER advert/, 1, "adverts with another list of addresses arrive; $others"],
    [qr/advertisement interval mismatch/, 1, "adverts with another interval arrive; $others"],
    [qr/with lower priority \d+, ours \d+, forcing new election/, 3, "$peer is MASTER, too; see whether VRRP (IP protocol 112) gets through both ways"],
    [qr/VRRP_Script\(haproxy\) timed out/, 1, "the check of HAProxy did not end in time; see whether HAProxy or this host is overloaded"],
);
my (%count, %last);
while (<STDIN>) {
    my ($time, $words) = /^(\d+)[\d.]* \S+ \S+: (.*)/ or next;
    for (0 .. $#meanings) {
        next unless $words =~ $meanings[$_][0];
        $count{$_}++;
        $last{$_} = $time;
    }
}
for (sort keys %count) {
    my (undef, $often, $text) = @{$meanings[$_]};
    print join("\t", "warning", $text, time - $last{$_}), "\n" if $count{$_} >= $often;
}
