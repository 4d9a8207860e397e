# How a transaction writes its files, activates them and proves that the daemon has them and works. Reads the tx_ variables of transaction.

# Whether clients of the daemon are handed over before: it is restarted, or upgraded while it runs.
is_handed_over() {
    case $activation,$tx_target in
    restart,* | reload,?*) ;;
    *) return 1 ;;
    esac
}

# Lets other adapters move its clients to another host.
transaction_hand_over() {
    is_handed_over || return 0
    hand_over "$label: $activation ($activation_reason)" || {
        rm -rf "$tx_stage"
        fail "its clients cannot be handed over before the $activation; its files and its running process are untouched" "$words"
    }
    [ -z "$words" ] || say "$label: $words"
}

# Keeps what works with the last good files until the new ones are proven. If the process has unproven ones, from a converge that was
# killed, what that one has kept counts. Before a first converge there is nothing to compare with.
transaction_baseline() {
    command -v "${tx_adapter}_baseline" >/dev/null || return 0
    if [ "$activation,$good_digest" = "none,$tx_digest" ]; then
        return
    elif [ -z "$good_digest" ]; then
        forget_baseline
    elif [ "$running_digest" = "$good_digest" ]; then
        step "note what works" keep_baseline
    fi
}

keep_baseline() {
    mkdir -p -- "${tx_baseline%/*}" && put_text "$tx_baseline" "$("${tx_adapter}_baseline")"
}

forget_baseline() {
    [ ! -e "$tx_baseline" ] || step "forget what worked" rm -f -- "$tx_baseline"
}

# Writes new files first, so that a changed file never names one that does not exist yet.
transaction_commit() {
    has_good || step "keep what is there as last good" keep_last_good ""
    [ -z "$tx_versioned" ] || package_commit
    recover=transaction_undo
    each_file add_file
    each_file change_file
    recover=
}

# For each_file.
add_file() {
    if exists "$field_path"; then
        return 0
    fi
    [ -d "${field_path%/*}" ] || step "make ${field_path%/*}" make_path "${field_path%/*}"
    commit_file
}

# For each_file.
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

# transaction_undo REASON: restores all files if one cannot be written, because a mixture would break the daemon's next start. Reads
# words.
transaction_undo() {
    recover=
    refusal=$words
    failed_step=$doing
    each_file restore_file
    [ -z "$tx_versioned" ] || package_restore
    forget_unproven
    forget_baseline
    doing=$failed_step
    fail "$1; ${tx_back}last good files are back, the running process is untouched" "$refusal"
}

# Activates and proves. If a converge was killed in between, the process has the files already, and is only proven. Sets activated_at.
transaction_activate() {
    since_before=$running_since
    if [ "$activation" != none ]; then
        say "$label: $activation ($activation_reason)"
        activated_at=$(date +%s)
        attempt activate "$activation" || transaction_restore "the daemon refused the $activation"
    elif [ "$good_digest" = "$tx_digest" ] && [ ! -d "$tx_kept" ]; then
        return
    else
        activated_at=$running_since
    fi
    attempt prove "$tx_digest" || transaction_restore "the daemon was not proven to have the new configuration"
    [ -z "$words" ] || say "$label: $words"
    transaction_gate && return
    lost=${words%%"$NL"*}
    words=${words#"$lost"}
    words=${words#"$NL"}
    transaction_restore "with the new configuration, $lost"
}

# Whether what worked before works with the new process, if the adapter can say. Sets words.
transaction_gate() {
    words=
    ! command -v "${tx_adapter}_gate" >/dev/null || attempt gate "$tx_baseline" "see whether everything works as before"
}

# attempt FUNCTION ARGUMENT [TEXT]: calls a function of the adapter as a step that may fail. Sets words.
attempt() {
    step "${3:-$1}" try "${tx_adapter}_$1" "$2"
    [ "$tried" = 0 ]
}

# try COMMAND...: sets tried to its status and words to its output, and succeeds.
try() {
    words=$("$@" 2>&1)
    tried=$?
    words=$(printf '%s\n' "$words" | last_words)
}

# transaction_restore REASON: puts the last good files back, makes sure that the daemon runs with them, and fails with its words.
transaction_restore() {
    refusal=$words
    failed_step=$doing
    tx_restoring=yes
    each_file restore_file
    [ -z "$tx_versioned" ] || package_restore
    read_good_digest
    "${tx_adapter}_running"
    outcome="${tx_back}last good files are back, the old process keeps serving"
    # The process may be another one now, because systemd restarts one that has died.
    if [ -z "$running_digest$running_since" ] || [ "$running_digest" != "$good_digest" ] || [ -n "$tx_reinstalled" ] ||
        [ "$running_since" != "$since_before" ]; then
        # Twice: a process that is about to die may still accept a reload.
        transaction_reactivate || transaction_reactivate
    fi
    forget_unproven
    forget_baseline
    doing=$failed_step
    fail "$1; $outcome" "$refusal"
}

# Sets outcome.
transaction_reactivate() {
    "${tx_adapter}_running"
    "${tx_adapter}_activation"
    # What could not be handed over must not keep the last good files away.
    [ "$activation" != restart ] || hand_over "$label: last good files" || :
    activated_at=$(date +%s)
    outcome="${tx_back}last good files are back and active"
    if attempt activate "$activation" && attempt prove "$good_digest"; then
        transaction_gate ||
            outcome="$outcome, but what worked before does not work with them either, so the change is not the cause"
        return 0
    fi
    outcome="${tx_back}last good files are back, but they could not be activated either: $words"
    return 1
}
