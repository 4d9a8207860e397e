# What `keepalived -t` does not see, and what would leave the addresses on no host, or on two.

# keepalived_preflight STAGE
keepalived_preflight() {
    refused=
    keepalived_read "$1/${keepalived_settings##*/}"
    case $address in unknown:*) ;; *) keepalived_check_addresses ;; esac
    keepalived_check_directories
    keepalived_check_unit
    applying || keepalived_check_hand_over
    ! grep -q 'interval 0\.' "$1/${keepalived_config##*/}" || keepalived_check_version
    [ -z "$refused" ]
}

# keepalived_refuse WORDS
keepalived_refuse() {
    refused=yes
    printf '%s\n' "$1"
}

# A MASTER cannot hand over to a peer that stands by; nor to one that waits for it: that would take over late, while this host takes the
# addresses back, and then both would be MASTER. Reads what keepalived_read has set.
keepalived_check_hand_over() {
    before=
    case "$hands_over " in *" haproxy "*) before="HAProxy is restarted" ;; esac
    if [ -n "$tx_target" ] && [ ! -e "$keepalived_identity" ]; then
        keepalived_find_role
        [ "$role" != MASTER ] || keepalived_refuse_firmly "this host is MASTER by files of somebody else, with which it cannot hand over; leave the package alone in the up that takes it over, and change it in another one"
        return
    fi
    { [ -n "$before$tx_target$running_other$tx_changed" ] && [ -e "$keepalived_identity" ] && [ "$tx_digest" != unknown ]; } || return 0
    keepalived_find_role
    { [ "$role" = MASTER ] && [ "$holds" != none ]; } || return 0
    keepalived_read_identity
    # With a new identity, a MASTER is only reloaded, see keepalived_activation.
    if [ -n "$tx_target" ] || { [ -n "$running_other" ] && [ -z "$keepalived_changes" ]; }; then
        before=${before:-"keepalived is restarted"}
    fi
    ! keepalived_leaves || before=${before:-"it stands by"}
    [ -n "$before" ] || return 0
    would="this host, which is MASTER, would hand the addresses over before $before, but $peer_name"
    if [ "$peer_stands_by" = yes ]; then
        keepalived_refuse_firmly "$would stands by; remove standby, or make this host stand by instead"
    elif [ -n "$keepalived_changes" ]; then
        keepalived_refuse_firmly "$would waits until the $keepalived_changes changes here, too; make two ups, one of them for that alone"
    fi
}

# keepalived_refuse_firmly WORDS: no repair of another resource helps.
keepalived_refuse_firmly() {
    : >"$tx_firm"
    keepalived_refuse "$1"
}

# Interface, own address, peer and service addresses.
keepalived_check_addresses() {
    keepalived_find_device
    if [ -z "$on_device" ]; then
        keepalived_refuse "$address: no interface of this host has it; set hosts.$keepalived_host.address to one of its own: $(keepalived_own)"
    elif [ "$on_device" = lo ]; then
        keepalived_refuse "$address: it is on lo, where VRRP reaches no other host; set hosts.$keepalived_host.address to one of its own: $(keepalived_own)"
    fi
    case $peer in unknown:*) return ;; esac
    ! ip -o addr show to "$peer" 2>/dev/null | grep -q . ||
        keepalived_refuse "$peer: it is an address of this host, but declared as that of $peer_name; correct hosts.$peer_name.address"
    [ "$keepalived_mode" != elastic ] || return 0
    keepalived_find_role
    keepalived_known=
    keepalived_asks=yes
    # A pair that has left the host has taken its settings along.
    if [ -e "$keepalived_identity" ] && [ -e "$keepalived_settings" ]; then
        keepalived_known=$(sed -n 's/^addresses=//p' -- "$keepalived_settings")
    elif [ "${role:-STOPPED}" = MASTER ]; then
        keepalived_asks=
    fi
    for one in $addresses; do
        keepalived_check_service "$one"
        [ -z "$on_device" ] || keepalived_check_network "$one"
    done
    # An address that somebody has already is refused once, before the pair has it.
    { [ -z "$refused" ] && [ -n "$keepalived_asks" ]; } || return 0
    keepalived_new=
    for one in $addresses; do
        case " $keepalived_known " in *" $one "*) ;; *) keepalived_new="$keepalived_new $one" ;; esac
    done
    [ -n "$keepalived_new" ] || return 0
    holders=$(keepalived_find_holders "$on_device" "$peer" "${keepalived_new# }" 2>/dev/null | sed -n 's/^other \(.*\) /\1: it answers at /p')
    [ -z "$holders" ] ||
        keepalived_refuse "${holders%%"$NL"*}, which is neither this host nor $peer_name; choose a free address, or take it off that host"
}

# keepalived_check_service ADDRESS: whether something else than keepalived gives this host the address.
keepalived_check_service() {
    plain=${1%/*}
    places=$(ip -o addr show to "$plain" 2>/dev/null | sed 's/^[0-9]*: \([^ ]*\) .*/\1/')
    elsewhere=
    device_used=$on_device
    ! systemctl is-active --quiet -- "$keepalived_unit" || ! read -r _ device_used 2>/dev/null <"$keepalived_run/interface.conf" || :
    [ -z "$places" ] || [ -z "$on_device" ] ||
        elsewhere=$(printf '%s\n' "$places" | grep -v -x -F -e "$on_device" -e "$device_used" | head -n 1)
    # Not in a comment, nor as a part of another address.
    pattern="^([^#]*[^#0-9A-Fa-f.:])?$(printf %s "$plain" | sed 's/[.]/[.]/g')([^0-9A-Fa-f.:]|\$)"
    set +f
    files=$(grep -l -s -i -E -e "$pattern" /etc/netplan/*.yaml /etc/network/interfaces /etc/network/interfaces.d/* /etc/systemd/network/*.network \
        /run/systemd/network/*.network /etc/NetworkManager/system-connections/*)
    set -f
    if [ -n "$files" ]; then
        keepalived_refuse "$plain: ${files%%"$NL"*} gives it to this host, so it would stay there while the other one is MASTER; remove it from that file"
    elif [ -n "$elsewhere" ]; then
        keepalived_refuse "$plain: it is on $elsewhere, where keepalived would leave it; take it off (ip addr del $plain dev $elsewhere), and remove what puts it there"
    elif [ -n "$places" ] && ! systemctl is-active --quiet -- "$keepalived_unit"; then
        keepalived_refuse "$plain: it is on $places already, though keepalived does not run; take it off (ip addr del), and remove what puts it there"
    fi
}

# keepalived_check_network ADDRESS: refuses if its network is on another interface, but not on that of the pair: routers there would not learn
# that it has moved. Service addresses do not count, because a MASTER has them.
keepalived_check_network() {
    plain=${1%/*}
    family=-4
    case $plain in *:*) family=-6 ;; esac
    elsewhere=
    routes=$(ip -o "$family" route show match "$plain" 2>/dev/null)
    split_lines
    for line in $routes; do
        case $line in "default "* | *" via "*) continue ;; esac
        network=${line%% *}
        device=${line#*" dev "}
        device=${device%% *}
        # Those of the pair's interface may be from elsewhere, such as NetworkManager.
        case $line,$device in *" proto kernel "* | *",$on_device") ;; *) continue ;; esac
        case $(ip -o link show dev "$device" 2>/dev/null) in "" | *LOOPBACK* | *POINTOPOINT* | *NOARP*) continue ;; esac
        for own in $(ip -o addr show dev "$device" to "$network" 2>/dev/null | sed 's/.* inet6* \([^ ]*\).*/\1/'); do
            case " $addresses $keepalived_known " in *" ${own%/*}/"*) continue ;; esac
            if [ "$device" = "$on_device" ]; then
                unsplit
                return
            fi
            elsewhere="$device ($own)"
        done
    done
    unsplit
    [ -n "$elsewhere" ] || return 0
    own=${elsewhere#*"("}
    own=${own%/*}
    [ "$family" = -4 ] || own="an IPv4 address of ${elsewhere%% *}"
    keepalived_refuse "$plain: it is in the network of $elsewhere, but the pair uses $on_device, the interface of $address; set hosts.$keepalived_host.address to $own"
}

# Prints the host's own IPv4 addresses.
keepalived_own() {
    split_lines
    own=
    for line in $(ip -o -4 addr show scope global 2>/dev/null); do
        line=${line#*" inet "}
        own="$own, ${line%%/*}"
    done
    unsplit
    printf %s "${own#, }"
}

# keepalived runs no script that others than root could replace.
keepalived_check_directories() {
    directory=$keepalived_programs
    while [ -n "$directory" ]; do
        if [ -d "$directory" ] && [ -n "$(find -L "$directory" -maxdepth 0 \( ! -user root -o -perm /022 \))" ]; then
            keepalived_refuse "$directory: others than root may write there, so keepalived would not run its check; chown root:root $directory, chmod go-w $directory"
        fi
        directory=${directory%/*}
    done
}

# Whether the unit starts keepalived with our file.
keepalived_check_unit() {
    for file in $(systemctl show -p EnvironmentFiles --value -- "$keepalived_unit" 2>/dev/null | sed 's/ (.*//') ""; do
        if [ -n "$file" ]; then
            words=$(sed -n 's/^ *DAEMON_ARGS=//p' -- "$file" 2>/dev/null)
        else
            words=$(systemctl show -p ExecStart -p Environment -- "$keepalived_unit" 2>/dev/null)
            file=$keepalived_unit
        fi
        other=$(printf '%s\n' "$words" | sed -n 's/.*[ "'\''=]\(-f *\|--use-file[= ]\)\([^ "'\'';]*\).*/\2/p' | head -n 1)
        case $other in "" | "$keepalived_config") ;; *)
            keepalived_refuse "$keepalived_unit: it reads $other instead of $keepalived_config (set in $file); remove that option"
            ;;
        esac
    done
}

# Intervals of parts of a second.
keepalived_check_version() {
    keepalived_installed || return 0
    version=$(unshare -m --propagation private sh -c "$tx_namespace"'exec keepalived --version' 2>&1)
    version=${version#*" v"}
    version=${version%%[!0-9.]*}
    case $version in 1.* | 2.[012] | 2.[012].*)
        keepalived_refuse "check.interval: keepalived $version of this host knows whole seconds only; set 1 or more, or use a release with keepalived 2.3"
        ;;
    esac
}
