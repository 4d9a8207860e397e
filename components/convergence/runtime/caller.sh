# A why-run ends with its caller: a condition or a check may take long, and sshd sends no signal when a connection is lost. Only who
# writes then learns of it.

# Seconds after which no caller waits any more, even if its connection ended without a word.
longest_why_run=600

# Starts a process that writes line breaks to stderr, and ends the why-run when that fails. Sets watcher to it.
watch_caller() {
    guard_why_run </dev/null >/dev/null &
    watcher=$!
}

guard_why_run() {
    trap '' PIPE
    find_now
    began=$now
    # A sleep that outlives this process must not keep the connection open.
    while sleep 2 2>/dev/null; do
        kill -0 $$ 2>/dev/null || exit 0
        find_now
        [ $((now - began)) -lt "$longest_why_run" ] || break
        echo >&2 || break
    done
    end_why_run
}

# Ends the why-run's shell, which removes its files, and all processes below it but this one. Each is stopped when it is found, so that
# it starts no other meanwhile.
end_why_run() {
    # The shell ends this process when it wakes up.
    trap '' TERM
    read -r guard _ </proc/self/stat
    doomed=" "
    found=yes
    set +f
    while [ -n "$found" ]; do
        found=
        for process in /proc/[0-9]*; do
            child=${process#/proc/}
            case "$doomed$guard " in *" $child "*) continue ;; esac
            read -r line 2>/dev/null <"$process/stat" || continue
            line=${line##*") "}
            line=${line#* }
            case " $$$doomed" in
            *" ${line%% *} "*)
                kill -STOP "$child"
                doomed="$doomed$child "
                found=yes
                ;;
            esac
        done
    done
    kill -TERM $$
    # shellcheck disable=SC2086 # numbers
    kill -KILL $doomed
}
