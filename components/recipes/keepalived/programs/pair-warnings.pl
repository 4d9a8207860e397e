#!/usr/bin/perl
# pair-warnings PEER HOST: reads lines of keepalived's journal (-o short-unix), and prints what they say of a mistake, once each. Managed by
# haproxy-fleet.
use strict;
