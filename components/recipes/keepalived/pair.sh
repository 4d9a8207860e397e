# What a pair needs besides its files: role, identity, handing over, and going out of service.

# keepalived_read FILE: sets keepalived_mode, address, peer, peer_name, peer_stands_by, router_id, addresses and advertise from a pair.conf;
# empty if it has none.
keepalived_read() {
    keepalived_mode='' address='' peer='' peer_name='' peer_stands_by='' router_id='' addresses='' advertise=1
    while IFS= read -r line; do
        case $line in
        mode=*) keepalived_mode=${line#*=} ;;
        address=*) address=${line#*=} ;;
        peer=*) peer=${line#*=} ;;
        peer_name=*) peer_name=${line#*=} ;;
        peer_stands_by=*) peer_stands_by=${line#*=} ;;
        router_id=*) router_id=${line#*=} ;;
        addresses=*) addresses=${line#*=} ;;
        advertise=*) advertise=${line#*=} ;;
        esac
    done 2>/dev/null <"$1"
}

# Sets on_device to the interface that has the own address; empty if none has. Reads address.
keepalived_find_device() {
    on_device=$(ip -o -4 addr show to "$address" 2>/dev/null)
    on_device=${on_device#*: }
    on_device=${on_device%% *}
}

# Sets role and holds. A keepalived of somebody else is MASTER if the declared addresses are there. Role is empty if none runs.
keepalived_find_role() {
    role=
    holds=none
    if [ -r "$keepalived_settings" ] && [ -x "$keepalived_programs/pair" ]; then
        role=$("$keepalived_programs/pair" state 2>/dev/null)
        [ -z "$role" ] || holds=${role#*"$TAB"}
        role=${role%%"$TAB"*}
    elif systemctl is-active --quiet -- "$keepalived_unit"; then
        keepalived_print_declared
        keepalived_read "$stage/keepalived-declared"
        role=MASTER
        holds=all
        for one in $addresses; do
            ip -o addr show to "${one%/*}" 2>/dev/null | grep -q . || role=BACKUP holds=none
        done
    fi
}

# Writes the declared files to one.
keepalived_print_declared() {
    mkdir -p -- "$stage"
    each_file keepalived_print >"$stage/keepalived-declared"
}

# keepalived_identity_of FILE...: prints what both hosts must have alike, and who they are, a line each: from keepalived.conf and pair.conf.
keepalived_identity_of() {
    keepalived_password=$(sed -n 's/^ *auth_pass //p' -- "$@")
    [ -z "$keepalived_password" ] || keepalived_password=$(printf %s "$keepalived_password" | sha256sum)
    printf 'password\t%s\n' "${keepalived_password%% *}"
    sed -n 's/^router_id=/router id\t/p; s/^advertise=/interval of adverts\t/p; s/^addresses=/list of addresses\t/p; s/^address=/own address\t/p; s/^peer=/address of the peer\t/p' -- "$@"
}

# Sets keepalived_changes to what of the identity differs from what this host has last run, in words; empty if nothing does. In a restore, the
# process may have read the files that failed, and the peer may have begun to hear it.
keepalived_read_identity() {
    keepalived_changes=
    keepalived_print_declared
    wanted=$(keepalived_identity_of "$stage/keepalived-declared")
    rm -f -- "$stage/keepalived-declared"
    if [ -n "$tx_restoring" ]; then
        had=$wanted
        wanted=$(keepalived_identity_of "$keepalived_config" "$keepalived_settings")
    else
        had=
        [ ! -r "$keepalived_identity" ] || had=$(cat "$keepalived_identity")
    fi
    split_lines
    for line in $wanted; do
        case $NL$had$NL in *"$NL$line$NL"*) continue ;; esac
        keepalived_changes="$keepalived_changes, ${line%%"$TAB"*}"
    done
    unsplit
    keepalived_changes=${keepalived_changes#, }
}

# For each_file.
keepalived_print() {
    "$field_content"
}

# keepalived_has_master: whether the peer answers at a service address. An elastic one is not on the network.
keepalived_has_master() {
    [ "$keepalived_mode" != elastic ] || return
    one=${addresses%% *}
    "$keepalived_programs/check-haproxy" ask "${one%/*}" >/dev/null 2>&1
}

# Sets role, role_holds and together for the why-run, and notes the role for keepalived_compare_role.
keepalived_role() {
    keepalived_installed || return 0
    keepalived_find_role
    printf '%s\n' "$role" >"$keepalived_asked"
    role_holds=$holds
    [ -n "$role" ] && [ -e "$keepalived_identity" ] && [ "$tx_digest" != unknown ] || return 0
    keepalived_read_identity
    [ -z "$keepalived_changes" ] || together="the $keepalived_changes of the pair changes"
    # If nothing of keepalived differs, no preflight follows, but HAProxy may have to hand over.
    [ -z "$tx_differs" ] || return 0
    words=$(keepalived_read "$keepalived_settings" && keepalived_check_hand_over)
    [ -z "$words" ] || refuse_transaction preflight
}

keepalived_standing() {
    ! previews || [ ! -s "$keepalived_config" ] || grep -q 'Managed by haproxy-fleet' "$keepalived_config" ||
        standing_warning="$keepalived_config is somebody else's, and is replaced; what it declares ends (it is kept, and comes back when the pair leaves this host)"
    [ -x "$keepalived_programs/pair" ] || return 0
    said=$(timeout 5 "$keepalived_programs/pair" role 2>/dev/null)
    case $said in *"${NL}role$TAB"*) ;; *) return 0 ;; esac
    role=${said#*"${NL}role$TAB"}
    role=${role%%"$NL"*}
    holds=${role#*"$TAB"}
    standing="keepalived is ${role%%"$TAB"*}"
    case $holds in all*) standing="$standing, and has the addresses" ;; some*) standing="$standing, and has some of the addresses" ;; esac
    split_lines
    for line in $said; do
        case $line in
        "waits$TAB"*) standing="$standing: ${line#*"$TAB"}" ;;
        "warning$TAB"*)
            line=${line#*"$TAB"}
            standing_warning="$standing_warning${standing_warning:+; }${line%%"$TAB"*}"
            ;;
        esac
    done
    unsplit
}

# keepalived_yield REASON: before another daemon is restarted. Only that of HAProxy matters to clients.
keepalived_yield() {
    { [ "$tx_adapter" = haproxy ] && [ -x "$keepalived_programs/pair" ] && [ -r "$keepalived_settings" ]; } || return 0
    "$keepalived_programs/pair" yield -t "$((deadline + 60))" "$1"
}

keepalived_resume() {
    [ ! -x "$keepalived_programs/pair" ] || [ ! -r "$keepalived_settings" ] || "$keepalived_programs/pair" resume
}

# Whether it runs, or would start at the next boot.
keepalived_serves() {
    case $(systemctl show -p ActiveState -p UnitFileState -- "$keepalived_unit") in
    *UnitFileState=enabled* | *ActiveState=active* | *ActiveState=activating* | *ActiveState=reloading*) ;;
    *) return 1 ;;
    esac
}

# Hands over if the peer can take over; in any case, the addresses go.
keepalived_retire() {
    [ ! -r "$keepalived_settings" ] || "$keepalived_programs/pair" yield -t "$((deadline + 60))" "this host is retired" || :
    systemctl --quiet disable --now -- "$keepalived_unit" || return
    rm -f -- "$keepalived_joins" "$keepalived_identity" "$keepalived_asked"
    keepalived_resume
}
