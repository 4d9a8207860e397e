# A clock that cannot be set. The time of day may jump, which would cut waits short or prolong them.

# Sets clock to hundredths of a second since some start; only differences count.
read_clock() {
    read -r clock </proc/uptime
    clock=${clock%% *}
    clock=${clock%.*}${clock#*.}
    clock=${clock#"${clock%%[!0]*}"}
    clock=${clock:-0}
}

# Sets now to seconds of that clock.
find_now() {
    read_clock
    now=$((clock / 100))
}

# Sets time_left to the seconds that this converge may still wait: until 2 minutes before its deadline, when its last steps must begin.
# Reads began and deadline.
find_time_left() {
    find_now
    time_left=$((${began:-$now} + deadline - 120 - now))
    [ "$time_left" -ge 0 ] || time_left=0
}

# process_started PID: sets started to seconds since 1970; 0 if there is no such process.
process_started() {
    started=0
    read -r process 2>/dev/null <"/proc/$1/stat" || return 0
    # shellcheck disable=SC2086 # the fields after the name
    set -- ${process##*") "}
    shift 19
    boot_time
    started=$(((booted + $1) / 100))
}

# Sets booted to the time of boot in hundredths of a second since 1970, once. Whole seconds would not do: a process could seem to have
# started before a file that was written first. It is computed from a process that starts now, because in a container /proc/uptime may
# count from the container's start, while /proc/PID/stat counts from the machine's boot. If that process is delayed before it reads the
# time, all others seem younger than they are, as if they had read newer files; then it is repeated, and the smallest result counts.
boot_time() {
    [ -z "$booted" ] || return 0
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        read_clock
        asked=$clock
        # shellcheck disable=SC2046 # the fields after the name, and the time
        set -- $(read -r process </proc/self/stat && printf '%s ' "${process##*") "}" && exec date +%s%N)
        read_clock
        shift 19
        born=$1
        shift $(($# - 1))
        born=$(($1 / 10000000 - born))
        [ -n "$booted" ] && [ "$booted" -le "$born" ] || booted=$born
        [ $((clock - asked)) -gt 5 ] || return 0
    done
}
