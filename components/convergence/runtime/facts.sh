# Facts: everything the tests compare with, read in a few batches, so that a converged resource costs no process.
#
# Each list keeps its order through the tool that reads it, so results are joined to it in one pass.

facts() {
    stale=
    [ -z "$file_paths$other_paths" ] || facts_stat
    [ -z "$file_paths" ] || facts_sums
    [ -z "$package_names" ] || facts_packages
    [ -z "$unit_names" ] || facts_units
    [ -z "$user_names" ] || facts_users
    [ -z "$group_names" ] || facts_groups
}

# stat_N: "path TAB type and mode in hex TAB owner TAB group TAB mtime" of the N-th path, empty where there is nothing.
facts_stat() {
    split_lines
    # shellcheck disable=SC2086 # split at newlines, on purpose
    lines=$(stat -c "%n$TAB%f$TAB%U$TAB%G$TAB%Y" -- $file_paths $other_paths 2>/dev/null)
    # shellcheck disable=SC2086
    set -- $lines
    n=0
    for path in $file_paths $other_paths; do
        n=$((n + 1))
        case ${1-} in
        "$path$TAB"*)
            eval "stat_$n=\$1"
            shift
            ;;
        *) eval "stat_$n=" ;;
        esac
    done
    unsplit
}

# sum_N: "sha256  path" of the N-th file path. Only regular files are opened: a pipe in the place of one would block.
facts_sums() {
    split_lines
    n=0
    regular=
    for path in $file_paths; do
        n=$((n + 1))
        eval "line=\$stat_$n sum_$n="
        case $line in "$path${TAB}8"*) regular="$regular$NL$path" ;; esac
    done
    if [ -n "$regular" ]; then
        # shellcheck disable=SC2086
        lines=$(sha256sum -- $regular 2>/dev/null)
        # shellcheck disable=SC2086
        set -- $lines
        n=0
        for path in $file_paths; do
            n=$((n + 1))
            case ${1-} in
            *"  $path")
                eval "sum_$n=\$1"
                shift
                ;;
            esac
        done
    fi
    unsplit
}

# unit_N: the properties of the N-th unit, each on a line that starts and ends with a newline.
facts_units() {
    split_lines
    # shellcheck disable=SC2086
    rest=$(systemctl show -p LoadState -p ActiveState -p UnitFileState -p InvocationID -p NeedDaemonReload \
        -p ExecMainStartTimestampMonotonic -- $unit_names)
    n=0
    for unit in $unit_names; do
        n=$((n + 1))
        eval "unit_$n=\$NL\${rest%%\"\$NL\$NL\"*}\$NL"
        rest=${rest#*"$NL$NL"}
    done
    unsplit
}

# unit_property N NAME: in $value.
unit_property() {
    eval "value=\$unit_$1"
    value=${value#*"$NL$2="}
    value=${value%%"$NL"*}
}

facts_users() {
    split_lines
    # shellcheck disable=SC2086
    user_facts=$NL$(getent passwd -- $user_names)$NL
    unsplit
}

facts_groups() {
    split_lines
    # shellcheck disable=SC2086
    group_facts=$NL$(getent group -- $group_names)$NL
    unsplit
}

# When the process of the N-th unit started, in seconds since 1970, in $started; 0 where there is none.
unit_started() {
    unit_property "$1" ExecMainStartTimestampMonotonic
    started=0
    [ "${value:-0}" -gt 0 ] || return 0
    boot_time
    started=$(((booted + value / 10000) / 100))
}

# process_started PID: when, in seconds since 1970, in $started; 0 where there is no such process.
process_started() {
    started=0
    read -r process 2>/dev/null <"/proc/$1/stat" || return 0
    # shellcheck disable=SC2086 # the fields after the name
    set -- ${process##*") "}
    shift 19
    boot_time
    started=$(((booted + $1) / 100))
}

# When the machine booted, in hundredths of a second since 1970, in $booted: in whole seconds a process could seem to have
# started before the file that it was started with. By a process that starts now, as a container's /proc/uptime may tell how old
# the container is, while the processes in it count from the boot of the machine. Where that process had to wait before it could tell
# the time, all others would seem younger than they are, as if they had read what they have not: then another one is asked.
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

# In $clock, hundredths of a second, of which only differences count.
read_clock() {
    read -r clock </proc/uptime
    clock=${clock%% *}
    clock=${clock%.*}${clock#*.}
    clock=${clock#"${clock%%[!0]*}"}
    clock=${clock:-0}
}
