# The adapter of logrotate: how the rotation of a log is validated. logrotate has no process: each run reads its files, so nothing is
# activated. docs/adapters.md describes what each function has to do.
#
# Parameters, set by the recipe:
#   logrotate_config  path of our file
#   logrotate_log     the log that it rotates

logrotate_installed() {
    command -v logrotate >/dev/null
}

# logrotate_validate STAGE: refuses if logrotate finds a mistake in our file, or another file with the same log: it would skip the second
# one. Our file is read first, so that a duplicate is always in the other one. Other mistakes in other files are not ours.
logrotate_validate() {
    staged=$stage/logrotate-check/${logrotate_config##*/}
    # Patterns of other files match only logs that exist.
    { mkdir -p -- "$stage/logrotate-check/logs" && : >"$stage/logrotate-check/logs/${logrotate_log##*/}" &&
        mv -f -- "$1/${logrotate_config##*/}" "$staged"; } || return
    set -- "$1" "$tx_directory" "$stage/logrotate-check/logs" "${logrotate_log%/*}" "$staged"
    [ ! -e /etc/logrotate.conf ] || set -- "$@" /etc/logrotate.conf
    # shellcheck disable=SC2016 # expanded by the inner shell
    output=$(timeout -k 5 60 unshare -m --propagation private sh -c '
        mount --bind "$1" "$2" && mount --bind "$3" "$4" || exit
        shift 4
        exec logrotate -d "$@"' sh "$@" 2>&1)
    case $output in *"reading config file $staged"*) ;; *)
        printf '%s\n' "logrotate did not run its check: $output"
        return 1
        ;;
    esac
    refused=
    split_lines
    for line in $output; do
        case $line in
        "error: $staged:"* | "warning: $staged:"*)
            refused=yes
            # The path of the stage is another one in each run.
            printf '%s\n' "$logrotate_config${line#*"$staged"}"
            ;;
        "error: "*" duplicate log entry for $logrotate_log")
            refused=yes
            line=${line#error: }
            printf '%s\n' "${line% duplicate log entry *} rotates $logrotate_log, too, and logrotate skips the second file with a log; take the log out of that file"
            ;;
        esac
    done
    unsplit
    [ -z "$refused" ]
}

logrotate_blames_files() {
    case $1 in *"$logrotate_config:"*) ;; *) return 1 ;; esac
}

logrotate_preflight() {
    [ -L "$logrotate_log" ] || return 0
    printf '%s\n' "$logrotate_log is a symbolic link, which logrotate never rotates; make it a file, or mount the other file system on its directory"
    return 1
}

# There is no process that could have other files.
logrotate_running() {
    running_digest=$tx_digest
    running_since=$tx_now
}

logrotate_activation() {
    activation=none
    activation_reason="logrotate reads its files in each run"
}

logrotate_activate() {
    return 0
}

logrotate_prove() {
    return 0
}
