# The part for nftables: a table of our own that drops what is not declared. Reads fw_nft, fw_unit, fw_unit_index and fw_ssh_port.
#
# $lib/firewall/nftables/loaded has the rules as they were loaded, and after an empty line how nft lists them.

# kinds/firewall.ts has these names, too.
nftables_file=/etc/haproxy-fleet-firewall.nft
nftables_unit=haproxy-fleet-firewall.service

# Sets nftables_wanted. One process if everything is as declared. The listing has nothing that changes by itself or depends on names.
nftables_compare() {
    nftables_wanted=${fw_nft%"$NL"}
    while :; do
        case $nftables_wanted in *@SSH_PORT@*) ;; *) break ;; esac
        nftables_wanted=${nftables_wanted%%@SSH_PORT@*}$fw_ssh_port${nftables_wanted#*@SSH_PORT@}
    done
    command -v nft >/dev/null || {
        cannot "nft is missing; declare the package nftables before the firewall"
        differs missing
        return
    }
    listed=$(nft -n -s list table inet haproxy_fleet 2>/dev/null)
    read_text "$lib/firewall/nftables/loaded"
    if [ "$text" != "$nftables_wanted$NL# listed$NL$listed" ]; then
        fw_live=yes
        fw_lasting=yes
        nftables_differences
    fi
    nftables_files
}

# Reports which rules differ: from those that were declared when they were loaded, or in the kernel. Reads text and listed.
nftables_differences() {
    nftables_before=$changed
    if [ -z "$listed" ] || [ -z "$text" ]; then
        differs missing
    else
        differing_lines "${text%%"$NL# listed$NL"*}" "$nftables_wanted"
        differing_lines "$listed" "${text#*"$NL# listed$NL"}"
        # The same rules in another order.
        [ "$changed" != "$nftables_before" ] || differs order
    fi
    previews || return 0
    words=$(printf '%s\n' "$nftables_wanted" | nft -c -f - 2>&1) || cannot "nft refuses the rules: $words"
}

# Reports whether a boot would load something else.
nftables_files() {
    read_text "$nftables_file"
    nftables_file_differs "$nftables_file" "$nftables_wanted"
    read_text "/etc/systemd/system/$nftables_unit"
    nftables_file_differs "/etc/systemd/system/$nftables_unit" "${fw_unit%"$NL"}"
    for property in UnitFileState=enabled ActiveState=active NeedDaemonReload=no; do
        unit_property "$fw_unit_index" "${property%=*}"
        [ "$value" != "${property#*=}" ] || continue
        [ -z "$fw_lasting" ] || return 0
        differs files "$nftables_unit, which loads the rules at a boot, has ${property%=*} ${value:-unknown}"
        fw_lasting=yes
    done
}

# nftables_file_differs FILE TEXT: reads text, the file's content. Rules that change anyway are not reported twice.
nftables_file_differs() {
    [ "$text" != "$2" ] || return 0
    [ -n "$fw_live" ] || differs files "$1 is not as declared"
    fw_lasting=yes
}

nftables_undo_text() {
    cat <<UNDO
PATH=$PATH
export PATH
case \$1 in
save)
printf '%s\n' "nft -f - <<'RULES'" 'table inet haproxy_fleet' 'delete table inet haproxy_fleet'
nft -n list table inet haproxy_fleet 2>/dev/null
printf '%s\n' RULES
;;
live) printf '%s\n' 'table inet haproxy_fleet' 'delete table inet haproxy_fleet' | nft -f - ;;
lasting)
systemctl --quiet disable --now $nftables_unit 2>/dev/null
rm -f $nftables_file /etc/systemd/system/$nftables_unit
systemctl daemon-reload
;;
esac
UNDO
}

nftables_live() {
    printf '%s\n' "$nftables_wanted" | nft -f -
}

nftables_keep() {
    put_file "$nftables_file" nftables_rules root root 0644 &&
        put_file "/etc/systemd/system/$nftables_unit" nftables_unit_text root root 0644 &&
        systemctl daemon-reload && systemctl --quiet enable "$nftables_unit" && systemctl restart "$nftables_unit" &&
        put_text "$lib/firewall/nftables/loaded" "$nftables_wanted$NL# listed$NL$(nft -n -s list table inet haproxy_fleet)"
}

nftables_rules() {
    printf '%s\n' "$nftables_wanted"
}

nftables_unit_text() {
    printf '%s\n' "${fw_unit%"$NL"}"
}
