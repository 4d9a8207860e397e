# Starts a why-run, an apply or a check. All call the same functions: a why-run reports what differs, an apply repairs it, a check is what a
# host keeps of its last converge, see check.sh.
#
# The payload sets: product, adapters, owner, former_owners, take_over, retiring, deadline, secret_values and secret_base64 (a line each: slot, TAB, value), the lists
# of facts.sh (file_paths, unit_names, …), manifest_wanted and secret_lines (see prune.sh), declared_wanted (see declared.sh), and the
# function run_list.
#
# sh has no local variables: the comment of a function says which variables it reads and sets for others.

# Paths hold any character: -f turns globbing off, and a function that needs it turns it on.
set -uf
NL='
'
TAB='	'
# What a login leaves in the environment changes what tools do and print: POSIXLY_CORRECT, TMPDIR, SYSTEMD_PAGER and many more.
IFS=$NL
for line in $(export -p); do
    case $line in "export "[A-Za-z_]*) line=${line#export } ;; *) continue ;; esac
    case ${line%%=*} in
    PATH | SSH_CONNECTION | SUDO_USER | SERVICE_RESULT | EXIT_CODE | EXIT_STATUS | *_proxy | *_PROXY | product) ;;
    *[!A-Za-z0-9_]*) ;;
    *) unset "${line%%=*}" ;;
    esac
done
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
unset IFS CDPATH
umask 077

# Our directories: run is on tmpfs, lib survives a boot.
run=/run/$product
lib=/var/lib/$product
# why-run, apply, check or launch.
mode=
# Names the converge, and is what the host stores as its state after it.
token=
# The current resource: its id in reports, and its name for people.
id=
label=
# The part of the resource that is tested: the name of a transaction's file.
part=
# What has differed so far, a line each: label, TAB, the part and ": " if there is one, aspect.
changed=
# When the apply began, as find_now counts.
began=
# The last step.
doing=
# A check has no secrets.
secret_values=
secret_base64=
# The function that a failed step calls first, if any.
recover=
# Set if the facts are out of date.
stale=1
# Adapters of the daemons on this host that have been called.
standing_adapters=
handed_over=
# Adapters of the daemons whose clients are handed over before they are activated.
hands_over=
booted=
owned_directories=
user_facts=
group_facts=
package_facts=

# Reads the arguments of the payload. Sets token, because an apply runs from a file that is named after it.
dispatch() {
    read_proxies
    case ${1-} in
    why-run) why_run ;;
    check) check ;;
    leave) leave "$2" "${3-}" ;;
    launch | apply | result | resume)
        token=${0##*.}
        "$1"
        ;;
    esac
}

# Reports what differs on stdout, a line each. Reads everything that the payload sets; sets mode, stage, boot_id.
why_run() {
    mode=why-run
    stage=$run/why-run.$$
    require_caller
    read -r boot_id </proc/sys/kernel/random/boot_id
    read_token
    # If the token was lost, the same differences would lead to a token that the engine already has.
    [ "$noted_token" = "$have_token" ] || boot_id=$boot_id$noted_token
    printf 'host\t%s\t%s\n' "$boot_id" "$have_token"
    if ! is_retired; then
        report_take_over
        compare
        show_secret_lines
        show_declared
    fi
    printf 'end\tdone\n'
}

# Ends this run if its caller is gone, or this host cannot be asked. Reads mode; sets watcher.
require_caller() {
    watcher=
    trap '[ -z "$watcher" ] || kill "$watcher" 2>/dev/null; ! previews || rm -rf "$stage" "$0"' EXIT
    trap 'exit 1' HUP INT PIPE TERM
    ! previews || keep_launcher
    require_host
    require_owner
    watch_caller
}

# Reports how the host differs. Sets id, label.
compare() {
    note_owner
    warn_of_sudo_log
    run_list
    prune
    [ "$retiring" = no ] || differs recorded
    report_unfinished
    report_rollback
    warn_of_unreported
}

# Repairs what differs. Reads everything that the payload sets, and token; sets mode, began, stage, label.
apply() {
    exec >"$run/report.$token" 2>"$run/log.$token" 8>&2
    mode=apply
    trap resume EXIT
    find_now
    began=$now
    printf '%s\n' "$began" >>"$run/began.$token"
    label=host
    require_host
    require_owner
    stage=$run/stage
    is_retired || converge
    label=
    say_standing
    report=$(report_changes 2>&1)
    printf '%s\n' "$report"
    say_changes
}

# The steps of an apply. Sets label.
converge() {
    step "prepare $lib" mkdir -p -m 0700 "$lib" "$run/stamp"
    note_owner
    remember_before
    remember_attempt
    settle_guard
    resume
    run_list
    prune
    label=host
    [ ! -e "$lib/rollback" ] || step "forget the change that was rolled back" rm -f "$lib/rollback"
    if [ "$retiring" = yes ]; then
        step "forget this host" forget_host
    else
        step "note that only records are left to write" mark_finishing
        step "remember what is managed" write_manifest "$manifest_wanted"
        forget_files "$lib/original" original
        forget_files "$lib/verified" verification
        forget_left_good
        step "keep the check" keep_check
        remember_declared
        step "store the token" store_token
    fi
}

# Says how the daemons work, for standingOf in commands.ts. Reads standing_adapters.
say_standing() {
    for tx_adapter in $standing_adapters; do
        find_standing
        [ -z "$standing" ] || say "now: $standing"
    done
}

# Reports it, and what the host has besides the plan. Reads tx_adapter.
report_standing() {
    find_standing
    [ -z "$standing" ] || report serving "$standing"
    [ -z "$standing_warning" ] || report warning "$standing_warning"
}

# Sets standing and standing_warning; empty if the adapter does not say.
find_standing() {
    standing=
    standing_warning=
    ! command -v "${tx_adapter}_standing" >/dev/null || "${tx_adapter}_standing"
}

# Says the report in one line, because the engine shows the last line. Reads report.
say_changes() {
    changes=
    split_lines
    for line in $report; do changes="$changes, ${line#changed: }"; done
    unsplit
    case $report in
    "changed: "*) say "changed: ${changes#, }" ;;
    *) say "$report" ;;
    esac
}

# Prints what the apply has changed.
report_changes() {
    if [ -z "$changed" ]; then
        say 'nothing to do'
    else
        summary changed
    fi
}

# Sets have_token, the token of the last converge, and noted_token, the same as seen since the last boot: they differ if $lib was lost.
# A token that another machine has stored came with a disk image and does not count. Reads machine.
read_token() {
    have_token=
    noted_token=
    noted_machine=
    [ ! -r "$lib/token" ] || { read -r have_token && read -r noted_machine; } <"$lib/token" || :
    [ "${noted_machine:-$machine}" = "$machine" ] || have_token=
    [ ! -r "$run/token" ] || read -r noted_token <"$run/token" || :
}

# Stores $token, which ends a converge. Reads machine.
store_token() {
    put_text "$run/token" "$token" && put_text "$lib/token" "$token$NL$machine" && rm -f "$lib/finishing"
}

# A converge that is killed while it writes its last records leaves nothing else that differs.
mark_finishing() {
    : >"$lib/finishing"
}

# Says why an up is due though nothing differs: the engine has not got the token of the last converge. Reads changed.
warn_of_unreported() {
    [ -e "$lib/unreported" ] && [ -z "$changed" ] || return 0
    report warning "the last converge ended well, but after its up was interrupted; an up will only record that"
}

# Reports a converge that was killed there. Sets id, label.
report_unfinished() {
    id=-
    label=host
    [ ! -e "$lib/finishing" ] || differs unfinished
}

# For the next unquoted expansions: split at newlines only. Sets IFS; unsplit resets it.
split_lines() {
    IFS=$NL
}

unsplit() {
    unset IFS
}
