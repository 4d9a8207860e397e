# The check: the part of a payload that has neither contents of files nor secrets. A converge leaves it on the host, and it says at any time
# what is no longer as that converge left it. It judges nothing that is declared, because it cannot.

# Reports what differs on stdout, a line each. Changes nothing. Sets mode, stage.
check() {
    mode=check
    # Nothing is staged.
    stage=/dev/null
    echo check
    require_caller
    compare
    # See declared.sh.
    ! grep -qs '^$' "$lib/declared" ||
        report warning "a later converge has begun and not ended well, so what differs may be its work; run up again"
    printf 'end\tdone\n'
}

# Keeps the check of this payload: what precedes the rest, without the header. Reads check_size.
keep_check() {
    { read -r _ && dd bs="$check_size" count=1 conv=fsync of="$lib/check.new"; } <"$0" && mv -f "$lib/check.new" "$lib/check"
}
