# Facts: the state of the host that tests compare with. They are read in a few batches, so that testing a converged resource starts no
# process.
#
# Reads the lists that the payload sets: file_paths, other_paths, package_names, unit_names, user_names, group_names. The tools keep
# the order of their arguments, so results are matched in one pass. A fact is a variable numbered by its position in its list;
# eval builds its name from that number only, never from data.

# Reads all facts. Clears stale.
facts() {
    stale=
    [ -z "$file_paths$other_paths" ] || facts_stat
    [ -z "$file_paths" ] || facts_sums
    [ -z "$package_names" ] || facts_packages
    [ -z "$unit_names" ] || facts_units
    [ -z "$user_names" ] || facts_users
    [ -z "$group_names" ] || facts_groups
}

# Sets stat_N to "path TAB type and mode in hex TAB owner TAB group TAB mtime" of the N-th path; empty if nothing is there.
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

# Sets sum_N to "sha256  path" of the N-th file path. Opens regular files only, because opening a pipe would block.
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

# Sets unit_N to the properties of the N-th unit, each on a line between newlines.
facts_units() {
    split_lines
    # shellcheck disable=SC2086
    rest=$(systemctl show -p LoadState -p ActiveState -p UnitFileState -p InvocationID -p NeedDaemonReload \
        -p ExecMainStartTimestampMonotonic -p ActiveEnterTimestampMonotonic -- $unit_names)
    n=0
    for _ in $unit_names; do
        n=$((n + 1))
        eval "unit_$n=\$NL\${rest%%\"\$NL\$NL\"*}\$NL"
        rest=${rest#*"$NL$NL"}
    done
    unsplit
}

# unit_property N NAME: sets value.
unit_property() {
    eval "value=\$unit_$1"
    value=${value#*"$NL$2="}
    value=${value%%"$NL"*}
}

# unit_started N: sets started to when the unit's process started, in seconds since 1970; 0 if there is none. Units without processes,
# such as timers, count from their start.
unit_started() {
    unit_property "$1" ExecMainStartTimestampMonotonic
    [ -n "$value" ] || unit_property "$1" ActiveEnterTimestampMonotonic
    started=0
    [ "${value:-0}" -gt 0 ] || return 0
    boot_time
    started=$(((booted + value / 10000) / 100))
}

# Sets user_facts to lines of passwd, between newlines.
facts_users() {
    split_lines
    # shellcheck disable=SC2086
    user_facts=$NL$(getent passwd -- $user_names)$NL
    unsplit
}

# Sets group_facts to lines of group, between newlines.
facts_groups() {
    split_lines
    # shellcheck disable=SC2086
    group_facts=$NL$(getent group -- $group_names)$NL
    unsplit
}
