# service INDEX NAME ENABLED RUNNING RELOAD RELOAD_FILES RESTART RESTART_FILES: a systemd service. ENABLED and RUNNING are yes or no;
# RUNNING is waits if its start may take any time.
# RELOAD_FILES and RESTART_FILES are positions of files, separated by blanks, that the process must have read since they changed;
# RELOAD and RESTART are digests of these files. Functions whose comment names no arguments take the same.
service() {
    unit_property "$1" LoadState
    if [ "$value" = not-found ]; then
        [ "$3$4" != nono ] || return 0
        cannot "systemd knows no unit $2; declare the package or the unit file that provides it"
        differs missing
        return
    fi
    service_enabled "$@"
    service_running "$@"
}

service_enabled() {
    unit_property "$1" UnitFileState
    # A state that ends in -runtime is lost at the next boot.
    case $3,$value in
    yes,disabled | yes,masked | yes,enabled-runtime | yes,masked-runtime)
        differs disabled "$value"
        applying || return 0
        case $value in
        masked) step "unmask $2" systemctl --quiet unmask -- "$2" ;;
        masked-runtime) step "unmask $2" systemctl --quiet --runtime unmask -- "$2" ;;
        esac
        step "enable $2" systemctl --quiet enable -- "$2"
        ;;
    no,enabled)
        differs enabled
        ! applying || step "disable $2" systemctl --quiet disable -- "$2"
        ;;
    no,enabled-runtime)
        differs enabled
        ! applying || step "disable $2" systemctl --quiet --runtime disable -- "$2"
        ;;
    esac
}

service_running() {
    unit_property "$1" ActiveState
    case $4,$value in
    yes,active | yes,reloading | waits,active | waits,reloading) service_current "$@" ;;
    waits,activating) ;;
    yes,* | waits,*)
        differs stopped "$value"
        applying || return 0
        if [ "$4" = waits ]; then
            step "start $2" systemctl --no-block start -- "$2"
        else
            step "start $2" start_service "$2"
        fi
        service_read_files "$@"
        ;;
    no,inactive | no,failed) ;;
    no,*)
        differs running "$value"
        ! applying || step "stop $2" systemctl stop -- "$2"
        ;;
    esac
}

# A running service must have read its files; a restart includes a reload. Sets invocation.
service_current() {
    unit_property "$1" InvocationID
    invocation=$value
    if ! has_read "$1" "$2" restart "$7" "$8"; then
        differs outdated restart
        applying || return 0
        step "restart $2" start_service "$2" restart
    elif ! has_read "$1" "$2" reload "$5" "$6"; then
        differs outdated reload
        applying || return 0
        step "reload $2" start_service "$2" reload
    else
        return 0
    fi
    service_read_files "$@"
}

# has_read INDEX NAME VERB DIGEST FILES: whether the process has read the files, because its stamp says so, or because it started after
# they were written. Reads invocation.
has_read() {
    [ -n "$5" ] || return 0
    versions_of "$4" "$5"
    while read -r verb noted; do
        [ "$verb $noted" != "$3 $versions" ] || return 0
    done 2>/dev/null <"$run/stamp/$2.$invocation"
    unit_started "$1"
    for n in $5; do
        eval "have=\$stat_$n"
        have=${have##*"$TAB"}
        # A missing file counts as newer than any process.
        [ "$started" -gt "${have:-9999999999}" ] || return 1
    done
}

# versions_of DIGEST FILES: sets versions to the digest and when each file was written, because a process may have read another
# content in between.
versions_of() {
    versions=$1
    for n in $2; do
        eval "have=\$stat_$n"
        versions="$versions ${have##*"$TAB"}"
    done
}

# Writes the stamp of what the process has read, after a start or a reload.
service_read_files() {
    [ -n "$6$8" ] || return 0
    facts
    unit_property "$1" InvocationID
    invocation=$value
    versions_of "$5" "$6"
    noted="reload $versions"
    versions_of "$7" "$8"
    step "note what $2 has read" put_text "$run/stamp/$2.$invocation" "$noted${NL}restart $versions"
}
