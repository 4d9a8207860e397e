# transaction NAME ADAPTER DIRECTORY DIGEST FILES OWNED ALLOWED: files of one daemon that stand or fall together.
#
# FILES has a line per file: index, path, mode in hex, owner, group, sum, content function, mode, separated by TAB.
# OWNED has a line per owned directory: its path, then the declared names, separated by TAB.
# ALLOWED has a line per text: a warning of the daemon's checker that has one of them in it does not count.
# The adapter's functions are described in docs/convergence.md.
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
    repaired_before
    tx_before=$earlier
    transaction_test
    [ -n "$tx_differs" ] || return 0
    if ! applying && { ! "${tx_adapter}_installed" || [ ! -d "$tx_directory" ]; }; then
        printf 'activation\t%s\tstart\tfirst installation\n' "$id"
        return
    fi
    [ -d "$tx_directory" ] || step "make $tx_directory" make_path "$tx_directory"
    transaction_check
    transaction_activation
    applying || return 0
    ! command -v "${tx_adapter}_await" >/dev/null || "${tx_adapter}_await"
    transaction_commit
    transaction_activate
    transaction_finish
    stale=1
}

# Each line of $tx_files in turn, as fields: field_index, field_path, …; calls the function named. Fails if that fails for one.
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

# What differs: files, and apart from them the running process, which may have read others or these at another time.
transaction_test() {
    tx_differs=
    tx_rewrite=
    tx_written=0
    tx_file=0
    tx_now=$(date +%s)
    each_file test_file
    id=$tx_id
    tx_files_differ=$tx_differs
    read_good_digest
    "${tx_adapter}_running"
    if [ -z "$running_digest$running_since" ]; then
        tx_process=start
        [ -n "$tx_files_differ" ] || differs stopped
    elif [ "$running_digest" != "$tx_digest" ] || [ "$running_since" -lt "$tx_written" ]; then
        tx_process=outdated
        [ -n "$tx_files_differ" ] || differs outdated "$running_digest"
    else
        tx_process=current
        [ -n "$tx_files_differ" ] || [ "$good_digest" = "$tx_digest" ] || differs unfinished
    fi
    each_owned_test
    case $tx_process,$tx_files_differ,$good_digest in
    current,,"$tx_digest") ;;
    *) tx_differs=yes ;;
    esac
}

# What was proven last, in $good_digest: empty on a host where nothing was.
read_good_digest() {
    good_digest=
    ! has_good || read -r good_digest <"$tx_good/digest" || :
}

# Whether there are files to go back to. A link would lead to the live files themselves.
has_good() {
    [ -r "$tx_good/digest" ] && [ -d "$tx_good/tree" ] && [ ! -L "$tx_good/tree" ]
}

test_file() {
    tx_file=$((tx_file + 1))
    id=$tx_id.$tx_file
    eval "have=\$stat_$field_index have_sum=\$sum_$field_index"
    case $have,$have_sum in
    "$field_path$TAB$field_stat$TAB"*,"$field_sum  $field_path")
        # Written in the future means that the clock was set back: then nothing can be told from times.
        written=${have##*"$TAB"}
        [ "$written" -le "$tx_written" ] || [ "$written" -gt "$tx_now" ] || tx_written=$written
        ;;
    *)
        tx_differs=yes
        file_differences "$field_index" "$field_path" "$field_stat" "$field_sum"
        if [ "$rewrite" = yes ]; then
            tx_rewrite=yes
            # A service that reads it, too, would not have read it yet.
            applying || expect_written "$field_index" "$field_path" "$field_stat"
        fi
        ;;
    esac
}

# Undeclared entries of owned directories; they are removed only when the new configuration is proven.
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

# Stage, validate, preflight: nothing that serves is touched yet.
transaction_check() {
    tx_stage=$stage/$tx_name
    rm -rf "$tx_stage"
    if step_quietly transaction_stage; then
        step_quietly "${tx_adapter}_validate" "$tx_stage" || refuse_transaction validation
        step_quietly "${tx_adapter}_preflight" "$tx_stage" || refuse_transaction preflight
    else
        refuse_transaction stage
    fi
    rm -rf "$tx_stage"
}

# Runs a command that changes nothing outside the stage; its words in $words if it fails.
step_quietly() {
    words=$("$@" </dev/null 2>&1)
}

# The whole tree as it would be, beside the live one, on tmpfs.
transaction_stage() {
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

stage_file() {
    staged=$tx_stage${field_path#"$tx_directory"}
    mkdir -p -- "${staged%/*}" && rm -f -- "$staged" && "$field_content" >"$staged" || return
    # An account that this very run would add is not there yet in a why-run.
    set_permissions "$staged" "$field_owner" "$field_group" "$field_mode" 2>/dev/null || ! applying
}

# refuse_transaction STAGE: the host will not have this configuration, or, in a why-run, not before what comes earlier in the
# run list is repaired.
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

# depends_on_before STAGE: whether what the host says may be another thing then. A fault of the files' own is not, but
# another version of the daemon may know what this one does not.
depends_on_before() {
    [ -n "$tx_before" ] && [ "$1" != stage ] || return 1
    case $tx_before in *"${NL}packages["*) return 0 ;; esac
    [ "$1" != validation ] || ! "${tx_adapter}_own_fault" "$words"
}

# The smallest activation that does: none, reload, restart or start, in $activation.
transaction_activation() {
    if [ "$tx_process" = current ] && [ -z "$tx_rewrite" ]; then
        activation=none
        activation_reason="the running process has it already"
    else
        "${tx_adapter}_activation"
    fi
    applying || printf 'activation\t%s\t%s\t%s\n' "$id" "$activation" "$activation_reason"
}

# Additions first, so that a changed file never names one that is not there yet; what was proven last stays at hand.
transaction_commit() {
    has_good || step "keep what is there as last good" keep_last_good ""
    recover=transaction_undo
    each_file add_file
    each_file change_file
    recover=
}

# transaction_undo REASON: a disk that fills up half way must not leave a mixture for the next start of the daemon.
transaction_undo() {
    recover=
    refusal=$words
    each_file restore_file
    forget_unproven
    fail "$1; last good files are back, the running process is untouched" "$refusal"
}

add_file() {
    ! exists "$field_path" || return 0
    [ -d "${field_path%/*}" ] || step "make ${field_path%/*}" make_path "${field_path%/*}"
    commit_file
}

change_file() {
    eval "have=\$stat_$field_index have_sum=\$sum_$field_index"
    case $have,$have_sum in
    "$field_path$TAB$field_stat$TAB"*,"$field_sum  $field_path" | ,*) return ;;
    *,"$field_sum  $field_path")
        step "set owner and mode of $field_path" set_permissions "$field_path" "$field_owner" "$field_group" "$field_mode"
        ;;
    *) commit_file ;;
    esac
}

commit_file() {
    keep_original "$field_path"
    step "write $field_path" put_file "$field_path" "$field_content" "$field_owner" "$field_group" "$field_mode"
}

# A process that has it already may never have been proven, where a converge was killed: then only that is left to do.
transaction_activate() {
    since_before=$running_since
    if [ "$activation" != none ]; then
        say "$label: $activation ($activation_reason)"
        activated_at=$(date +%s)
        attempt activate "$activation" || transaction_restore "refused the $activation"
    elif [ "$good_digest" = "$tx_digest" ]; then
        return
    else
        activated_at=$running_since
    fi
    attempt prove "$tx_digest" || transaction_restore "was not proven to have the new configuration"
    [ -z "$words" ] || say "$label: $words"
}

# attempt FUNCTION ARGUMENT of the adapter, as a step whose failure leads to a restore.
attempt() {
    step "$1" try "${tx_adapter}_$1" "$2"
    [ "$tried" = 0 ]
}

# try COMMAND...: keeps its status in $tried and its words in $words.
try() {
    words=$("$@" 2>&1)
    tried=$?
    words=$(printf '%s\n' "$words" | last_words)
}

# Last good back in place, proven, and the run fails with the daemon's own words.
transaction_restore() {
    refusal=$words
    each_file restore_file
    read_good_digest
    "${tx_adapter}_running"
    outcome="last good files are back, the process of before serves on"
    # One that has them may be another than before: systemd starts what has died again.
    if [ -z "$running_digest$running_since" ] || [ "$running_digest" != "$good_digest" ] ||
        [ "$running_since" != "$since_before" ]; then
        transaction_reactivate || transaction_reactivate
    fi
    forget_unproven
    fail "the daemon $1; $outcome" "$refusal"
}

# Twice, as one that is about to die of what it was given may still take a reload.
transaction_reactivate() {
    "${tx_adapter}_running"
    "${tx_adapter}_activation"
    activated_at=$(date +%s)
    outcome="last good files are back and active"
    attempt activate "$activation" && attempt prove "$good_digest" && return
    outcome="last good files are back, but they could not be activated either: $words"
    return 1
}

# What was there before a first converge was never proven, and serves nobody once it is back: weeks later it would be too old.
forget_unproven() {
    [ -n "$good_digest" ] || step "forget what was kept" rm -rf -- "$tx_good"
}

# To what is last good; a file that we have taken over since, to what it was then.
restore_file() {
    kept=$tx_good/tree${field_path#"$tx_directory"}
    exists "$kept" || kept=$lib/original$field_path
    if ! exists "$kept"; then
        step "remove $field_path" rm -f -- "$field_path"
        return
    fi
    is_same_file "$kept" "$field_path" || step "put back $field_path" put_back "$kept" "$field_path"
    # Had it been changed by hand, the process of before may have read that: a file newer than the process tells the next run.
    eval "have_sum=\$sum_$field_index"
    kept_sum=
    [ -L "$kept" ] || kept_sum=$(sha256sum <"$kept")
    [ "${kept_sum%% *}" = "${have_sum%% *}" ] || step "mark $field_path as not read" touch -h -- "$field_path"
}

transaction_finish() {
    split_lines
    for line in $tx_owned; do
        unsplit
        orphans "${line%%"$TAB"*}" "${line#*"$TAB"}"
        split_lines
    done
    unsplit
    step "keep it as last good" keep_last_good "$tx_digest"
}

# keep_last_good DIGEST: a copy of the whole tree, in the place of the one before when it is complete and on the disk. The
# digest says that it was proven; it goes first, so that half a tree never has one.
keep_last_good() {
    { rm -rf -- "$tx_good.new" && mkdir -p -- "$tx_good.new/tree" && copy_live && put_text "$tx_good.new/digest" "$1" &&
        find "$tx_good.new" \( -type f -o -type d \) -exec sync -- {} + &&
        rm -f -- "$tx_good/digest" && rm -rf -- "${tx_good:?}" && mv -- "$tx_good.new" "$tx_good"; } ||
        discard "$tx_good.new"
}

copy_live() {
    [ ! -d "$tx_directory" ] || cp -a -- "$tx_directory/." "$tx_good.new/tree/"
}
