# What the systemd unit says: which program the service runs, with which arguments and environment, and which files it reads.
#
# The functions below pass these settings to eval, because systemd shows them quoted for a shell. That is safe: only root can change a
# unit, and systemd runs its command as root anyway.

# What haproxy_command has read; empty if it was not called.
properties=

# Reads from the unit what its process gets, so that the check sees the same. Sets haproxy_program (HAProxy's own), command_line,
# environment, environment_files, unit_files (the unit's own, in the order in which systemd reads them) and unit_directory, and what
# haproxy_property reads. Asks systemd only once: an apply checks in subshells, so each of its checks asks again.
haproxy_command() {
    [ -z "$properties" ] || return 0
    properties=$NL$(systemctl show -p Environment -p EnvironmentFiles -p ExecStart -p FragmentPath -p DropInPaths \
        -p WorkingDirectory -p LimitNOFILE -p CapabilityBoundingSet -p MainPID -p MemoryMax -p ControlGroup -- "$haproxy_unit")$NL
    haproxy_property Environment
    environment=$value
    case $environment in *"[unprintable]"*) haproxy_bus_environment ;; esac
    environment_files=$(printf '%s\n' "$properties" | sed -n 's/^EnvironmentFiles=\(.*\) (.*/\1/p')
    haproxy_property FragmentPath
    unit_files=$value
    haproxy_property DropInPaths
    # shellcheck disable=SC2086 # split at blanks, on purpose
    unit_files=$(printf '%s\n' "$unit_files" $value)
    haproxy_property WorkingDirectory
    unit_directory=${value#[!/]}
    haproxy_property ExecStart
    haproxy_program=${value#*"{ path="}
    if [ "$haproxy_program" = "$value" ]; then
        haproxy_program=$(command -v haproxy)
        command_line="$haproxy_program -Ws -f $haproxy_config"
        return
    fi
    haproxy_program=${haproxy_program%%" ;"*}
    command_line=${value#*"argv[]="}
    command_line=${command_line%%" ;"*}
    # The first word may be another name for the program.
    case $command_line in
    *" "*) command_line="$haproxy_program ${command_line#* }" ;;
    *) command_line=$haproxy_program ;;
    esac
    # It may be one that starts HAProxy, such as taskset.
    for word in $command_line; do
        case $word in haproxy | */haproxy)
            haproxy_program=$word
            break
            ;;
        esac
    done
}

# haproxy_property NAME: sets value. Reads properties.
haproxy_property() {
    value=
    case $properties in *"$NL$1="*) ;; *) return 0 ;; esac
    value=${properties#*"$NL$1="}
    value=${value%%"$NL"*}
}

# Sets environment. Before systemd 246, systemctl does not print values with blanks; the bus returns them in double quotes.
haproxy_bus_environment() {
    bus=org.freedesktop.systemd1
    object=$(busctl call "$bus" /org/freedesktop/systemd1 "$bus.Manager" LoadUnit s "$haproxy_unit")
    object=${object#*\"}
    environment=$(busctl get-property "$bus" "${object%\"*}" "$bus.Service" Environment | sed 's/[$`]/\\&/g')
    environment=${environment#as * }
}

# Exports the environment of the unit.
haproxy_environment() {
    # Quoted by systemd, see above.
    [ -z "$environment" ] || eval "export $environment"
    split_lines
    for file in $environment_files; do
        unsplit
        [ ! -r "$file" ] || haproxy_environment_file <"$file"
        split_lines
    done
    unsplit
}

# systemd reads such a file as assignments, a line each, not as shell; so no eval here.
haproxy_environment_file() {
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in [A-Z_a-z]*=*) ;; *) continue ;; esac
        case ${line%%=*} in *[!A-Z_a-z0-9]*) continue ;; esac
        value=${line#*=}
        value=${value%"${value##*[![:space:]]}"}
        case $value in
        \"*\" | \'*\')
            value=${value#?}
            value=${value%?}
            ;;
        esac
        export "${line%%=*}=$value"
    done
}

# Prints the command line as systemd expands it, with blanks around each word.
haproxy_words() (
    haproxy_command
    haproxy_environment
    set +u
    # Quoted by systemd, see above; like systemd, the shell expands variables in it.
    eval "printf ' %s ' $command_line"
)

# Prints the files and directories that the service reads at its next start, a line each.
haproxy_unit_files() (
    haproxy_command
    haproxy_environment
    set +u
    # Quoted by systemd, see above.
    eval "set -- $command_line"
    haproxy_files_in "$unit_directory" "$@"
    printf '%s\n' "$files"
)

# haproxy_files_in DIRECTORY PROGRAM ARGUMENT...: sets files to those that these arguments make HAProxy read, a line each. DIRECTORY is
# where the program starts.
haproxy_files_in() {
    files=
    directory=$1
    shift 2
    while [ $# -gt 0 ]; do
        case $1 in
        --)
            shift
            for file; do files=$files$NL$file; done
            break
            ;;
        -f*)
            # If the variable after -f is empty, the next argument takes its place.
            case ${2-} in -* | "") ;; *) files=$files$NL$2 ;; esac
            ;;
        -C*) directory=${2-} ;;
        -[LmNnpx]*) ;;
        *)
            shift
            continue
            ;;
        esac
        shift
        [ $# = 0 ] || shift
    done
    set --
    split_lines
    for file in $files; do
        case $file in
        /*) set -- "$@" "$file" ;;
        *) set -- "$@" "$directory/$file" ;;
        esac
    done
    files="$*"
    unsplit
}

# haproxy_process_files PID: sets files to those with which the process was started, which it reads again at each reload. Fails if its
# arguments do not say.
haproxy_process_files() {
    split_lines
    # shellcheck disable=SC2046 # split at newlines, on purpose
    set -- $(tr '\0' '\n' 2>/dev/null <"/proc/$1/cmdline")
    unsplit
    files=
    [ $# = 0 ] || haproxy_files_in "" "$@"
    [ -n "$files" ]
}

# haproxy_reads FILES: whether haproxy_config is one of these files, or in one of these directories, under whatever name.
haproxy_reads() {
    case $NL$1$NL in *"$NL$haproxy_config$NL"*) return 0 ;; esac
    live=$(readlink -f -- "${haproxy_config%/*}")
    split_lines
    for file in $1; do
        unsplit
        real=$(readlink -f -- "$file")
        parent=$(readlink -f -- "${file%/*}/")
        case $real in "$live" | "$live/${haproxy_config##*/}") return 0 ;; esac
        [ "$parent/${file##*/}" != "$live/${haproxy_config##*/}" ] || return 0
        split_lines
    done
    unsplit
    return 1
}

# haproxy_listed LINES: prints them in one line.
haproxy_listed() {
    split_lines
    # shellcheck disable=SC2086 # split at newlines, on purpose
    set -- $1
    unsplit
    listed=$1
    shift
    for word; do listed="$listed, $word"; done
    printf %s "$listed"
}

# haproxy_says TEXT: sets says to the file in which the unit's settings name this text, the last one if there are several; empty if none
# does. Reads environment_files and unit_files.
haproxy_says() {
    says=
    split_lines
    for file in $unit_files $environment_files; do
        ! grep -v '^[[:space:]]*[#;]' -- "$file" 2>/dev/null | grep -q -F -- "$1" || says=$file
    done
    unsplit
}
