# What becomes of servers that a configuration no longer has: guards against a search that found too few, and the drain of those
# that go. The parameter haproxy_servers has a line per backend: its name, minServers, maxShrinkPercent, seconds to drain; - is none.

# A line per server that the reload at hand drains, and what is said of it.
drain=
drain_words=

# haproxy_preflight_servers STAGE: a line for each fault; in $stage/drain a line per server that goes: backend/server, seconds.
haproxy_preflight_servers() {
    rm -f -- "$stage/drain"
    [ -n "$haproxy_servers" ] || return 0
    shrunk=$(haproxy_servers_after "$haproxy_servers" | haproxy_judge_servers "$1${haproxy_config#"$tx_directory"}") ||
        haproxy_fault "the servers that run could not be held against those declared"
    [ -z "$shrunk" ] || haproxy_fault "$shrunk"
}

# The servers of the worker that serves, as CSV; nothing where none runs.
haproxy_server_stats() {
    [ -z "$running_worker" ] || haproxy_talk '@1 show stat -1 4 -1' 2>/dev/null
}

# haproxy_servers_after LINES: these, an empty one, and the servers. An argument of a program has room for 128 kB only.
haproxy_servers_after() {
    printf '%s\n\n' "$1"
    haproxy_server_stats
}

# haproxy_judge_servers FILE: holds what the process tells, or the live file where it tells nothing, against what FILE declares.
# Servers and backup servers are counted apart: each kind is a search of its own. What one wants to drain must not be the last that
# works: the new configuration's servers do not take requests yet.
haproxy_judge_servers() {
    # shellcheck disable=SC2016 # perl's variables
    perl -e '
        my ($file, $live, $drain) = @ARGV;
        my @rules;
        while (<STDIN>) { chomp; last if $_ eq ""; push @rules, $_ }
        sub configured {
            my ($section, $backup, %found);
            open my $config, "<", $_[0] or return {};
            while (<$config>) {
                if (/^\s*(global|defaults|frontend|backend|listen|peers|userlist|mailers|resolvers|cache|http-errors|program|ring|fcgi-app|log-forward)(?:\s+(\S+))?/) {
                    ($section, $backup) = ($1 eq "backend" || $1 eq "listen" ? $2 : undef, 0);
                    $found{$section} = {} if defined $section;
                }
                next if !defined $section;
                $backup = 1 if /^\s*default-server\s(?:.*\s)?backup(?:\s|$)/;
                my $kind = $backup || /\sbackup(?:\s|$)/ ? 1 : 0;
                $found{$section}{$1} = { backup => $kind } if /^\s*server\s+(\S+)/;
                next if !/^\s*server-template\s+(\S+)\s+(\d+)(?:-(\d+))?\s/;
                $found{$section}{"$1$_"} = { backup => $kind } for defined $3 ? $2 .. $3 : 1 .. $2;
            }
            return \%found;
        }
        sub running {
            my (@columns, %found);
            while (<STDIN>) {
                chomp;
                if (s/^# //) { @columns = split /,/; next }
                my %row;
                @row{@columns} = split /,/, $_, -1;
                next if !@columns || !defined $row{bck};
                $found{$row{pxname}}{$row{svname}} = {
                    backup => $row{bck} ? 1 : 0,
                    works => $row{status} =~ /^(UP|no check)/ && $row{weight} > 0,
                    drains => $row{status} =~ /^(UP|no check|DRAIN|NOLB)/,
                };
            }
            return \%found;
        }
        sub list {
            my ($title, @names) = @_;
            my $text = "";
            $text .= " " . shift @names while @names && length $text < 200;
            return "    $title:" . ($text || " none") . (@names ? " and " . @names . " more" : "") . "\n";
        }
        my ($now, $declared, @faults, @gone) = (running(), configured($file));
        $now = configured($live) if !%$now;
        for (@rules) {
            my ($backend, $min, $percent, $seconds) = split / /;
            my ($before, $after) = ($now->{$backend} || {}, $declared->{$backend} || {});
            for my $backup (0, 1) {
                my @before = grep { $before->{$_}{backup} == $backup } sort keys %$before;
                my @after = grep { $after->{$_}{backup} == $backup } sort keys %$after;
                my $kind = ($backup ? "backup server" : "server") . (@after == 1 ? "" : "s");
                my $shrink = @before ? int 100 * (@before - @after) / @before : 0;
                my $limit = !$backup && $min ne "-" && @after < $min ? "minServers is $min"
                    : $percent ne "-" && 100 * (@before - @after) > $percent * @before
                    ? "a shrink by $shrink %, maxShrinkPercent is $percent" : next;
                push @faults, "backend $backend would have " . @after . " $kind, now it has " . @before . ": $limit\n"
                    . list("now", @before) . list("declared", @after);
            }
            next if $seconds eq "-";
            for my $name (grep { $before->{$_}{drains} && !$after->{$_} } sort keys %$before) {
                my @stay = grep { $before->{$_}{works} && $after->{$_} } keys %$before;
                push @gone, "$backend/$name $seconds\n"
                    if grep { $before->{$name}{backup} || !$before->{$_}{backup} } @stay;
            }
        }
        if (@gone) {
            open my $list, ">", $drain or die "$drain: $!";
            print $list @gone;
        }
        exit if !@faults;
        print @faults[0 .. ($#faults > 3 ? 3 : $#faults)];
        print "and " . (@faults - 4) . " more\n" if @faults > 4;
        print "If servers are missing, correct their tags or the search; if they are to go, allow it once with allowShrink\n";
    ' "$1" "$haproxy_config" "$stage/drain"
}

# What a reload is to drain, in $drain, and once only: a restore activates too.
haproxy_plan_drain() {
    drain=
    drain_words=
    [ "$activation" = reload ] && [ -s "$stage/drain" ] || return 0
    drain=$(cat -- "$stage/drain")
    rm -f -- "$stage/drain"
    names=
    count=0
    longest=0
    split_lines
    for line in $drain; do
        count=$((count + 1))
        [ "$count" -gt 5 ] || names="$names ${line% *}"
        [ "${line##* }" -le "$longest" ] || longest=${line##* }
    done
    unsplit
    [ "$count" -le 5 ] || names="$names and $((count - 5)) more"
    drain_words="; first drains$names, up to $longest s"
    activation_reason=$activation_reason$drain_words
}

# Servers that go get no new sessions, and are waited for until they have none, each within its bound. One that is down or cannot be
# asked is not waited for. The files are in place: if this is killed, they are newer than the process, so that the next run reloads,
# and a server that is to stay after all is ready again.
haproxy_drain() {
    [ -n "$drain" ] || return 0
    haproxy_set_servers drain
    find_now
    drain_since=$now
    told=0
    while :; do
        find_time_left
        elapsed=$((now - drain_since))
        [ "$time_left" -gt 0 ] || elapsed=1000000
        busy=$(haproxy_servers_after "$drain" | haproxy_busy_servers "$elapsed")
        case $busy in
        "wait "*)
            if [ "$told" -le "$elapsed" ]; then
                tell "$label: draining, sessions left: ${busy#wait }"
                told=$((elapsed + 5))
            fi
            ;;
        "late "*)
            tell "$label: not drained in time, the worker of before goes on with them: ${busy#late }"
            return
            ;;
        *) return ;;
        esac
        sleep 0.2
    done
}

# haproxy_set_servers STATE
haproxy_set_servers() {
    split_lines
    for line in $drain; do
        haproxy_talk "@1 set server ${line% *} state $1" >/dev/null 2>&1
    done
    unsplit
}

# haproxy_busy_servers ELAPSED: "wait" while one has time left, "late" when none has, and which still have sessions; else nothing.
haproxy_busy_servers() {
    # shellcheck disable=SC2016 # perl's variables
    perl -e '
        my ($elapsed) = @ARGV;
        my (%bound, @busy);
        my $word = "late";
        while (<STDIN>) { last if !/^(\S+) (\d+)$/; $bound{$1} = $2 }
        while (<STDIN>) {
            my ($backend, $name, $queued, $sessions, $status) = (split /,/)[0, 1, 2, 4, 17];
            my $bound = $bound{"$backend/$name"} // next;
            next if $status =~ /^(DOWN|MAINT)/ || !($queued + $sessions);
            $word = "wait" if $elapsed < $bound;
            push @busy, "$backend/$name " . ($queued + $sessions);
        }
        print "$word " . join ", ", @busy if @busy;
    ' "$1"
}
