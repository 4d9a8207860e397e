# What the host remembers of its last converge, so that a preview can say of each difference whether the declaration or the host has
# changed since then. It never makes a converge due.
#
# $lib/declared holds the token of that converge and what it declared, a line for each resource or file: see remembered.ts. If a later
# converge has begun and not ended, an empty line follows, and what it declared.

# Reports it, if anything differs. Reads changed.
show_declared() {
    { [ -n "$changed" ] && [ -r "$lib/declared" ]; } || return 0
    printf 'declared\n'
    base64 <"$lib/declared"
    printf '.\n'
}

# Runs before the first change, because what an unfinished converge has written is no edit by hand. Reads declared_wanted.
remember_attempt() {
    declared_have=
    [ ! -r "$lib/declared" ] || declared_have=$(cat "$lib/declared")
    attempted=
    split_lines
    for line in $declared_wanted; do
        case $NL$declared_have$NL in *"$NL$line$NL"*) ;; *) attempted=$attempted$NL$line ;; esac
    done
    unsplit
    [ -n "$attempted" ] || return 0
    case $declared_have in
    *"$NL$NL"*) ;; # An earlier converge has not ended either.
    *) attempted=$NL$attempted ;;
    esac
    step "remember what will be declared" put_text "$lib/declared" "$declared_have$attempted"
}

# Reads declared_wanted and token.
remember_declared() {
    step "remember what is declared" put_text "$lib/declared" "$token$NL$declared_wanted"
}
