# firewall DEFAULT ROWS NFT UNIT UNIT_INDEX: what may reach this host. DEFAULT is drop or empty. ROWS are lines "protocol TAB port TAB source";
# ssh stands for TCP at the port of the login, an empty source for anyone. NFT is the text of the rules for nftables, UNIT that of the unit
# which loads them at a boot, UNIT_INDEX its position; all three are empty without DEFAULT.
#
# Whoever manages the firewall has a part of its own, with these functions; all but the first read fw_default, fw_rows (ssh is tcp there)
# and fw_ssh_port:
#   M_manages: whether it manages the firewall of this host now. nftables needs none, because it comes last.
#   M_compare: reports how the host differs. Sets fw_live if the rules of the kernel do, and fw_lasting if files or units do.
#   M_undo_text: prints a program that undoes our rules without this text. Of its arguments, save prints a program that puts the rules of
#       the kernel back as they are, live takes ours out of the kernel, lasting out of files and units. Each may be repeated.
#   M_live: changes the rules of the kernel, until the next boot at most.
#   M_keep: makes them last; runs once they are confirmed, may be killed and repeated.
# Its records are in $lib/firewall/M.
firewall() {
    fw_default=$1
    fw_nft=$3
    fw_unit=$4
    fw_unit_index=$5
    fw_live=
    fw_lasting=
    find_login
    fw_rows=
    split_lines
    for row in $2; do
        case $row in "ssh$TAB"*) row=tcp$TAB$fw_ssh_port$TAB${row##*"$TAB"} ;; esac
        fw_rows=$fw_rows$NL$row
    done
    unsplit
    fw_rows=${fw_rows#"$NL"}
    find_manager
    ! previews || show_firewall
    for other in ufw nftables; do
        if [ "$other" = "$fw_manager" ] || [ ! -e "$lib/firewall/$other" ]; then continue; fi
        differs manager "$other"
        fw_live=yes
        fw_lasting=yes
    done
    [ "$fw_manager" = none ] || "${fw_manager}_compare"
    applying && [ -n "$fw_live$fw_lasting" ] || return 0
    [ "$fw_manager" = none ] || step "note how our rules are undone" note_undo
    [ -z "$fw_live" ] || guarded "change the rules" change_rules
    [ -z "$fw_lasting" ] || step "make the rules last" keep_rules
    stale=1
}

# Sets fw_manager.
find_manager() {
    fw_manager=none
    if ufw_manages; then
        fw_manager=ufw
    elif [ -n "$fw_default" ]; then
        fw_manager=nftables
    fi
}

# Sets fw_client and fw_ssh_port to the address and the port of the login. A login by sudo has them in an environment above ours; an apply
# has no login, and reads what the why-run has noted.
find_login() {
    login=${SSH_CONNECTION-}
    ancestor=$PPID
    while ! applying && [ -z "$login" ] && [ "${ancestor:-1}" -gt 1 ]; do
        login=$(grep -az '^SSH_CONNECTION=' "/proc/$ancestor/environ" 2>/dev/null | tr -d '\000')
        login=${login#SSH_CONNECTION=}
        process=
        read -r process 2>/dev/null <"/proc/$ancestor/stat" || :
        process=${process##*") "}
        process=${process#* }
        ancestor=${process%% *}
    done
    noted=
    [ ! -r "$run/login" ] || IFS= read -r noted <"$run/login" || :
    if [ -z "$login" ]; then
        login=$noted
    elif previews && [ "$login" != "$noted" ]; then
        printf '%s\n' "$login" >"$run/login"
    fi
    fw_client=${login%% *}
    fw_ssh_port=${login##* }
    fw_ssh_port=${fw_ssh_port:-22}
}

# Reports what the kernel filters, because rules of others may drop what is declared. Only the text says what rules of iptables match.
show_firewall() {
    ruleset=
    ! command -v nft >/dev/null || ruleset=$(nft -j list ruleset 2>/dev/null)
    # Without the elements of sets.
    [ ${#ruleset} -le 262144 ] || ruleset=$(nft -j -t list ruleset 2>/dev/null)
    [ ${#ruleset} -le 262144 ] || ruleset=
    listing=
    case $ruleset in *'"xt"'*) listing=$(nft -a -t list ruleset 2>/dev/null) ;; esac
    [ ${#listing} -le 262144 ] || listing=
    encode "$ruleset"
    ruleset=$encoded
    encode "$listing"
    printf 'firewall\t%s\t%s\t%s\t%s\t%s\n' "$fw_manager" "$fw_client" "$fw_ssh_port" "$ruleset" "$encoded"
}

note_undo() {
    mkdir -p "$lib/firewall/$fw_manager" && put_text "$lib/firewall/$fw_manager/undo" "$("${fw_manager}_undo_text")"
}

# Before a part takes over, what another one has left goes.
change_rules() {
    { [ "$fw_manager" = none ] || "${fw_manager}_live"; } && each_firewall live "$fw_manager"
}

keep_rules() {
    { [ "$fw_manager" = none ] || "${fw_manager}_keep"; } && each_firewall lasting "$fw_manager" || return
    for other in ufw nftables; do
        [ "$other" = "$fw_manager" ] || rm -rf "$lib/firewall/$other"
    done
    rmdir "$lib/firewall" 2>/dev/null || :
}

# differing_lines HAVE WANTED: reports lines that only one of the texts has.
differing_lines() {
    split_lines
    for line in $2; do
        case $NL$1$NL in *"$NL$line$NL"*) ;; *) differs "missing rule" "${line#"${line%%[!"$TAB"]*}"}" ;; esac
    done
    for line in $1; do
        case $NL$2$NL in *"$NL$line$NL"*) ;; *) differs "extra rule" "${line#"${line%%[!"$TAB"]*}"}" ;; esac
    done
    unsplit
}

# read_text FILE: sets text to its content without the last newline; empty if there is none.
read_text() {
    text=
    [ -r "$1" ] || return 0
    while IFS= read -r line || [ -n "$line" ]; do text=$text$NL$line; done <"$1"
    text=${text#"$NL"}
}
