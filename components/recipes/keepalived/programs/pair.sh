#!/bin/sh
# The part of this host in its pair: its role, and handing the service addresses over. Managed by haproxy-fleet.
#
# pair role                      prints lines with TABs between their fields, and fails if this host has no pair:
#                                  pair NAME HOST PEER ADDRESSES MODE OWN-ADDRESS PEER-ADDRESS ROUTER-ID
#                                  role MASTER|BACKUP|FAULT|WAITING|STOPPED|UNKNOWN all|some|none SECONDS-SINCE
#                                  outside standby, or outside yield REASON: why it stays out, if it does
#                                  waits REASON: what a WAITING host waits for
#                                  warning TEXT SECONDS-AGO: what keepalived says of the last 10 minutes, in words, or that the
#                                  health page of the peer is out of reach
# pair state                     prints only role and what it holds of the addresses
# pair notify TYPE NAME STATE PRIORITY  is called by keepalived when its state changes
# pair yield [-t SECONDS] REASON hands the addresses over and stays out, until `pair resume`, or for SECONDS (600). Fails with nothing changed,
#                                and says why, if the peer cannot take over. Changes nothing on a host that is not MASTER, and fails there
#                                only if the elastic IP address leads to it and stays.
# pair resume                    ends that
# pair release                   takes the addresses off the interface; when keepalived has ended
set -uf
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
umask 077
unset IFS
NL='
'
settings=/etc/keepalived/pair.conf
standby=/etc/keepalived/standby
run=/run/haproxy-fleet-pair
programs=/usr/local/libexec/haproxy-fleet
unit=keepalived.service
timer=haproxy-fleet-resume
table=haproxy_fleet_yield
mover=haproxy-fleet-address.service
# In seconds. takes: how long a MASTER may need to take the elastic IP address, whose timer looks each 30 s. asks: how long EC2 is asked.
takes=60
asks=5

# Sets a variable for each key that the programs use. Fails if this host has no pair.
read_settings() {
    pair='' host='' mode='' failback='' device='' address='' peer='' peer_name='' router_id='' addresses='' advertise=1 port=8407
    [ -r "$settings" ] || return 1
    while IFS= read -r line || [ -n "$line" ]; do
        value=${line#*=}
        case $line in
        pair=*) pair=$value ;;
        host=*) host=$value ;;
        mode=*) mode=$value ;;
        failback=*) failback=$value ;;
        address=*) address=$value ;;
        peer=*) peer=$value ;;
        peer_name=*) peer_name=$value ;;
        router_id=*) router_id=$value ;;
        addresses=*) addresses=$value ;;
        advertise=*) advertise=$value ;;
        port=*) port=$value ;;
        esac
    done <"$settings"
    if [ "$mode" = elastic ]; then
        # Its address only shows who is MASTER.
        device=lo
    elif ! read -r _ device 2>/dev/null <"$run/interface.conf"; then
        device=$(ip -o -4 addr show to "$address" 2>/dev/null)
        device=${device#*: }
        device=${device%% *}
    fi
}

# Sets clock to hundredths of a second since the boot.
read_clock() {
    read -r clock </proc/uptime
    clock=${clock%% *}
    clock=${clock%.*}${clock#*.}
    clock=${clock#"${clock%%[!0]*}"}
    clock=${clock:-0}
}

# Sets holds to what of the addresses is on the interface: all, some or none.
find_holds() {
    shown=$(ip -o addr show dev "$device" 2>/dev/null)
    declared=0
    held=0
    for one in $addresses; do
        declared=$((declared + 1))
        case $shown in *" inet $one "* | *" inet6 $one "*) held=$((held + 1)) ;; esac
    done
    case $held in
    0) holds=none ;;
    "$declared") holds=all ;;
    *) holds=some ;;
    esac
}

# Sets role, holds and since (hundredths of a second, as read_clock). Reads again while state and interface do not fit, as they do for a
# moment when keepalived changes its state.
find_role() {
    for _ in 1 2 3 4; do
        role=UNKNOWN
        recorded=
        since=0
        ! read -r recorded since 2>/dev/null <"$run/state" || :
        case $(systemctl show -p ActiveState --value -- "$unit") in
        active | reloading)
            case $recorded in MASTER | BACKUP | FAULT) role=$recorded ;; esac
            ;;
        activating)
            role=STOPPED
            [ ! -e "$run/waits" ] || role=WAITING
            ;;
        *) role=STOPPED ;;
        esac
        find_holds
        case $role,$holds in MASTER,all | BACKUP,none | FAULT,none | WAITING,none | STOPPED,none) return ;; esac
        sleep 0.2
    done
}

role() {
    find_role
    read_clock
    read -r out_by 2>/dev/null <"$standby" || out_by=0
    printf 'pair\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$pair" "$host" "$peer_name" "$addresses" "$mode" "$address" "$peer" "$router_id"
    printf 'role\t%s\t%s\t%s\n' "$role" "$holds" $(((clock - ${since:-0}) / 100))
    [ "$out_by" = 0 ] || printf 'outside\tstandby\n'
    ! is_yielding || printf 'outside\tyield\t%s\n' "$(head -n 1 "$run/reason" 2>/dev/null)"
    [ "$role" != WAITING ] || [ ! -s "$run/waits" ] || printf 'waits\t%s\n' "$(head -n 1 "$run/waits")"
    journalctl -q --no-pager -o short-unix --since=-10min -n 5000 -u "$unit" 2>/dev/null |
        "$programs/pair-warnings" "$peer_name" "$router_id"
    warn_of_page
}

# A BACKUP hears its peer, so the host is there. If a firewall drops the health page, nothing else says so until HAProxy fails.
warn_of_page() {
    { [ "$role" = BACKUP ] && [ $((clock - ${since:-0})) -gt $((advertise * 400)) ] && ! serves "$peer"; } || return 0
    case $words in
    "no connection in time" | "No route to host")
        printf 'warning\tadverts of %s arrive, but its health page cannot be reached (%s), so that a host whose HAProxy fails may keep the addresses; let TCP port %s through between both hosts, both ways\t0\n' \
            "$peer_name" "$words" "$port"
        ;;
    esac
}

# put FILE TEXT: replaces a small file of ours. Only its first line counts. If the disk is full, writes over the old text, which needs no space.
put() {
    { printf '%s\n' "$2" >"$1.new"; } 2>/dev/null && mv -f "$1.new" "$1" && return
    rm -f "$1.new" 2>/dev/null
    { printf '%s\n' "$2" 1<>"$1"; } 2>/dev/null
}

# Sets started to the time when this process was started, in hundredths of a second since the boot of the machine.
read_start() {
    read -r started <"/proc/$$/stat"
    # shellcheck disable=SC2086 # fields
    set -- ${started##*") "}
    shift 19
    started=$1
}

# record STATE: keeps it, unless a process that was started later has kept another one. Fails then.
record() {
    read_start
    superseded=
    {
        flock -w 5 9
        before=0 before_process=0
        ! read -r before before_process 2>/dev/null <"$run/order" || :
        if [ "$before" -gt "$started" ] || { [ "$before" = "$started" ] && [ "$before_process" -gt $$ ]; }; then
            superseded=yes
        else
            put "$run/order" "$started $$"
            [ "$1" != MASTER ] || put "$run/held" "$device $addresses"
            # Not the start of the process: in a container, that may count from the boot of the machine.
            read_clock
            put "$run/state" "$1 $clock"
        fi
    } 9>"$run/lock"
    [ -z "$superseded" ]
}

# notify TYPE NAME STATE PRIORITY. keepalived starts these without waiting for the one before, and on a busy host a later one may be quicker: the
# one that was started last counts. In the elastic mode starts what moves the address: a start that meets a unit about to end would be
# lost, but a restart is not.
notify() {
    state=${3-}
    case $state in
    MASTER_RX_LOWER_PRI)
        read_clock
        if [ "$mode" = elastic ]; then systemctl --no-block start -- "$mover"; else step_back; fi
        return
        ;;
    MASTER | BACKUP | FAULT) ;;
    STOP | DELETED) state=STOPPED ;;
    *) return ;;
    esac
    record "$state" || return 0
    [ "$state,$mode" != MASTER,elastic ] || systemctl --no-block restart -- "$mover"
}

# The peer is MASTER with a lower priority. At a start that is so for a moment; if it goes on, the peer does not hear this host, and both would
# have the addresses for as long as that lasts. The peer cannot know, so this host stays out: for a moment, after which it is BACKUP because
# it hears the peer; for longer if it would become MASTER again. check-haproxy ends that if the peer does not serve any more.
step_back() {
    {
        flock -w 5 9
        read -r times before 2>/dev/null <"$run/lower" || times=0 before=0
        [ $((clock - before)) -le $((advertise * 250)) ] || times=0
        times=$((times + 1))
        put "$run/lower" "$times $clock"
    } 9>"$run/lock"
    { [ "$times" -ge 3 ] && ! is_yielding && serves "$peer"; } || return 0
    seconds=2
    [ "$failback" = never ] || seconds=300
    put "$run/lower" "0 $clock"
    arm "$seconds" "$peer_name is MASTER, too, and does not hear this host; see whether VRRP (IP protocol 112) gets through" && mark_yield 1 &&
        put "$run/stepped-back" 0
}

# arm SECONDS REASON: before the yield is marked, makes sure that it ends. Sets reason if that fails.
arm() {
    reason="$run: cannot be written; see what fills it"
    rm -f "$run/stepped-back"
    put "$run/reason" "$2" || return
    reason="no timer could be started that would end the hand-over; see systemctl status $timer.timer"
    systemctl stop "$timer.timer" 2>/dev/null
    systemd-run --quiet --collect --unit="$timer" --on-active="$1" --timer-property=AccuracySec=100ms "$programs/pair" resume
}

is_yielding() {
    yielding=0
    read -r yielding 2>/dev/null <"$run/yield" || :
    [ "${yielding:-0}" != 0 ]
}

# mark_yield 0|1: keepalived watches the file, so it is written in place.
mark_yield() {
    printf '%s\n' "$1" >"$run/yield"
}

# serves ADDRESS: whether HAProxy says so on the health page there. Sets words to its answer.
serves() {
    words=$("$programs/check-haproxy" ask "$1" 2>&1)
}

refuse() {
    printf '%s\n' "$1"
    exit 1
}

yield() {
    seconds=600
    if [ "${1-}" = -t ]; then
        seconds=$2
        shift 2
    fi
    find_role
    case $role,$holds in
    MASTER,*) ;;
    *,none)
        [ "$mode" != elastic ] || see_elsewhere
        return 0
        ;;
    esac
    if ! serves "$peer"; then
        reason="$peer_name cannot take the addresses over, because it does not serve: $words; make it serve first"
        # If no HAProxy answers at all, a refusal would only keep this one from being repaired. Asks twice, as keepalived does.
        serves "$address" || serves "$address"
        case $words in HTTP/*) refuse "$reason" ;; esac
        printf 'nothing is handed over: neither this host nor %s serves\n' "$peer_name"
        return 0
    fi
    arm "$seconds" "$*" || refuse "$reason"
    trap 'resume; exit 1' HUP INT TERM
    [ "$mode" = elastic ] || hold_clients
    mark_yield 1
    owner=
    if hand_over; then
        drop_table
        printf 'handed over to %s\n' "$peer_name"
        return 0
    fi
    resume
    if [ -n "$owner" ]; then
        await_role
        find_owner
        explain_owner
    fi
    refuse "$reason; this host takes part again"
}

# If the MASTER does not reach EC2, the elastic IP address still leads to this host, though it is not MASTER: its HAProxy has all clients.
# Waits until the address leads elsewhere, and refuses if it stays. Does not refuse what the up may be about to repair: if HAProxy here does
# not serve, if keepalived does not run here, or if this host does not reach EC2 either.
see_elsewhere() {
    serves "$address" || serves "$address" || return 0
    read_clock
    limit=$((clock + asks * 100))
    here=
    while :; do
        find_owner
        case $owner in
        own)
            case $role in
            BACKUP | FAULT) ;;
            *)
                printf 'nothing is handed over: the elastic IP address leads to this host, which is %s\n' "$role"
                return
                ;;
            esac
            [ -n "$here" ] || limit=$((limit + (takes - asks) * 100))
            here=yes
            ;;
        "unknown "*) ;;
        *) return ;;
        esac
        has_passed "$limit" && break
        sleep 1
    done
    if [ -z "$here" ]; then
        printf 'nothing is handed over: this host is %s, and does not know where the elastic IP address leads: %s\n' "$role" "${owner#unknown }"
        return
    fi
    find_role
    explain_owner
    refuse "$reason"
}

# Waits after a resume until this host is MASTER. If it hears no adverts of the peer, that takes 3 intervals and a part of one.
await_role() {
    read_clock
    limit=$((clock + (advertise * 4 + 2) * 100))
    until find_role && [ "$role" = MASTER ] || has_passed "$limit"; do
        sleep 0.2
    done
}

# Sets owner to who has the elastic IP address, as move-address says.
find_owner() {
    owner=$("$programs/move-address" owner 2>&1)
    owner=${owner%%"$NL"*}
    case $owner in own | peer | nobody | "other "* | "unknown "*) ;; *) owner="unknown move-address: ${owner:-no answer}" ;; esac
}

# Sets reason to who is MASTER and where the elastic IP address leads, when the peer has not taken it.
explain_owner() {
    case $role in
    MASTER) master="this host is MASTER" ;;
    # It hears adverts.
    BACKUP) master="$peer_name is MASTER" ;;
    *) master="this host is $role" ;;
    esac
    case $owner in
    own) leads="it leads to this host" ;;
    peer) leads="it leads to $peer_name now" ;;
    nobody) leads="it leads to no host" ;;
    "other "*) leads="it leads to ${owner#other }" ;;
    *) leads="this host does not know where it leads (${owner#unknown })" ;;
    esac
    reason="$peer_name did not take the elastic IP address in time: $master, and $leads; see journalctl -t haproxy-fleet-address on $peer_name"
}

# Drops what opens new connections to the service addresses, so that requests end; those who wait for a connection send again after 1 s. The
# elements of the sets end by themselves, so nothing is left if this is killed.
hold_clients() {
    command -v nft >/dev/null || return 0
    four='' six='' peers=''
    for one in $addresses; do
        case $one in
        *:*) six="$six${six:+, }${one%/*} timeout 5s" ;;
        *) four="$four${four:+, }${one%/*} timeout 5s" ;;
        esac
        # ss takes what follows the last colon for a port, unless there are brackets.
        case $one in *:*) one="[${one%/*}]" ;; esac
        peers="$peers${peers:+ or }src ${one%/*}"
    done
    nft -f - 2>/dev/null <<RULES || return 0
table inet $table
delete table inet $table
table inet $table {
    set four { type ipv4_addr; flags timeout; ${four:+elements = { $four\};} }
    set six { type ipv6_addr; flags timeout; ${six:+elements = { $six\};} }
    chain in {
        type filter hook input priority -250;
        ip daddr @four tcp flags & (syn | ack) == syn drop
        ip6 daddr @six tcp flags & (syn | ack) == syn drop
    }
}
RULES
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -n "$(ss -Htn state established "( $peers )" 2>/dev/null)" ] || break
        sleep 0.1
    done
}

drop_table() {
    ! command -v nft >/dev/null || nft delete table inet "$table" 2>/dev/null || :
}

# Waits until the peer has the addresses. Sets reason if it has not, within a limit.
hand_over() {
    read_clock
    limit=$((clock + (advertise + 2) * 100))
    reason="this host is still MASTER"
    until find_role && [ "$role" != MASTER ] && [ "$holds" = none ]; do
        has_passed "$limit" && return 1
        sleep 0.05
    done
    if [ "$mode" = elastic ]; then
        limit=$((limit + takes * 100))
        until find_owner && [ "$owner" = peer ]; do
            has_passed "$limit" && return 1
            sleep 0.5
        done
        return 0
    fi
    for one in $addresses; do
        case $one in *:*) continue ;; esac
        until serves "${one%/*}"; do
            reason="$peer_name has not taken the addresses over: ${one%/*}: $words; see whether keepalived runs there and is BACKUP"
            # Without the address, this host may have no way to its network.
            case $("$programs/await-peer" "$device" "$peer" "$one") in *peer*) ! serves "$peer" || break ;; esac
            has_passed "$limit" && return 1
            sleep 0.05
        done
    done
}

# has_passed LIMIT
has_passed() {
    read_clock
    [ "$clock" -ge "$1" ]
}

resume() {
    ! is_yielding || mark_yield 0
    drop_table
    rm -f "$run/reason" "$run/stepped-back"
    systemctl stop "$timer.timer" 2>/dev/null
    return 0
}

# Also those of a configuration that has been replaced since.
release() {
    if read_settings; then
        take_off "$device" "$addresses"
    fi
    if read -r device addresses 2>/dev/null <"$run/held"; then
        take_off "$device" "$addresses"
    fi
    # A keepalived that runs keeps its state: somebody has called this by hand.
    case $(systemctl show -p ActiveState --value -- "$unit") in active | reloading) return ;; esac
    [ ! -d "$run" ] || record STOPPED
    rm -f "$run/waits" "$run/awaits" "$run/digest"
}

# take_off DEVICE ADDRESSES
take_off() {
    for one in $2; do
        ip addr del "$one" dev "$1" 2>/dev/null || :
    done
}

verb=${1-}
[ $# = 0 ] || shift
case $verb in
release) release ;;
role | state | notify | yield | resume)
    read_settings || exit 1
    case $verb in
    role) role ;;
    state)
        find_role
        printf '%s\t%s\n' "$role" "$holds"
        ;;
    notify) notify "$@" ;;
    yield) yield "$@" ;;
    resume) resume ;;
    esac
    ;;
*)
    echo "usage: pair role|state|notify|yield|resume|release" >&2
    exit 2
    ;;
esac
