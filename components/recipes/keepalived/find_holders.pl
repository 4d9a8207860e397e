# DEVICE PEER ADDRESSES: prints who else has the addresses, a line each. What it shares with await-peer is in find_holders.shared.pl.
use strict;
use Socket;

print "$_\n" for holders(@ARGV);
