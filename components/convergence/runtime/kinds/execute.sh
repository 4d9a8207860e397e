# execute COMMAND CREATES ONLY_IF NOT_IF: a command and its guards. All but CREATES, a path, are shell; an empty guard does not count.
execute() {
    [ -z "$2" ] || [ ! -e "$2" ] || return 0
    [ -z "$3" ] || guard "$3" || return 0
    if [ -n "$4" ] && guard "$4"; then
        return 0
    fi
    differs "to run"
    applying || return 0
    step "run" run_command "$1"
    [ -z "$2" ] || [ -e "$2" ] || fail "the command succeeded but did not create $2"
    stale=1
}

guard() {
    sh -c "$1" </dev/null >/dev/null 2>&1
}

run_command() {
    (umask 022 && sh -c "$1")
}
