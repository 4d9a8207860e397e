#!/usr/bin/perl
# Before keepalived starts: waits until this host has its own address, because keepalived would never become MASTER without it; and while the
# peer is MASTER with another identity, because then there would be two. Managed by haproxy-fleet.
#
# The identity is router id, password and addresses. It listens for 3 adverts and a part of one if the flag is there, which a converge leaves
# when this host gets a new one; else for one and a half, because the peer may have got a new one while this host was away.
# - adverts of the peer with the same identity: start, because the peer knows us
# - other adverts of the peer: wait until both have the same, as if the flag were there
# - silence: start, unless the flag is there and somebody has the service address, as if VRRP could not get through
# If the MASTER dies meanwhile, there is silence, so a waiting host takes over.
#
# await-peer DEVICE PEER ADDRESSES  only prints who else has the addresses, see holders
use strict;
use Socket;

my $FLAG = "/var/lib/haproxy-fleet/pair-joins";
my $RUN = "/run/haproxy-fleet-pair";
my $REASON = "$RUN/waits";
my $PROGRAMS = "/usr/local/libexec/haproxy-fleet";
my ($VRRP, $NO_AUTHENTICATION, $PASSWORD) = (112, 0, 1);

if (@ARGV) {
    print "$_\n" for holders(@ARGV);
    exit;
}
# A new process has read nothing yet.
unlink "$RUN/digest", "$RUN/awaits", $REASON;
my %pair;
open my $settings, "<", "/etc/keepalived/pair.conf" or exit 0;
while (<$settings>) {
    $pair{$1} = $2 if /^(\w+)=(.*)$/;
}
my $said = "";
# The interface that has the own address.
my $device = "";
$| = 1;
until (($device) = interface()) {
    wait_for("$pair{address} is on no interface of this host");
    select undef, undef, undef, 0.2;
}
# keepalived.conf includes this file.
put("$RUN/interface.conf", "interface $device");
my $joins = -e $FLAG;
my @addresses = map { m{^([\d.]+)/} } split / /, $pair{addresses};
my ($password, $digest) = read_config();
# So the converge knows which files a waiting host has read.
put("$RUN/awaits", $digest) if defined $digest;
my $patience = ($joins ? 4 : 1.5) * $pair{advertise};

socket(my $vrrp, PF_INET, SOCK_RAW, $VRRP) or start("adverts cannot be received ($!)");
my $until = now() + $patience;
while (1) {
    my $advert = receive($vrrp, $until - now());
    if (defined $advert) {
        my $differs = difference($advert) // next;
        start("$pair{peer_name} has the same identity") if $differs eq "";
        wait_for("$pair{peer_name} is MASTER with another $differs; converge it, too");
        ($joins, $patience) = (1, 4 * $pair{advertise});
        $until = now() + $patience;
    }
    next if now() < $until;
    start("$pair{peer_name} is silent") unless $joins;
    my $holder = $pair{mode} eq "elastic" ? elastic_holder() : holder();
    start("$pair{peer_name} is silent, and nobody has the service address") unless defined $holder;
    wait_for("no adverts of $pair{peer_name}, but $holder; see whether a firewall drops VRRP (IP protocol 112)");
    $until = now() + $patience;
}

# The interface that has the own address: nothing if none has. Not by a bind, which works without the address where ip_nonlocal_bind is set.
sub interface {
    return `ip -o -4 addr show to $pair{address} 2>/dev/null` =~ /^\d+: (\S+)/;
}

# put PATH LINE
sub put {
    open my $file, ">", $_[0] or return;
    print $file "$_[1]\n";
}

sub start {
    print "starts: $_[0]\n";
    unlink $REASON;
    unlink $FLAG or !-e $FLAG or print "$FLAG: $!\n";
    exit 0;
}

sub wait_for {
    my ($reason) = @_;
    return if $reason eq $said;
    $said = $reason;
    print "waits: $reason\n";
    put($REASON, $reason);
}

# Seconds of a clock that cannot be set.
sub now {
    open my $file, "<", "/proc/uptime" or return time;
    return (split / /, <$file>)[0];
}

# A packet; undef if none comes within these seconds.
sub receive {
    my ($socket, $seconds) = @_;
    vec(my $bits = "", fileno $socket, 1) = 1;
    return undef if $seconds <= 0 || select($bits, undef, undef, $seconds) < 1;
    my $packet;
    return defined recv($socket, $packet, 2048, 0) ? $packet : undef;
}

# What the identity in an advert of the peer has that is not ours: "" if it is the same, undef if the packet is no advert of the peer.
sub difference {
    my ($packet) = @_;
    return undef if length $packet < 28;
    my $header = 4 * (ord($packet) & 15);
    return undef if inet_ntoa(substr $packet, 12, 4) ne $pair{peer};
    my ($kind, $id, undef, $count, $authentication, $interval) = unpack "C6", substr $packet, $header;
    return undef if ($kind & 15) != 1;
    # keepalived itself hears only what is sent to its own address.
    return "address of this host" if inet_ntoa(substr $packet, 16, 4) ne $pair{address};
    return "version of VRRP" if $kind >> 4 != 2;
    return "router id" if $id != $pair{router_id};
    # keepalived drops such adverts.
    return "interval of adverts" if $interval != $pair{advertise};
    return "password" if $authentication != (defined $password ? $PASSWORD : $NO_AUTHENTICATION);
    my $data = substr $packet, $header + 8 + 4 * $count, 8;
    return "password" if defined $password && $data ne pack "a8", $password;
    my @theirs = map { inet_ntoa $_ } unpack "(a4)$count", substr $packet, $header + 8, 4 * $count;
    return join(" ", sort @theirs) eq join(" ", sort @addresses) ? "" : "list of addresses";
}

# The password in keepalived's own file, and the digest that it calls its check with; undef if there is none.
sub read_config {
    my ($password, $digest);
    open my $file, "<", "/etc/keepalived/keepalived.conf" or return;
    while (<$file>) {
        $password = $1 // $2 if /^\s*auth_pass\s+(?:"([^"]*)"|(\S+))/;
        $digest = $1 if m{/check-haproxy ([0-9a-f]+)"};
    }
    return ($password, $digest);
}

# Which host answers for a service address; undef if none does.
sub holder {
    my (undef, $address, $mac) = split / /, (holders($device, $pair{peer}, $pair{addresses}))[0] // "";
    return defined $mac ? "$address answers at $mac" : undef;
}

# The elastic address has no ARP: the peer has it, and serves.
sub elastic_holder {
    my ($owner) = split /\n/, `$PROGRAMS/move-address owner 2>/dev/null`;
    return undef if ($owner // "") ne "peer" || system("$PROGRAMS/check-haproxy ask $pair{peer} >/dev/null 2>&1") != 0;
    return "$pair{peer_name} has the elastic address and serves";
}
