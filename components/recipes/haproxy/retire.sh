# How HAProxy goes out of service.

# Sets retirement to the drop-in that it has while it stops softly; a boot removes it.
haproxy_find_retirement() {
    retirement=/run/systemd/system/$haproxy_unit.d/90-retire.conf
}

# Whether it runs, would start at the next boot, or was only half retired.
haproxy_serves() {
    haproxy_find_retirement
    [ ! -e "$retirement" ] || return 0
    state=$(systemctl show -p ActiveState -p UnitFileState -- "$haproxy_unit")
    case $state in *UnitFileState=enabled*) return 0 ;; esac
    case $state in *ActiveState=inactive* | *ActiveState=failed*) return 1 ;; esac
}

# Stops HAProxy softly: it takes no new connection, and ends with its last one, at the latest after hard-stop-after. systemd sends the
# signal, so that it neither restarts HAProxy nor forgets to stop it if this converge is killed. Disables it first: a host that is
# rebooted meanwhile must not serve again.
haproxy_retire() {
    haproxy_find_retirement
    case $(systemctl show -p UnitFileState --value -- "$haproxy_unit") in
    enabled*) systemctl --quiet disable -- "$haproxy_unit" || return ;;
    esac
    find_time_left
    patience=$((haproxy_hard_stop + 10))
    [ "$patience" -le "$time_left" ] || patience=$time_left
    say_now "$label: takes no new connections, waits for its last one, at most $patience s"
    { mkdir -p "${retirement%/*}" &&
        put_text "$retirement" "[Service]${NL}KillSignal=SIGUSR1${NL}TimeoutStopSec=$patience" &&
        systemctl daemon-reload && systemctl stop -- "$haproxy_unit"; }
    retired=$?
    rm -f "$retirement"
    rmdir "${retirement%/*}" 2>/dev/null
    systemctl daemon-reload
    systemctl reset-failed -- "$haproxy_unit" 2>/dev/null
    return $retired
}
