# find_conflicts.pl OURS LOG PORT CA: reads the whole configuration of rsyslog, as rsyslogd itself has put it together, from standard input.
# Prints what other files than OURS say that contradicts it, a line each. CA is empty if nothing is forwarded.
use strict;

my ($ours, $log, $port, $ca) = @ARGV;
my (%text, %later, @files, @order);
while (my $line = <STDIN>) {
    if ($line =~ /^##### BEGIN CONFIG: (.*?)(?: \(put on stack\))?$/) {
        # An include of "/etc/rsyslog.d//*.conf" is valid.
        my $file = $1 =~ s{/+}{/}gr;
        push @files, $file;
        push @order, $file;
    } elsif ($line =~ /^##### END   CONFIG: /) {
        pop @files;
    } elsif (@files) {
        $line =~ s/(^|\s)#.*//;
        $text{$files[-1]} .= $line;
        $later{$files[-1]} .= $line if exists $text{$ours};
    }
}
if (!exists $text{$ours}) {
    print "rsyslog does not read $ours; include its directory in /etc/rsyslog.conf (include(file=\"/etc/rsyslog.d/*.conf\"))\n";
    exit;
}
for my $file (grep { $_ ne $ours } @order) {
    my $text = delete $text{$file};
    next if !defined $text;
    $text =~ s{/\*.*?\*/}{}gs;
    my @ca = ($text =~ /\bDefaultNetstreamDriverCAFile\s*=\s*"(.*?)"/gi, $text =~ /^\s*\$DefaultNetstreamDriverCAFile\s+(\S+)/gim);
    for (grep { $ca ne "" && $_ ne $ca } @ca) {
        print "$file sets DefaultNetstreamDriverCAFile to $_, and rsyslog has one for all its connections; forwarding needs $ca: ",
            "use that file there, too, or put the certificates of both into one and set caFile\n";
    }
    # Of the older notation, the last one counts.
    for ($text =~ /\bmaxMessageSize\s*=\s*"(.*?)"/gi, ($later{$file} // "") =~ /^\s*\$MaxMessageSize\s+(\S+)/gim) {
        my ($size, $unit) = /^(\d+)([km]?)$/i or next;
        next if $size * { "" => 1, k => 1024, m => 1024 ** 2 }->{lc $unit} >= 8192;
        print "$file sets maxMessageSize to $_, so long lines of HAProxy would be cut; set at least 8k there, or remove it\n";
    }
    # The kernel gives each line to one of two sockets with the same address.
    my @inputs = grep { /\btype\s*=\s*"imudp"/i && /\baddress\s*=\s*"(127\.0\.0\.1|localhost)"/i && /\bport\s*=[^=]*"$port"/i }
        $text =~ /\binput\s*\((.*?)\)/gis;
    my $address = "";
    for ($text =~ /^\s*\$(UDPServer(?:Address|Run)\s+\S+)/gim) {
        my ($name, $value) = split;
        $address = $value if lc $name eq "udpserveraddress";
        push @inputs, $value if lc $name eq "udpserverrun" && $value eq $port && $address =~ /^(127\.0\.0\.1|localhost)$/;
    }
    print "$file listens on UDP port $port of 127.0.0.1, too, so only one of both would get the lines of HAProxy; remove that\n" if @inputs;
    my $path = quotemeta $log;
    my @actions = grep { /\btype\s*=\s*"omfile"/i && /\bfile\s*=\s*"$path"/i } $text =~ /\baction\s*\((.*?)\)/gis;
    # The older notation: a selector or a comparison, and a path, or a path alone in a block.
    push @actions, grep { !/^\s*\$|\w\s*=(?!=)/ } $text =~ /^((?:.*[\s}])?-?$path(?:;\S+)?)\s*$/gim;
    print "$file writes to $log, too; remove that, because its lines would be mixed with those of HAProxy\n" if @actions;
}
