# Starts a why-run or an apply. Both call the same functions: a why-run reports what differs, an apply repairs it.
#
# The payload sets: product, owner, take_over, retiring, deadline, secret_values (a line each: slot, TAB, value), the lists of facts.sh
# (file_paths, unit_names, …), manifest_wanted and secret_lines (see prune.sh), and the function run_list.
#
# sh has no local variables: the comment of a function says which variables it reads and sets for others.

# Paths hold any character: -f turns globbing off, and a function that needs it turns it on.
set -uf
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
unset IFS CDPATH
umask 077

NL='
'
TAB='	'
# Our directories: run is on tmpfs, lib survives a boot.
run=/run/$product
lib=/var/lib/$product
# why-run, apply or launch.
mode=
# Names the converge, and is what the host stores as its state after it.
token=
# The current resource: its id in reports, and its name for people.
id=
label=
# What has differed so far, a line each: label, TAB, aspect.
changed=
# When the apply began, as find_now counts.
began=
# The function that a failed step calls first, if any.
recover=
# Set if the facts are out of date.
stale=1
booted=
owned_directories=
user_facts=
group_facts=
package_facts=

# Reads the arguments of the payload. Sets token, because an apply runs from a file that is named after it.
dispatch() {
    case ${1-} in
    why-run) why_run ;;
    leave) leave "$2" ;;
    launch | apply | result)
        token=${0##*.}
        "$1"
        ;;
    esac
}

# Reports what differs on stdout, a line each. Reads everything that the payload sets; sets mode, stage, boot_id.
why_run() {
    mode=why-run
    keep_launcher
    require_host
    require_owner
    stage=$run/why-run.$$
    trap 'rm -rf "$stage" "$0"' EXIT
    trap 'exit 1' HUP INT PIPE TERM
    boot_id=$(cat /proc/sys/kernel/random/boot_id)
    read_token
    # If the token was lost, the same differences would lead to a token that the engine already has.
    [ "$noted_token" = "$have_token" ] || boot_id=$boot_id$noted_token
    printf 'host\t%s\t%s\n' "$boot_id" "$have_token"
    if ! is_retired; then
        note_owner
        run_list
        prune
        [ "$retiring" = no ] || differs recorded
        show_secret_lines
    fi
    printf 'end\tdone\n'
}

# Repairs what differs. Reads everything that the payload sets, and token; sets mode, began, stage, label.
apply() {
    exec >"$run/report.$token" 2>"$run/log.$token" 8>&2
    mode=apply
    find_now
    began=$now
    printf '%s\n' "$began" >"$run/began.$token"
    label=host
    require_host
    require_owner
    stage=$run/stage
    if is_retired; then
        label=
        report_changes
        return
    fi
    step "prepare $lib" mkdir -p -m 0700 "$lib" "$run/stamp"
    note_owner
    remember_before
    run_list
    prune
    label=host
    if [ "$retiring" = yes ]; then
        step "forget this host" forget_host
    else
        step "remember what is managed" write_manifest "$manifest_wanted"
        forget_originals
        step "store the token" store_token
    fi
    label=
    report_changes 2>&1
    report_changes
}

# Prints what the apply has changed. The engine shows the last line on stderr.
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

# Stores $token. Reads machine.
store_token() {
    put_text "$run/token" "$token" && put_text "$lib/token" "$token$NL$machine"
}

# For the next unquoted expansions: split at newlines only. Sets IFS; unsplit resets it.
split_lines() {
    IFS=$NL
}

unsplit() {
    unset IFS
}
