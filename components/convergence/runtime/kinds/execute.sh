# execute COMMAND CREATES ONLY_IF NOT_IF: a command and its conditions. All but CREATES, a path, are shell; an empty condition does not count.
execute() {
    if [ -n "$2" ] && [ -e "$2" ]; then
        return 0
    fi
    if [ -n "$3" ]; then
        holds "$3" || return 0
    fi
    if [ -n "$4" ] && holds "$4"; then
        return 0
    fi
    differs "to run"
    applying || return 0
    step "run" run_command "$1"
    if [ -n "$2" ] && [ ! -e "$2" ]; then
        fail "the command succeeded but did not create $2"
    fi
    stale=1
}

run_command() {
    (umask 022 && sh -c "$1")
}
