# Services: how one is started, and how one that has left the run list is undone.

# start_service NAME [VERB]: starts it and makes sure that it runs, because some units fail only after systemctl has returned.
start_service() {
    { systemctl "${2:-start}" -- "$1" && sleep 0.2 && systemctl is-active --quiet -- "$1"; } || {
        journalctl --sync 2>/dev/null
        systemctl status --no-pager --lines=8 -- "$1"
        return 1
    }
}

# undo_service NAME HOW: stops or restarts a service. HOW is stop or restart. Sets label; adds to undone.
undo_service() {
    label="service[$1]"
    # It may be declared otherwise now.
    case $NL$declared_wanted in *"$NL$label$TAB"*) return ;; esac
    case $2,$(systemctl show -p ActiveState -p UnitFileState -- "$1") in
    stop,*FileState=enabled*) ;;
    *ActiveState=inactive* | *ActiveState=failed*) return ;;
    esac
    differs "unlisted $2" "$label"
    undone=$undone$NL$label
    applying || return 0
    case $2 in
    stop) step "stop $1" systemctl --quiet disable --now -- "$1" ;;
    restart) step "restart $1" start_service "$1" restart ;;
    esac
}
