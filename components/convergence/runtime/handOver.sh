# Handing over: before the connections of a daemon end, other adapters of this host may move its clients to another host, see _yield in
# docs/adapters.md. While $run/yielding exists, something may be handed over. It is taken back when the converge ends, however: by its shell,
# by its unit's last process, which waits for resume_seconds, or by the next converge; or before, by an adapter that has proven its daemon and
# goes on to watch it. The payload sets adapters, the names of all of them.

resume_seconds=5

# hand_over REASON: calls the _yield of each other adapter, unless that is done already. If one refuses, status other than 0, and words says
# why. Otherwise words says what was done. Reads tx_adapter; sets handed_over.
hand_over() {
    words=
    { [ -z "$handed_over" ] || [ ! -e "$run/yielding" ]; } || return 0
    handed_over=yes
    handed_words=
    for handed_to in $adapters; do
        { [ "$handed_to" != "$tx_adapter" ] && command -v "${handed_to}_yield" >/dev/null; } || continue
        note_hand_over
        step "hand over its clients" try "${handed_to}_yield" "$1"
        [ "$tried" = 0 ] || return 1
        handed_words=$handed_words${words:+$NL$words}
    done
    words=${handed_words#"$NL"}
}

# Makes sure that each _resume is called when the converge ends. An adapter that hands over by itself, in its _await, calls it before.
note_hand_over() {
    [ -e "$run/yielding" ] || step "note that clients are handed over" put_text "$run/yielding" "$token"
}

# Takes back what this converge has handed over, or an earlier one that was killed. Says what fails.
resume() {
    [ -e "$run/yielding" ] || return 0
    # A converge may end anywhere.
    unset IFS
    resumed=yes
    for handed_to in $adapters; do
        command -v "${handed_to}_resume" >/dev/null || continue
        words=$("${handed_to}_resume" </dev/null 2>&1) && continue
        resumed=
        say "warning: what was handed over is not taken back yet:"
        say_lines "$(printf '%s\n' "$words" | last_words)"
    done
    [ -z "$resumed" ] || rm -f "$run/yielding"
}
