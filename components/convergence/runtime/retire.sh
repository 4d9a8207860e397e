# Retiring: takes a host out of service. The payload of a retirement declares nothing, so pruning undoes everything; its run list takes the
# daemons out of service first, and its last act forgets the host instead of storing a token.

# Whether this is a retirement, and the host has no owner: it was retired before, or never converged. Reads retiring and have_owner.
is_retired() {
    [ "$retiring" = yes ] && [ -z "$have_owner" ]
}

# retire_daemon ADAPTER: takes the daemon of the current resource out of service, as docs/adapters.md says.
retire_daemon() {
    command -v "$1_retire" >/dev/null && "$1_serves" || return 0
    differs serving
    applying || return 0
    tx_adapter=$1
    hand_over "$label: retired" || say_lines "$words"
    step "end its service" "$1_retire"
}

# Removes our records. The owner is the last of them: without it, the host counts as retired.
forget_host() {
    find "$lib" -mindepth 1 -maxdepth 1 ! -name owner -exec rm -rf -- {} + && rm -rf -- "$run/token" "$run/stamp" &&
        rm -f -- "$lib/owner" && rmdir -- "$lib"
}
