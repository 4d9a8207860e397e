# The frame around the resources: what differs is reported in a why-run and repaired in an apply, by the same functions.
#
# The payload sets: product, runtime_id, runtime_lines, owner, take_over, token, deadline, secret_values (a line each: slot, TAB,
# value), and what the run list mentions (file_paths, unit_names, …).

# Nothing is globbed but where it is asked for.
set -uf
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
unset IFS CDPATH
umask 077

NL='
'
TAB='	'
run=/run/$product
lib=/var/lib/$product
mode=
id=
label=
changed=
began=
recover=
booted=
owned_directories=
user_facts=
group_facts=
package_facts=
stale=1

# Called before each resource: its id in reports, its name for people.
at() {
    id=$1
    label=$2
    [ -z "$stale" ] || facts
}

# One line for people, on its way to the engine: without secrets, short and plain ASCII, since the engine hangs or fails on
# anything else.
say() {
    hide "$1"
    case $hidden in
    *[!\ -~]*) printf '%.300s\n' "$hidden" | tr '\000-\011\013-\037\177-\377' '?' >&2 ;;
    *) printf '%.300s\n' "$hidden" >&2 ;;
    esac
}

# tell WORDS: says them at once, from within a step too, whose own output is kept.
tell() {
    say "$1" 2>&8
}

# hide TEXT: in $hidden, slots by name in the place of their values, as a tool may quote the line that it does not like.
hide() {
    hidden=$1
    secrets_left=$secret_values
    while [ -n "$secrets_left" ]; do
        secret=${secrets_left%%"$NL"*}
        secrets_left=${secrets_left#"$secret"}
        secrets_left=${secrets_left#"$NL"}
        secret_name=${secret%%"$TAB"*}
        secret=${secret#*"$TAB"}
        hidden_start=
        while :; do
            case $hidden in *"$secret"*) ;; *) break ;; esac
            before=${hidden%%"$secret"*}
            hidden_start="$hidden_start$before<$secret_name>"
            hidden=${hidden#"$before$secret"}
        done
        hidden=$hidden_start$hidden
    done
}

# Makes free text fit for one field of a report, in $encoded: plain text as it is, anything else as = and base64.
encode() {
    case $1 in
    *[!\ -~]* | =*) encoded="=$(printf %s "$1" | base64 | tr -d '\n')" ;;
    *) encoded=$1 ;;
    esac
}

# differs ASPECT [WHAT THE HOST HAS]: the resource at hand is not as declared.
differs() {
    changed="$changed$NL$label$TAB$1"
    [ "$mode" = why-run ] || return 0
    encode "${2-}"
    printf 'differs\t%s\t%s\t%s\n' "$id" "$1" "$encoded"
}

# Whether differences are to be repaired; a why-run ends a resource's function here.
applying() {
    [ "$mode" = apply ]
}

# impossible REASON: the resource at hand cannot be had here. A why-run leaves that open where something before it would be repaired.
impossible() {
    ! applying || fail "$1"
    repaired_before
    [ -z "$earlier" ] || return 0
    encode "$1"
    printf 'refused\t%s\tpreflight\t%s\n' "$id" "$encoded"
}

# In $earlier, what of earlier resources differs: the host is to be another when an up comes to the one at hand.
repaired_before() {
    earlier=
    split_lines
    for line in $changed; do
        case $line in "host$TAB"* | "$label$TAB"*) ;; *) earlier=$earlier$NL$line ;; esac
    done
    unsplit
}

# step WORDS COMMAND...: everything that changes the host goes through here. Our own bookkeeping is not worth a line.
step() {
    [ "$label" = host ] || say "$label: $1"
    shift
    "$@" </dev/null >"$run/step.out" 2>&1 || fail_step
}

# A step failed: its own last words, and what they mean where that is known.
fail_step() {
    words=$(last_words <"$run/step.out")
    explain "$words"
    [ -z "$recover" ] || "$recover" "${explained:-the last step failed}"
    [ -z "$explained" ] || fail "$explained" "$words"
    fail "the last step failed" "$words"
}

# The end of a tool's output. Of a long line both ends are kept: what was expected, and what came instead. Secrets go before
# anything is cut: half of one could not be found any more.
last_words() {
    hide "$(tail -n 15 | cut -b 1-65536)"
    printf '%s\n' "$hidden" | sed 's/^\(.\{160\}\).\{6,\}\(.\{114\}\)$/\1 ... \2/'
}

# fail REASON [WORDS OF THE TOOL]: ends the run on this host, saying what has been done and that the rest has not.
fail() {
    say "$label failed: $1"
    [ -z "${2-}" ] || say_lines "$2"
    unset IFS
    summary "before that"
    say "the resources after $label were not attempted; running again continues from what is there"
    exit 1
}

# say_lines WORDS: of a tool, each line of them.
say_lines() {
    while IFS= read -r line; do say "    $line"; done <<WORDS
$1
WORDS
}

# What was changed, a line per resource, as "label: aspects".
summary() {
    [ -n "$changed" ] || return 0
    split_lines
    last=
    words=
    for line in $changed; do
        if [ "${line%%"$TAB"*}" = "$last" ]; then
            words="$words, ${line#*"$TAB"}"
        else
            [ -z "$last" ] || [ "$last" = "$label" ] || say "$1: $last ($words)"
            last=${line%%"$TAB"*}
            words=${line#*"$TAB"}
        fi
    done
    [ "$last" = "$label" ] || say "$1: $last ($words)"
    unsplit
}

# For the next unquoted expansions: split at newlines only.
split_lines() {
    IFS=$NL
}

unsplit() {
    unset IFS
}

# The meaning, in $explained, of what common tools say when a machine is in trouble; empty where not known.
explain() {
    explained=
    case $1 in
    *"No space left on device"*)
        explained="the disk is full: free some space, then run again" ;;
    *"Read-only file system"*)
        explained="the file system is mounted read-only: look for disk errors (dmesg), remount it, then run again" ;;
    *"has no installation candidate"*)
        explained="the package manager has only heard of this package: check the host's package sources, or, if it is a virtual package, declare one that provides it" ;;
    *"Unable to locate package"*)
        explained="the package manager does not know this package: check its name and the host's package sources" ;;
    *"Version "*" was not found"*)
        explained="the package manager does not have this version: ask for one that it has (apt-cache policy)" ;;
    *"Could not get lock"* | *"locked by another process"*)
        explained="another process holds the package manager's lock: wait for it to end, then run again" ;;
    *"Packages need to be removed but remove is disabled"*)
        explained="packages that are on the host would have to go for this, which a converge never does: resolve that by hand" ;;
    *"Temporary failure resolving"* | *"Could not resolve"* | *"Unable to fetch some archives"*)
        explained="the package sources cannot be reached from this host: check its network and its sources" ;;
    *"Job type reload is not applicable"*)
        explained="this unit cannot be reloaded: name its files in restartOn, not in reloadOn" ;;
    *"Operation not permitted"* | *"Permission denied"*)
        explained="the host does not let root do this: look for immutable files (lsattr) or a restricted container" ;;
    esac
}

# systemd's version, in $systemd_version, without starting a process where its shared library tells.
find_systemd_version() {
    systemd_version=
    set +f
    set -- /usr/lib/systemd/libsystemd-shared-* /lib/systemd/libsystemd-shared-* \
        /usr/lib/*/systemd/libsystemd-shared-*
    set -f
    for library; do
        [ -e "$library" ] || continue
        systemd_version=${library##*-shared-}
        systemd_version=${systemd_version%%[!0-9]*}
        return
    done
    systemd_version=$(systemctl --version 2>/dev/null)
    systemd_version=${systemd_version#systemd }
    systemd_version=${systemd_version%%[!0-9]*}
}

# Refuses a host that this runtime cannot converge, before anything is tested.
require_host() {
    missing=
    for tool in stat sha256sum base64 unshare flock systemctl systemd-run dpkg-query apt-get; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    [ -z "$missing" ] || refuse "this host lacks:$missing (needed: Debian or Ubuntu with coreutils, util-linux, systemd)"
    find_systemd_version
    [ "${systemd_version:-0}" -ge 237 ] ||
        refuse "this host is too old: systemd ${systemd_version:-unknown}, needed is 237 or newer"
    [ "$(id -u)" = 0 ] || refuse "not root: log in as root, or set become to sudo"
}

# One component of one program converges a host: two would undo each other's files. Who it was, in $have_owner. What another
# machine has noted has come with an image of it, and does not count.
require_owner() {
    have_owner=
    noted_machine=
    machine=
    [ ! -r /etc/machine-id ] || read -r machine </etc/machine-id || :
    [ ! -r "$lib/owner" ] || { IFS= read -r have_owner && read -r noted_machine; } <"$lib/owner" || :
    [ "$noted_machine" = "$machine" ] || have_owner=
    [ -z "$have_owner" ] || [ "$have_owner" = "$owner" ] || [ "$take_over" = yes ] ||
        refuse "this host is converged by $have_owner, not by $owner: two would undo each other's files. Take it out of one, or hand it over: with takeOver, or by removing $lib/owner there"
}

# Noted before the first change, so that nobody else goes on where this converge may be killed.
note_owner() {
    [ "$have_owner" != "$owner" ] || return 0
    id=-
    label=host
    [ -z "$have_owner" ] || differs "taken over" "$have_owner"
    ! applying || step "note who converges this host" put_text "$lib/owner" "$owner$NL$machine"
}

# refuse REASON: nothing can be done on this host.
refuse() {
    if [ "$mode" = why-run ]; then
        encode "$1"
        printf 'refused\t-\thost\t%s\n' "$encoded"
        printf 'end\trefused\n'
    else
        say "refused: $1"
    fi
    exit 1
}

# Keeps the part of this text that is the same in each run for the apply, which brings only the rest; its digest is that of both.
# A damaged one is replaced: it would spoil every apply, and may be nothing that a shell can read.
keep_runtime() {
    sum=
    [ ! -e "$run/runtime.$runtime_id" ] || sum=$(sha256sum "$run/runtime.$runtime_id")
    [ "${sum%% *}" != "$runtime_id" ] || return 0
    find "$run" -maxdepth 1 -name 'runtime.*' -mtime +7 -delete
    sed -n "2,$((runtime_lines + 1))p" "$0" >"$0.runtime" && mv -f "$0.runtime" "$run/runtime.$runtime_id"
}

why_run() {
    mode=why-run
    keep_runtime
    require_host
    require_owner
    stage=$run/why-run.$$
    trap 'rm -rf "$stage" "$0"' EXIT
    trap 'exit 1' HUP INT PIPE TERM
    boot_id=$(cat /proc/sys/kernel/random/boot_id)
    read_token
    # The same way into the same state again would lead to a token that the engine has already.
    [ "$noted_token" = "$have_token" ] || boot_id=$boot_id$noted_token
    printf 'host\t%s\t%s\n' "$boot_id" "$have_token"
    note_owner
    run_list
    prune
    show_secret_lines
    printf 'end\tdone\n'
}

apply() {
    exec >"$run/report.$payload_id" 2>"$run/log.$payload_id" 8>&2
    mode=apply
    find_now
    began=$now
    label=host
    require_host
    require_owner
    stage=$run/stage
    step "prepare $lib" mkdir -p -m 0700 "$lib" "$run/stamp"
    note_owner
    remember_before
    run_list
    prune
    label=host
    step "remember what is managed" write_manifest "$manifest_wanted"
    forget_originals
    step "store the token" store_token
    label=
    report_changes 2>&1
    report_changes
}

# For people, on stderr: the last line is what the engine shows of a host that is done.
report_changes() {
    if [ -z "$changed" ]; then
        say 'nothing to do'
    else
        summary changed
    fi
}

# In $have_token; in $noted_token the one that this boot has seen last, wherever $lib has gone since.
read_token() {
    have_token=
    noted_token=
    [ ! -r "$lib/token" ] || read -r have_token <"$lib/token" || :
    [ ! -r "$run/token" ] || read -r noted_token <"$run/token" || :
}

store_token() {
    put_text "$run/token" "$token" && put_text "$lib/token" "$token"
}

# In $now, seconds on a clock that nobody sets: for bounds and waits, which the time of day may cut short or prolong.
find_now() {
    read_clock
    now=$((clock / 100))
}

# In $time_left, how many seconds this converge may still wait for others: 2 minutes before its deadline, what comes after has to begin.
find_time_left() {
    find_now
    time_left=$((${began:-$now} + deadline - 120 - now))
    [ "$time_left" -ge 0 ] || time_left=0
}

# put_text PATH TEXT: a small file of our own, written so that it is never seen half.
put_text() {
    printf '%s\n' "$2" >"$1.new" && sync "$1.new" && mv -f "$1.new" "$1"
}

# What this text was started for; an apply runs from a file that is named after its digest.
dispatch() {
    case ${1-} in
    why-run) why_run ;;
    launch) launch ;;
    apply | result)
        payload_id=${0##*.}
        "$1"
        ;;
    esac
}
