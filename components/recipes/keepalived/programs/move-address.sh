#!/bin/sh
# Takes the elastic IP address of the pair to this host while it is MASTER. Managed by haproxy-fleet.
#
#   move-address move       keepalived says that this host is MASTER, or that another one believed to be: looks and moves, three times in 8 s
#   move-address check      each 30 s: looks once, and moves the address if it is not here
#   move-address secondary  at boot: puts the secondary private address, to which the elastic IP address leads, on its device
#   move-address owner      prints who has the address: own, peer, nobody, other INTERFACE ADDRESS, or unknown REASON; within 5 s
#
# The address is never disassociated: AssociateAddress moves it at once, so that it always leads to a host. A call may be slow, and the role
# may change meanwhile, so the role is read before and after each call, and a host that stays MASTER looks again later.
# Credentials are in variables and pipes only: neither in arguments, nor in the environment, nor in files.
set -uf
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 077
cd / || exit

settings=/etc/keepalived/pair.conf
# Of `pair`: the role, and since when.
state=/run/haproxy-fleet-pair/state
# lock; secondary: the secondary address that we have put there; held: when this host became MASTER for the last time that it had the address;
# the last pause of is_left_to_peer, in seconds; and when that pause began, while it lasts.
run=/run/haproxy-fleet-address
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
metadata=http://169.254.169.254/latest
programs=/usr/local/libexec/haproxy-fleet
newline='
'
tab=$(printf '\t')
# In seconds. LIMIT: how long it tries. LOOKS: the pauses before each look of `move`. CONNECT, ANSWER: how long a call may take.
LIMIT=${LIMIT:-60}
LOOKS=${LOOKS:-0 3 5}
FIRST_PAUSE=60
LONGEST_PAUSE=300
CONNECT=2
ANSWER=5

# Reads pair.conf. Fails if this host is in no pair with an elastic IP address.
read_settings() {
    mode='' address='' peer='' allocation='' interface_id='' service_address='' region='' endpoint=''
    peer_interface_id='' preferred=yes
    [ -r "$settings" ] || return 1
    # shellcheck disable=SC2034 # eval uses it
    while IFS='=' read -r key value; do
        case $key in
        mode | address | peer | allocation | interface_id | service_address | region | endpoint | peer_interface_id | \
            preferred) eval "$key=\$value" ;;
        esac
    done <"$settings"
    [ "$mode" = elastic ] || return 1
    endpoint=${endpoint:-https://ec2.$region.amazonaws.com}
}

# Sets now, the seconds since the boot.
read_clock() {
    read -r now _ </proc/uptime
    now=${now%.*}
}

# Whether this host is MASTER, and has the address that shows it. Sets term, since when.
is_master() {
    term=
    { read -r _ term <"$state"; } 2>/dev/null
    [ "$("$programs/pair" state)" = "MASTER${tab}all" ]
}

# has_address DEVICE ADDRESS/PREFIX
has_address() {
    [ -n "$(ip -o -4 address show dev "$1" to "$2" 2>/dev/null)" ]
}

# Puts the secondary address on the device of the own address, unless it is there. Takes an earlier one of ours away.
add_secondary() {
    device=$(ip -o -4 address show to "$address/32") || return
    if [ -z "$device" ]; then
        printf 'secondary address %s: no device has the own address %s; bring the network up\n' "$service_address" "$address"
        return 1
    fi
    # 2: eth0    inet 10.0.1.11/24 …
    device=${device#*: }
    device=${device%% *}
    before=
    { read -r before <"$run/secondary"; } 2>/dev/null
    if ! has_address "$device" "$service_address/32"; then
        words=$(ip address add "$service_address/32" dev "$device" 2>&1) || {
            printf 'secondary address %s: %s\n' "$service_address" "$words"
            return 1
        }
        printf 'secondary address %s: added to %s\n' "$service_address" "$device"
    fi
    [ "$before" != "$service_address" ] || return 0
    if [ -n "$before" ] && ip address delete "$before/32" dev "$device" 2>/dev/null; then
        printf 'secondary address %s: removed from %s, which has another one now\n' "$before" "$device"
    fi
    printf '%s\n' "$service_address" >"$run/secondary"
}

# ask_metadata METHOD PATH HEADER: sets answer; fails with problem. The header may hold a token, so it comes by standard input.
ask_metadata() {
    answer=$(printf 'header = "%s"\n' "$3" |
        curl -q -sSfg --noproxy '*' --connect-timeout 1 -m 2 -X "$1" -K - "$metadata/$2" 2>&1) && return
    problem="metadata service: ${answer%%"$newline"*}; the host needs IMDSv2 and a role, see docs/elastic-ip.md"
    return 1
}

# Gets the credentials of the instance's role (IMDSv2). Sets key_id, secret and session; fails with problem.
get_credentials() {
    ask_metadata PUT api/token 'X-aws-ec2-metadata-token-ttl-seconds: 60' || return
    token="X-aws-ec2-metadata-token: $answer"
    ask_metadata GET meta-data/iam/security-credentials/ "$token" || return
    ask_metadata GET "meta-data/iam/security-credentials/${answer%%"$newline"*}" "$token" || return
    read_json AccessKeyId && key_id=$found && read_json SecretAccessKey && secret=$found && read_json Token && session=$found && return
    problem="metadata service: it has no credentials for the role; does the role trust ec2.amazonaws.com?"
    return 1
}

# read_json NAME: sets found to this text of the answer. Fails unless it is made of characters that credentials have.
read_json() {
    found=${answer#*\""$1"\"}
    [ "$found" != "$answer" ] || return
    found=${found#*:*\"}
    found=${found%%\"*}
    case $found in "" | *[!A-Za-z0-9+/=_-]*) return 1 ;; esac
}

# Sets client. Before 7.86, curl leaves the token of a role unsigned.
find_client() {
    version=$(curl --version) || return
    version=${version#curl }
    major=${version%%.*}
    minor=${version#*.}
    minor=${minor%%.*}
    client=botocore
    if [ "$major" -gt 7 ] || { [ "$major" = 7 ] && [ "$minor" -ge 86 ]; }; then
        client=curl
    fi
}

# ask_ec2 ACTION NAME=VALUE…: sets answer, in XML, if EC2 does what is asked; else fails with problem.
ask_ec2() {
    action=$1
    shift
    set -- "Action=$action" Version=2016-11-15 "$@"
    if [ "$client" = curl ]; then
        for pair; do
            shift
            set -- "$@" --data-urlencode "$pair"
        done
        answer=$(printf 'user = "%s:%s"\nheader = "x-amz-security-token: %s"\n' "$key_id" "$secret" "$session" |
            curl -q -sSg --aws-sigv4 "aws:amz:$region:ec2" -K - --connect-timeout "$CONNECT" -m "$ANSWER" \
                -w '\n%{http_code}' "$@" "$endpoint/" 2>&1)
    else
        answer=$(printf '%s\n' "$key_id" "$secret" "$session" |
            "$programs/call-ec2" "$CONNECT" "$ANSWER" "$region" "$endpoint/" "$@" 2>&1)
    fi || {
        answer=${answer%"$newline"000}
        answer=${answer%"$newline"}
        problem="$action: ${answer##*"$newline"}"
        return 1
    }
    code=${answer##*"$newline"}
    [ "$code" != 200 ] || return 0
    read_xml Code
    problem="$action: $found ($code)"
    read_xml Message
    problem="$problem: $(printf '%.200s' "$found")"
    return 1
}

# read_xml ELEMENT: sets found to the text of the first such element of the answer, which may be empty.
read_xml() {
    found=${answer#*"<$1>"}
    [ "$found" != "$answer" ] || found=
    found=${found%%"</$1>"*}
}

# Asks EC2 where the elastic IP address leads. Sets public, and owner: own, peer, nobody, or other INTERFACE ADDRESS; fails with problem.
find_owner() {
    ask_ec2 DescribeAddresses "AllocationId.1=$allocation" || return
    read_xml publicIp
    public=$found
    read_xml networkInterfaceId
    interface=$found
    read_xml privateIpAddress
    case $interface,$found in
    "$interface_id,$service_address") owner=own ;;
    "$interface_id",*) owner="other $interface $found" ;;
    ,*) owner=nobody ;;
    "${peer_interface_id:-"$interface"}",*) owner=peer ;;
    *) owner="other $interface $found" ;;
    esac
}

# Whether an address that this host has had as MASTER, and that the other one has now, stays there: if VRRP is cut both ways, both are MASTER,
# and would take it from each other for ever. Sets why.
# If the health page there says that it serves, only VRRP is cut: the preferred host takes the address, and the other one leaves it.
# If it cannot be reached, the whole network in between is cut, or the other host has died; from here, that looks the same. But it was alive
# when it took the address, and a move ends open connections. So the address stays there for a pause, which is longer each time.
# If it answers anything else, that host does not serve.
is_left_to_peer() {
    [ "$owner" = peer ] && [ "$held" = "$term" ] || return
    if words=$("$programs/check-haproxy" ask "$peer" 2>&1); then
        since=
        note_held
        why="which serves; both hosts seem to be MASTER, so see that VRRP gets through"
        [ "$preferred" = no ]
        return
    fi
    case $words in "no connection in time" | "No route to host" | "Network is unreachable") ;; *) return 1 ;; esac
    read_clock
    if [ -z "$since" ]; then
        since=$now
        rest=$((rest > 0 ? rest * 2 : FIRST_PAUSE))
        [ "$rest" -le "$LONGEST_PAUSE" ] || rest=$LONGEST_PAUSE
        note_held
    fi
    why="which has taken it, for $((since + rest - now)) s more; its health page cannot be reached ($words), so see that VRRP and TCP get through"
    [ $((now - since)) -lt "$rest" ]
}

# Sets held, rest and since, see run.
read_held() {
    held='' rest='' since=''
    { read -r held rest since <"$run/held"; } 2>/dev/null
    [ "$held" = "$term" ] || since='' rest=''
    rest=${rest:-0}
}

note_held() {
    printf '%s\n' "$term $rest${since:+ $since}" >"$run/held"
}

# try YIELDING: makes the address lead here if this host is MASTER. YIELDING: whether it may stay with the other host. Sets public, moved if
# it was moved, and before, where it led. Status 1: it failed with problem. 2: nothing is to be done.
try() {
    is_master || return 2
    find_client && get_credentials && find_owner || return 1
    read_held
    if [ "$owner" = own ]; then
        [ "$tries" = 1 ] || tell_success
        since=
        note_held
        return
    fi
    before=$owner
    if [ "$1" = yes ] && is_left_to_peer; then
        printf 'elastic IP %s: left to %s, %s\n' "$public" "$peer" "$why"
        return 2
    fi
    is_master || return 2
    ask_ec2 AssociateAddress "AllocationId=$allocation" "NetworkInterfaceId=$interface_id" "PrivateIpAddress=$service_address" \
        AllowReassociation=true || return 1
    moved=yes
    if ! is_master; then
        printf 'elastic IP %s: moved here while this host ceased to be MASTER; the MASTER takes it back\n' "$public"
        return 2
    fi
    find_owner || return 1
    if [ "$owner" != own ]; then
        problem="AssociateAddress: EC2 has moved it, but says: $owner"
        return 1
    fi
    tell_success
    since=
    note_held
}

tell_success() {
    read_clock
    printf 'elastic IP %s: leads to %s of %s now; before: %s; %s s, tries: %s\n' \
        "$public" "$service_address" "$interface_id" "$before" "$((now - began))" "$tries"
}

# Tries until the address leads here, for LIMIT seconds. Status as of try.
try_on() {
    read_clock
    began=$now
    before=unknown
    pause=1
    tries=0
    while :; do
        tries=$((tries + 1))
        try no
        result=$?
        [ "$result" = 1 ] || return "$result"
        read_clock
        if [ $((now - began + pause)) -gt "$LIMIT" ]; then
            printf 'elastic IP %s: %s; given up after %s tries in %s s, the timer goes on\n' "$allocation" "$problem" "$tries" "$((now - began))"
            return 1
        fi
        printf 'elastic IP %s: %s; next try in %s s\n' "$allocation" "$problem" "$pause"
        sleep "$pause"
        pause=$((pause * 2))
        [ "$pause" -le 8 ] || pause=8
    done
}

# A slow call of a host that believed to be MASTER for a moment may be heard by EC2 after ours: so it looks again, later than such a call lasts.
move() {
    exec 9>"$run/lock"
    # Another run does the same. A check holds the lock for no time.
    flock -w 1 9 || return 0
    add_secondary
    for wait in $LOOKS; do
        sleep "$wait"
        try_on
        result=$?
        [ "$result" = 0 ] || break
    done
    [ "$result" != 1 ]
}

check() {
    add_secondary
    flock -n "$run/lock" true || return 0
    read_clock
    began=$now
    before=unknown
    tries=1
    moved=no
    try yes
    result=$?
    if [ "$result" = 0 ] && [ "$moved" = yes ]; then
        sleep 3
        try yes
        result=$?
    fi
    [ "$result" = 1 ] || return 0
    printf 'elastic IP %s: %s; the timer goes on\n' "$allocation" "$problem"
    return 1
}

# DHCP may give the own address later than the network counts as online.
secondary() {
    looks=0
    until add_secondary; do
        looks=$((looks + 1))
        [ "$looks" -lt 10 ] || return 1
        sleep 1
    done
}

owner() {
    CONNECT=1
    ANSWER=3
    if find_client && get_credentials && find_owner; then
        printf '%s\n' "$owner"
    else
        printf 'unknown %s\n' "$problem"
    fi
}

problem="curl cannot be run; install it"
public=
case ${1-} in
move | check | secondary | owner)
    read_settings || exit 0
    [ "$1" = owner ] || mkdir -p "$run" || exit
    "$1"
    ;;
*)
    printf 'usage: move-address move | check | secondary | owner\n' >&2
    exit 2
    ;;
esac
