# What a kind's function calls: differs, then applying, then step. All of them read mode, id and label.

# begin_resource ID LABEL: precedes the call of each resource. Sets id and label, clears doing; reads the facts if they are stale.
begin_resource() {
    id=$1
    label=$2
    doing=
    [ -z "$stale" ] || facts
}

# differs ASPECT [HAVE]: reports or notes that the current resource is not as declared, and what the host has. Adds to changed. Reads part.
differs() {
    changed="$changed$NL$label$TAB${part:+$part: }$1"
    case $mode in
    why-run)
        encode "${2-}"
        printf 'differs\t%s\t%s\t%s\n' "$id" "$1" "$encoded"
        ;;
    check) printf 'differs\t%s\n' "${changed##*"$NL"}" ;;
    esac
}

# Whether to repair what differs. If not, a kind's function returns here.
applying() {
    [ "$mode" = apply ]
}

# Whether to report what only a preview needs.
previews() {
    [ "$mode" = why-run ]
}

# cannot REASON: this host cannot have the current resource. Fails in an apply; refuses in a why-run, unless an earlier resource
# differs, because its repair may help.
cannot() {
    ! applying || fail "$1"
    previews || return 0
    find_differing_before
    [ -z "$differing_before" ] || return 0
    encode "$1"
    printf 'refused\t%s\tpreflight\t%s\n' "$id" "$encoded"
}

# Sets differing_before to the lines of changed that are about earlier resources.
find_differing_before() {
    differing_before=
    split_lines
    for line in $changed; do
        case $line in "host$TAB"* | "$label$TAB"*) ;; *) differing_before=$differing_before$NL$line ;; esac
    done
    unsplit
}

# step TEXT COMMAND...: runs a command that changes the host; all changes go through here. Notes TEXT, except for our own records. Fails
# the apply if the command fails. Sets doing to TEXT.
step() {
    doing=$1
    [ "$label" = host ] || progress "$label: $1"
    shift
    "$@" </dev/null >"$run/step.out" 2>&1 || fail_step
}

# Ends the apply with the last words of the failed step, and their explanation if there is one. Reads recover; sets words.
fail_step() {
    words=$(last_words <"$run/step.out")
    explain "$words"
    [ -z "$recover" ] || "$recover" "${explained:-the last step failed}"
    [ -z "$explained" ] || fail "$explained" "$words"
    fail "the last step failed" "$words"
}

# fail REASON [WORDS]: ends the apply, and says what was done and that the rest was not. WORDS are the output of a tool. The cause comes
# first, because the engine shows it as the headline; what to do comes last. Reads doing.
fail() {
    say "$label failed: $1"
    [ -z "${2-}" ] || say_lines "$2"
    unset IFS
    [ -z "$doing" ] || say "the step was: $doing"
    ! applying || say "all steps are in $run/log.$token on the host, for $kept_minutes minutes"
    summary "before that"
    say "the resources after $label were not attempted; running again continues from what is there"
    exit 1
}

# explain WORDS: sets explained to the cause and remedy behind the words of a common tool; empty if they are unknown.
explain() {
    explained=
    case $1 in
    *[\ \']"$run/"*"No space left on device"*)
        explained="the file system of $run, in memory, is full; see what fills it (du -xs /run/*), then run again" ;;
    *"No space left on device"*)
        explained="the disk is full; free some space, then run again" ;;
    *"Read-only file system"*)
        explained="the file system is mounted read-only; look for disk errors (dmesg), remount it, then run again" ;;
    *"Held packages were changed"*)
        explained="a package is on hold, so the package manager does not touch it; release it (apt-mark unhold), or declare the installed version" ;;
    *"held broken packages"*)
        explained="the package manager cannot install what this package needs; look for packages on hold (apt-mark showhold), and for sources that do not fit together" ;;
    *"Unable to locate package"*"Failed to fetch"* | *"Version "*" was not found"*"Failed to fetch"*)
        explained="the package manager does not know this package, and cannot read all package sources; check the host's network, resolver, proxy and sources, then the name" ;;
    *"Failed to fetch"* | *"Temporary failure resolving"* | *"Could not resolve"* | *"Unable to fetch some archives"*)
        explained="this host cannot read the package sources; check its network, resolver, proxy and sources" ;;
    *"has no installation candidate"*)
        explained="the package manager has no version of this package; check the host's package sources, or, if it is a virtual package, declare one that provides it" ;;
    *"Unable to locate package"*)
        explained="the package manager does not know this package; check its name and the host's package sources" ;;
    *"Version "*" was not found"*)
        explained="the package manager does not have this version; declare one that it has (apt-cache policy)" ;;
    *"Could not get lock"* | *"locked by another process"*)
        explained="another process holds the package manager's lock; wait for it to end, then run again" ;;
    *"Packages need to be removed but remove is disabled"*)
        explained="this would remove packages from the host, which a converge never does; resolve that by hand" ;;
    *"Job type reload is not applicable"*)
        explained="this unit cannot be reloaded; name its files in restartOn, not in reloadOn" ;;
    *"Operation not permitted"* | *"Permission denied"*)
        explained="the host does not let root do this; look for immutable files (lsattr) or a restricted container" ;;
    esac
}
