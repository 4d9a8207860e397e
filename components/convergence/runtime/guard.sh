# The guard of a change that may lock the login out: the host takes it back unless somebody confirms it over a new connection. The one
# that follows the converge proves nothing, because a firewall goes on accepting what it has accepted.
#
# In $guard: armed, until one of these replaces it by a rename, so that only one of them happens: confirmed, by the program; restoring, by
# the timer or by us. ready.TOKEN: the change is made. refused: why the program cannot log in. restore: what takes the change back.
# $lib/rollback says when the last change was made and why it has gone, while it is not confirmed.

guard=$run/guard
guard_unit=$product-guard
# The time that a new login has.
guard_seconds=30

# guarded TEXT COMMAND...: changes the rules of the firewall, and returns once the change is confirmed.
guarded() {
    step "arm the timer that takes the change back" guard_arm
    recover=guard_recover
    step "$@"
    recover=
    step "wait for a new login, for at most $guard_seconds s" guard_wait
    [ -z "$guard_refusal" ] ||
        fail "$guard_refusal; correct the rules if they shut this login out (ssh), then run up again"
}

# each_firewall VERB [BUT]: calls what the parts of managers have left on the host, see kinds/firewall.sh, with live or lasting. BUT is a
# manager to leave out.
each_firewall() {
    for manager in ufw nftables; do
        { [ ! -e "$lib/firewall/$manager/undo" ] || [ "$manager" = "${2-}" ] || sh "$lib/firewall/$manager/undo" "$1"; } || return
    done
}

guard_arm() {
    rm -rf "$guard" && mkdir -m 0700 "$guard" || return
    {
        printf '%s\n' "PATH=$PATH; export PATH; cd $guard || exit; mv armed restoring 2>/dev/null || [ -e restoring ] || exit"
        for manager in ufw nftables; do
            [ -e "$lib/firewall/$manager/undo" ] || continue
            echo "("
            sh "$lib/firewall/$manager/undo" save || return
            echo ") >>said 2>&1 || : >bad"
        done
        echo "if [ -e bad ]; then mv restoring failed; else mv restoring restored; fi"
    } >"$guard/restore"
    guard_disarm
    systemd-run --quiet --collect --unit="$guard_unit" --on-active="$guard_seconds" --timer-property=AccuracySec=100ms \
        -- /bin/sh "$guard/restore" || return
    put_text "$lib/rollback" "$(date -u '+%Y-%m-%d %H:%M:%S')Z${NL}no new login has confirmed the change within $guard_seconds s" &&
        : >"$guard/armed"
}

guard_disarm() {
    systemctl --quiet stop "$guard_unit.timer" "$guard_unit.service" 2>/dev/null || :
}

# Sets guard_refusal to why the change was taken back, and what has become of it; empty if it was confirmed.
guard_wait() {
    guard_refusal=
    : >"$guard/ready.$token"
    find_now
    wait_until=$((now + guard_seconds + 5))
    until [ -e "$guard/confirmed" ]; do
        find_now
        if [ -s "$guard/refused" ]; then
            read -r guard_refusal <"$guard/refused"
            guard_refusal="no new login works: $guard_refusal"
        elif [ -e "$guard/restored" ] || [ -e "$guard/failed" ] || [ "$now" -gt "$wait_until" ]; then
            guard_refusal="no new login has confirmed the change within $guard_seconds s"
        fi
        if [ -n "$guard_refusal" ]; then
            guard_restore
            put_text "$lib/rollback" "$(head -n 1 "$lib/rollback")$NL$guard_refusal"
            guard_refusal="$guard_refusal; $restored"
            return
        fi
        sleep 0.1
    done
    guard_disarm
    rm -rf "$lib/rollback" "$guard"
}

# Whether a change is neither confirmed nor taken back.
is_guarded() {
    [ -e "$guard/armed" ] || [ -e "$guard/restoring" ]
}

# Takes the change back, unless the timer has done it. Sets restored to what has become of it.
guard_restore() {
    if is_guarded; then
        guard_disarm
        sh "$guard/restore" || :
    fi
    restored="the rules from before are back"
    [ ! -e "$guard/failed" ] || restored="the rules from before could not be put back: $(last_words <"$guard/said")"
}

# guard_recover REASON: the change could not be made. Reads words.
guard_recover() {
    recover=
    guard_words=$words
    guard_doing=$doing
    step "take the change back" guard_restore
    doing=$guard_doing
    fail "$1; $restored" "$guard_words"
}

# Takes back what a converge has changed that was killed. Runs before anything is compared.
settle_guard() {
    ! is_guarded || step "take back what was not confirmed" guard_restore
}

# Reports a change that was taken back: an up tries it again, or records that it is not wanted any more. Sets id, label.
report_rollback() {
    [ -e "$lib/rollback" ] || return 0
    id=-
    label=host
    differs unconfirmed
    { read -r since && read -r reason; } <"$lib/rollback" || :
    [ -e "$guard/armed" ] || [ -e "$guard/confirmed" ] ||
        report warning "firewall: the change of $since was rolled back: ${reason-}; an up tries again what is declared now"
}

# Takes our rules out of the host's firewall. Sets label; adds to undone.
undo_firewall() {
    [ -e "$lib/firewall" ] || return 0
    label="firewall[host]"
    differs unlisted "$label"
    undone=$undone$NL$label
    applying || return 0
    guarded "take our rules out of the firewall" each_firewall live
    step "take our rules out of its files" each_firewall lasting
    step "forget our rules" rm -rf "$lib/firewall"
}
