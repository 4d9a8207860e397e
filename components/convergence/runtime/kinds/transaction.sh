# transaction NAME ADAPTER DIRECTORY DIGEST FILES OWNED ALLOWED [PACKAGE]: files of one daemon, activated and restored together.
#
# FILES has a line per file: index, path, mode in hex, owner, group, sum, content function, mode, separated by TAB.
# OWNED has a line per owned directory: its path, then the declared names, separated by TAB.
# ALLOWED has a line per text: a warning of the daemon's checker that contains one of them is accepted.
# PACKAGE is the name of the daemon's package and its version, see parts/transactionPackage.sh.
#
# docs/adapters.md describes the adapter's functions. This file tests and checks; commit.sh writes and activates; lastGood.sh
# restores.

# Sets for all functions of a transaction: tx_id, tx_name, tx_adapter, tx_directory, tx_digest, tx_files, tx_owned and tx_allowed,
# the arguments; tx_good, the directory of the last good files; tx_before, what differs in earlier resources; tx_new, whether the daemon
# or its directory is missing in a why-run; tx_firm, see refuse_transaction; tx_baseline, see transaction_baseline; tx_restoring, set
# while last good files are activated; tx_versioned, PACKAGE; tx_target, the version to install; tx_namespace, see package_namespace;
# tx_kept, the packages that are kept until the new ones are proven; tx_reinstalled and tx_back, what a restore has put back.
transaction() {
    tx_id=$id
    tx_name=$1
    tx_adapter=$2
    tx_directory=$3
    tx_digest=$4
    tx_files=$5
    tx_owned=$6
    tx_allowed=$7
    tx_good=$lib/last-good/$1
    find_differing_before
    tx_before=
    split_lines
    for line in $differing_before; do
        unsplit
        ignores_before "$line" || tx_before=$tx_before$NL$line
        split_lines
    done
    unsplit
    tx_firm=$stage/firm
    tx_new=
    tx_baseline=$lib/baseline/$1
    tx_restoring=
    tx_versioned=${8-}
    tx_target=
    tx_namespace=
    tx_kept=$lib/packages/$1
    tx_reinstalled=
    tx_back=
    standing_adapters="$standing_adapters $tx_adapter"
    transaction_test
    applying || report_standing
    ! previews || report_role
    [ "$mode" != check ] || return 0
    if [ -z "$tx_differs" ]; then
        report_settings
        return
    fi
    if applying; then
        ! command -v "${tx_adapter}_undo" >/dev/null || "${tx_adapter}_undo"
        [ -d "$tx_directory" ] || step "make $tx_directory" make_path "$tx_directory"
    elif ! "${tx_adapter}_installed" || [ ! -d "$tx_directory" ]; then
        tx_new=yes
    fi
    transaction_check
    transaction_activation
    applying || return 0
    ! command -v "${tx_adapter}_await" >/dev/null || "${tx_adapter}_await"
    transaction_hand_over
    transaction_baseline
    transaction_commit
    transaction_activate
    transaction_finish
    stale=1
}

# In a why-run, reports what this host is among those that share a service address, and whether the change needs all of them.
report_role() {
    command -v "${tx_adapter}_role" >/dev/null || return 0
    role=
    role_holds=none
    together=
    "${tx_adapter}_role"
    [ -z "$role" ] || printf 'role\t%s\t%s\t%s\n' "$id" "$role" "$role_holds"
    [ -n "$together" ] || return 0
    encode "$together"
    printf 'together\t%s\t%s\n' "$id" "$encoded"
}

# ignores_before LINE: whether the adapter knows that the repair of this earlier difference changes no verdict.
ignores_before() {
    command -v "${tx_adapter}_ignores" >/dev/null && "${tx_adapter}_ignores" "$1"
}

# each_file FUNCTION: calls it for each line of tx_files, with the line's fields in field_index, field_path, field_stat, field_sum,
# field_content, field_owner, field_group, field_mode. Fails if one call fails.
each_file() {
    each_status=0
    split_lines
    for line in $tx_files; do
        IFS=$TAB
        # shellcheck disable=SC2086 # split at tabs, on purpose
        set -- "$1" $line
        IFS=$NL
        field_index=$2 field_path=$3 field_stat=$4$TAB$5$TAB$6 field_sum=$7 field_content=$8
        field_owner=$5 field_group=$6 field_mode=$9
        unsplit
        "$1" || each_status=$?
        split_lines
    done
    unsplit
    return "$each_status"
}

# Finds what differs: the files, and the running process, which may have read other files, serve something else, or have been left in the
# middle of something. Sets tx_differs if anything does, tx_files_differ if files do, tx_changed to those with other contents, a line
# each, tx_written (the newest file, in seconds since 1970), and tx_process: start (none runs), outdated or current.
transaction_test() {
    tx_differs=
    tx_changed=
    tx_written=0
    tx_file=0
    tx_now=$(date +%s)
    each_file test_file
    id=$tx_id
    tx_files_differ=$tx_differs
    read_good_digest
    running_unfinished=
    running_other=
    "${tx_adapter}_running"
    if [ -z "$running_digest$running_since" ]; then
        tx_process=start
        [ -n "$tx_files_differ" ] || differs stopped
    elif [ "$running_digest" != "$tx_digest" ] || [ "$running_since" -lt "$tx_written" ]; then
        tx_process=outdated
        [ -n "$tx_files_differ" ] || differs outdated "$running_digest"
    elif [ -n "$running_other" ]; then
        tx_process=outdated
        [ -n "$tx_files_differ" ] || differs other "$running_other"
    else
        tx_process=current
        if [ -z "$tx_files_differ" ] && [ "$good_digest,$running_unfinished" != "$tx_digest," ]; then
            differs unfinished
        fi
    fi
    each_owned_test
    # shellcheck disable=SC2086 # name and version
    [ -z "$tx_versioned" ] || package_test $tx_versioned
    case $tx_process,$tx_files_differ,$running_unfinished,$good_digest in
    current,,,"$tx_digest") ;;
    *) tx_differs=yes ;;
    esac
}

# For each_file. Sets id; sets tx_differs, tx_changed and tx_written.
test_file() {
    tx_file=$((tx_file + 1))
    id=$tx_id.$tx_file
    eval "have=\$stat_$field_index have_sum=\$sum_$field_index"
    case $have,$have_sum in
    "$field_path$TAB$field_stat$TAB"*,"$field_sum  $field_path")
        # A time in the future means that the clock was set back; it says nothing about processes.
        written=${have##*"$TAB"}
        if [ "$written" -gt "$tx_written" ] && [ "$written" -le "$tx_now" ]; then
            tx_written=$written
        fi
        ;;
    *)
        tx_differs=yes
        part=${field_path##*/}
        file_differences "$field_index" "$field_path" "$field_stat" "$field_sum"
        part=
        if [ "$rewrite" = yes ]; then
            tx_changed=$tx_changed$NL$field_path
            # A service with the file in its reloadOn will not have read it either.
            applying || expect_written "$field_index" "$field_path" "$field_stat"
        fi
        ;;
    esac
}

# Finds undeclared entries of owned directories. They are removed only when the new configuration is proven. Sets tx_differs.
each_owned_test() {
    split_lines
    for line in $tx_owned; do
        unsplit
        if applying; then
            find_orphans "${line%%"$TAB"*}" "${line#*"$TAB"}"
        else
            orphans "${line%%"$TAB"*}" "${line#*"$TAB"}"
        fi
        [ -z "$found" ] || tx_differs=yes
        split_lines
    done
    unsplit
}

# Stages, validates and runs the preflight, without touching anything that serves. Sets tx_stage, and tx_unchecked to what the preflight
# could not check.
transaction_check() {
    tx_stage=$stage/$tx_name
    tx_unchecked=
    rm -rf "$tx_stage" "$tx_firm"
    if step_quietly transaction_stage; then
        # Without a digest, values are missing that only an up has.
        if [ -n "$tx_target" ] && ! package_check; then
            :
        elif [ -z "$tx_new" ] && [ "$tx_digest" != unknown ] && ! step_quietly "${tx_adapter}_validate" "$tx_stage"; then
            refuse_transaction validation
        fi
        if step_quietly "${tx_adapter}_preflight" "$tx_stage"; then
            tx_unchecked=$words
        else
            refuse_transaction preflight
        fi
        report_settings
    else
        refuse_transaction stage
    fi
    rm -rf "$tx_stage"
    tx_namespace=
}

# In a why-run, reports whether the host needs the settings for one up that the adapter knows.
report_settings() {
    applying || ! command -v "${tx_adapter}_settings" >/dev/null || "${tx_adapter}_settings"
}

# step_quietly COMMAND...: runs a command that changes nothing outside the stage. Sets words to its output.
step_quietly() {
    words=$("$@" </dev/null 2>&1)
}

# Writes the whole declared tree to the stage, on tmpfs. Says why if there is no room, or if the stage could not take the place of the
# live files for the daemon's check.
transaction_stage() {
    if ! unshare -m mount --bind -- "$run" "$run"; then
        printf '%s\n' "this host does not let root mount in a namespace of its own, where the daemon checks files before they are installed; give the container that right (LXC: nesting; Docker: SYS_ADMIN, seccomp, AppArmor), or use a virtual machine"
        return 1
    fi
    fill_stage && return
    # shellcheck disable=SC2046 # fields of df and du
    set -- $(df -Pk -- "$run" | tail -n 1; du -sk -- "$tx_directory" 2>/dev/null)
    [ "${4:-1000}" -gt 64 ] ||
        printf '%s\n' "$tx_directory has ${7:-0} KiB, and the copy that the daemon checks does not fit into ${run%/*}, in memory; move what is no configuration elsewhere, or enlarge that file system (mount -o remount,size=...)"
    return 1
}

fill_stage() {
    mkdir -p "$tx_stage" || return
    [ ! -d "$tx_directory" ] || cp -a -- "$tx_directory/." "$tx_stage/" || return
    split_lines
    for line in $tx_owned; do
        unsplit
        directory=${line%%"$TAB"*}
        rm -rf -- "${tx_stage:?}${directory#"$tx_directory"}"
        mkdir -p -- "$tx_stage${directory#"$tx_directory"}"
        split_lines
    done
    unsplit
    each_file stage_file
}

# For each_file.
stage_file() {
    staged=$tx_stage${field_path#"$tx_directory"}
    [ -d "${staged%/*}" ] || mkdir -p -- "${staged%/*}" || return
    ! exists "$staged" || rm -f -- "$staged" || return
    "$field_content" >"$staged" || return
    # In a why-run, an account that the run list adds does not exist yet.
    set_permissions "$staged" "$field_owner" "$field_group" "$field_mode" 2>/dev/null || ! applying
}

# refuse_transaction STAGE: fails an apply; reports a refusal in a why-run, or something unchecked if earlier resources differ, unless the
# adapter says that they do not matter: by the file tx_firm. Reads words.
refuse_transaction() {
    refusal=refused
    applying || ! depends_on_before "$1" || refusal=unchecked
    words=$(printf '%s\n' "$words" | last_words)
    if applying; then
        rm -rf "$tx_stage"
        fail "refused at $1; its files and its running process are untouched" "$words"
    fi
    encode "$words"
    printf '%s\t%s\t%s\t%s\n' "$refusal" "$id" "$1" "$encoded"
}

# depends_on_before STAGE: whether the repair of earlier resources may change the verdict in $words. It cannot if the files themselves are
# wrong, except that another version of the daemon may accept them.
depends_on_before() {
    [ -n "$tx_before" ] && [ "$1" != stage ] || return 1
    [ "$1" != preflight ] || [ ! -e "$tx_firm" ] || return 1
    case $tx_before in *"${NL}packages["*) return 0 ;; esac
    [ "$1" != validation ] || ! "${tx_adapter}_blames_files" "$words"
}

# Sets activation to the smallest one that is enough: none, reload, restart or start; and activation_reason.
transaction_activation() {
    if [ -n "$tx_new" ]; then
        activation=start
        activation_reason="it is not installed; no daemon has checked these files yet, an up checks them before it starts one${tx_unchecked:+; $tx_unchecked}"
    elif [ "$tx_process" = current ] && [ -z "$tx_changed$tx_target" ]; then
        activation=none
        activation_reason="the running process already has these files"
    else
        "${tx_adapter}_activation"
    fi
    ! is_handed_over || hands_over="$hands_over $tx_adapter"
    applying || report_activation
}

# Reports the activation, and the seconds that an up may wait for it: before it, for its verdict, and on request.
report_activation() {
    printf 'activation\t%s\t%s\t%s\n' "$id" "$activation" "$activation_reason"
    command -v "${tx_adapter}_waits" >/dev/null || return 0
    "${tx_adapter}_waits"
    printf 'longest\t%s\t%s\t%s\t%s\t%s\n' "$id" "$drain_wait" "$gate_wait" "$bake_wait" "$deadline"
}

# Removes undeclared entries, and keeps the proven tree as last good.
transaction_finish() {
    split_lines
    for line in $tx_owned; do
        unsplit
        orphans "${line%%"$TAB"*}" "${line#*"$TAB"}"
        split_lines
    done
    unsplit
    # Before the last record, so that nothing is left if this is killed.
    forget_baseline
    step "keep it as last good" keep_last_good "$tx_digest"
    [ ! -d "$tx_kept" ] || step "forget the old packages" rm -rf -- "$tx_kept"
}
