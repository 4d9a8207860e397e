# The part for ufw. Our rules have the comment haproxy-fleet in user.rules, as `ufw status` shows it; those of others stay. A
# ufw that does not know VRRP gets its rules as a marked block in before.rules.
#
# $lib/firewall/ufw/default has the default of ufw for what comes in, from before ours.

# The comment, as ufw writes it.
ufw_comment=686170726f78792d666c656574
ufw_begin="# begin haproxy-fleet: VRRP, which this ufw does not know"
ufw_end="# end haproxy-fleet"

# Whether ufw is switched on.
ufw_manages() {
    [ -r /etc/ufw/ufw.conf ] && [ -r /etc/ufw/user.rules ] && ufw_setting ENABLED /etc/ufw/ufw.conf || return 1
    case $value in [Yy][Ee][Ss]) ;; *) return 1 ;; esac
}

# ufw_setting NAME FILE: sets value to that of the last line NAME=VALUE, without quotes.
ufw_setting() {
    value=
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in "$1="*) value=${line#*=} ;; esac
    done <"$2"
    value=${value#[\"\']}
    value=${value%[\"\']}
}

# Sets what ufw_live and ufw_keep write: ufw_rules4 and ufw_rules6 for user.rules and user6.rules, ufw_vrrp4 and ufw_vrrp6 for before.rules
# and before6.rules, and ufw_target, the default that ufw gets; empty if it keeps its own. Three processes if nothing differs.
ufw_compare() {
    ufw_families=4
    ufw_setting IPV6 /etc/default/ufw
    case $value in [Yy][Ee][Ss]) [ ! -e /proc/net/if_inet6 ] || ufw_families="4 6" ;; esac
    ufw_listed=$NL$(
        iptables -S 2>/dev/null
        [ "$ufw_families" = 4 ] || ip6tables -S 2>/dev/null
    )$NL
    ufw_stopped=
    ufw_ours=
    ufw_others=$NL
    ufw_blocks=
    for family in $ufw_families; do
        ufw_read "/etc/ufw/user${family#4}.rules"
        ufw_read "/etc/ufw/before${family#4}.rules"
        # Stopped, it leaves its chains where they are, but empty.
        ufw_chain=ufw${family#4}-before-input
        case $ufw_listed in *"$NL-A INPUT -j $ufw_chain$NL"*"$NL-A $ufw_chain -j ${ufw_chain%before*}user-input$NL"*) continue ;; esac
        differs files "ufw is enabled, but filters no IPv$family"
        ufw_stopped=yes
        fw_live=yes
    done
    ufw_rules4=
    ufw_rules6=
    ufw_vrrp4=
    ufw_vrrp6=
    ufw_wanted=$NL
    ufw_rows=$fw_rows
    split_lines
    case $fw_rows$NL in "tcp$TAB$fw_ssh_port$TAB$NL"*)
        # Nothing is declared of SSH, which comes first, so whoever has said who may log in is right.
        ! ufw_lets_log_in || ufw_rows=${fw_rows#"tcp$TAB$fw_ssh_port$TAB"}
        ;;
    esac
    for row in $ufw_rows; do
        protocol=${row%%"$TAB"*}
        from=${row##*"$TAB"}
        port=${row#*"$TAB"}
        port=${port%%"$TAB"*}
        case $from in
        "")
            ufw_rule 4 "$protocol" "$port" 0.0.0.0/0
            ufw_rule 6 "$protocol" "$port" ::/0
            ;;
        *:*) ufw_rule 6 "$protocol" "$port" "$from" ;;
        *) ufw_rule 4 "$protocol" "$port" "$from" ;;
        esac
    done
    for rule in $ufw_ours $ufw_blocks; do
        case $ufw_wanted in *"$NL$rule$NL"*) continue ;; esac
        differs "extra rule" "$rule"
        fw_live=yes
        fw_lasting=yes
    done
    unsplit
    ufw_compare_default
}

# ufw_read FILE: adds its rules, as user.rules describes them, to ufw_ours or ufw_others, and the lines of our block to ufw_blocks.
ufw_read() {
    ufw_in_block=
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
        "### tuple ### "*)
            rule=${line#"### tuple ### "}
            case $rule in
            *" comment=$ufw_comment") ufw_ours=$ufw_ours${rule%" comment="*}$NL ;;
            *) ufw_others=$ufw_others${rule%" comment="*}$NL ;;
            esac
            ;;
        "$ufw_begin") ufw_in_block=yes ;;
        "$ufw_end") ufw_in_block= ;;
        *) [ -z "$ufw_in_block" ] || ufw_blocks=$ufw_blocks$line$NL ;;
        esac
    done <"$1"
}

# Whether others have a rule that lets somebody in by SSH. Reads ufw_others.
ufw_lets_log_in() {
    for rule in $ufw_others; do
        case $rule in allow*" in"* | limit*" in"*) ;; *) continue ;; esac
        rule=${rule#* }
        ufw_port=${rule#* }
        case ${rule%% *} in tcp | any) ;; *) continue ;; esac
        case ,${ufw_port%% *}, in ,any, | *",$fw_ssh_port,"*) return 0 ;; esac
    done
    return 1
}

# ufw_rule FAMILY PROTOCOL PORT FROM: compares a rule with ufw's files and with the kernel.
ufw_rule() {
    case $ufw_families in *"$1"*) ;; *) return 0 ;; esac
    ufw_chain=ufw${1#4}-user-input
    case $1 in
    4) ufw_any=0.0.0.0/0 ufw_length=/32 ;;
    6) ufw_any=::/0 ufw_length=/128 ;;
    esac
    # As user.rules and the kernel have it.
    case $4 in
    "$ufw_any") ufw_from="" ufw_loaded="" ;;
    */*) ufw_from=" -s $4" ufw_loaded=" -s $4" ;;
    *) ufw_from=" -s $4" ufw_loaded=" -s $4$ufw_length" ;;
    esac
    case $3 in
    "") ufw_port=any ufw_match=" -p 112" ufw_loaded="$ufw_loaded -p 112" ;;
    *-*)
        ufw_port=${3%-*}:${3#*-}
        ufw_match=" -p $2 -m multiport --dports $ufw_port"
        ufw_loaded=$ufw_loaded$ufw_match
        ;;
    *) ufw_port=$3 ufw_match=" -p $2 --dport $3" ufw_loaded="$ufw_loaded -p $2 -m $2 --dport $3" ;;
    esac
    rule="allow $2 $ufw_port $ufw_any any $4 in"
    ufw_kept=
    case $NL$ufw_ours$ufw_others in *"$NL$rule$NL"*) ufw_kept=yes ;; esac
    if [ "$2" = vrrp ] && [ -z "$ufw_kept" ]; then ufw_rule_in_block "$1"; fi
    ufw_wanted=$ufw_wanted$rule$NL
    if [ -z "$ufw_kept" ]; then
        differs "missing rule" "$rule"
        fw_lasting=yes
    fi
    case $ufw_listed in *"$NL-A $ufw_chain$ufw_loaded -j ACCEPT$NL"* | *"$NL-A $ufw_chain${ufw_loaded%112}vrrp -j ACCEPT$NL"*) ;; *)
        [ -z "$ufw_kept" ] || [ -n "$ufw_stopped" ] || differs "missing rule" "$rule, in the kernel"
        fw_live=yes
        ;;
    esac
    case $rule in -A*) return 0 ;; esac
    # What others have is not ours.
    case $ufw_others in *"$NL$rule$NL"*) return 0 ;; esac
    eval "ufw_rules$1=\$ufw_rules$1\"### tuple ### \$rule comment=\$ufw_comment\$NL-A \$ufw_chain\$ufw_match\$ufw_from -j ACCEPT\$NL\$NL\""
}

# ufw_rule_in_block FAMILY: the rule becomes one of our block, if it is there or ufw has no other place for it.
ufw_rule_in_block() {
    ufw_block="-A ufw${1#4}-before-input$ufw_match$ufw_from -j ACCEPT"
    case $NL$ufw_blocks in
    *"$NL$ufw_block$NL"*) ufw_kept=yes ;;
    *) ! grep -qs vrrp /usr/lib/python3/dist-packages/ufw/util.py || return 0 ;;
    esac
    rule=$ufw_block
    ufw_chain=ufw${1#4}-before-input
    eval "ufw_vrrp$1=\$ufw_vrrp$1\$rule\$NL"
}

ufw_compare_default() {
    ufw_setting DEFAULT_INPUT_POLICY /etc/default/ufw
    ufw_policy=$value
    ufw_target=
    if [ -n "$fw_default" ]; then
        # Rejecting lets nothing in either.
        ufw_target=DROP
        [ "$ufw_policy" != REJECT ] || ufw_target=
    elif [ -r "$lib/firewall/ufw/default" ]; then
        read -r ufw_target <"$lib/firewall/ufw/default" || :
    fi
    case $ufw_target,$ufw_policy,$ufw_listed in
    ,*) return ;;
    "DROP,DROP,"*"$NL-P INPUT ACCEPT$NL"* | "ACCEPT,ACCEPT,"*"$NL-P INPUT DROP$NL"*)
        differs default "what comes in has another default in the kernel than in ufw"
        fw_live=yes
        ;;
    "$ufw_policy,$ufw_policy,"*) return ;;
    *)
        differs default "ufw's default for what comes in is $ufw_policy, not $ufw_target"
        fw_live=yes
        fw_lasting=yes
        ;;
    esac
}

ufw_live() {
    [ -z "$fw_default" ] || [ -z "$ufw_target" ] || [ "$ufw_policy" = "$ufw_target" ] || [ -e "$lib/firewall/ufw/default" ] ||
        put_text "$lib/firewall/ufw/default" "$ufw_policy" || return
    ufw_run live
}

ufw_keep() {
    ufw_run lasting || return
    [ -n "$fw_default" ] || rm -f "$lib/firewall/ufw/default"
}

ufw_run() {
    sh "$lib/firewall/ufw/undo" "$1" "$ufw_rules4" "$ufw_rules6" "$ufw_vrrp4" "$ufw_vrrp6" "$ufw_target"
}

# The program takes what is wanted in place of our rules: VERB RULES4 RULES6 VRRP4 VRRP6 DEFAULT. Alone, VERB puts nothing there, and the
# default from before. It writes what ufw itself writes, in one instant, because ufw takes away all rules before it loads others.
ufw_undo_text() {
    printf '%s\n' "PATH=$PATH" "export PATH" "here=$lib/firewall/ufw" "comment=$ufw_comment" "begin='$ufw_begin'" "end='$ufw_end'"
    cat <<'UNDO'
set -f
[ -r /etc/ufw/user.rules ] || exit 0
verb=$1
alone=$#
target=${6-}
[ "$alone" -gt 1 ] || [ ! -r "$here/default" ] || read -r target <"$here/default"
user() {
sed -n "/^### END RULES ###\$/q; /^### tuple ### .* comment=$comment\$/,/^\$/d; p" "/etc/ufw/user$suffix.rules" && printf '%s' "$rules" &&
sed -n '/^### END RULES ###$/,$p' "/etc/ufw/user$suffix.rules"
}
default() {
case $target in
DROP) track= ;;
ACCEPT) track="-A ufw$suffix-track-input -p tcp -m conntrack --ctstate NEW -j ACCEPT\\n-A ufw$suffix-track-input -p udp -m conntrack --ctstate NEW -j ACCEPT\\n" ;;
*) cat; return ;;
esac
sed "s/^\*filter\$/&\n:INPUT $target [0:0]\n:ufw$suffix-track-input - [0:0]\n:ufw$suffix-skip-to-policy-input - [0:0]/
s/^COMMIT\$/-A ufw$suffix-skip-to-policy-input -j $target\n$track&/"
}
before() {
[ -n "$vrrp" ] || { sed "/^$begin\$/,/^$end\$/d" "/etc/ufw/before$suffix.rules"; return; }
printf '%s\n%s%s\n' "$begin" "$vrrp" "$end" | sed "/^$begin\$/,/^$end\$/d; /^# End required lines\$/r /dev/stdin" "/etc/ufw/before$suffix.rules"
}
block() {
sed -n "/^$begin\$/,/^$end\$/{ s/^-A //p }" "/etc/ufw/before$suffix.rules"
}
write() {
new=${1%/*}/.${1##*/}.haproxy-fleet-new
[ "$2" != "$(cat "$1")" ] || return 0
if cp -p "$1" "$new" && printf '%s\n' "$2" >"$new" && sync "$new" && mv -f "$new" "$1"; then return; fi
rm -f "$new"
return 1
}
loaded() {
"ip${suffix}tables" -C INPUT -j "ufw$suffix-before-input" >/dev/null 2>&1 &&
"ip${suffix}tables" -C "ufw$suffix-before-input" -j "ufw$suffix-user-input" >/dev/null 2>&1
}
save() {
loaded || { echo "/lib/ufw/ufw-init force-stop"; return; }
list=$("ip${suffix}tables" -S) || return
printf '%s\n' "ip${suffix}tables-restore -n <<'RULES' || exit" '*filter'
printf '%s\n' "$list" | sed -n 's/^-P INPUT \(.*\)/:INPUT \1 [0:0]/p'
for chain in user before track skip-to-policy; do echo ":ufw$suffix-$chain-input - [0:0]"; done
printf '%s\n' "$list" | grep -E '^-A ufw6?-(user|before|track|skip-to-policy)-input '
printf '%s\n' COMMIT RULES
}
live() {
loaded || [ "$alone" -eq 1 ] || /lib/ufw/ufw-init force-reload >/dev/null || return
loaded || return 0
user | default | "ip${suffix}tables-restore" -n || return
{ block && printf '%s' "$vrrp" | sed 's/^-A //'; } | while read -r rule; do
# shellcheck disable=SC2086 # words
while "ip${suffix}tables" -D $rule >/dev/null 2>&1; do :; done
done
printf '%s' "$vrrp" | while read -r rule; do
# shellcheck disable=SC2086
"ip${suffix}tables" $rule || exit
done
}
lasting() {
text=$(user) && write "/etc/ufw/user$suffix.rules" "$text" && text=$(before) || return
case $vrrp,$text in
,* | *"$begin"*) write "/etc/ufw/before$suffix.rules" "$text" ;;
*) echo "/etc/ufw/before$suffix.rules lacks the line '# End required lines'" >&2; return 1 ;;
esac
}
for family in 4 6; do
suffix=${family#4}
[ "$family" = 4 ] || { [ -e /proc/net/if_inet6 ] && grep -Eqi "^IPV6=[\"']?yes" /etc/default/ufw; } || continue
case $family in
4) rules=${2-} vrrp=${4-} ;;
6) rules=${3-} vrrp=${5-} ;;
esac
$verb || exit
done
[ "$verb" = lasting ] && [ -n "$target" ] && ! grep -q "^DEFAULT_INPUT_POLICY=\"$target\"" /etc/default/ufw || exit 0
text=$(sed "s/^DEFAULT_INPUT_POLICY=.*/DEFAULT_INPUT_POLICY=\"$target\"/" /etc/default/ufw) && write /etc/default/ufw "$text" || exit
level=$(sed -n 's/^LOGLEVEL=//p' /etc/ufw/ufw.conf)
ufw logging "${level:-low}" >/dev/null || :
UNDO
}
